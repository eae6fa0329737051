"""Runs: the results of both sides, and the verdict on them.

A `Runs` holds everything that a verdict needs, but no model. So it can be saved in a folder and compared again.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping, Sequence, Set
from dataclasses import field, replace
from typing import Any

import numpy as np

from .._version import __version__
from ..arguments import argument
from ..conventions.activations import other_activations
from ..drawing.words import at_least, number
from ..lazy_dataclasses import dataclass
from .comparison import Comparison, Details, compare, details
from .faults import Fault
from .tensors import Tensor, parts
from .tolerance import DEFAULT_TOLERANCE, Tolerance
from .value import ARCHITECTURE, PRECISION, WEIGHTS, Cause, LeftOut, Report, Side

DETAILED = 4  # tensors whose errors a report shows in detail

# Where every layer alone is within the tolerance, a tensor may differ by as much as the source's own tensor does when
# each of its weights is changed by one rounding, this many times; but never by more than this part of its scale.
ROUNDINGS = 8
AMPLIFIED = 1e-2

INFINITE = float("inf")


@dataclass(frozen=True, eq=False)
class TensorPair:
    """One tensor on both sides, in the layout of the target."""

    name: str  # its name in the source
    target_name: str
    layer: str  # class of the layer that makes it
    source: Tensor
    target: Tensor
    classes: bool = False  # whether the last axis holds class scores
    alone: Tensor | None = None  # the output of the target's layer on the source's inputs, once it was run alone
    faults: Sequence[Fault] = ()  # faults in the layer, except rounding errors of weights
    computes: str = ""  # what the layer of the source computes: its class and options
    noise: float | None = None  # the change of the source's tensor when its weights change by one rounding, if measured

    @property
    def constant(self) -> bool:
        """Whether all elements of both sides are equal: then the outputs do not depend on the inputs."""
        if self.source.size < 2:
            return False
        first = self.source[tuple(slice(0, 1) for _ in self.source.shape)]
        return all(
            bool((side[box] == first.item()).all()) for side in (self.source, self.target) for box in parts(side)
        )

    @property
    def wrong(self) -> bool:
        """Whether the layer is known to compute something else, even if these outputs do not show it."""
        return any(fault.decides for fault in self.faults)


@dataclass(frozen=True)
class Omitted(LeftOut):
    """A tensor that was not computed."""

    faults: Sequence[Fault] = ()  # faults in the layer, although it was not run

    @property
    def wrong(self) -> Comparison | None:
        """The layer as a difference, if its weights or its configuration are wrong."""
        if not self.faults:
            return None
        words = f"it was not run, and it is wrong: {_words(self.faults)}"
        return Comparison(
            self.name, self.layer, (), INFINITE, INFINITE, 0.0, INFINITE, 0.0, equal=False, cosine=0.0, problem=words
        )

    @property
    def cause(self) -> Cause:
        weights = _weights(self.faults)
        kind, words = WEIGHTS if weights else ARCHITECTURE, _words(self.faults)
        return Cause(self.name, self.layer, kind, 0.0, words, weights, _remedy(self.faults))


@dataclass(frozen=True, eq=False)
class Runs:
    """Both sides, run on the same inputs."""

    source: Side
    target: Side
    layers: Sequence[TensorPair]  # every tensor that both sides have, in the order of the graph
    outputs: Sequence[TensorPair]  # the outputs of the models
    inputs: Sequence[Tensor]  # in the layout of the source
    inputs_from: str  # where the inputs came from
    not_compared: Sequence[str] = ()  # tensors of the source that the target does not have
    left_out: Sequence[Omitted] = ()  # tensors that were not computed
    arrays: int = 0  # how many weights were compared
    weights: Sequence[str] = ()  # weights of the target that are not bit for bit those of the converted source
    plan: Mapping[str, Any] = field(default_factory=dict)  # `Plan.to_json`
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0  # how long the runs took

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
    wrong = [found for omitted in runs.left_out if (found := omitted.wrong)]
    report = Report(
        source=runs.source,
        target=runs.target,
        tolerance=tolerance,
        layers=[*layers, *wrong],
        outputs=[
            replace(_compared(pair, tolerance), name=f"output {i}: {pair.name}") for i, pair in enumerate(runs.outputs)
        ],
        arrays=runs.arrays,
        weights=runs.weights,
        plan=runs.plan,
        notes=[*_notes(runs), *_not_finite(layers)],
        not_compared=list(runs.not_compared),
        left_out=[LeftOut(one.name, one.layer, one.reason) for one in runs.left_out if not one.wrong],
        samples=runs.inputs[0].shape[0],
        inputs=runs.inputs_from,
        environment=runs.environment,
        seconds=runs.seconds,
    )
    causes = _causes(runs, report)
    if all(cause.kind == PRECISION for cause in causes):
        report, causes = _amplified(runs, report) or (report, causes)
    return replace(report, causes=causes, details=_details(runs.layers, layers, {cause.name for cause in causes}))


def _compared(pair: TensorPair, tolerance: Tolerance) -> Comparison:
    found = compare(pair.name, pair.layer, pair.source, pair.target, _for(pair, tolerance), pair.classes)
    if not found.equal or not _known_wrong(pair, tolerance):
        return found
    hidden = "are constant" if pair.constant else "hide it within the tolerance"
    problem = f"it is not the layer of the converted source, and its outputs {hidden}"
    return replace(found, equal=False, compared=True, needed=float("inf"), problem=problem)


def _known_wrong(pair: TensorPair, tolerance: Tolerance) -> bool:
    """Whether the layer differs because it is known to be wrong; a wider tolerance applies to such layers, too.

    Constant outputs prove nothing at any tolerance.
    """
    return pair.wrong and (pair.constant or not tolerance.loosened)


def _for(pair: TensorPair, tolerance: Tolerance) -> Tolerance:
    """The tolerance for one layer: the usual atol does not hide a layer that is known to be wrong."""
    hides = pair.faults and tolerance.atol <= DEFAULT_TOLERANCE.atol
    return replace(tolerance, atol=0.0) if hides else tolerance


def _details(pairs: Sequence[TensorPair], layers: Sequence[Comparison], causes: Set[str]) -> list[Details]:
    """Details of the causes and of the layers with the largest errors, in the order of the graph."""
    worst = sorted(range(len(pairs)), key=lambda i: (pairs[i].name not in causes, -layers[i].relative))[:DETAILED]
    found = [details(pairs[i].name, pairs[i].source, pairs[i].target) for i in sorted(worst)]
    return [one for one in found if one]


def _notes(runs: Runs) -> list[str]:
    sides = [side for side in (runs.source, runs.target) if side.reasons]
    notes = [f"{side.path} ran on {side}: {'; '.join(side.reasons)}" for side in sides]
    if runs.plan.get("differing"):
        layers = ", ".join(runs.plan["differing"])
        notes.append(f"the weights belong to the converted architecture, not to the one given, in: {layers}")
    if runs.not_compared:
        notes.append(f"not compared, because the result has no such layers: {', '.join(runs.not_compared)}")
    constant = [pair.name for pair in runs.layers if pair.constant]
    if constant:
        notes.append(
            f"the outputs of {', '.join(constant)} do not depend on the inputs: use more {argument('samples')}"
        )
    return notes


def _not_finite(layers: Sequence[Comparison]) -> list[str]:
    """A note on the layers in which elements that both sides compute as NaN or infinite count as equal."""
    found = [f"{c.name} ({c.not_finite} of {math.prod(c.shape)})" for c in layers if c.equal and c.not_finite]
    return [f"elements that are NaN or infinite on both sides count as equal in: {', '.join(found)}"] if found else []


def environment() -> dict[str, str]:
    """The versions of the installed packages, for the report."""
    return {
        "kconvert": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(terse=True),
    }


# ------------------------------------------------------------------- causes ----


def _causes(runs: Runs, report: Report) -> list[Cause]:
    """The layers that differ even on the source's inputs; if none does, small errors accumulate."""
    first = report.first_divergence
    if first is None:
        return []
    found = [one.cause for one in runs.left_out if one.wrong]
    if not runs.ran_alone:
        return found
    found += [cause for pair in runs.layers for cause in [_cause(pair, runs.target, report.tolerance)] if cause]
    if found:
        return found
    return [Cause(first.name, first.layer, PRECISION, 0.0, _together(runs, report))]


def _together(runs: Runs, report: Report) -> str:
    """Why only the whole network differs, as far as it is known."""
    words = "every layer run alone on equal inputs is within the tolerance, only the whole network is not"
    noisy = [pair.noise for pair in runs.layers if pair.name == getattr(report.first_divergence, "name", "")]
    if noisy and noisy[0] is not None:
        words += f"; changing its weights by one rounding changes the source itself by {number(noisy[0])}"
    if np.isfinite(report.needed) and not report.tolerance.layers:
        words += f"; an rtol of {at_least(report.needed)} would be enough; try real data with {argument('inputs')}"
    return words


def _cause(pair: TensorPair, target: Side, tolerance: Tolerance) -> Cause | None:
    """Why a layer computes other outputs from the same inputs; None if it does not."""
    if pair.alone is None:
        return None
    alone = compare(pair.name, pair.layer, pair.source, pair.alone, _for(pair, tolerance))
    if not alone.differs and not _known_wrong(pair, tolerance):
        return None
    words, weights, remedy = _words(pair.faults), _weights(pair.faults), _remedy(pair.faults)
    kind = WEIGHTS if weights else ARCHITECTURE
    return Cause(pair.name, pair.layer, kind, alone.relative, words or _otherwise(pair, target, alone), weights, remedy)


def _words(faults: Sequence[Fault]) -> str:
    return "; ".join(fault.words for fault in faults)


def _weights(faults: Sequence[Fault]) -> list[str]:
    return [name for fault in faults for name in fault.weights]


def _remedy(faults: Sequence[Fault]) -> str:
    return "; ".join(fault.remedy for fault in faults if fault.remedy)


def _otherwise(pair: TensorPair, target: Side, alone: Comparison) -> str:
    """What a layer computes whose weights and configuration are as expected."""
    words = "weights and configuration are as expected, but the two sides compute other outputs from equal inputs, "
    words += alone.problem or f"by {number(alone.relative)} of the scale"
    words += f"; the layer is {pair.computes}" if pair.computes else ""
    known = [how for name, how in other_activations(target.ran_on, target.version) if repr(name) in pair.computes]
    return "; ".join([words, *known])


# ------------------------------------------------------------ amplification ----


def _amplified(runs: Runs, report: Report) -> tuple[Report, list[Cause]] | None:
    """The report that allows for amplified rounding, and its remaining causes; None if that is not applicable.

    It needs every layer, run alone, to be within the tolerance, all weights to be right, and the noise of every tensor.
    """
    pairs = (*runs.layers, *runs.outputs)
    if not report.first_divergence or any(pair.noise is None or pair.faults for pair in pairs):
        return None
    if any(pair.alone is None for pair in runs.layers):
        return None
    found = [_within_noise(pair, c, report.tolerance) for pair, c in zip(pairs, report.comparisons, strict=True)]
    if not all(comparison.equal for comparison in found):
        return None
    noise, worst = max(((p.noise, c) for p, c in zip(pairs, found, strict=True) if c.amplified), key=_size)
    note = (
        f"each layer alone agrees, and the network amplifies rounding: {worst.name} differs by "
        f"{number(worst.max_error)}, and changes by {number(noise or 0.0)} on the source itself when the weights "
        f"change by one rounding; real data ({argument('inputs')}) may show less"
    )
    n = len(runs.layers)
    return replace(report, layers=found[:n], outputs=found[n:], notes=[*report.notes, note]), []


def _size(one: tuple[float | None, Comparison]) -> float:
    return one[1].relative


def _within_noise(pair: TensorPair, found: Comparison, tolerance: Tolerance) -> Comparison:
    """A comparison that allows what the network amplifies."""
    allowed = tolerance.of(pair.name).allowed(found.scale)
    allowed = max(allowed, min(ROUNDINGS * (pair.noise or 0.0), AMPLIFIED * found.scale))
    if found.equal or found.problem or found.max_error > allowed:
        return found
    return replace(found, equal=True, allowed=allowed, amplified=True)
