"""The command group: the main job without a subcommand, and one line for every error."""

from __future__ import annotations

import atexit
import errno
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import click

from .._version import __version__
from ..arguments import named_by
from ..errors import Problem
from .command import Command, write_options
from .errors import BUG, CLOSED_PIPE, INTERRUPTED, complain, described
from .naming import Options

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SIGNALLED = 128  # plus the number of the signal
COLLECTED_AFTER = 200_000  # new objects

EPILOG = """\b
Exit codes:
  0  equal
  1  differs
  2  wrong usage
  3  cannot be converted: unsupported layer, missing architecture, hazard
  4  the file is unreadable or hostile
  5  converted but not verified: a backend is missing, the model cannot run
  6  partly verified: equal, and some layers cannot run
  7  batch: some files failed"""


class Kconvert(click.Group):
    """Subcommands, and the main job for anything else."""

    MAIN = "convert"
    command_class = Command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """A first word that is not a command is the file (or an option) of the main job; no word asks for help."""
        if not args:
            args = ["--help"]
        if args[0] not in (*self.commands, "--help", "--version"):
            if not ctx.resilient_parsing:
                self._refuse_mistyped(args[0])
            args = [self.MAIN, *args]
        return super().parse_args(ctx, args)

    def _refuse_mistyped(self, word: str) -> None:
        """Refuses a first word that is nearly a command, and no file."""
        visible = [name for name, command in self.commands.items() if not command.hidden]
        if word.isidentifier() and word.islower() and not os.path.exists(word):
            from difflib import get_close_matches

            for name in get_close_matches(word, visible, n=1, cutoff=0.7):
                raise click.UsageError(f"there is no command and no file {word!r}; did you mean {name}?")

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "SOURCE --to BACKEND [-o RESULT] [OPTIONS]")
        formatter.write_usage(ctx.command_path, "COMMAND ...", " " * len("Usage: "))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands, then the options of the main job."""
        with formatter.section("Commands"):
            visible = sorted(name for name, command in self.commands.items() if not command.hidden)
            formatter.write_dl([(name, self.commands[name].get_short_help_str(limit=200)) for name in visible])
        write_options([*self.commands[self.MAIN].params, *self.get_params(ctx)], ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The first word is a command, a file, or an option of the main job."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return [*super().shell_complete(ctx, incomplete), *self.commands[self.MAIN].shell_complete(ctx, incomplete)]
        # The file comes first: bash forgets what stands before it, and completes files where no command matches.
        return [CompletionItem(incomplete, type="file"), *super().shell_complete(ctx, incomplete)]

    def main(self, args: Any = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Runs a command and exits with its code; every error is one line on the standard error."""
        signals: list[int] = []
        _open_what_is_closed()
        try:
            _escape_what_cannot_be_written()
            _collect_rarely()
            with named_by(Options()), _ending_cleanly(signals):
                code = super().main(args, prog_name or "kconvert", **{**extra, "standalone_mode": False})
        except click.Abort:
            code = complain("interrupted", INTERRUPTED)
        except _Ended:
            code = complain("ended by a signal", BUG)
        except _ClosedPipe:
            _drop_output()
            code = CLOSED_PIPE
        except _OutputLost as error:
            _drop_output()
            code = complain(f"the output cannot be printed ({error})", Problem.USAGE)
        except Exception as error:
            message, code = described(error)
            if code == BUG and "KCONVERT_DEBUG" in os.environ:
                raise
            complain(message, code)
        sys.exit(SIGNALLED + signals[0] if signals else code)

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        with _printing():  # the help, and the version
            return super().make_context(*arguments, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _printing():
            code = super().invoke(ctx)
            sys.stdout.flush()
            return code


class _ClosedPipe(Exception):
    """The reader of the output is gone. (For a BrokenPipeError, click exits with 1, which means "differs" here.)"""


class _OutputLost(Exception):
    """The output cannot be written, as on a full disk; the message is the reason."""


@contextmanager
def _printing() -> Iterator[None]:
    """Turns errors of the standard output into one of these two."""
    try:
        yield
    except BrokenPipeError as error:
        raise _ClosedPipe from error
    except OSError as error:
        if error.filename is None and error.errno in (errno.ENOSPC, errno.EIO):
            raise _OutputLost(error.strerror) from error
        raise


def _open_what_is_closed() -> None:
    """Standard streams that are closed read and write nothing.

    Else the next file that is opened would take their place, and what a library prints would go into it.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            stream = open(number, mode, closefd=False, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
            setattr(sys, name, stream)


def _drop_output() -> None:
    """Discards output that the interpreter flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Ended(BaseException):
    """The process was told to end by a signal."""


@contextmanager
def _ending_cleanly(signals: list[int]) -> Iterator[None]:
    """In the block, signals that end the process raise `_Ended`, so that incomplete files are removed.

    signals: gets the number of the signal; a library may turn `_Ended` into another error. The second such signal ends
    the process at once.
    """

    def end(number: int, frame: object) -> NoReturn:
        signal.signal(number, signal.SIG_DFL)
        signals.append(number)
        raise _Ended

    ours = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]
    if threading.current_thread() is not threading.main_thread():
        ours = []  # only the main thread sets handlers
    handled = [number for number in ours if signal.getsignal(number) == signal.SIG_DFL]
    for number in handled:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)


def _collect_rarely() -> None:
    """Makes the garbage collector run less often, because the objects of a command live until it ends.

    Else it would take a quarter of the time of a model with thousands of layers. At the end of the process it does not
    look at them either, which takes 30 ms after a small file.
    """
    gc.freeze()
    atexit.register(gc.freeze)
    gc.set_threshold(COLLECTED_AFTER)


def _escape_what_cannot_be_written() -> None:
    """Characters that the encoding of the terminal lacks are escaped."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")


@click.group(cls=Kconvert, epilog=EPILOG, context_settings={"show_default": True, "max_content_width": 100})
@click.version_option(__version__, message="kconvert %(version)s")
def main() -> None:
    """Converts a Keras weight file for another backend, then runs both files and compares every layer.

    `kconvert SOURCE --to BACKEND` is the main job. Its options follow the commands; `kconvert COMMAND --help` shows
    those of a command.
    """
