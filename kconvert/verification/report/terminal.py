"""Reports, self-tests and differences in the terminal, within 80 columns."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ...drawing import terminal as draw
from ...drawing.words import at_least, number, plural, sizes
from ..difference import Difference
from ..planted import CAUGHT, HARMLESS, LOCATED, MISSED, REFUSED, SelfTest
from ..tolerance import DEFAULT_TOLERANCE, Tolerance
from ..value import EQUAL, QUANTIZED, Entry, Report, Summary
from .words import classes, element, left_out, outcome, reason, reasons, tally
from .words import verdict as verdict_in_words

LISTED = 8  # differing weights that are listed by name


def drawn(done: Report | Summary, brief: bool = False) -> RenderableType:
    """A report on two files or on many; brief: the verdict alone."""
    if isinstance(done, Summary):
        return _all(done) if brief else files(done)
    return verdict(done) if brief else report(done)


def report(done: Report) -> RenderableType:
    """Both sides, every layer compared, why they differ, which weights differ, and the verdict in the last line."""
    return Group(
        _comparisons(done),
        *_why(done),
        Text(),
        _sides(done),
        *map(draw.text, classes(done)),
        *_weights(done),
        *draw.notes([*left_out(done), *done.notes]),
        Text(),
        verdict(done),
    )


def verdict(done: Report) -> RenderableType:
    """One line: equal or not, what limits that, and the first layer that differs."""
    return draw.text(
        verdict_in_words(done),
        draw.BAD if done.word not in (EQUAL, QUANTIZED) else draw.WARN if done.qualifiers or done.partly else draw.GOOD,
    )


def _comparisons(done: Report) -> Table:
    numbers = ("max\nerror", "scale", "needed\nrtol")
    table = draw.table("layer", "class", "shape", *numbers, "", numbers=numbers)
    table.padding = (0, 1, 0, 0)
    table.columns[-1].no_wrap = True
    outputs = [c for c in done.outputs if not (c.equal and done.layers)]  # those that agree were seen as layers
    for c in (*done.layers, *outputs):
        style = {"equal": "", "unproved": draw.WARN}.get(c.state, draw.BAD)
        table.add_row(
            draw.text(c.name, style),
            draw.text(c.layer),
            sizes(c.shape),
            Text(number(c.max_error), style),
            number(c.scale),
            at_least(c.needed),
            Text("DIFFERS" if c.differs else c.state, style or (draw.WARN if done.qualifiers else draw.GOOD)),
        )
    return table


def _why(done: Report) -> list[RenderableType]:
    """The causes, and the first tensor that differs in more detail."""
    parts = draw.lines(map(reason, done.causes), draw.BAD, "why:")
    first = done.first_divergence
    if first and first.values:
        parts.append(draw.hanging("largest error:", f"{first.name} {element(first)}; cosine {first.cosine:.6f}"))
    return [Text(), *parts] if parts else []


def _sides(done: Report) -> RenderableType:
    rows: list[tuple[str, object, object]] = [
        (name, Path(side.path).name, f"{side.convention}, ran on {side}")
        for name, side in (("source", done.source), ("result", done.target))
    ]
    rows.append(("inputs", plural(done.samples, "sample"), done.inputs))
    return Group(draw.facts(rows), _tolerance(done.tolerance))


def _tolerance(tolerance: Tolerance) -> RenderableType:
    if tolerance.loosened:
        return draw.text(f"TOLERANCE LOOSENED to {tolerance} (default: {DEFAULT_TOLERANCE})", draw.BAD)
    return draw.text(f"an error of {tolerance} is allowed", draw.DIM)


def _weights(done: Report) -> list[RenderableType]:
    """How many weights are those of the converted source, bit for bit."""
    if not done.weights:
        words = f"all {plural(done.arrays, 'weight')} are identical to those of the converted source"
        return [draw.text(words, draw.DIM)] if done.arrays else []
    more = len(done.weights) - LISTED
    listed = ", ".join(done.weights[:LISTED]) + (f" and {more} more" if more > 0 else "")
    how_many = f"{len(done.weights)} of {plural(done.arrays, 'weight')}"
    return [draw.text(f"{how_many} differ from those of the converted source: {listed}", draw.WARN)]


# -------------------------------------------------------------------- files ----

_STYLES = {
    "equal": draw.GOOD,
    "converted": draw.DIM,
    "copied": draw.DIM,
    "partly": draw.WARN,
    "differs": draw.BAD,
    "unproved": draw.WARN,
    "error": draw.WARN,
}


def files(done: Summary) -> RenderableType:
    """The verdict on each of many files, and on all in the last line."""
    table = draw.table("file", "", "verdict")
    table.columns[1].no_wrap = True
    for entry in done.entries:
        style = draw.WARN if entry.limited else _STYLES[entry.state]
        table.add_row(draw.text(entry.name), Text(entry.state, style), draw.text(_explained(entry)))
    return Group(table, Text(), _all(done))


def _all(done: Summary) -> Text:
    style = draw.GOOD if done.equal and not done.limited else draw.WARN if done.agrees else draw.BAD
    return draw.text(tally(done), style)


def _explained(entry: Entry) -> str:
    """Why one pair of files differs, else its verdict."""
    return "; ".join(reasons(entry)) or outcome(entry)


# ----------------------------------------------------- self-test, difference ----


def self_test(done: SelfTest, brief: bool = False) -> RenderableType:
    """The outcome of every planted error, and the verdict in the last line."""
    table = draw.table("planted in", "error", "outcome", "reported cause")
    for planted in done.planted:
        style = {LOCATED: draw.GOOD, REFUSED: draw.DIM, HARMLESS: draw.DIM}.get(planted.outcome, draw.BAD)
        table.add_row(
            draw.text(planted.layer),
            draw.text(planted.words),
            Text(planted.outcome, style),
            draw.text(planted.cause, draw.DIM),
        )
    found = len(done.planted) - done.count(HARMLESS) - done.count(REFUSED)
    counts = [
        f"{done.count(LOCATED)} of {plural(found, 'planted error')} located",
        f"{done.count(CAUGHT)} caught in another layer",
        f"{done.count(MISSED)} missed",
        f"{done.count(REFUSED)} refused",
        f"{done.count(HARMLESS)} harmless",
    ]
    words = ", ".join(counts)
    total = draw.text(f"{'PASSED' if done.passed else 'FAILED'}: {words}", draw.GOOD if done.passed else draw.BAD)
    return total if brief else Group(table, Text(), total)


def difference(found: Difference) -> RenderableType:
    """The weights that differ, what is wrong with them, and the verdict in the last line."""
    rows = [(name, Path(path).name, convention) for name, (path, convention) in zip("AB", found.files, strict=True)]
    table = draw.table("weight", "error", numbers=("error",))
    for one in found.differing:
        table.add_row(draw.text(one.weight), Text(number(one.error), draw.DIM if one.rounded else draw.BAD))
    why = [
        f"{layer}: {words}" + (f"; to repair it: {remedy}" if remedy else "") for layer, words, remedy in found.layers
    ]
    rounded = sum(one.rounded for one in found.differing)
    same = found.weights - len(found.differing)
    counts = f"{same} of {plural(found.weights, 'weight')} are identical, {rounded} differ by rounding"
    parts: list[RenderableType] = [Text(), table] if found.differing else []
    total = draw.text(f"{'SAME' if found.equal else 'DIFFERENT'}: {counts}", draw.GOOD if found.equal else draw.BAD)
    return Group(draw.facts(rows), *parts, *draw.lines(why, draw.BAD, "why:"), Text(), total)
