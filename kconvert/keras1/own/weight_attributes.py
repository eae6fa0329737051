"""What `build` of a layer sets as attributes, such as `layer.W`, as Keras 1.2.2 has it after the layer was called.

While a model computes, a weight is the tensor of the present run, so that losses and other layers may use it.
Otherwise it is the variable of the weight, or what is computed from that where Keras 1.2.2 has the weight in another
form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...backend import get_backend
from ...backend.base import Backend
from ...backend.computing import PRESENT, current_backend, is_computing
from ...layers.deferred import ShownWeight
from ...layers.keras_style import hashable, set_by_build, with_weights
from ...layers.lists import one_or_list
from ...layers.operations import record
from ...network.network import Network


def attribute_of_build(layer: Any, name: str) -> Any:
    """The attribute `name` that `build` of a layer sets. Raises AttributeError where it sets none."""
    present = PRESENT.get()
    if present is None:
        value = _set_by_build(layer, name)
        return _of_weights(layer, name) if isinstance(value, np.ndarray) else value
    K, network, weights = present
    found = _weights_in(network, weights, layer) if current_backend() is K else None
    if found is None:  # shapes are computed
        return _set_by_build(layer, name)
    return _attribute(layer, K, found, name)


def _set_by_build(layer: Any, name: str) -> Any:
    found = set_by_build(layer, one_or_list(layer.shapes_of_weights))
    if name not in found:
        raise AttributeError(f"{type(layer).__name__!r} object has no attribute {name!r}")
    return found[name]


def _of_weights(layer: Any, name: str) -> Any:
    """An attribute that is a weight, or that is computed from weights, with their present values."""
    held = layer._held()
    if shown := [
        one
        for one in held.variables
        if isinstance(one, ShownWeight) and one.name.partition(":")[0] == f"{layer.name}_{name}"
    ]:
        return shown[0]
    variables, running = dict(held.named), held.backend
    arrays = {own: hashable(np.asarray(running.value(variable))) for own, variable in variables.items()}
    value = _attribute(layer, get_backend("numpy", running.convention), arrays, name)
    if is_computing():
        return value
    same = [own for own, array in arrays.items() if value is array]
    if same:
        return variables[same[0]]

    def computed(*tensors: Any) -> Any:
        return _attribute(layer, current_backend(), dict(zip(variables, tensors, strict=True)), name)

    return record(computed, *variables.values())


def _attribute(layer: Any, K: Backend, weights: Mapping[str, Any], name: str) -> Any:
    """The attribute of the layer with these weights."""
    return with_weights(layer, K, weights, one_or_list(layer.shapes_of_weights)).__dict__[name]


def _weights_in(network: Network, weights: Mapping[str, Any], layer: Any) -> Mapping[str, Any] | None:
    """The weights of a layer by name, among the nested ones of a network; None where the layer is not in it."""
    for inner in network.sublayers:
        own: Mapping[str, Any] = weights.get(inner.name, {})
        if inner is layer:
            return own
        if inner.sublayers and (found := _weights_in(inner, own, layer)) is not None:  # type: ignore[arg-type]
            return found
    return None
