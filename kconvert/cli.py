"""The command line: a thin skin of the library.

`kconvert FILE --to B` is the main job; everything else is a subcommand. Only click is imported when
the module is: the rest is loaded by the command that needs it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn

import click

from . import __version__
from .errors import KconvertError, Problem, printable

if TYPE_CHECKING:
    from .report import Report

EQUAL, DIFFERS = 0, 1
INTERRUPTED, CLOSED_PIPE, BUG = 130, 141, 70

Command = Callable[..., Any]

EPILOG = """\b
Exit codes:
  0  equal
  1  differs
  2  wrong usage
  3  cannot be converted: unsupported layer, missing architecture, hazard
  4  the file is unreadable or hostile
  5  converted but not verified: a backend is missing, the model cannot run"""


class Kconvert(click.Group):
    """Subcommands, and the main job for anything that is none."""

    MAIN = "convert"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """A first word that is no command is the file (or an option) of the main job; no word asks for help."""
        if not args:
            args = ["--help"]
        if args[0] not in (*self.commands, "--help", "--version"):
            args = [self.MAIN, *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "FILE --to B [--from B] [-o OUT]")
        formatter.write_usage(ctx.command_path, "COMMAND ...", " " * len("Usage: "))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options of the main job, then the commands."""
        self.commands[self.MAIN].format_options(ctx, formatter)
        self.format_commands(ctx, formatter)

    def main(self, args: Any = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Runs a command and exits with its code; every error is one line on the standard error."""
        try:
            _escape_what_cannot_be_written()
            code = super().main(args, prog_name or "kconvert", **{**extra, "standalone_mode": False})
            sys.stdout.flush()
        except KconvertError as error:
            code = _complain(error, error.problem)
        except click.ClickException as error:
            code = _complain(" ".join(error.format_message().split()), error.exit_code)
        except click.Abort:
            code = _complain("interrupted", INTERRUPTED)
        except _ClosedPipe:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what the interpreter still flushes
            code = CLOSED_PIPE
        except RecursionError:
            code = _complain("the architecture is nested too deeply", Problem.UNREADABLE)
        except MemoryError:
            code = _complain("out of memory", BUG)
        except Exception as error:
            if "KCONVERT_DEBUG" in os.environ:
                raise
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            code = _complain(f"a bug in kconvert, please report it ({said}); KCONVERT_DEBUG=1 shows where", BUG)
        sys.exit(code)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ClosedPipe from error


class _ClosedPipe(Exception):
    """Nobody reads the output any more. (Of a BrokenPipeError click would make exit code 1: "differs".)"""


def _escape_what_cannot_be_written() -> None:
    """A name that the terminal's encoding lacks is shown escaped."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")


def _complain(what: object, code: int) -> int:
    click.echo(f"kconvert: {printable(str(what))}", err=True)
    return code


# ------------------------------------------------------------------ options ----


def together(name: str, *options: Command) -> Command:
    """Options that several commands share; their values reach the command as one dict, the argument `name`."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def packed(**given: Any) -> Any:
            return command(**{name: {key: given.pop(key) for key in keys}}, **given)

        before = len(getattr(packed, "__click_params__", []))
        for option in reversed(options):
            option(packed)
        parameters = packed.__click_params__[before:]  # type: ignore[attr-defined]
        keys = [parameter.name for parameter in parameters if parameter.expose_value]
        return packed

    return decorate


BACKEND = click.Choice(["theano", "tensorflow"])
PATH = click.Path(path_type=str)

DATA_FORMATS = click.Choice(["channels_first", "channels_last"])

conversion = together(
    "conversion",
    click.option("--from", "source", type=BACKEND, help="Backend that saved FILE; may be left out where FILE tells."),
    click.option("--to", "target", type=BACKEND, required=True, help="Backend to convert for."),
    click.option(
        "--format",
        type=click.Choice(["keras2", "same"]),
        default="keras2",
        show_default=True,
        help="Generation of the result; same: that of FILE.",
    ),
    click.option(
        "--data-format",
        type=click.Choice(["native", "keep", *DATA_FORMATS.choices]),
        metavar="FORMAT",
        default="native",
        show_default=True,
        help="Data format of the result: native (as usual on the target), keep, channels_first, channels_last.",
    ),
    click.option(
        "--repair/--no-repair",
        default=True,
        help="Rewrite layers that the two backends compute differently (the default), or refuse them.",
    ),
    click.option("--drop-optimizer", is_flag=True, help="Leave the optimizer's state out of the result."),
    click.option(
        "--layer",
        "layers",
        multiple=True,
        metavar="NAME=CLASS",
        help="What a layer is, where weights alone do not tell; NAME=as-is leaves it alone. May be repeated.",
    ),
    click.option("--force", is_flag=True, help="Take --from though FILE says otherwise; replace OUT."),
)


def _import(context: click.Context, parameter: click.Parameter, modules: tuple[str, ...]) -> None:
    from .layers.custom import load_module

    for module in modules:
        load_module(module)


architecture = together(
    "architecture",
    click.option(
        "--arch", type=PATH, metavar="JSON", help="What model.to_json() or to_yaml() wrote, for weights alone."
    ),
    click.option(
        "--custom",
        multiple=True,
        metavar="MODULE",
        expose_value=False,
        callback=_import,
        help="Module that registers layers and functions of your own; imported first. May be repeated.",
    ),
    click.option(
        "--source-data-format",
        type=DATA_FORMATS,
        metavar="FORMAT",
        help="channels_first or channels_last, for Keras 1 layers of FILE that do not state theirs.",
    ),
)

running = together(
    "running",
    click.option("--require-backends", is_flag=True, help="No NumPy in the place of a missing backend."),
    click.option(
        "--seed", type=click.IntRange(0), metavar="N", default=0, show_default=True, help="Seed of the random inputs."
    ),
    click.option(
        "--samples", type=click.IntRange(1), metavar="N", default=4, show_default=True, help="How many inputs."
    ),
    click.option("--atol", type=click.FloatRange(0), metavar="X", help="Error allowed in any case."),
    click.option(
        "--rtol", type=click.FloatRange(0), metavar="X", help="Error allowed, as a part of a layer's largest output."
    ),
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
quiet = click.option("-q", "--quiet", is_flag=True, help="Print the verdict alone.")


# ----------------------------------------------------------------- commands ----


@click.group(cls=Kconvert, epilog=EPILOG)
@click.version_option(__version__, message="kconvert %(version)s")
def main() -> None:
    """Converts a Keras weight file for another backend and proves it: runs both files and compares every layer."""


@main.command(Kconvert.MAIN, hidden=True)
@click.argument("file", type=PATH)
@click.option("-o", "--output", type=PATH, metavar="OUT", help="File to write; by default NAME.BACKEND.h5 beside FILE.")
@conversion
@architecture
@click.option("--no-verify", is_flag=True, help="Convert only.")
@running
@as_json
@quiet
def convert(
    file: str,
    output: str | None,
    conversion: dict[str, Any],
    architecture: dict[str, Any],
    no_verify: bool,
    running: dict[str, Any],
    as_json: bool,
    quiet: bool,
) -> int:
    """Converts FILE and proves it: runs both files and compares every layer."""
    from .conversion import convert
    from .report import terminal

    silent = as_json or quiet
    if not silent and conversion["source"] is None:
        terminal.show(terminal.found(file, _evidence(file)), "")
    with _progress():
        done = convert(file, output, **conversion, **architecture)
    if not silent:
        terminal.show(terminal.summary(done.plan), terminal.written(done.target), "")
    if no_verify:
        if as_json:
            _print_json(done.plan)
        return EQUAL
    try:
        report = _verified(
            file,
            str(done.target),
            source=done.plan.source.backend,
            target=done.plan.target.backend,
            force=conversion["force"],
            **architecture,
            **running,
        )
    except KconvertError as error:
        return _complain(f"{done.target} is written but not verified: {error}", Problem.UNVERIFIED)
    return _conclude(report, as_json, quiet)


@main.command()
@click.argument("file", type=PATH)
@architecture
@as_json
def inspect(file: str, architecture: dict[str, Any], as_json: bool) -> int:
    """Says what FILE is, with the evidence."""
    from .inspection import inspect
    from .report import terminal

    found = inspect(file, **architecture)
    if as_json:
        _print_json(found)
    else:
        terminal.show(terminal.inspection(found))
    return EQUAL


@main.command()
@click.argument("file", type=PATH)
@conversion
@architecture
@as_json
def plan(file: str, conversion: dict[str, Any], architecture: dict[str, Any], as_json: bool) -> int:
    """Shows what would be done to each weight; writes nothing."""
    from . import hdf5
    from .conversion import plan
    from .report import terminal

    with hdf5.read(file) as checkpoint:
        made = plan(checkpoint, **conversion, **architecture)
    if as_json:
        _print_json(made)
    else:
        terminal.show(terminal.plan(made, file))
    return Problem.UNSUPPORTED if made.hazards else EQUAL


@main.command()
@click.argument("source_file", metavar="A", type=PATH)
@click.argument("target_file", metavar="B", type=PATH)
@click.option("--from", "source", type=BACKEND, help="Backend of A, where A does not tell.")
@click.option("--to", "target", type=BACKEND, help="Backend of B, where B does not tell.")
@architecture
@click.option("--target-arch", type=PATH, metavar="JSON", help="The same of B; by default what A's becomes.")
@running
@as_json
@quiet
def verify(
    source_file: str,
    target_file: str,
    source: str | None,
    target: str | None,
    architecture: dict[str, Any],
    target_arch: str | None,
    running: dict[str, Any],
    as_json: bool,
    quiet: bool,
) -> int:
    """Runs A and B, each on its own backend, and compares every layer."""
    report = _verified(
        source_file, target_file, source=source, target=target, target_arch=target_arch, **architecture, **running
    )
    return _conclude(report, as_json, quiet)


@main.command()
def backends() -> int:
    """Lists the backends: what is installed, and how to install what is not."""
    from .backend import probe
    from .report import terminal

    terminal.show(terminal.backends(probe()))
    return EQUAL


# -------------------------------------------------------------------- parts ----


def _evidence(file: str) -> list[str]:
    from . import hdf5
    from .binding import source_convention

    with hdf5.read(file) as checkpoint:
        return source_convention(checkpoint, None)[1]


def _verified(source_file: str, target_file: str, atol: float | None, rtol: float | None, **options: Any) -> Report:
    from .report import tolerance
    from .verification import verify

    with _progress():
        return verify(source_file, target_file, tolerance(atol, rtol, {}), **options)


def _conclude(report: Report, as_json: bool, quiet: bool) -> int:
    from .report import terminal

    if as_json:
        _print_json(report)
    else:
        terminal.show(terminal.verdict(report) if quiet else terminal.report(report))
    return EQUAL if report.equal else DIFFERS


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value.to_json(), indent=2))


@contextmanager
def _progress() -> Iterator[None]:
    """What the library is doing (its log), in one line on the standard error while it is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    import logging

    from rich.console import Console
    from rich.text import Text

    class Line(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            status.update(Text(printable(record.getMessage()), no_wrap=True, overflow="ellipsis"))

    log = logging.getLogger(__package__)
    # A descriptor of its own: while TensorFlow is imported, the standard error goes through a filter.
    with open(os.dup(sys.stderr.fileno()), "w") as stream:
        console = Console(file=stream, force_terminal=True, markup=False, highlight=False)
        with console.status("reading", spinner="line") as status:
            handler = Line()
            log.addHandler(handler)
            log.setLevel(logging.INFO)
            try:
                yield
            finally:
                log.removeHandler(handler)
                log.setLevel(logging.NOTSET)
