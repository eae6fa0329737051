"""Finds faults in the layers of a target: differences from the converted source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, replace
from typing import Any

import numpy as np

from ..conversion.binding import Binding
from ..conversion.planning import Plan
from ..conversion.steps import Step
from ..formats.checkpoint import InMemory, LazyArray, pieces
from ..layers import InputLayer
from ..layers.base import Layer, json_value
from ..layers.component_names import stated
from ..lazy_dataclasses import dataclass
from ..network.graph import LayerPath
from ..network.network import Network
from .mistakes import Mistake, close, in_other_order, mistakes

Bindings = Mapping[LayerPath, Binding]


@dataclass(frozen=True)
class Fault:
    """A fault in one layer of the target, independent of its outputs."""

    words: str  # a clause that describes the fault
    weights: Sequence[str] = ()  # the wrong weights; none where the configuration is wrong
    remedy: str = ""  # what would repair them; '' where that is not known
    decides: bool = False  # whether the layer counts as wrong even if its outputs are within the tolerance


def weight_error(step: Step, binding: Binding | None) -> float | None:
    """The error of a weight as a fraction of its largest value; None where it is the same, bit for bit.

    Its arrays are compared block by block.
    """
    if binding is None:
        return float("inf")
    expected = [step.result(i) for i in range(len(step.targets))]
    errors = [_array_error(a, b) for a, b in zip(expected, binding.arrays, strict=True)]
    return max((error for error in errors if error is not None), default=None)


def _array_error(expected: LazyArray, stored: LazyArray) -> float | None:
    if tuple(expected.shape) != tuple(stored.shape):
        return float("inf")
    largest = scale = np.float64(0.0)  # np.maximum keeps NaN
    same = True
    for box, x in pieces(expected):
        y = stored.read(box)
        scale = np.maximum(scale, np.abs(x).max(initial=0.0))
        if not np.array_equal(x, y, equal_nan=True):
            same = False
            largest = np.maximum(largest, np.abs(x.astype("float64") - y).max())
    if same:
        return None
    return float(largest / scale) if scale and np.isfinite([largest, scale]).all() else float("inf")


def find_faults(
    plan: Plan, model: Network, bindings: Bindings, differing: Sequence[LayerPath]
) -> dict[LayerPath, list[Fault]]:
    """The faults of each layer of the target.

    bindings: the weights of the target; differing: the paths of those that are not what `plan` writes.
    """
    weights = _weight_faults(plan, model, bindings, differing)
    layers = _layer_faults(plan, model)
    return {path: weights.get(path, []) + layers.get(path, []) for path in {**weights, **layers}}


# ------------------------------------------------------------------ weights ----


def _weight_faults(
    plan: Plan, model: Network, bindings: Bindings, differing: Sequence[LayerPath]
) -> dict[LayerPath, list[Fault]]:
    """The faults in the weights of each layer, except rounding."""
    layers = {path[:-1] for path in differing if path in bindings}
    reordered = in_other_order(model) if layers else {}
    found = {}
    for leaf in model.weight_table():
        if leaf.path in layers:
            steps = [step for step in plan.steps if step.path[:-1] == leaf.path and step.path in bindings]
            expected = {step.path[-1]: bindings[step.path].canonical(step.read()) for step in steps}
            stored = {step.path[-1]: bindings[step.path].canonical() for step in steps}
            faults = _explained(mistakes(leaf, reordered), expected, stored)
            found[leaf.path] = [
                replace(fault, decides=not leaf.layer.unread.issuperset(fault.weights)) for fault in faults
            ]
    return found


def _explained(
    known: Sequence[Mistake], expected: Mapping[str, np.ndarray], stored: Mapping[str, np.ndarray]
) -> list[Fault]:
    """The mistakes that explain the wrong weights, and the weights that no mistake explains."""
    sized = [(name, x.shape, stored[name].shape) for name, x in expected.items() if x.shape != stored[name].shape]
    if sized:
        return [Fault(f"{name} has shape {have} where {want} is expected", [name]) for name, want, have in sized]
    wrong = {name for name in expected if not close(expected[name], stored[name])}
    faults = []
    for mistake in sorted(known, key=lambda mistake: -len(mistake.weights)):
        if set(mistake.weights) <= wrong and mistake.explains(expected, stored):
            faults.append(Fault(mistake.words, list(mistake.weights), mistake.remedy))
            wrong -= set(mistake.weights)
    return faults + [_unexplained(name, expected[name], stored[name]) for name in expected if name in wrong]


def _unexplained(name: str, expected: np.ndarray, stored: np.ndarray) -> Fault:
    error = _array_error(InMemory(name, expected), InMemory(name, stored)) or 0.0
    return Fault(
        f"{name} has other values than the converted source, with an error of {error:.1g} of its scale", [name]
    )


# ------------------------------------------------------------ configuration ----

# The end of the name of each option that has no effect on what a layer computes.
_NO_EFFECT = ("_initializer", "_regularizer", "_constraint", "implementation", "unroll", "trainable", "seed")


# The end of the name of each option whose effect saturation may hide: two sigmoids agree where both are 0 or 1.
_SATURATES = "activation"


def described(layer: Layer) -> str:
    """What a layer computes: its class, its activations, and the options that are not the default.

    >>> from kconvert.layers import GRU
    >>> described(GRU(4, go_backwards=True, recurrent_activation="hard_sigmoid"))
    "GRU(go_backwards=True, units=4, activation='tanh', recurrent_activation='hard_sigmoid')"
    """
    options = []
    for f in layer.config_fields():
        value = stated(layer, f.name)
        if isinstance(value, Layer):
            options.append(described(value))
        elif "activation" in f.name or not (f.name.endswith(_NO_EFFECT) or _is_default(f, value)):
            options.append(f"{f.name}={json_value(value)!r}")
    return f"{layer.class_name}({', '.join(options)})"


def _is_default(f: Field[Any], value: Any) -> bool:
    return value == (f.default if f.default_factory is MISSING else f.default_factory())


def _layer_faults(plan: Plan, model: Network) -> dict[LayerPath, list[Fault]]:
    """The layers whose configuration differs from that of the converted source."""
    expected, layers = dict(_layer_paths(plan.result.model)), dict(_layer_paths(model))
    found: dict[LayerPath, list[Fault]] = {}
    for path, layer in layers.items():
        if path not in expected:
            found[path] = [Fault(f"a {layer.class_name} that the converted source does not have")]
        elif differing := _configured(expected[path], layer):
            decides = any(name.endswith(_SATURATES) for name in differing)
            found[path] = [Fault(" and ".join(differing.values()), decides=decides)]
    for path in expected.keys() - layers.keys():
        found[path] = [Fault(f"the {expected[path].class_name} {path[-1]} of the converted source is missing")]
    return found


def _layer_paths(layer: Layer, outer: LayerPath = ()) -> list[tuple[LayerPath, Layer]]:
    """Every layer inside `layer` with its path, wrappers and nested models before what is in them."""
    found: list[tuple[LayerPath, Layer]] = []
    for inner in layer.sublayers:
        path = (*outer, inner.name)
        found += [(path, inner)] if not isinstance(inner, (Network, InputLayer)) else []
        found += _layer_paths(inner, path)
    return found


def _configured(expected: Layer, layer: Layer) -> dict[str, str]:
    """The differences between two configurations, by option; empty if no difference has an effect."""
    if expected.class_name != layer.class_name:
        return {"class_name": f"a {layer.class_name} where a {expected.class_name} is expected"}
    differences = {}
    for f in layer.config_fields():
        if f.name.endswith(_NO_EFFECT) or isinstance(stated(layer, f.name), Layer):
            continue
        have, want = (json_value(stated(one, f.name)) for one in (layer, expected))
        if have != want and not (f.name.endswith(_SATURATES) and all(one in (None, "linear") for one in (have, want))):
            differences[f.name] = f"{f.name} is {have!r} where {want!r} is expected"
    return differences
