"""What `build` and `call` of a layer of the user set as attributes, such as `layer.w`, as Keras has it afterwards.

The methods run on copies of the layer. While a model computes, a weight is the tensor of the present run, so that
losses and other layers may use it. Otherwise it is the variable of the weight, or what is computed from that where
Keras has the weight in another form. A layer that the methods make is the same object each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from ..backend import get_backend
from ..backend.base import Backend
from ..backend.computing import PRESENT, current_backend, is_computing
from .deferred import ShownWeight, WeightValue
from .keras_style import BEFORE_BUILD, NAMES, called_with_weights, hashable, set_by_build, set_by_call, with_weights
from .lists import one_or_list
from .operators import Operators
from .weights import WithWeights

Get = Callable[[Any], Any]
"""Finds a value in a copy of the layer that is at work."""


class SetByBuild:
    """The part of a layer that shows what its methods `build` and `call` set."""

    def __getattr__(self, name: str) -> Any:
        names = names_of_build(self)
        if name in names:
            return attribute(self, name, names[name])
        before = self.__dict__.get(BEFORE_BUILD, {})
        if name in before:
            return before[name]
        return super().__getattr__(name)  # type: ignore[misc]


def names_of_build(layer: Any) -> Mapping[str, bool]:
    """The names of the attributes that `build` and `call` set, once the layer was called; whether `call` sets it."""
    stated = layer.__dict__
    shapes = None if "_builder" in stated else stated.get("_built_for") or bool(stated.get("_inbound"))
    if not shapes or not type(layer).shows_weights or layer.is_network:
        return {}
    if NAMES not in stated:
        stated[NAMES] = {}  # while the methods run
        shape = one_or_list(layer.shapes_of_weights or [])
        try:
            if shape:
                by_call = dict.fromkeys(set_by_call(layer, shape) if stated.get("_inbound") else (), True)
                stated[NAMES] = {**by_call, **dict.fromkeys(set_by_build(layer, shape), False)}
        except BaseException:
            del stated[NAMES]
            raise
    names: Mapping[str, bool] = stated[NAMES]
    return names


def attribute(layer: Any, name: str, of_call: bool) -> Any:
    """Returns the attribute `name`, which the method `build` or `call` of the layer sets."""
    shape = one_or_list(layer.shapes_of_weights)
    present = None if of_call else PRESENT.get()
    if present is not None and current_backend() is present[0]:
        K, network, weights = present
        found = _weights_in(network, weights, layer)
        if found is not None:
            return with_weights(layer, K, found, shape).__dict__[name]
    if not of_call and (shown := _stored_as(layer, name)) is not None:
        return shown
    value = (set_by_call if of_call else set_by_build)(layer, shape)[name]
    if present is not None:  # shapes are computed
        return value
    return _shown(layer, value, lambda built: built.__dict__[name], of_call)


def _stored_as(layer: Any, name: str) -> ShownWeight | None:
    """The view of a weight that the release of the layer stores in another form under this name."""
    held = layer._held()
    shown = [one for one in (held.variables if held else ()) if isinstance(one, ShownWeight)]
    return next((one for one in shown if one.name.partition(":")[0] == f"{layer.name}_{name}"), None)


def _shown(layer: Any, value: Any, get: Get, of_call: bool) -> Any:
    """A value as users see it; value: the same with zeros as the weights, get: what finds it."""
    if isinstance(value, WithWeights):
        builder = value.__dict__.get("_builder")
        return value if builder is None or builder.original is None else builder.original
    if isinstance(value, np.ndarray):
        return _of_call(layer, get) if of_call else _of_weights(layer, get)
    if type(value) in (list, tuple):
        return type(value)(_shown(layer, one, partial(_item, get, i), of_call) for i, one in enumerate(value))
    if type(value) is dict:
        return {key: _shown(layer, one, partial(_item, get, key), of_call) for key, one in value.items()}
    return value


def _item(get: Get, key: Any, built: Any) -> Any:
    return get(built)[key]


def _of_weights(layer: Any, get: Get) -> Any:
    """A weight, or what is computed from weights, with their present values."""
    held = layer._held()
    variables, running = dict(held.named), held.backend
    shape = one_or_list(layer.shapes_of_weights)

    def value_on(K: Backend, weights: Mapping[str, Any]) -> Any:
        return get(with_weights(layer, K, weights, shape))

    arrays = {own: hashable(np.asarray(running.value(variable))) for own, variable in variables.items()}
    value = value_on(get_backend("numpy", running.convention), arrays)
    same = next((own for own, array in arrays.items() if value is array), None)
    if is_computing():
        return value
    if same is not None:
        return variables[same]

    def computed(*tensors: Any) -> Any:
        return value_on(current_backend(), dict(zip(variables, tensors, strict=True)))

    return Operators.record(computed, *map(WeightValue.of, variables.values()))


def _of_call(layer: Any, get: Get) -> Any:
    """A tensor that the first call of a layer sets: a symbol that depends on the inputs and the weights."""
    held, (call, *_) = layer._held(), layer.__dict__["_inbound"]
    names = [own for own, _ in held.named]
    variables = [WeightValue.of(variable) for _, variable in held.named]

    def computed(x: Any, weights: Any) -> Any:
        return get(called_with_weights(layer, dict(zip(names, weights, strict=True)), x))

    return Operators.record(computed, one_or_list(list(call.inputs)), variables)


def _weights_in(network: Any, weights: Mapping[str, Any], layer: Any) -> Mapping[str, Any] | None:
    """The weights of a layer by name, among the nested ones of a network; None where the layer is not in it."""
    for inner in network.sublayers:
        own: Mapping[str, Any] = weights.get(inner.name, {})
        if inner is layer:
            return own
        if inner.sublayers and (found := _weights_in(inner, own, layer)) is not None:
            return found
    return None
