"""What commands print: JSON, reports, and their progress."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ..errors import printable

if TYPE_CHECKING:
    from ..conversion.files import Conversion
    from ..formats.atomic import NamedPath
    from ..verification.value import Report, Summary
    from .options import Reporting

EQUAL, DIFFERS = 0, 1


def conclude(done: Report | Summary, reporting: Reporting) -> int:
    """Writes and prints a report; returns the exit code."""
    from ..drawing.terminal import show
    from ..verification.report import terminal
    from ..verification.report.writing import write_report

    for path in reporting.paths:
        write_report(path, done)
    if reporting.as_json:
        print_json(done)
    else:
        show(terminal.drawn(done, brief=reporting.quiet))
    return done.code


def conclude_unverified(done: Conversion, reporting: Reporting) -> int:
    """The same for a conversion whose result is not verified."""
    from ..verification.report.writing import write_report
    from ..verification.value import Entry, Summary

    summary = Summary([Entry(f"{done.source.name} -> {done.target.name}")])
    for path in reporting.paths:
        write_report(path, summary)
    if reporting.as_json:
        print_json(done)
    return EQUAL


def files_to_write(reporting: Reporting, keep: str | None = None) -> list[NamedPath]:
    """The files that a command writes beside its result, with their roles."""
    from ..verification.saved_runs import INDEX

    index = [] if keep is None else [("index of the saved runs", os.path.join(keep, INDEX))]
    return [*index, *(("report", path) for path in reporting.paths)]


def print_json(value: Any) -> None:
    click.echo(json.dumps(value.to_json(), indent=2))


@contextmanager
def progress() -> Iterator[None]:
    """The log of the library in one line on the standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    import logging

    from rich.console import Console
    from rich.text import Text

    class Line(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            status.update(Text(printable(record.getMessage()), no_wrap=True, overflow="ellipsis"))

    log = logging.getLogger(__package__.partition(".")[0])
    # A descriptor of its own: while TensorFlow is imported, the standard error is redirected.
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
