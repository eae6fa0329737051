"""What a user reads: an Inspection, a Plan, a Report as rich renderables that fit into 80 columns.

Names come from files: they are shown as plain text, with control characters spelled out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import rich.console
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ...backend import Probe
from ...conversion.inspection import Inspection
from ...conversion.planning import Plan
from ...conversion.steps import Step
from ...conversion.target import KEEP
from ...errors import printable
from ...kernels import Shape
from ..difference import Difference
from ..planted import CAUGHT, HARMLESS, LOCATED, MISSED, REFUSED, SelfTest
from ..tolerance import DEFAULT_TOLERANCE, Tolerance
from ..value import Entry, Report, Summary
from .words import classes, element, number, outcome, plural, reason, sizes, tally
from .words import verdict as verdict_in_words

GOOD, WARN, BAD, DIM, HEAD = "green", "yellow", "bold red", "dim", "bold"
LISTED = 8  # odd weights that are listed by name
WIDE = 160  # columns of what is no terminal


class Console(rich.console.Console):
    """Plain where it is no terminal; a closed pipe is an error for the caller to see."""

    def __init__(self) -> None:
        super().__init__(highlight=False, markup=False, emoji=False)
        if not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = WIDE

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def show(*parts: RenderableType) -> None:
    """Prints renderables on the standard output."""
    console = Console()
    for part in parts:
        console.print(part)


# -------------------------------------------------------------------- parts ----


def _text(value: object, style: str = "") -> Text:
    return Text(printable(str(value)), style)


def _table(*columns: str, numbers: Sequence[str] = ()) -> Table:
    """A table without lines; long names are folded, never cut. numbers: columns to align on the right."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style=HEAD)
    for column in columns:
        right = column in numbers
        table.add_column(column, justify="right" if right else "left", overflow="fold", no_wrap=right)
    return table


def _facts(rows: Iterable[tuple[str, object, object]]) -> Table:
    """name, value, and how it is known."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(style=DIM, no_wrap=True)
    table.add_column(overflow="fold", min_width=14)
    table.add_column(style=DIM, overflow="fold")
    for name, value, evidence in rows:
        table.add_row(name, _text(value), _text(evidence))
    return table


def _lines(lines: Iterable[object], style: str = "", mark: str = "") -> list[RenderableType]:
    """One line each, the following ones of a long line indented."""
    return [_hanging(mark, line, style) for line in lines]


def _hanging(mark: str, line: object, style: str = "") -> RenderableType:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(mark, style), _text(line, style))
    return grid


def _notes(notes: Sequence[str]) -> list[RenderableType]:
    return [Text(), *_lines(notes, mark="note:")] if notes else []


def _stem(name: str, layer: str) -> str:
    """The name of a weight without its layer's before it."""
    for joint in "/_":
        if name.startswith(layer + joint):
            return name[len(layer) + 1 :]
    return name


# --------------------------------------------------------------- inspection ----


def inspection(found: Inspection) -> RenderableType:
    """What a file is, its layers, and what would keep it from another backend."""
    facts = [(name, finding.value or "unknown", finding.evidence) for name, finding in found.facts.items()]
    return Group(
        _text(f"{found.path}  ({found.size:,} bytes)", HEAD),
        Text(),
        _facts(facts + _origin(found)),
        Text(),
        _layers(found),
        Text(),
        _text(f"{plural(len(found.layers), 'layer')}, {plural(found.parameters, 'parameter')}"),
        *_prospects(found.hazards),
        *_inferred(found),
        *_notes(found.notes),
    )


def _origin(found: Inspection) -> list[tuple[str, str, str]]:
    stamp = found.provenance
    if not stamp:
        return []
    made = f"converted from {stamp.get('source')} to {stamp.get('target')}, data format {stamp.get('data_format')}"
    evidence = f"{made}; sha256 of the source {str(stamp.get('source_sha256'))[:16]}..."
    return [("made by", f"kconvert {stamp.get('kconvert')}", evidence)]


def _layers(found: Inspection) -> Table:
    table = _table("layer", "class", "weight", "shape", "dtype")
    for layer in found.layers:
        first = [_text(layer.name), _text(layer.class_name or "-", "" if layer.class_name else DIM)]
        for weight in layer.weights:
            stem = _text(_stem(weight.name, layer.name))
            table.add_row(*first, stem, sizes(weight.shape), weight.dtype)
            first = [Text(), Text()]
        if not layer.weights:
            table.add_row(*first)
    return table


def _inferred(found: Inspection) -> list[RenderableType]:
    return [Text(), *_lines(found.inferred, mark=" ")] if found.inferred else []


def _prospects(hazards: Mapping[str, Sequence[str]]) -> list[RenderableType]:
    parts: list[RenderableType] = []
    for target, found in hazards.items():
        if found:
            how_many = plural(len(found), "layer")
            parts += [Text(), _text(f"to {target}: {how_many} would compute other outputs, unless rewritten", WARN)]
            parts += _lines(found, mark="  -")
        else:
            parts += [Text(), _text(f"to {target}: every layer computes the same there", GOOD)]
    return parts


# --------------------------------------------------------------------- plan ----


def found(path: object, evidence: Sequence[str]) -> RenderableType:
    """What a file is, before anything is done with it."""
    return Group(_text(path, HEAD), *_lines(evidence, DIM, " "))


def plan(made: Plan, path: object) -> RenderableType:
    """Every weight's way: its stored arrays, what happens to them, the arrays that come out."""
    table = _table("stored", "what is done", "becomes")
    for step in made.steps:
        table.add_row(
            _arrays([array.name for array in step.sources], step.source_shapes),
            _chain(step),
            _arrays(step.targets, step.target_shapes),
        )
    weights: list[RenderableType] = [Text(), table] if made.steps else []
    return Group(found(path, made.evidence), Text(), summary(made), *weights, *_refusal(made))


def summary(made: Plan) -> RenderableType:
    """A conversion in few lines: from where to where, how many weights change, what to know."""
    moved = sum(len(step.chain) > 0 for step in made.steps)
    weights = f"{plural(len(made.steps), 'weight')}: {moved} rearranged, {len(made.steps) - moved} as stored"
    return Group(
        _text(f"{made.source} -> {made.target}, data format {made.goal.data_format or KEEP}"),
        _text(weights if made.steps else "no weights"),
        *_lines(made.notes, mark="note:"),
    )


def written(path: object) -> RenderableType:
    return _text(f"wrote {path}")


def _arrays(names: Sequence[str], shapes: Sequence[Shape]) -> Text:
    return Text("\n").join(_text(f"{name} {sizes(shape)}") for name, shape in zip(names, shapes, strict=True))


def _chain(step: Step) -> Text:
    """One op a line."""
    if not len(step.chain):
        return _text(step.chain, DIM)
    return Text("\n").join(_text(op) for op in step.chain)


def _refusal(made: Plan) -> list[RenderableType]:
    if not made.hazards:
        return []
    how_many = plural(len(made.hazards), "layer")
    words = f"cannot be converted: {how_many} would compute other outputs, whatever the weights"
    return [Text(), _text(words, BAD), *_lines(made.hazards, mark="  -")]


# ------------------------------------------------------------------- report ----


def shown(done: Report | Summary, brief: bool = False) -> RenderableType:
    """A report on two files or on many; brief: the verdict alone."""
    if isinstance(done, Summary):
        return _all(done) if brief else files(done)
    return verdict(done) if brief else report(done)


def report(done: Report) -> RenderableType:
    """Both sides, every layer compared, why they differ, what is odd, and the verdict in the last line."""
    return Group(
        _comparisons(done),
        *_why(done),
        Text(),
        _sides(done),
        *map(_text, classes(done)),
        *_odd(done),
        *_notes(done.notes),
        Text(),
        verdict(done),
    )


def verdict(done: Report) -> RenderableType:
    """One line: equal or not, and the first layer that differs."""
    loose = done.tolerance.loosened
    return _text(verdict_in_words(done), BAD if not done.equal else WARN if loose else GOOD)


def _comparisons(done: Report) -> Table:
    numbers = ("max\nerror", "scale", "needed\nrtol")
    table = _table("layer", "class", "shape", *numbers, "", numbers=numbers)
    table.padding = (0, 1, 0, 0)
    table.columns[1].no_wrap = True
    outputs = [c for c in done.outputs if not c.equal]  # those that agree were seen as layers
    for c in (*done.layers, *outputs):
        style = "" if c.equal else BAD
        table.add_row(
            _text(c.name, style),
            _text(c.layer),
            sizes(c.shape),
            Text(number(c.max_error), style),
            number(c.scale),
            number(c.needed),
            Text("equal", GOOD) if c.equal else Text("DIFFERS", BAD),
        )
    return table


def _why(done: Report) -> list[RenderableType]:
    """The causes, and the first tensor that differs in more detail."""
    parts = _lines(map(reason, done.causes), BAD, "why:")
    first = done.first_divergence
    if first and first.values:
        parts.append(_hanging("furthest off:", f"{first.name} {element(first)}; cosine {first.cosine:.6f}"))
    return [Text(), *parts] if parts else []


def _sides(done: Report) -> RenderableType:
    rows: list[tuple[str, object, object]] = [
        (name, Path(side.path).name, f"{side.convention}, ran on {side}")
        for name, side in (("source", done.source), ("result", done.target))
    ]
    rows.append(("inputs", plural(done.samples, "sample"), done.inputs))
    return Group(_facts(rows), _tolerance(done.tolerance))


def _tolerance(tolerance: Tolerance) -> RenderableType:
    if tolerance.loosened:
        return _text(f"TOLERANCE LOOSENED to {tolerance} (usual: {DEFAULT_TOLERANCE})", BAD)
    return _text(f"an error of {tolerance} is allowed", DIM)


def _odd(done: Report) -> list[RenderableType]:
    """Weights that are not what the conversion makes."""
    if not done.weights:
        words = f"all {plural(done.arrays, 'weight')} are bit for bit what the conversion makes"
        return [_text(words, DIM)] if done.arrays else []
    more = len(done.weights) - LISTED
    listed = ", ".join(done.weights[:LISTED]) + (f" and {more} more" if more > 0 else "")
    how_many = f"{len(done.weights)} of {plural(done.arrays, 'weight')}"
    return [_text(f"{how_many} are not bit for bit what the conversion makes: {listed}", WARN)]


# -------------------------------------------------------------------- files ----

STYLES = {"equal": GOOD, "differs": BAD, "error": WARN}


def files(done: Summary) -> RenderableType:
    """The verdict on each of many files, and on all in the last line."""
    table = _table("file", "", "verdict")
    table.columns[1].no_wrap = True
    for entry in done.entries:
        style = STYLES[entry.state]
        table.add_row(_text(entry.name), Text(entry.state, style), _text(_said(entry)))
    return Group(table, Text(), _all(done))


def _all(done: Summary) -> Text:
    return _text(tally(done), GOOD if done.equal else BAD)


def _said(entry: Entry) -> str:
    """What is wrong with one pair of files, or how close it is."""
    causes = entry.report.causes if entry.report else ()
    return "; ".join(map(reason, causes)) or outcome(entry)


# ----------------------------------------------------- self-test, difference ----


def self_test(done: SelfTest, brief: bool = False) -> RenderableType:
    """What became of every planted error, and the power of the verification in the last line."""
    table = _table("planted in", "error", "outcome", "found")
    for planted in done.planted:
        style = {LOCATED: GOOD, REFUSED: DIM, HARMLESS: DIM}.get(planted.outcome, BAD)
        table.add_row(
            _text(planted.layer), _text(planted.words), Text(planted.outcome, style), _text(planted.said, DIM)
        )
    found = len(done.planted) - done.count(HARMLESS) - done.count(REFUSED)
    words = f"{done.count(LOCATED)} of {plural(found, 'planted error')} located, {done.count(CAUGHT)} only caught"
    words += f", {done.count(MISSED)} missed; {done.count(REFUSED)} do not run, {done.count(HARMLESS)} change nothing"
    total = _text(f"{'PASSED' if done.passed else 'FAILED'}: {words}", GOOD if done.passed else BAD)
    return total if brief else Group(table, Text(), total)


def difference(found: Difference) -> RenderableType:
    """The weights that two files do not share, what is wrong with them, and the verdict in the last line."""
    rows = [(name, Path(path).name, convention) for name, (path, convention) in zip("AB", found.files, strict=True)]
    table = _table("weight", "off by", numbers=("off by",))
    for odd in found.odd:
        table.add_row(_text(odd.weight), Text(number(odd.off), DIM if odd.rounded else BAD))
    why = [f"{layer}: {words}" + (f"; to mend it: {remedy}" if remedy else "") for layer, words, remedy in found.layers]
    rounded = sum(odd.rounded for odd in found.odd)
    same = found.weights - len(found.odd)
    said = f"{same} of {plural(found.weights, 'weight')} are the same bit for bit, {rounded} but for rounding"
    parts: list[RenderableType] = [Text(), table] if found.odd else []
    total = _text(f"{'SAME' if found.equal else 'DIFFERENT'}: {said}", GOOD if found.equal else BAD)
    return Group(_facts(rows), *parts, *_lines(why, BAD, "why:"), Text(), total)


# ----------------------------------------------------------------- backends ----


def backends(probes: Mapping[str, Probe]) -> RenderableType:
    """What is installed, and what to do where something is missing."""
    table = _table("backend", "version", "state")
    for name, probe in probes.items():
        state = _text("ready", GOOD) if probe.usable else _text(f"{probe.missing}: {probe.fix}", WARN)
        if probe.hint:
            state += _text(f" ({probe.hint})", DIM)
        table.add_row(name, probe.version or "-", state)
    return Group(table)
