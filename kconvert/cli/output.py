"""Prints and writes the results of commands: JSON and reports."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

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
