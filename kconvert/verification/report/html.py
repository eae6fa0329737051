"""HTML reports: one self-contained page, also for phones and screen readers."""

from __future__ import annotations

from functools import cache
from typing import Any

from ...drawing.page import environment
from ...errors import KconvertError
from ...kernels import Chain
from ...lazy_dataclasses import dataclass
from ..tolerance import DEFAULT_TOLERANCE
from ..value import Entry, Report, Summary
from . import charts, words

CAUSES = 5  # shown at the top, before the others are folded
UNFOLDED = 20  # files that differ and are unfolded from the start


def render(done: Report | Summary) -> str:
    many = isinstance(done, Summary)
    title = words.tally(done) if isinstance(done, Summary) else f"{done.title}: {words.pair(done)}"
    agrees = isinstance(done, Summary) and done.agrees
    proved = done.equal and not any(entry.limited for entry in words.entries(done))
    return _template().render(files=_files(done), many=many, proved=proved, agrees=agrees, title=title)


@dataclass(frozen=True)
class File:
    """One pair of files as the templates see it."""

    key: str  # of its anchors
    unfolded: bool
    entry: Entry


def _files(done: Report | Summary) -> list[File]:
    entries = words.entries(done)
    differ = [i for i, entry in enumerate(entries) if entry.state == "differs"]
    unfolded = differ[:UNFOLDED] if len(entries) > 1 else [0]
    return [File(f"file-{i}", i in unfolded, entry) for i, entry in enumerate(entries)]


@cache
def _template() -> Any:
    templates = environment(__package__)
    templates.filters.update(element=words.element, op=_op)
    templates.globals.update(
        words=words, charts=charts, spreads=_spreads, default=DEFAULT_TOLERANCE, causes_shown=CAUSES
    )
    return templates.get_template("report.html")


def _op(ops: Any) -> str:
    """The ops of a step of a plan as a reader knows them."""
    try:
        return str(Chain.from_json(ops))
    except KconvertError:
        return str(ops)  # an op that is not registered here


def _spreads(report: Report) -> list[charts.Spread]:
    """The plots of the worst layers that have any error."""
    found = {c.name: c for c in report.comparisons if c.max_error > 0}
    return [charts.spread(found[details.name], details) for details in report.details if details.name in found]
