"""The class of commands: options in groups, and errors that are written into the requested reports."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import click

from ..errors import KconvertError
from .errors import described

if TYPE_CHECKING:
    from ..verification.value import Summary

OTHERS = "Other options"

_WORDS = f"{__name__}.words"  # the key of the words of the command line


class Option(click.Option):
    """An option in a group of the help."""

    def __init__(self, *words: Any, section: str = OTHERS, **options: Any) -> None:
        self.section = section
        super().__init__(*words, **options)


def write_options(parameters: Iterable[click.Parameter], ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Writes the help of options, a section for each group, in the order in which the groups come first."""
    records: dict[str, list[tuple[str, str]]] = {}
    for parameter in parameters:
        record = parameter.get_help_record(ctx)
        if record is not None and isinstance(parameter, click.Option):
            records.setdefault(parameter.section if isinstance(parameter, Option) else OTHERS, []).append(record)
    for section in sorted(records, key=lambda section: section == OTHERS):
        with formatter.section(section if len(records) > 1 else "Options"):
            formatter.write_dl(records[section])


class Command(click.Command):
    """A command. Where it ends with an error and has `--report` or `--json`, they get the error."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_options(self.get_params(ctx), ctx, formatter)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_WORDS] = list(args)
        with _errors_reported(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with _errors_reported(ctx):
            return super().invoke(ctx)


@contextmanager
def _errors_reported(ctx: click.Context) -> Iterator[None]:
    """Writes an error of the block into the reports, and prints it as JSON; then the error is raised again."""
    start = time.monotonic()
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise  # of the command line
    except Exception as error:
        from ..formats.atomic import Collision

        if isinstance(error, OSError) and not isinstance(error, KconvertError):
            raise  # of the output
        if isinstance(error, Collision):  # a report may be one of the two files
            raise
        paths, as_json = ctx.params.get("paths", ()), ctx.params.get("as_json", False)
        if paths or as_json:
            done = _failed(ctx, error, time.monotonic() - start)
            with suppress(KconvertError):  # the error itself is what is said
                _write(done, [path for path in paths if not _is_named_again(path, ctx.meta[_WORDS])], as_json)
        raise


def _failed(ctx: click.Context, error: Exception, seconds: float) -> Summary:
    """An error as a report has it."""
    from ..verification.value import Entry, Summary

    arguments = [parameter.name for parameter in ctx.command.params if isinstance(parameter, click.Argument)]
    values = [ctx.params.get(name or "") for name in arguments]
    words = [word for value in values if value for word in ([value] if isinstance(value, str) else value)]
    name = " -> ".join(PurePath(word).name or word for word in words[:2]) or str(ctx.info_name)
    message, code = described(error)
    return Summary([Entry(name, error=message, code=code, seconds=seconds)])


def _write(done: Summary, paths: Sequence[str], as_json: bool) -> None:
    from ..verification.report.json import render
    from ..verification.report.writing import write_report

    for path in paths:
        write_report(path, done)
    if as_json:
        click.echo(render(done), nl=False)


def _is_named_again(path: str, words: Sequence[str]) -> bool:
    """Whether another option or argument names the file of a report, which may be an input of the command."""
    from ..formats.atomic import one_file

    named = [any(one_file(path, part) for part in (word, word.partition("=")[2], word[2:]) if part) for word in words]
    return sum(named) > 1
