"""Inspections, plans and backends in the terminal, within 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..backend import Probe
from ..conversion.inspection import Inspection
from ..conversion.steps import Step
from ..conversion.target import KEEP
from ..drawing import terminal as draw
from ..drawing.words import plural, sizes
from ..kernels import Shape

if TYPE_CHECKING:
    from ..conversion.planning import Plan

LONG = 24  # characters of a beginning that all names have

# --------------------------------------------------------------- inspection ----


def inspection(found: Inspection) -> RenderableType:
    """What a file is, its layers, and the backends that it can be converted to."""
    facts = [(name, finding.value or "unknown", finding.evidence) for name, finding in found.facts.items()]
    return Group(
        draw.text(f"{found.path}  ({found.size:,} bytes)", draw.HEAD),
        Text(),
        draw.facts(facts + _origin(found)),
        Text(),
        _layers(found),
        Text(),
        draw.text(f"{plural(len(found.layers), 'layer')}, {plural(found.parameters, 'parameter')}"),
        *_targets(found.hazards),
        *_inferred(found),
        *draw.notes(found.notes),
    )


def _origin(found: Inspection) -> list[tuple[str, str, str]]:
    """The conversion that wrote the file, if one did."""
    stamp = found.provenance
    if not stamp:
        return []
    conversion = (
        f"converted from {stamp.get('source')} to {stamp.get('target')}, data format {stamp.get('data_format')}"
    )
    evidence = f"{conversion}; sha256 of the source {str(stamp.get('source_sha256'))[:16]}..."
    return [("written by", f"kconvert {stamp.get('kconvert')}", evidence)]


def _layers(found: Inspection) -> Table:
    table = draw.table("layer", "class", "weight", "shape", "dtype")
    for layer in found.layers:
        first = [draw.text(layer.name), draw.text(layer.class_name or "-", "" if layer.class_name else draw.DIM)]
        for weight in layer.weights:
            stem = draw.text(_stem(weight.name, layer.name))
            table.add_row(*first, stem, sizes(weight.shape), weight.dtype)
            first = [Text(), Text()]
        if not layer.weights:
            table.add_row(*first)
    return table


def _stem(name: str, layer: str) -> str:
    """The name of a weight without the name of its layer, and what is before that."""
    for joint in "/_":
        if name.startswith(layer + joint):
            return name[len(layer) + 1 :]
    return name.rpartition(f"/{layer}/")[2]


def _inferred(found: Inspection) -> list[RenderableType]:
    return [Text(), *draw.lines(found.inferred, mark=" ")] if found.inferred else []


def _targets(hazards: Mapping[str, Sequence[str]]) -> list[RenderableType]:
    """For each other backend: whether the file can be converted to it exactly."""
    parts: list[RenderableType] = []
    for target, found in hazards.items():
        if found:
            words = f"on {target}, {plural(len(found), 'layer')} would compute other outputs unless rewritten:"
            parts += [Text(), draw.text(words, draw.WARN)]
            parts += draw.lines(found, mark="  -")
        else:
            parts += [Text(), draw.text(f"can be converted to {target} exactly", draw.GOOD)]
    return parts


# --------------------------------------------------------------------- plan ----


def source(path: object, evidence: Sequence[str]) -> RenderableType:
    """A file, and the evidence for what it is."""
    return Group(draw.text(path, draw.HEAD), *draw.lines(evidence, draw.DIM, " "))


def plan(found: Plan, path: object) -> RenderableType:
    """A row for each weight: its stored arrays, the ops on them, and the arrays of the result."""
    table = draw.table("stored", "ops", "result")
    scope = _scope([array.name for step in found.steps for array in step.sources])
    for step in found.steps:
        table.add_row(
            _arrays([array.name[len(scope) :] for array in step.sources], step.source_shapes),
            _chain(step),
            _arrays(step.targets, step.target_shapes),
        )
    weights: list[RenderableType] = [Text(), table] if found.steps else []
    if scope:
        weights[1:1] = [draw.text(f"the stored names begin with {scope}", draw.DIM), Text()]
    return Group(source(path, found.evidence), Text(), summary(found), *weights, *_refusal(found))


def _scope(names: Sequence[str]) -> str:
    """The prefix of all names, up to its last slash; '' if it is short, because each name is then shown whole."""
    scopes = [name.split("/")[:-1] for name in names]
    shared = takewhile(lambda parts: len({*parts}) == 1, zip(*scopes, strict=False))
    scope = "".join(f"{parts[0]}/" for parts in shared)
    return scope if len(scope) > LONG else ""


def summary(found: Plan) -> RenderableType:
    """A conversion in few lines: both conventions, how many weights change, and the notes."""
    changed = sum(len(step.chain) > 0 for step in found.steps)
    weights = f"{plural(len(found.steps), 'weight')}: {changed} rearranged, {len(found.steps) - changed} as stored"
    reader, release = found.goal.reader, found.goal.release
    return Group(
        draw.text(f"{found.source} -> {found.target}, data format {found.goal.data_format or KEEP}"),
        *(
            [draw.text(f"for {reader.package} {release}")]
            if reader and release != found.target.generation.last_release
            else []
        ),
        draw.text(weights if found.steps else "no weights"),
        *draw.lines(found.notes, mark="note:"),
    )


def written(path: object) -> RenderableType:
    """The file that was written."""
    return draw.text(f"wrote {path}")


def _arrays(names: Sequence[str], shapes: Sequence[Shape]) -> Text:
    return Text("\n").join(draw.text(f"{name} {sizes(shape)}") for name, shape in zip(names, shapes, strict=True))


def _chain(step: Step) -> Text:
    """One op on each line."""
    if not len(step.chain):
        return draw.text(step.chain, draw.DIM)
    return Text("\n").join(draw.text(op) for op in step.chain)


def _refusal(found: Plan) -> list[RenderableType]:
    if not found.hazards:
        return []
    how_many = plural(len(found.hazards), "layer")
    words = f"cannot be converted: {how_many} would compute other outputs with any weights"
    return [Text(), draw.text(words, draw.BAD), *draw.lines(found.hazards, mark="  -")]


# ----------------------------------------------------------------- backends ----


def backends(probes: Mapping[str, Probe]) -> RenderableType:
    """What is installed, and how to install what is missing."""
    table = draw.table("backend", "version", "state")
    for name, probe in probes.items():
        state = draw.text("ready", draw.GOOD) if probe.usable else draw.text(f"{probe.missing}: {probe.fix}", draw.WARN)
        if probe.hint:
            state += draw.text(f" ({probe.hint})", draw.DIM)
        table.add_row(name, probe.version or "-", state)
    return Group(table)
