"""Layer classes that are written as in Keras: `build`, `add_weight`, `call(self, x)`, `get_config`.

Such a class inherits from `kconvert.layers.Layer` and calls the functions of `kconvert.backend`. Its methods keep
tensors on `self`, so they run on a copy of the layer. A weight is carried as it is stored: its role says nothing of its
axes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from functools import wraps
from inspect import signature
from typing import Any

import numpy as np

from ..backend import get_backend
from ..backend.base import Backend, Tensor
from ..backend.computing import making_variables
from ..backend.spatial import known_sizes
from ..conventions.roles import Role, Weight
from ..errors import KconvertError, Problem
from .custom import CustomFunction
from .lists import as_list
from .phase import Phase

Make = Callable[[str, np.ndarray], Tensor]  # (name, initial values) -> the tensor of the weight

_AXES = "abcdefgh"
_OPTIONS = ("initializer", "regularizer", "constraint")
"""The arguments of `add_weight` that are components of training."""
_LISTS = ("trainable_weights", "non_trainable_weights", "_trainable_weights", "_non_trainable_weights")
"""The attributes in which a class of Keras 1 lists the variables that are its weights."""


class Builder:
    """Makes the weights while `build` of a layer runs; it counts what was made."""

    def __init__(self, layer: Any, make: Callable[[int, np.ndarray], Tensor]) -> None:
        self._layer, self._make = layer, make
        self.made: list[tuple[Tensor, Weight, bool]] = []  # the tensor, the weight, and whether `add_weight` made it
        self.given: list[Any] = []  # the arrays that `set_weights` was called with
        # What `add_loss`, `add_update` and `add_metric` added while `call` ran.
        self.losses: list[Tensor] = []
        self.updates: list[tuple[Tensor, Tensor]] = []
        self.metrics: list[tuple[str, Tensor]] = []

    def add_weight(self, *args: Any, **kwargs: Any) -> Tensor:
        """The weight that `add_weight` of Keras makes. A first argument that is a shape is that of Keras 1."""
        of_keras1 = bool(args) and isinstance(args[0], (tuple, list))
        words = ("shape", "initializer", "name") if of_keras1 else ("name", "shape", "dtype", "initializer")
        stated = {**dict(zip(words, args, strict=False)), **kwargs}
        shape = tuple(int(n) for n in stated.get("shape") or ())
        options = {"initializer": "glorot_uniform"} | {key: stated[key] for key in _OPTIONS if stated.get(key)}
        trainable = bool(stated.get("trainable", True))
        return self._add(stated.get("name"), np.zeros(shape, "float32"), trainable, True, **options)

    def variable(self, value: Any, name: str | None) -> Tensor:
        """A variable of `K.variable`, which is a weight if the layer lists it as one."""
        values = np.asarray(value, "float32")
        return self._add(name, values, True, False, initializer=_constant(values))

    def report(self, phase: Phase) -> None:
        """Tells `phase` what `call` added. Updates are those of training.

        Raises KconvertError where the target of an update is no weight of the layer.
        """
        for loss in self.losses:
            phase.add(loss)
        for name, value in self.metrics:
            phase.measure(name, value)
        names = {id(tensor): weight.name for tensor, weight, _ in self.made}
        for target, value in self.updates if phase else ():
            if id(target) not in names:
                what = "add_update changes what is not a weight of the layer"
                raise KconvertError(what, f"layer {self._layer.name}", "make it with add_weight", Problem.USAGE)
            phase.update(names[id(target)], phase.K.stop_gradient(value))

    def _add(self, name: str | None, values: np.ndarray, trainable: bool, stated: bool, **options: Any) -> Tensor:
        """A weight; stated: whether `add_weight` made it. options: the other fields of `Weight`."""
        name = (name or f"weight_{len(self.made)}").removeprefix(f"{self._layer.name}_")
        role = Role("as stored", _AXES[: values.ndim])
        tensor = self._make(len(self.made), values)
        self.made.append((tensor, Weight(name, values.shape, role, trainable, **options), stated))
        return tensor


def keras_style(cls: Any, base: Any) -> None:
    """Gives the methods of a class that are written as in Keras the arguments that kconvert calls them with."""
    own = vars(cls)
    if "get_output_shape_for" in own and "compute_output_shape" not in own:
        cls.compute_output_shape = own["get_output_shape_for"]
    if "compute_mask" in own and not _takes_backend(own["compute_mask"]):
        cls.compute_mask = _masking(own["compute_mask"])
    if "call" in own and not _takes_backend(own["call"]):
        cls.call = _calling(own["call"])
        if "build" in own and "compute_output_shape" in vars(cls):
            cls.compute_output_shape = _shape_of_built(cls.compute_output_shape)
        if cls.compute_output_shape is base.compute_output_shape:
            cls.compute_output_shape = _computed_shape


def built_weights(layer: Any, shape: Any) -> list[Weight]:
    """The weights that `build` of the layer makes for inputs of `shape`."""
    return [
        weight for weight in _weights(_built(layer, get_backend("numpy"), shape, lambda _, values: values)) if weight
    ]


def is_in_keras_style(layer: Any) -> bool:
    """Whether the `call` of a layer is written as in Keras."""
    return hasattr(type(layer).call, "in_keras")


def _takes_backend(method: Any) -> bool:
    return "K" in list(signature(method).parameters)[:2]


def _built(layer: Any, K: Backend, shape: Any, make: Callable[[int, np.ndarray], Tensor]) -> Any:
    """A copy of the layer whose `build` was run."""
    built = copy(layer)
    builder = built.__dict__["_builder"] = Builder(layer, make)
    function = CustomFunction(f"{layer.class_name}.build", type(layer).build)
    with making_variables(builder.variable):
        function.attempt(K, built, shape)
    return built


def _weights(built: Any) -> list[Weight | None]:
    """One entry for each variable that `build` made: the weight that it is, or None if it is no weight."""
    listed = {id(tensor): "non" not in name for name in _LISTS for tensor in built.__dict__.get(name) or ()}
    weights = [
        weight if stated else replace(weight, trainable=listed[id(tensor)]) if id(tensor) in listed else None
        for tensor, weight, stated in built._builder.made
    ]
    return _with_values(weights, built._builder.given, built) if built._builder.given else weights


def _with_values(weights: list[Weight | None], values: list[Any], layer: Any) -> list[Weight | None]:
    """`weights` with initial values, in the order of `get_weights`. Raises KconvertError where they do not fit."""
    arrays = [np.asarray(value, "float32") for value in values]
    order = sorted((weight for weight in weights if weight), key=lambda weight: not weight.trainable)
    wanted, found = [weight.shape for weight in order], [array.shape for array in arrays]
    if wanted != found:
        what = f"set_weights in build takes arrays of the shapes {wanted}, not {found}"
        raise KconvertError(what, f"layer {layer.name}", "give one array for each weight", Problem.USAGE)
    made = {
        weight.name: replace(weight, initializer=_constant(array)) for weight, array in zip(order, arrays, strict=True)
    }
    return [weight and made[weight.name] for weight in weights]


def _constant(values: np.ndarray) -> Callable[..., np.ndarray]:
    """An initializer of one weight, which gives `values`."""
    return lambda shape, **_: values


def _calling(method: Callable[..., Any]) -> Callable[..., Any]:
    """`call(self, x, mask=None)` of Keras as `call(self, K, w, x, mask, training)`."""
    words = signature(method).parameters

    def call(self: Any, K: Backend, w: Mapping[str, Any], x: Any, mask: Any = None, training: Any = None) -> Any:
        sizes = [known_sizes(K, one) for one in as_list(x)]
        shape = sizes if isinstance(x, list) else sizes[0]
        built = with_weights(self, K, w, shape)
        given = {"mask": mask, "training": bool(training)}
        stated = {name: value for name, value in given.items() if name in words}
        y = CustomFunction(f"{self.class_name}.call", method).run(K, built, x, **stated)
        if training is not None:
            built.__dict__["_builder"].report(training)
        return y

    call.in_keras = method  # type: ignore[attr-defined]
    return call


def with_weights(layer: Any, K: Backend, w: Mapping[str, Any], shape: Any) -> Any:
    """A copy of a layer whose attributes are the weights `w`, as `build` makes them for inputs of `shape`."""
    weights = _weights(_built(layer, get_backend("numpy"), shape, lambda _, values: values))

    def stored(number: int, values: np.ndarray) -> Tensor:
        weight = weights[number]
        return w[weight.name] if weight else K.constant(values)

    return _built(layer, K, shape, stored)


def _shape_of_built(method: Callable[..., Any]) -> Callable[..., Any]:
    """`compute_output_shape` of a class, which may use what its `build` sets: Keras builds a layer before."""

    @wraps(method)
    def compute_output_shape(self: Any, shape: Any) -> Any:
        try:
            built = _built(self, get_backend("numpy"), shape, lambda _, values: values)
        except KconvertError:  # sizes that `build` needs are not known yet
            built = self
        return method(built, shape)

    return compute_output_shape


def _masking(method: Callable[..., Any]) -> Callable[..., Any]:
    """`compute_mask(self, x, mask=None)` of Keras as `compute_mask(self, K, x, mask)`."""

    def compute_mask(self: Any, K: Backend, x: Any, mask: Any = None) -> Any:
        return CustomFunction(f"{self.class_name}.compute_mask", method).attempt(K, self, x, mask)

    return compute_mask


def _computed_shape(self: Any, shape: Any) -> Any:
    """The shape of the output of a class that does not say it: its `call` is run on zeros."""

    def run(K: Backend, x: Any) -> Tensor:
        sizes = [one.shape for one in x] if isinstance(x, list) else x.shape
        zeros = {weight.name: np.zeros(weight.shape, "float32") for weight in self.weight_specs(sizes)}
        return self.call(K, zeros, x)

    try:
        return CustomFunction(self.class_name, run).shape_for(shape, {})
    except (KconvertError, ValueError) as error:
        what = error.what if isinstance(error, KconvertError) else str(error)
        raise KconvertError(
            f"the output shape of {self.class_name} is not known: {what}",
            where=f"layer {self.name}",
            fix="define its method compute_output_shape",
        ) from error
