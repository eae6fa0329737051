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
from ..backend.computing import current_backend, making_variables
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
        self.own: list[str] = []  # the names of the weights that the class of Keras has that the layer inherits from
        self.phase: Phase | None = None  # while `call` runs
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

    def make_own(self, shape: Any) -> None:
        """Makes the weights of the class of Keras that the layer inherits from, and shows them as its attributes."""
        weights = {weight.name: weight for weight in _own_specs(self._layer, shape)}
        own = {}
        for name, weight in weights.items():
            own[name] = self._make(len(self.made), np.zeros(weight.shape, "float32"))
            self.made.append((own[name], weight, True))
        self.own += own
        self._layer.show_own_weights(weights, own)

    def weights(self, shape: Any) -> dict[str, Tensor]:
        """The tensors of the weights by name; those of the class of Keras as the attributes of the layer show them."""
        made = {weight.name: tensor for tensor, weight, _ in self.made}
        return {**made, **self._layer.shown_own_weights(_own_specs(self._layer, shape))}

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
    """Gives the methods of a class that are written as in Keras the arguments that kconvert calls them with.

    The methods of a class that inherits from it may call those of kconvert as in Keras, too.
    """
    own = vars(cls)
    if "get_output_shape_for" in own and "compute_output_shape" not in own:
        cls.compute_output_shape = own["get_output_shape_for"]
    for name, in_kconvert, either in (("compute_mask", _masking, _masking_either), ("call", _calling, _calling_either)):
        if name in own and not hasattr(own[name], "in_kconvert"):
            setattr(cls, name, (either if _takes_backend(own[name]) else in_kconvert)(own[name]))
    if cls.is_network or not ("build" in own or hasattr(own.get("call"), "in_keras")):
        return
    if _specs_of_keras(cls) is not base.weight_specs:
        cls.weight_specs = _specs_of_build
        if "call" not in own:
            cls.call = _calling(_inherited(cls))
    if not hasattr(own.get("call"), "in_keras"):
        return
    if "build" in own and "compute_output_shape" in own:
        cls.compute_output_shape = _shape_of_built(cls.compute_output_shape)
    if cls.compute_output_shape is base.compute_output_shape:
        cls.compute_output_shape = _computed_shape


def _specs_of_build(self: Any, shape: Any) -> list[Weight]:
    """The weights that `build` makes, of a class that inherits from one of Keras."""
    return built_weights(self, shape)


def _specs_of_keras(cls: Any) -> Any:
    """`weight_specs` of the class of Keras that a class inherits from; that of the base class of all layers if none."""
    found = (vars(one).get("weight_specs") for one in cls.__mro__)
    return next(method for method in found if method not in (None, _specs_of_build))


def _own_specs(layer: Any, shape: Any) -> list[Weight]:
    """The weights of the class of Keras that the class of a layer inherits from."""
    method = _specs_of_keras(type(layer))
    return [] if hasattr(method, "of_base") else list(method(layer, shape))


def _inherited(cls: Any) -> Callable[..., Any]:
    """`call(self, x, mask=None)` of a class that does not define it."""

    def call(self: Any, x: Any, mask: Any = None) -> Any:
        return super(cls, self).call(x, mask)

    return call


def built_weights(layer: Any, shape: Any) -> list[Weight]:
    """The weights that `build` of the layer makes for inputs of `shape`."""
    built = _built(layer, get_backend("numpy"), shape, _array)
    places = {id(tensor): i for i, tensor in enumerate(_listed(built))}
    made = zip(built._builder.made, _weights(built), strict=True)
    found = [(places.get(id(tensor), -1), weight) for (tensor, *_), weight in made if weight]
    return [weight for _, weight in sorted(found, key=lambda pair: pair[0])]  # as the layer lists them, if it does


def set_by_build(layer: Any, shape: Any) -> dict[str, Any]:
    """The attributes that `build` of a layer sets for inputs of `shape`, with zeros as the weights."""
    built = _built(layer, get_backend("numpy"), shape, _array)
    return {name: value for name, value in built.__dict__.items() if name not in layer.__dict__ and name[0] != "_"}


class _Array(np.ndarray):
    """An array that can be a key of a dict, as the tensors of Keras 1."""

    __hash__ = object.__hash__  # type: ignore[assignment]


def hashable(tensor: Tensor) -> Tensor:
    """A tensor that can be a key of a dict: of an array a view."""
    return tensor.view(_Array) if type(tensor) is np.ndarray else tensor


def _array(number: int, values: np.ndarray) -> Tensor:
    return hashable(values)


def _listed(built: Any) -> list[Tensor]:
    """The variables that `build` of a layer lists as its weights."""
    return [tensor for name in _LISTS for tensor in built.__dict__.get(name) or ()]


def is_in_keras_style(layer: Any) -> bool:
    """Whether the `call` of a layer is written as in Keras."""
    return hasattr(type(layer).call, "in_keras")


def _takes_backend(method: Any) -> bool:
    return "K" in list(signature(method).parameters)[:2]


def _built(layer: Any, K: Backend, shape: Any, make: Callable[[int, np.ndarray], Tensor]) -> Any:
    """A copy of the layer whose `build` was run."""
    built = copy(layer)
    builder = built.__dict__["_builder"] = Builder(built, make)
    built.__dict__["constraints"] = dict(layer.__dict__.get("constraints", {}))
    function = CustomFunction(f"{layer.class_name}.build", type(layer).build)
    with making_variables(builder.variable), K.hashable_tensors():
        function.attempt(K, built, shape)
    return built


def _weights(built: Any) -> list[Weight | None]:
    """One entry for each variable that `build` made: the weight that it is, or None if it is no weight."""
    listed = {id(tensor): "non" not in name for name in _LISTS for tensor in built.__dict__.get(name) or ()}
    weights = [
        weight if stated else replace(weight, trainable=listed[id(tensor)]) if id(tensor) in listed else None
        for tensor, weight, stated in built._builder.made
    ]
    constraints = {id(tensor): constraint for tensor, constraint in built.__dict__["constraints"].items()}
    for number, (tensor, *_) in enumerate(built._builder.made):
        weight = weights[number]
        if weight is not None and id(tensor) in constraints:
            weights[number] = replace(weight, constraint=constraints[id(tensor)])
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

    @wraps(method)
    def call(self: Any, K: Backend, w: Any = None, x: Any = None, mask: Any = None, training: Any = None) -> Any:
        sizes = [known_sizes(K, one) for one in as_list(x)]
        shape = sizes if isinstance(x, list) else sizes[0]
        built = with_weights(self, K, w, shape)
        builder = built.__dict__["_builder"]
        builder.phase = training
        given = {"mask": mask, "training": bool(training)}
        stated = {name: value for name, value in given.items() if name in words}
        y = CustomFunction(f"{self.class_name}.call", method).run(K, built, x, **stated)
        if training is not None:
            builder.report(training)
        return y

    found = _either(call, method)
    found.in_keras = method  # type: ignore[attr-defined]
    return found


def _calling_either(method: Callable[..., Any]) -> Callable[..., Any]:
    """`call(self, K, w, x, mask, training)`, which a class that inherits from it may call as `call(x, mask)`."""

    def call(self: Any, x: Any, mask: Any = None, training: Any = None, initial_state: Any = None) -> Any:
        builder = self.__dict__.get("_builder")
        if builder is None:
            what = "call is called outside of call of a class that inherits from it"
            raise KconvertError(what, f"layer {self.name}", "call the layer itself", Problem.USAGE)
        K, inputs = current_backend(), as_list(x)
        sizes = [known_sizes(K, one) for one in inputs]
        w = builder.weights(sizes if isinstance(x, list) else sizes[0])
        states = [] if initial_state is None else as_list(initial_state)
        return method(self, K, w, [*inputs, *states] if states else x, mask, builder.phase)

    return _either(method, call)


def _masking_either(method: Callable[..., Any]) -> Callable[..., Any]:
    """`compute_mask(self, K, x, mask)`, which may be called as in Keras: `compute_mask(x, mask)`."""

    def compute_mask(self: Any, x: Any, mask: Any = None) -> Any:
        return method(self, current_backend(), x, mask)

    return _either(method, compute_mask)


def _either(in_kconvert: Callable[..., Any], in_keras: Callable[..., Any]) -> Callable[..., Any]:
    """A method that is called with a backend as in kconvert, or without one as in Keras."""

    @wraps(in_kconvert)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        takes_backend = isinstance(args[0] if args else kwargs.get("K"), Backend)
        return (in_kconvert if takes_backend else in_keras)(self, *args, **kwargs)

    method.in_kconvert = in_kconvert  # type: ignore[attr-defined]
    return method


def with_weights(layer: Any, K: Backend, w: Mapping[str, Any], shape: Any) -> Any:
    """A copy of a layer whose attributes are the weights `w`, as `build` makes them for inputs of `shape`."""
    weights = _weights(_built(layer, get_backend("numpy"), shape, _array))

    def stored(number: int, values: np.ndarray) -> Tensor:
        weight = weights[number]
        return hashable(w[weight.name] if weight else K.constant(values))

    return _built(layer, K, shape, stored)


def _shape_of_built(method: Callable[..., Any]) -> Callable[..., Any]:
    """`compute_output_shape` of a class, which may use what its `build` sets: Keras builds a layer before."""

    @wraps(method)
    def compute_output_shape(self: Any, shape: Any) -> Any:
        try:
            built = _built(self, get_backend("numpy"), shape, _array)
        except KconvertError:  # sizes that `build` needs are not known yet
            built = self
        return method(built, shape)

    return compute_output_shape


def _masking(method: Callable[..., Any]) -> Callable[..., Any]:
    """`compute_mask(self, x, mask=None)` of Keras as `compute_mask(self, K, x, mask)`."""

    def compute_mask(self: Any, K: Backend, x: Any, mask: Any = None) -> Any:
        return CustomFunction(f"{self.class_name}.compute_mask", method).attempt(K, self, x, mask)

    return _either(compute_mask, method)


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
