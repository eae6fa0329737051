"""Markdown as GitHub renders it: the summary of a job, a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ...drawing.words import at_least, plural, sizes
from ...errors import printable
from ..comparison import Comparison
from ..value import Entry, Report, Summary
from .words import cause_of, classes, difference, element, entries, left_out, outcome, reason, tally, verdict

ROWS = 20  # of a table, before the rest is folded away
SECTIONS = 20  # files that differ and are shown in full: GitHub takes 1 MiB of a summary
MARKS = {
    "equal": "\N{WHITE HEAVY CHECK MARK}",
    "limited": "\N{LARGE YELLOW CIRCLE}",
    "converted": "\N{WHITE LARGE SQUARE}",
    "copied": "\N{WHITE LARGE SQUARE}",
    "partly": "\N{WARNING SIGN}\N{VARIATION SELECTOR-16}",
    "differs": "\N{CROSS MARK}",
    "unproved": "\N{CROSS MARK}",
    "error": "\N{WARNING SIGN}\N{VARIATION SELECTOR-16}",
}

# What has a meaning in Markdown, HTML, or as a mention or reference on GitHub; underscores within words have none.
_SPECIAL = re.compile(r"[\\`*\[<|~#&@$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=//)")


def render(done: Report | Summary) -> str:
    if isinstance(done, Report):
        (entry,) = entries(done)
        return "\n".join(_section(entry, done)) + "\n"
    lines = [
        f"## {MARKS[_state(done)]} kconvert",
        "",
        _text(tally(done)),
        "",
    ]
    lines += _files(done)
    wrong = [(entry, entry.report) for entry in done.entries if entry.report and not entry.equal]
    for entry, report in wrong[:SECTIONS]:
        lines += ["", *_section(entry, report)]
    if len(wrong) > SECTIONS:
        lines += ["", f"{plural(len(wrong) - SECTIONS, 'more file')} that differ: see the table."]
    return "\n".join(lines) + "\n"


def _state(done: Summary) -> str:
    if done.equal:
        return "limited" if done.limited else "equal"
    return "partly" if done.agrees else "differs"


def _mark(entry: Entry) -> str:
    return MARKS["limited" if entry.limited else entry.state]


# ----------------------------------------------------------------- escaping ----


def _text(value: str) -> str:
    r"""Text without markup.

    >>> _text("conv_1 <b>|*x*")
    'conv_1 &#60;b>&#124;&#42;x&#42;'
    """
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", printable(value))


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str] = ()) -> list[str]:
    lines = [heads, [("---:" if head in right else "---") for head in heads], *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def _folded(title: str, lines: Sequence[str]) -> list[str]:
    return ["<details>", f"<summary>{title}</summary>", "", *lines, "", "</details>"]


# -------------------------------------------------------------------- files ----


def _files(done: Summary) -> list[str]:
    """A table of the files, with those that are not equal first."""
    order = sorted(
        done.entries, key=lambda entry: (entry.equal, entry.state in ("converted", "copied"), not entry.limited)
    )
    rows = [[_mark(entry), _text(entry.name), _text(outcome(entry))] for entry in order]
    return _table(["", "file", "verdict"], rows) if rows else []


# --------------------------------------------------------------- one report ----


def _section(entry: Entry, report: Report) -> Iterator[str]:
    """The verdict, the causes, what differs, and what ran."""
    yield f"## {_mark(entry)} {_text(entry.name)}"
    yield from ("", f"**{_text(verdict(report))}**")
    yield from _listed(map(reason, report.causes))
    yield from _differing(report)
    yield from _listed(left_out(report))
    yield from _listed(classes(report))
    if report.weights:
        how_many = (
            f"{len(report.weights)} of {plural(report.arrays, 'weight')} differ from those of the converted source"
        )
        more = ", ..." if len(report.weights) > ROWS else ""
        yield from ("", f"{how_many}: {', '.join(map(_text, report.weights[:ROWS]))}{more}")
    if report.tolerance.loosened:
        yield from ("", f"**TOLERANCE LOOSENED** to {_text(str(report.tolerance))}")
    yield from ("", *_folded("what ran", _facts(report)))


def _listed(lines: Iterable[str]) -> Iterator[str]:
    for i, line in enumerate(lines):
        yield from ([""] if i == 0 else [])
        yield f"- {_text(line)}"


def _differing(report: Report) -> Iterator[str]:
    """The tensors that differ, the largest errors first."""
    bad = sorted((c for c in report.comparisons if not c.equal), key=_badness, reverse=True)
    if not bad:
        return
    yield from ("", *_comparisons(report, bad[:ROWS]))
    if len(bad) > ROWS:
        yield from ("", *_folded(f"{len(bad) - ROWS} more that differ", _comparisons(report, bad[ROWS:])))


def _badness(found: Comparison) -> tuple[bool, float]:
    """A tensor that cannot be compared is worst."""
    return bool(found.problem), found.relative


def _comparisons(report: Report, found: Iterable[Comparison]) -> list[str]:
    heads = ["layer", "class", "shape", "difference", "needed rtol", "cosine", "largest error at"]
    rows = [
        [
            _text(c.name) + (" **(cause)**" if cause_of(report, c.name) else ""),
            _text(c.layer),
            sizes(c.shape),
            _text(difference(c)),
            at_least(c.needed),
            f"{c.cosine:.4f}",
            _text(element(c)),
        ]
        for c in found
    ]
    return _table(heads, rows, right=("needed rtol", "cosine"))


def _facts(report: Report) -> list[str]:
    sides = (("source", report.source), ("result", report.target))
    facts = [(role, side.path, f"{side.convention}, ran on {side}") for role, side in sides]
    facts.append(("inputs", plural(report.samples, "sample"), report.inputs))
    facts.append(("allowed", "error of", str(report.tolerance)))
    facts += [(name, value, "") for name, value in report.environment.items()]
    rows = [[_text(cell) for cell in fact] for fact in facts]
    notes = [f"\n- {_text(note)}" for note in report.notes]
    return _table(["", "", ""], rows) + notes
