"""Two files brought together: how each is run, and how the tensors and weights of one relate to the other's.

The target is held against what the conversion of the source makes: the same plan as `kconvert.convert`
has. Nothing is converted between the two runs but the layout of tensors, which the plan knows, so a wrong file
gives wrong numbers here as it does in Keras.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from os import PathLike

import numpy as np

from ..conventions.generations import Convention
from ..conversion.binding import Binding, bind, source_convention
from ..conversion.passes.cudnn import has_cudnn
from ..conversion.passes.layouts import Layout
from ..conversion.passes.relayout import image_data_format
from ..conversion.planning import KEEP, SAME, Plan, architecture, plan
from ..errors import KconvertError, Problem
from ..formats import hdf5
from ..formats.checkpoint import Checkpoint
from ..kernels import Rows
from ..layers import InputLayer
from ..layers.base import Layer, Shape, json_value
from ..network.network import LayerPath, Network, Producer
from .mistakes import Mistake, close, in_other_order, mistakes

FilePath = str | PathLike[str]


@dataclass(frozen=True)
class Finding:
    """What is wrong with one layer of the target, whatever it computes.

    words: one clause. weights: the arrays that are wrong, none where the configuration is; remedy: what would
    mend them, '' if that is not known.
    """

    words: str
    weights: Sequence[str] = ()
    remedy: str = ""


@dataclass(frozen=True, eq=False)
class Match:
    """A source and a target.

    source, target, arch, target_arch: the files. made: the conversion that leads from the source to the target's
    convention. model, goal: architecture and convention of the target. arrays: how many weights were compared; odd:
    those of the target that are not, bit for bit, what the conversion makes, with the largest difference as a part
    of the largest value. findings: what is wrong with layers of the target, by path.
    """

    source: str
    target: str
    made: Plan
    model: Network
    goal: Convention
    arrays: int
    odd: Mapping[str, float]
    findings: Mapping[LayerPath, Sequence[Finding]]
    arch: str | None = None
    target_arch: str | None = None

    @cached_property
    def paired(self) -> dict[str, Producer]:
        """The tensors of the source that the target has too, and what makes them there."""
        theirs = self.model.tensor_layers()
        names = {name: self.made.aliases.get(name, name) for name in self.made.model.tensor_layers()}
        return {name: theirs[new] for name, new in names.items() if new in theirs}


def match(
    source_path: FilePath,
    target_path: FilePath,
    source: str | None = None,
    target: str | None = None,
    arch: FilePath | None = None,
    target_arch: FilePath | None = None,
    source_data_format: str | None = None,
    force: bool = False,
) -> Match:
    """Reads both files and holds the weights and the architecture of one against the other's.

    source, target: their backends, where the files do not tell (force: even where they say otherwise).
    arch, target_arch: architectures of files of weights alone (target_arch defaults to what the conversion
    makes of arch). Raises KconvertError where a file cannot be read or the two cannot be of one model.
    """
    with hdf5.read(source_path) as origin, hdf5.read(target_path) as result:
        goal, _ = source_convention(result, target, force)
        made = _expected(origin, result, source, goal, arch, source_data_format, force)
        model = _target_model(result, made, target_arch, source_data_format)
        _check_comparable(made.result.model, model, str(target_path))
        held = {binding.path: binding for binding in bind(model, result, goal)[0]}
        differences = {step.path: _difference(step.read(), held.get(step.path)) for step in made.steps}
        odd = {path: off for path, off in differences.items() if off is not None}
        return Match(
            source=str(source_path),
            target=str(target_path),
            made=made,
            model=model,
            goal=goal,
            arrays=len(made.steps),
            odd={"/".join(path): off for path, off in odd.items()},
            findings=_findings(made, model, held, list(odd)),
            arch=str(arch) if arch is not None else None,
            target_arch=str(target_arch) if target_arch is not None else None,
        )


def _expected(
    origin: Checkpoint,
    result: Checkpoint,
    source: str | None,
    goal: Convention,
    arch: FilePath | None,
    source_data_format: str | None,
    force: bool,
) -> Plan:
    """The conversion that leads from one file to the convention of the other; without an architecture nothing runs."""
    model = architecture(origin, arch, source_data_format)
    stamp = result.provenance or {}
    cudnn = stamp["cudnn"] if "cudnn" in stamp else _cudnn(model, result)
    data_format = stamp.get("data_format") or _data_format(result)
    generation = goal.format if goal.generation.is_target else SAME
    return plan(
        origin, source, goal.backend, data_format, generation, arch, source_data_format, force=force, cudnn=cudnn
    )


def _cudnn(model: Network, result: Checkpoint) -> bool | None:
    """Whether the model became one with CuDNN layers, or one without."""
    found = model if result.model_config is None else architecture(result)
    return None if has_cudnn(found) == has_cudnn(model) else has_cudnn(found)


def _data_format(checkpoint: Checkpoint) -> str:
    """The one data format that the image layers of a file state, else: as the source has it."""
    if checkpoint.model_config is None:
        return KEEP
    return image_data_format(architecture(checkpoint)) or KEEP


def _target_model(result: Checkpoint, made: Plan, arch: FilePath | None, source_data_format: str | None) -> Network:
    if arch is None and result.model_config is None:
        return made.result.model
    return architecture(result, arch, source_data_format)


def _check_comparable(expected: Network, model: Network, path: str) -> None:
    """Refuses to compare a model with one that has other inputs or outputs."""
    for what, wanted, found in (
        ("inputs", expected.input_shapes, model.input_shapes),
        ("outputs", _output_shapes(expected), _output_shapes(model)),
    ):
        if len(wanted) != len(found) or not all(map(_fits, wanted, found)):
            raise KconvertError(
                f"its model has {what} of shape {_listed(found)}, that of the source, converted, {_listed(wanted)}",
                where=path,
                fix="compare two files of one model",
                problem=Problem.USAGE,
            )


def _output_shapes(model: Network) -> list[Shape]:
    shapes = model.shapes()
    return [shapes[ref] for ref in model.output_refs]


def _fits(wanted: Shape, found: Shape) -> bool:
    """Whether two shapes are equal where both say a size."""
    return len(wanted) == len(found) and all(a == b or None in (a, b) for a, b in zip(wanted, found, strict=True))


def _listed(shapes: Sequence[Shape]) -> str:
    return ", ".join(map(str, shapes))


def moved(x: np.ndarray, layout: Layout) -> np.ndarray:
    """A tensor of the source in the layout of the target."""
    x = x.transpose(layout.axes)
    if layout.features:
        x = x.take(Rows("o", "o", layout.features).index, axis=-1)
    return np.ascontiguousarray(x)


# ----------------------------------------------------------------- findings ----


def places(found: Match, tensor: str) -> list[LayerPath]:
    """The layers of the target that make the source's `tensor` of the last tensors before it that both sides have."""
    path = found.paired[tensor].path
    return [path, *_leading_to(found, path)]


def findings_of(found: Match, tensor: str) -> list[Finding]:
    """What is wrong with the layers that make a tensor of the source."""
    if not found.findings:
        return []
    paths = places(found, tensor)
    return [
        finding
        for place, findings in found.findings.items()
        if any(place[: len(path)] == path for path in paths)
        for finding in findings
    ]


def _leading_to(found: Match, path: LayerPath) -> list[LayerPath]:
    """The layers between the one at `path` and the last tensors before it that both sides have."""
    if len(path) > 1:
        return []
    paired = {found.made.aliases.get(name, name) for name in found.paired}
    return [(name,) for model in (found.made.result.model, found.model) for name in _before(model, path[0], paired)]


def _before(model: Network, layer: str, paired: Set[str]) -> set[str]:
    """The layers that lead to `layer` from the last tensors that are paired."""
    todo, seen = [layer], set[str]()
    while todo:
        name = todo.pop()
        refs = {ref for node in model.nodes if node.layer == name for ref in node.inputs if ref.key not in paired}
        todo += {ref.layer for ref in refs} - seen
        seen |= {ref.layer for ref in refs}
    return seen


def _difference(expected: Sequence[np.ndarray], held: Binding | None) -> float | None:
    """How far a weight is off, as a part of its largest value; None where it is the same, bit for bit."""
    if held is None:
        return float("inf")
    found = [_array_difference(a, b) for a, b in zip(expected, held.read(), strict=True)]
    return max((off for off in found if off is not None), default=None)


def _array_difference(x: np.ndarray, y: np.ndarray) -> float | None:
    if x.shape != y.shape:
        return float("inf")
    if np.array_equal(x, y, equal_nan=True):
        return None
    off = np.abs(x.astype("float64") - y)
    scale = float(np.abs(x).max(initial=0.0))
    return float(off.max()) / scale if scale and np.isfinite(off).all() else float("inf")


def _findings(
    made: Plan, model: Network, held: Mapping[LayerPath, Binding], odd: Sequence[LayerPath]
) -> dict[LayerPath, list[Finding]]:
    found = _odd_layers(made, model)
    weights = _odd_weights(made, model, held, odd)
    return {path: weights.get(path, []) + found.get(path, []) for path in {**weights, **found}}


def _odd_weights(
    made: Plan, model: Network, held: Mapping[LayerPath, Binding], odd: Sequence[LayerPath]
) -> dict[LayerPath, list[Finding]]:
    """What is wrong with the weights of each layer that has odd ones, rounding aside."""
    layers = {path[:-1] for path in odd if path in held}
    reordered = in_other_order(model) if layers else {}
    found = {}
    for leaf in model.weight_table():
        if leaf.path in layers:
            steps = [step for step in made.steps if step.path[:-1] == leaf.path and step.path in held]
            expected = {step.path[-1]: held[step.path].canonical(step.read()) for step in steps}
            stored = {step.path[-1]: held[step.path].canonical() for step in steps}
            found[leaf.path] = _explained(mistakes(leaf, reordered), expected, stored)
    return found


def _explained(
    known: Sequence[Mistake], expected: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray]
) -> list[Finding]:
    """The mistakes that explain what is wrong, and what none explains."""
    sized = [(name, x.shape, found[name].shape) for name, x in expected.items() if x.shape != found[name].shape]
    if sized:
        return [Finding(f"{name} has shape {have} where {want} is expected", [name]) for name, want, have in sized]
    wrong = {name for name in expected if not close(expected[name], found[name])}
    findings = []
    for mistake in sorted(known, key=lambda mistake: -len(mistake.weights)):
        if set(mistake.weights) <= wrong and mistake.explains(expected, found):
            findings.append(Finding(mistake.words, list(mistake.weights), mistake.remedy))
            wrong -= set(mistake.weights)
    return findings + [_unexplained(name, expected[name], found[name]) for name in expected if name in wrong]


def _unexplained(name: str, expected: np.ndarray, found: np.ndarray) -> Finding:
    off = _array_difference(expected, found) or 0.0
    return Finding(f"{name} holds other numbers than the conversion makes, off by {off:.1g} of its scale", [name])


# What a layer computes does not depend on these.
_NO_MATTER = ("_initializer", "_regularizer", "_constraint", "implementation", "unroll", "trainable", "seed")


def _odd_layers(made: Plan, model: Network) -> dict[LayerPath, list[Finding]]:
    """What the configuration of each layer says otherwise than that of the converted source."""
    expected = dict(layer_paths(made.result.model))
    found: dict[LayerPath, list[Finding]] = {}
    for path, layer in layer_paths(model):
        if path not in expected:
            found[path] = [Finding(f"a {layer.class_name} that the converted source does not have")]
        elif words := _otherwise(expected[path], layer):
            found[path] = [Finding(words)]
    for path in expected.keys() - dict(layer_paths(model)).keys():
        found[path] = [Finding(f"the {expected[path].class_name} {path[-1]} of the converted source is missing")]
    return found


def layer_paths(layer: Layer, outer: LayerPath = ()) -> list[tuple[LayerPath, Layer]]:
    """Every layer inside `layer` with its path, wrappers and nested models before what is in them."""
    found: list[tuple[LayerPath, Layer]] = []
    for inner in layer.sublayers:
        path = (*outer, inner.name)
        found += [(path, inner)] if not isinstance(inner, (Network, InputLayer)) else []
        found += layer_paths(inner, path)
    return found


def _otherwise(expected: Layer, layer: Layer) -> str:
    """What one configuration says otherwise than the other, '' if nothing that matters."""
    if expected.class_name != layer.class_name:
        return f"a {layer.class_name} where a {expected.class_name} is expected"
    odd = []
    for f in layer.config_fields():
        if f.name.endswith(_NO_MATTER) or isinstance(getattr(layer, f.name), Layer):
            continue
        have, want = (json_value(getattr(one, f.name)) for one in (layer, expected))
        if have != want:
            odd.append(f"{f.name} is {have!r} where {want!r} is expected")
    return " and ".join(odd)
