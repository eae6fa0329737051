"""HTML: one page without anything from outside, for a browser, a phone, a screen reader."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ...errors import KconvertError, printable
from ...kernels import Chain
from ..tolerance import DEFAULT_TOLERANCE
from ..value import Entry, Report, Summary
from . import charts, words

CAUSES = 5  # shown at the top, before the rest is folded away
UNFOLDED = 20  # files that differ and are unfolded from the start


def render(done: Report | Summary) -> str:
    many = isinstance(done, Summary)
    title = words.tally(done) if isinstance(done, Summary) else f"{words.word(done)}: {words.pair(done)}"
    return _page().render(files=_files(done), many=many, equal=done.equal, title=title)


@dataclass(frozen=True)
class File:
    """One pair of files as the templates see it; key: of its anchors."""

    key: str
    unfolded: bool
    entry: Entry


def _files(done: Report | Summary) -> list[File]:
    entries = words.entries(done)
    differ = [i for i, entry in enumerate(entries) if entry.state == "differs"]
    return [File(f"file-{i}", i in differ[:UNFOLDED], entry) for i, entry in enumerate(entries)]


@cache
def _page() -> Any:
    """The template of the page, with the one style and the one script that its policy knows by their hash."""
    environment = Environment(
        loader=PackageLoader("kconvert.verification.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_plain,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        number=words.number,
        sizes=words.sizes,
        percent=words.percent,
        element=words.element,
        op=_op,
        basename=lambda path: PurePath(path).name,
        plural=words.plural,
    )
    for name in ("style.css", "page.js"):
        text = environment.loader.get_source(environment, name)[0].rstrip()  # type: ignore[union-attr]
        key = name.partition(".")[2]
        environment.globals[key] = Markup(f"\n{text}\n")
        environment.globals[f"{key}_hash"] = _hash(f"\n{text}\n")
    environment.globals.update(
        words=words, charts=charts, spreads=_spreads, usual=DEFAULT_TOLERANCE, causes_shown=CAUSES
    )
    return environment.get_template("page.html")


def _plain(value: Any) -> Any:
    """Names come from files: control characters are spelled out."""
    return value if isinstance(value, Markup) else printable(str(value))


def _hash(text: str) -> str:
    """How a Content-Security-Policy names an inline text."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _op(ops: Any) -> str:
    """The ops of a plan's step as a reader knows them."""
    try:
        return str(Chain.from_json(ops))
    except KconvertError:
        return str(ops)  # an op of somebody's own, not registered here


def _spreads(report: Report) -> list[charts.Spread]:
    """The plots of the worst layers; of a layer without any error there is nothing to show."""
    found = {c.name: c for c in report.comparisons if c.max_error > 0}
    return [charts.spread(found[details.name], details) for details in report.details if details.name in found]
