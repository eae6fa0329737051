"""Pairing: two files with their inputs, and their tensors brought together once both were run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from os import PathLike
from pathlib import Path

import numpy as np

from ..conversion.passes.readers import computed_otherwise
from ..formats.atomic import NamedPath
from ..layers import InputLayer, Softmax
from ..layers.base import Layer
from ..lazy_dataclasses import dataclass
from ..network.layout import Layout, identity
from ..network.network import Network
from ..network.outputs import Given
from ..network.sample_inputs import checked_inputs, sample_inputs
from ..network.unrunnable import unrunnable
from .faults import Fault, described
from .matching import Match, in_layout
from .runners.base import RunResult
from .runs import Omitted, Runs, TensorPair, environment
from .stored_inputs import input_arrays, refuse_empty, stored_arrays
from .tensors import StoredTensor, Tensor, both, parts
from .value import Side

Tensors = Mapping[str, StoredTensor]


@dataclass(frozen=True, eq=False)
class Inputs:
    """What both models are run on."""

    samples: int = 4  # how many random inputs
    seed: int = 0  # of the random inputs
    arrays: Sequence[np.ndarray] | str | PathLike[str] | None = None  # used instead: arrays, or their .npy or .npz file

    @property
    def files(self) -> list[NamedPath]:
        """The file that is read, with its role."""
        return [("file of inputs", self.arrays)] if isinstance(self.arrays, (str, PathLike)) else []

    def of(self, model: Network) -> tuple[list[np.ndarray], str]:
        """One array for each input of `model`, and where they came from."""
        if self.arrays is None:
            return sample_inputs(model, self.samples, self.seed), f"random, seed {self.seed}"
        if isinstance(self.arrays, (str, PathLike)):
            return input_arrays(model, self.arrays), f"from {Path(self.arrays).name}"
        arrays = checked_inputs(model, list(self.arrays))
        for ref, array in zip(model.input_refs, arrays, strict=True):
            refuse_empty(array, f"input {ref.layer}")
        return arrays, "as given"

    def check(self) -> None:
        """Refuses a file of inputs that cannot be read or holds no samples, before anything is converted."""
        if isinstance(self.arrays, (str, PathLike)):
            stored_arrays(self.arrays)


@dataclass(frozen=True, eq=False)
class Pairing:
    """Two files, and the inputs for both of them."""

    match: Match
    inputs: Sequence[np.ndarray]  # in the layout of the source
    inputs_from: str  # where they came from
    given: Given = field(default_factory=dict)  # outputs of the calls that cannot run, in the layout of the source
    target_given: Given = field(default_factory=dict)  # the same for the target
    reasons: Mapping[str, str] = field(default_factory=dict)  # why a call cannot run, by its name in the source
    behind: str = ""  # why the layers after those calls are not run either; '': they are run on random tensors

    def without_layers_behind(self, reason: str) -> Pairing:
        """The same without the layers after the calls that cannot run."""
        given, target_given = (dict.fromkeys(one, ()) for one in (self.given, self.target_given))
        return replace(self, given=given, target_given=target_given, behind=reason)

    def left_out_as_in(self, other: Pairing) -> Pairing:
        """The same with the calls of `other` left out, which has the same graph."""
        return replace(
            self, given=other.given, target_given=other.target_given, reasons=other.reasons, behind=other.behind
        )

    @property
    def target_inputs(self) -> list[np.ndarray]:
        """The inputs in the layout of the target."""
        layouts = self.match.plan.result.inputs
        return [in_layout(x, layout) for x, layout in zip(self.inputs, layouts, strict=True)]


def with_given(pairing: Pairing) -> Pairing:
    """The same, with random tensors in place of what the calls compute that cannot run on one of the sides."""
    match, samples = pairing.match, len(pairing.inputs[0])
    ours, theirs = (
        {call.name: call for call in unrunnable(model, [x.shape for x in inputs], samples)}
        for model, inputs in ((match.plan.model, pairing.inputs), (match.model, pairing.target_inputs))
    )
    if not ours and not theirs:
        return pairing
    renamed = {match.plan.aliases.get(name, name): name for name in match.plan.model.tensor_layers()}
    given: dict[str, Sequence[np.ndarray]] = {}
    target_given: dict[str, Sequence[np.ndarray]] = {}
    reasons: dict[str, str] = {}
    for name, call in ours.items():
        new = match.plan.aliases.get(name, name)
        given[name], reasons[name] = call.outputs, call.reason
        target_given[new] = [
            in_layout(output, _layout(match, new + (f":{i}" if i else ""), output.ndim))
            for i, output in enumerate(call.outputs)
        ]
    for new, call in theirs.items():
        if new in target_given:
            continue
        target_given[new] = call.outputs
        if ours_there := renamed.get(new):  # the source has a layer there that runs
            given[ours_there], target_given[new], reasons[ours_there] = (), (), call.reason
    return replace(pairing, given=given, target_given=target_given, reasons=reasons)


def pair_tensors(pairing: Pairing, source: RunResult, target: RunResult) -> Runs:
    """The results of both sides, tensor by tensor."""
    match = pairing.match
    ours, theirs = source.load(), target.load()
    alone = target.outputs_alone
    otherwise = computed_otherwise(match.model, target.ran_on, target.version)
    return Runs(
        source=_side(match.source.path, match.plan.source, source),
        target=_side(match.target.path, match.convention, target),
        layers=[] if alone else _layers(match, ours, theirs, otherwise),
        outputs=_outputs(match, ours, theirs),
        inputs=pairing.inputs,
        inputs_from=pairing.inputs_from,
        not_compared=[name for name in ours if match.plan.aliases.get(name, name) not in match.model.tensor_layers()],
        left_out=[] if alone else _left_out(pairing, ours, theirs),
        arrays=match.arrays,
        weights=list(match.weight_errors),
        plan=match.plan.to_json(),
        environment=environment(),
    )


def _side(path: object, convention: object, result: RunResult) -> Side:
    return Side(
        str(path),
        str(convention),
        result.ran_on,
        result.version,
        result.emulates,
        result.stands_in_for,
        result.why,
        result.quantized,
        result.lacking,
    )


def _layers(match: Match, ours: Tensors, theirs: Tensors, otherwise: Mapping[str, str]) -> list[TensorPair]:
    """Every tensor that both sides have, in the order of the graph.

    otherwise: what the package that runs the target is known to compute differently, by the names of layers.
    """
    plan, layers = match.plan, match.plan.model.tensor_layers()
    found = []
    for name, x in ours.items():
        new = plan.aliases.get(name, name)
        if new in theirs:
            layer = layers[name].layer
            pair = _pair(name, new, layer, x.in_layout(_layout(match, new, x.ndim)), theirs[new], match)
            known = otherwise.get(layer.name)
            found.append(replace(pair, computes=f"{pair.computes}; {known}") if known else pair)
    return found


def _left_out(pairing: Pairing, ours: Tensors, theirs: Tensors) -> list[Omitted]:
    """The tensors of both sides that at least one of them did not compute."""
    match, there = pairing.match, pairing.match.model.tensor_layers()
    found = []
    for name, producer in match.plan.model.tensor_layers().items():
        new = match.plan.aliases.get(name, name)
        if new not in there or isinstance(producer.layer, InputLayer) or (name in ours and new in theirs):
            continue
        reason = pairing.reasons.get(name.partition(":")[0]) or pairing.behind or "a layer inside cannot run"
        found.append(Omitted(name, producer.layer.class_name, reason, match.faults_behind(name)))
    return found


def _layout(match: Match, name: str, rank: int) -> Layout:
    """The layout of the tensor `name` of the target, from that of the source."""
    return match.plan.result.layouts.get(name) or identity(rank)


def _outputs(match: Match, ours: Tensors, theirs: Tensors) -> list[TensorPair]:
    """The outputs of both models, in order, whatever the names of their layers."""
    layers = match.plan.model.tensor_layers()
    triples = zip(match.plan.model.output_refs, match.model.output_refs, match.plan.result.outputs, strict=True)
    return [
        _pair(old.key, new.key, layers[old.key].layer, ours[old.key].in_layout(layout), theirs[new.key])
        for old, new, layout in triples
        if old.key in ours and new.key in theirs
    ]


def _pair(name: str, target_name: str, layer: Layer, x: Tensor, y: Tensor, match: Match | None = None) -> TensorPair:
    classes = x.ndim == 2 and x.shape[-1] > 1 and _has_softmax(layer)
    faults: Sequence[Fault] = match.faults_behind(name) if match else ()
    return TensorPair(name, target_name, layer.class_name, x, y, classes, faults=faults, computes=described(layer))


def _has_softmax(layer: Layer) -> bool:
    return isinstance(layer, Softmax) or vars(layer).get("activation") == "softmax"


def with_noise(pairing: Pairing, runs: Runs, noisy: RunResult) -> Runs:
    """The same runs with the noise of each tensor; noisy: the source with its weights changed by one rounding."""
    match, tensors = pairing.match, noisy.load()
    layers = []
    for pair in runs.layers:
        changed = tensors[pair.name]
        layers.append(_with_noise(pair, changed.in_layout(_layout(match, pair.target_name, changed.ndim))))
    refs = match.model.output_refs
    layouts = {ref.key: layout for ref, layout in zip(refs, match.plan.result.outputs, strict=True)}
    outputs = [_with_noise(pair, tensors[pair.name].in_layout(layouts[pair.target_name])) for pair in runs.outputs]
    return replace(runs, layers=layers, outputs=outputs)


def _with_noise(pair: TensorPair, changed: Tensor) -> TensorPair:
    noise = 0.0
    for box in parts(changed):
        x, y = both(changed, pair.source, box)
        noise = float(np.maximum(noise, np.abs(x - y).max(initial=0.0)))  # np.maximum keeps NaN
    return replace(pair, noise=noise if np.isfinite(noise) else 0.0)
