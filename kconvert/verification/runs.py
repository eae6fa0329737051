"""Runs: what both sides computed, and the verdict on it.

A `Runs` holds all that a verdict needs and no model, so that it can be kept in a folder and judged again.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._version import __version__
from .comparison import Comparison, Details, compare, details
from .matching import Finding
from .tolerance import DEFAULT_TOLERANCE, Tolerance
from .value import ARCHITECTURE, PRECISION, WEIGHTS, Cause, Report, Side

DETAILED = 4  # tensors whose errors a report shows in detail
ROUNDING = 1e-2  # a layer that is further off, as a part of its scale, does not differ by rounding


@dataclass(frozen=True, eq=False)
class Pair:
    """One tensor on both sides, the source's in the layout of the target.

    name, target_name: on each side. layer: the class that makes it. classes: its last axis holds the scores of
    classes. alone: what the target's layer makes of the source's inputs, where that is known. findings: what is
    wrong with the layer, weights aside that differ by rounding alone.
    """

    name: str
    target_name: str
    layer: str
    source: np.ndarray
    target: np.ndarray
    classes: bool = False
    alone: np.ndarray | None = None
    findings: Sequence[Finding] = ()

    @property
    def still(self) -> bool:
        """Whether both sides give one and the same number everywhere: nothing that was fed in shows."""
        first = self.source.flat[:1]
        return self.source.size > 1 and all(bool((side == first).all()) for side in (self.source, self.target))

    @property
    def untested(self) -> bool:
        """Whether something is wrong with weights of the layer that its outputs cannot show."""
        return self.still and any(finding.weights for finding in self.findings)


@dataclass(frozen=True, eq=False)
class Runs:
    """Both sides, run on the same inputs.

    layers: every tensor that both sides have, in the order of the graph; outputs: those of the models.
    inputs: the arrays that the source was given; given: what they are, in words. arrays, odd, plan: as in `Report`.
    """

    source: Side
    target: Side
    layers: Sequence[Pair]
    outputs: Sequence[Pair]
    inputs: Sequence[np.ndarray]
    given: str
    arrays: int = 0
    odd: Sequence[str] = ()
    plan: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def ran_alone(self) -> bool:
        """Whether the layers of the target were run on the source's inputs too."""
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
        weights=runs.odd,
        plan=runs.plan,
        notes=_notes(runs),
        samples=len(runs.inputs[0]),
        inputs=runs.given,
        environment=runs.environment,
    )
    causes = _causes(runs, report)
    return replace(report, causes=causes, details=_details(runs.layers, layers, {cause.name for cause in causes}))


def _compared(pair: Pair, tolerance: Tolerance) -> Comparison:
    found = compare(pair.name, pair.layer, pair.source, pair.target, tolerance, pair.classes)
    if not pair.untested:
        return found
    return replace(found, equal=False, problem="its outputs are all the same, and weights of it are wrong")


def _details(pairs: Sequence[Pair], layers: Sequence[Comparison], causes: Set[str]) -> list[Details]:
    """Of the causes, and of the layers that are furthest off, in the order of the graph."""
    worst = sorted(range(len(pairs)), key=lambda i: (pairs[i].name not in causes, -layers[i].relative))[:DETAILED]
    found = [details(pairs[i].name, pairs[i].source, pairs[i].target) for i in sorted(worst)]
    return [one for one in found if one]


def _notes(runs: Runs) -> list[str]:
    sides = [side for side in (runs.source, runs.target) if side.reference]
    notes = [f"{side.path} ran on {side}: {side.convention.rpartition('/')[2]} is not installed" for side in sides]
    still = [pair.name for pair in runs.layers if pair.still]
    if still:
        notes.append(f"nothing that was fed in reaches the outputs of {', '.join(still)}: give more --samples")
    return notes


def environment() -> dict[str, str]:
    """What ran the verification: versions that a reader of the report may need."""
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
    words = f"no layer alone is off by more than is allowed: rounding adds up, rtol {report.needed:.1g} would be enough"
    return [Cause(first.name, first.layer, PRECISION, 0.0, words)]


def _cause(pair: Pair, tolerance: Tolerance) -> Cause | None:
    """Why a layer makes something else of the same inputs; None where it does not."""
    if pair.alone is None:
        return None
    alone = compare(pair.name, pair.layer, pair.source, pair.alone, tolerance)
    if alone.equal and not pair.untested:
        return None
    words = "; ".join(finding.words for finding in pair.findings)
    weights = [name for finding in pair.findings for name in finding.weights]
    remedy = "; ".join(finding.remedy for finding in pair.findings if finding.remedy)
    kind = WEIGHTS if weights else ARCHITECTURE
    if not words and alone.relative <= ROUNDING:
        kind, words = PRECISION, f"the two sides round differently, by {alone.relative:.1g} of the scale"
    words = words or "weights and configuration are as expected, yet the two sides compute something else"
    return Cause(pair.name, pair.layer, kind, alone.relative, words, weights, remedy)
