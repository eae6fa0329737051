"""What commands print: JSON, reports, and what is going on."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ..errors import printable

if TYPE_CHECKING:
    from ..verification.value import Report, Summary

EQUAL, DIFFERS = 0, 1


def conclude(done: Report | Summary, paths: Sequence[str], as_json: bool, quiet: bool) -> int:
    """Writes and prints a report; gives the exit code."""
    from ..verification.report import terminal, writing

    for path in paths:
        writing.write(path, done)
    if as_json:
        print_json(done)
    else:
        terminal.show(terminal.shown(done, brief=quiet))
    return done.code


def print_json(value: Any) -> None:
    click.echo(json.dumps(value.to_json(), indent=2))


@contextmanager
def progress() -> Iterator[None]:
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

    log = logging.getLogger(__package__.partition(".")[0])
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
