"""Runs: what both sides computed, and the verdict on it.

A `Runs` holds all that a verdict needs and no model, so that it can be saved in a folder and judged again.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._version import __version__
from .comparison import Comparison, Details, compare, details
from .faults import Fault
from .tolerance import DEFAULT_TOLERANCE, Tolerance
from .value import ARCHITECTURE, PRECISION, WEIGHTS, Cause, Report, Side

DETAILED = 4  # tensors whose errors a report shows in detail
ROUNDING = 1e-2  # a larger error, as a fraction of the scale of a layer, is not rounding


@dataclass(frozen=True, eq=False)
class TensorPair:
    """One tensor on both sides, in the layout of the target."""

    name: str  # in the source
    target_name: str
    layer: str  # class of the layer that makes it
    source: np.ndarray
    target: np.ndarray
    classes: bool = False  # whether the last axis holds class scores
    alone: np.ndarray | None = None  # the output of the target's layer on the source's inputs, once it was run alone
    faults: Sequence[Fault] = ()  # of the layer, without errors of weights that are rounding

    @property
    def constant(self) -> bool:
        """Whether all elements of both sides are one number: then the outputs do not depend on the inputs."""
        first = self.source.flat[:1]
        return self.source.size > 1 and all(bool((side == first).all()) for side in (self.source, self.target))

    @property
    def untested(self) -> bool:
        """Whether weights of the layer are wrong and its outputs cannot show it."""
        return self.constant and any(fault.weights for fault in self.faults)


@dataclass(frozen=True, eq=False)
class Runs:
    """Both sides, run on the same inputs."""

    source: Side
    target: Side
    layers: Sequence[TensorPair]  # every tensor that both sides have, in the order of the graph
    outputs: Sequence[TensorPair]  # the outputs of the models
    inputs: Sequence[np.ndarray]  # in the layout of the source
    inputs_from: str  # where the inputs came from
    not_compared: Sequence[str] = ()  # tensors of the source that the target does not have
    arrays: int = 0  # how many weights were compared
    weights: Sequence[str] = ()  # those of the target that differ from the converted source, bit for bit
    plan: Mapping[str, Any] = field(default_factory=dict)  # `Plan.to_json`
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def ran_alone(self) -> bool:
        """Whether the layers of the target were also run on the source's inputs."""
        return any(pair.alone is not None for pair in self.layers)


def judge(runs: Runs, tolerance: Tolerance = DEFAULT_TOLERANCE) -> Report:
    """The verdict on two runs: every layer and every output compared within `tolerance`.

    Raises KconvertError where the tolerance names a layer that does not exist.
    """
    tolerance.check_layers([pair.name for pair in runs.layers])
    layers = [_compared(pair, tolerance) for pair in runs.layers]
    report = Report(
        source=runs.source,
        target=runs.target,
        tolerance=tolerance,
        layers=layers,
        outputs=[
            replace(_compared(pair, tolerance), name=f"output {i}: {pair.name}") for i, pair in enumerate(runs.outputs)
        ],
        arrays=runs.arrays,
        weights=runs.weights,
        plan=runs.plan,
        notes=_notes(runs),
        samples=len(runs.inputs[0]),
        inputs=runs.inputs_from,
        environment=runs.environment,
    )
    causes = _causes(runs, report)
    return replace(report, causes=causes, details=_details(runs.layers, layers, {cause.name for cause in causes}))


def _compared(pair: TensorPair, tolerance: Tolerance) -> Comparison:
    found = compare(pair.name, pair.layer, pair.source, pair.target, tolerance, pair.classes)
    if not pair.untested:
        return found
    return replace(found, equal=False, problem="its weights are wrong, and its outputs are constant")


def _details(pairs: Sequence[TensorPair], layers: Sequence[Comparison], causes: Set[str]) -> list[Details]:
    """Details of the causes and of the layers with the largest errors, in the order of the graph."""
    worst = sorted(range(len(pairs)), key=lambda i: (pairs[i].name not in causes, -layers[i].relative))[:DETAILED]
    found = [details(pairs[i].name, pairs[i].source, pairs[i].target) for i in sorted(worst)]
    return [one for one in found if one]


def _notes(runs: Runs) -> list[str]:
    references = [side for side in (runs.source, runs.target) if side.reference]
    notes = [f"{side.path} ran on {side}: {side.emulated} is not installed" for side in references]
    if runs.plan.get("differing"):
        layers = ", ".join(runs.plan["differing"])
        notes.append(f"the weights belong to the converted architecture, not to the one given, in: {layers}")
    if runs.not_compared:
        notes.append(f"not compared, because the result has no such layers: {', '.join(runs.not_compared)}")
    constant = [pair.name for pair in runs.layers if pair.constant]
    if constant:
        notes.append(f"the outputs of {', '.join(constant)} do not depend on the inputs: use more --samples")
    return notes


def environment() -> dict[str, str]:
    """The versions that a reader of the report may need."""
    return {
        "kconvert": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(terse=True),
    }


# ------------------------------------------------------------------- causes ----


def _causes(runs: Runs, report: Report) -> list[Cause]:
    """The layers that differ even on the source's inputs; where none does, small errors add up."""
    first = report.first_divergence
    if first is None or not runs.ran_alone:
        return []
    found = [cause for pair in runs.layers for cause in [_cause(pair, report.tolerance)] if cause]
    if found:
        return found
    words = f"every layer run alone is within the tolerance: rounding adds up, an rtol of {report.needed:.1g} is enough"
    return [Cause(first.name, first.layer, PRECISION, 0.0, words)]


def _cause(pair: TensorPair, tolerance: Tolerance) -> Cause | None:
    """Why a layer computes other outputs from the same inputs; None where it does not."""
    if pair.alone is None:
        return None
    alone = compare(pair.name, pair.layer, pair.source, pair.alone, tolerance)
    if alone.equal and not pair.untested:
        return None
    words = "; ".join(fault.words for fault in pair.faults)
    weights = [name for fault in pair.faults for name in fault.weights]
    remedy = "; ".join(fault.remedy for fault in pair.faults if fault.remedy)
    kind = WEIGHTS if weights else ARCHITECTURE
    if not words and alone.relative <= ROUNDING:
        kind, words = PRECISION, f"the two sides round differently, by {alone.relative:.1g} of the scale"
    words = words or "weights and configuration are as expected, but the two sides compute other outputs"
    return Cause(pair.name, pair.layer, kind, alone.relative, words, weights, remedy)
