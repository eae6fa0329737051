"""Layers of Keras that code of the user calls: `super().call(x)`, `self.dense(x)`, `self.layer.build(shape)`.

A layer is at work while methods of a layer that is written as in Keras run: it is the copy that they run on, or a layer
inside it. Its weights are attributes, which the code may read and replace, and its methods have the arguments of Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import wraps
from inspect import signature
from typing import Any

from ..backend.base import Backend, Tensor
from ..backend.computing import current_backend
from ..backend.context import assigned
from ..conventions.roles import Weight
from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .builder import ADOPTING, Builder, is_in_keras_style
from .custom import zeros_in
from .lists import as_list
from .on_tensors import call_on_tensors
from .operators import Operators
from .phase import Phase
from .shapes import shape_of

Path = tuple[str, ...]
"""The name of a weight, after those of the layers inside a layer of Keras: ("forward_lstm", "kernel")."""

_WEIGHTS = "_native"
"""The attribute with the weights of a layer of Keras, by path."""
_SPECS = "_native_specs"
"""The attribute with their specs (`Weight`)."""
_SHAPE = "_native_shape"
"""The attribute with the shape of the inputs that they are made for."""


def is_at_work(layer: Any) -> bool:
    """Whether a layer is at work."""
    return "_builder" in layer.__dict__


def takes_backend(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether a method is called with arguments of kconvert: the first is a backend."""
    return isinstance(args[0] if args else kwargs.get("K"), Backend)


_ON_SYMBOLS = {"call": "call_on_symbols", "compute_mask": "mask_on_symbols"}
"""The function that computes the result of a method for symbols."""


def in_two_forms(method: Callable[..., Any], form: Callable[..., Any]) -> Callable[..., Any]:
    """`method` of a layer of Keras. With the arguments of Keras, `form(layer, method, ...)` runs it.

    Where the layer is not at work, it is called on symbols. Raises KconvertError for other arguments of Keras.
    """
    on_symbols = _ON_SYMBOLS[method.__name__]

    @wraps(method)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        if takes_backend(args, kwargs):
            return method(self, *args, **kwargs)
        if is_at_work(self):
            return form(self, method, *args, **kwargs)
        if args and all(isinstance(one, Operators) for one in as_list(args[0])):
            return getattr(self, on_symbols)(*args, **kwargs)
        what = f"{method.__name__} is called outside of the methods of a class that inherits from it or uses it"
        raise KconvertError(what, f"layer {self.name}", "call the layer itself", Problem.USAGE)

    called.in_kconvert = method  # type: ignore[attr-defined]
    return called


def building_layer(method: Callable[..., Any]) -> Callable[..., Any]:
    """`build` of a layer of the user: layers that it makes are inside the layer, if that is at work.

    Another layer only notes the shape of its inputs, because its methods run on copies.
    """

    @wraps(method)
    def build(self: Any, *args: Any, **kwargs: Any) -> None:
        if not is_at_work(self):
            self.note_build(*args, **kwargs)
            self.note_called()
            return
        with assigned(ADOPTING, self.__dict__["_builder"]):
            method(self, *args, **kwargs)

    return build


def building(method: Callable[..., Any]) -> Callable[..., Any]:
    """`build` of a model, which makes the weights of a model at work, once."""

    @wraps(method)
    def build(self: Any, input_shape: Any = None) -> None:
        if not is_at_work(self):
            method(self, input_shape)
        elif not self.__dict__.get("built"):
            build_native(self, input_shape)

    return build


def build_native(layer: Any, shape: Any) -> None:
    """Makes the weights that the class of Keras of a layer at work has, as attributes."""
    builder: Builder = layer.__dict__["_builder"]
    specs = dict(_native_weights(layer, shape))
    made = {path: builder.add_native("/".join(path), weight) for path, weight in specs.items()}
    if (first := layer.take_first_weights()) is not None:
        builder.take(first)
    layer.__dict__[_WEIGHTS] = {path: (one.weight.name, one.tensor) for path, one in made.items()}
    layer.__dict__[_SHAPE] = shape
    if not layer.sublayers:
        by_name = {path[0]: weight for path, weight in specs.items()}
        layer.__dict__[_SPECS] = list(by_name.values())
        layer.show_own_weights(by_name, {path[0]: one.tensor for path, one in made.items()})
    if builder.is_inside:  # lists of the outermost layer are those that the user makes
        for name, trained in (("trainable_weights", True), ("non_trainable_weights", False)):
            own = [one.tensor for one in made.values() if one.weight.trainable is trained]
            layer.__dict__[name] = [*layer.__dict__.get(name, []), *own]
    layer.__dict__["built"] = True


@dataclass(frozen=True, eq=False)
class Inside:
    """A weight of a layer inside a layer at work."""

    # Its name in the outermost layer.
    name: str
    # The layer of the user's object, not the copy that is at work, and the name of the weight there.
    layer: Any
    weight: str
    # The shape of the inputs of that layer; None where it knows them itself.
    shape: Any


def weights_inside(layer: Any) -> Iterator[Inside]:
    """The weights of a layer at work that the class of Keras has, if the layer is a copy of one of the user's."""
    original = layer.__dict__["_builder"].original
    for path, (name, _) in layer.__dict__.get(_WEIGHTS, {}).items() if original is not None else ():
        inner = original
        for one in path[:-1]:
            inner = next(sub for sub in inner.sublayers if sub.name == one)
        yield Inside(name, inner, path[-1], layer.__dict__[_SHAPE] if inner is original else None)


def weights_of_user_inside(layer: Any, weights: Sequence[Weight | None]) -> Iterator[Inside]:
    """The weights of a layer at work that is a copy of one of a class of the user, and is called.

    weights: what the variables of its run are in the outermost layer. Those of the layers inside it are among its own.
    """
    builder: Builder = layer.__dict__["_builder"]
    original, shape = builder.original, layer.__dict__.get(_SHAPE)
    if original is None or shape is None or not is_in_keras_style(layer):
        return
    alone, here = original.weight_specs(shape), builder.weights_of(weights)
    if len(alone) == len(here):  # else its `build` lists other weights where the layer is alone
        yield from (Inside(one.name, original, own.name, shape) for one, own in zip(here, alone, strict=True))


def call_native(layer: Any, method: Callable[..., Any], x: Any, *args: Any, training: Any = None, **kwargs: Any) -> Any:
    """`call` of a layer of Keras at work, with the arguments of Keras; method: that of its class.

    training: None is the phase of the run. The states and constants of a recurrent layer follow its inputs.
    """
    if layer.__dict__["_builder"].is_independent(shape_of(current_backend(), x)):
        return _call_independent(layer, x, *args, training=training, **kwargs)
    _build_first(layer, x)
    for word in ("initial_state", "constants"):
        added = kwargs.pop(word, None)
        x = x if added is None else [*as_list(x), *as_list(added)]
    builder: Builder = layer.__dict__["_builder"]
    run = builder.run
    if run.counts and builder.is_inside and not is_in_keras_style(layer):
        shape = layer.compute_output_shape(shape_of(current_backend(), x))
        return [zeros_in(one, 1) for one in shape] if isinstance(shape, list) else zeros_in(shape, 1)
    phase = _phase(run.phase, training)
    native = layer.__dict__.get(_WEIGHTS, {})
    inner = None if phase is None else copy(phase)
    if inner is not None:
        inner.updates = {}
    y = method(layer, current_backend(), _by_layer(layer, native, x), x, *args, training=inner, **kwargs)
    if inner is not None and phase is not None:
        _pass_on(layer, inner, phase, native)
    return y


def same_input(layer: Any, method: Callable[..., Any], x: Any, *args: Any, **kwargs: Any) -> Any:
    """`call` of the base class of all layers, with the arguments of Keras."""
    return x


def mask_native(layer: Any, method: Callable[..., Any], x: Any, mask: Any = None) -> Any:
    """`compute_mask` of a layer of Keras at work, with the arguments of Keras."""
    return method(layer, current_backend(), x, mask)


def call_inside(layer: Any, x: Any, mask: Any = None, **kwargs: Any) -> Any:
    """`layer(x)` for a layer inside a layer at work: it is built, gets the mask of `x`, and masks its output."""
    run = layer.__dict__["_builder"].run
    mask = run.mask_of(x) if mask is None else mask
    if layer.__dict__["_builder"].is_independent(shape_of(current_backend(), x)):
        return _call_independent(layer, x, mask, **kwargs)
    with run.inside(layer), assigned(ADOPTING, layer.__dict__["_builder"]):
        _build_first(layer, x)
        method = getattr(type(layer).call, "in_keras", None)
        words = {"mask"} if method is None else set(signature(method).parameters)
        y = layer.call(x, **({"mask": mask} if "mask" in words else {}), **kwargs)
    run.note_mask(y, layer.compute_mask(x, mask))
    if run.phase is not None:
        run.phase.penalize_activity(layer, as_list(y))
    return y


def _call_independent(layer: Any, x: Any, mask: Any = None, **kwargs: Any) -> Any:
    """`layer(x)` for a layer inside whose weights are no weights of the outermost one: its own, which never change."""
    K, builder = current_backend(), layer.__dict__["_builder"]
    original = builder.original
    if not original.shapes_of_weights:
        original.note_build(shape_of(K, x))
    if builder.run.counts or K.name != K.convention or K.convention != original._held().backend.convention:
        shape = original.compute_output_shape(shape_of(K, x))  # only shapes matter
        return [zeros_in(one, 1) for one in shape] if isinstance(shape, list) else zeros_in(shape, 1)
    y = call_on_tensors(original, x, mask, **kwargs)
    builder.run.note_mask(y, original.compute_mask(K, x, mask))
    return y


def _build_first(layer: Any, x: Any) -> None:
    """Builds a layer at work that was not built, for inputs like `x`."""
    if not layer.__dict__.get("built"):
        shape = shape_of(current_backend(), x)
        build_native(layer, shape) if layer.is_network else layer.build(shape)
        layer.__dict__["built"] = True
        layer.__dict__.setdefault(_SHAPE, shape)


def specs_of_build(method: Callable[[Any, Any], list[Weight]]) -> Callable[[Any, Any], list[Weight]]:
    """`weight_specs` of a class that inherits from one of Keras: the weights that `build` makes; method: finds them."""

    def weight_specs(self: Any, shape: Any) -> list[Weight]:
        return method(self, shape)

    weight_specs.of_build = True  # type: ignore[attr-defined]
    return weight_specs


def specs_of_keras(cls: Any) -> Any:
    """`weight_specs` of the class of Keras that a class inherits from; that of the base class of all layers if none."""
    found = (vars(one).get("weight_specs") for one in cls.__mro__)
    return next(method for method in found if method is not None and not hasattr(method, "of_build"))


def _native_weights(layer: Any, shape: Any) -> Iterator[tuple[Path, Weight]]:
    """The weights that the class of Keras of a layer has; one that holds arrays begins with them."""
    if layer.sublayers:
        yield from _of_layers_inside(layer, shape, layer.trainable)
    elif not hasattr(specs := specs_of_keras(type(layer)), "of_base"):
        weights = specs(layer, shape)
        yield from _stated(layer, weights, layer.__dict__["_builder"].holder, layer.trainable)


def _of_layers_inside(layer: Any, shape: Any, trained: bool) -> Iterator[tuple[Path, Weight]]:
    """The weights of the layers inside a layer of Keras; trained: whether training changes those of the layer."""
    for inner, sizes in zip(layer.sublayers, layer.sublayer_shapes(shape), strict=True):
        trains = trained and inner.trainable
        if inner.sublayers:
            found = _of_layers_inside(inner, sizes, trains)
        else:
            found = _stated(inner, inner.weight_specs(sizes), inner, trains)
        for path, weight in found:
            yield (inner.name, *path), weight


def _stated(layer: Any, weights: list[Weight], holder: Any, trained: bool) -> Iterator[tuple[Path, Weight]]:
    """`weights` with all that a layer states about them.

    holder: the layer that may hold arrays for them. trained: whether training changes those of the layer.
    """
    holds = holder is not None and bool(holder.shapes_of_weights)
    for weight in weights:
        initializer = _held(holder, weight.name) if holds else weight.initializer
        yield (
            (weight.name,),
            replace(
                weight,
                trainable=weight.trainable and trained,
                initializer=initializer,
                regularizer=weight.regularizer or layer.option(weight.name, "regularizer"),
                constraint=weight.constraint or layer.option(weight.name, "constraint"),
            ),
        )


def _held(holder: Any, name: str) -> Callable[..., Any]:
    """An initializer of one weight, which gives the array that `holder` has when the weight is made."""
    return lambda shape, **_: holder.canonical_arrays()[name]


def _by_layer(layer: Any, native: Mapping[Path, tuple[str, Tensor]], x: Any) -> dict[str, Any]:
    """The weights as `call` of kconvert takes them for inputs `x`: those of a layer inside are a dict under its name.

    Where `build` of the user set attributes in place of weights, they are those attributes.
    """
    found: dict[str, Any] = {}
    for path, (_, tensor) in native.items():
        place = found
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = tensor
    if layer.sublayers:
        return found
    if _SPECS not in layer.__dict__:  # `build` of the user made no weights of the class
        layer.__dict__[_SPECS] = [weight for _, weight in _native_weights(layer, shape_of(current_backend(), x))]
    return {**found, **layer.shown_own_weights(layer.__dict__[_SPECS])}


def _phase(phase: Phase | None, training: Any) -> Phase | None:
    """The phase of a call with the argument `training`."""
    if phase is None or training is None or isinstance(training, Phase) or bool(training) is phase.training:
        return phase
    return phase.of_training(False) if training else phase.of_test()


def _pass_on(layer: Any, inner: Phase, phase: Phase, native: Mapping[Path, tuple[str, Tensor]]) -> None:
    """Passes the updates of a layer of Keras on as updates of the layer that it is a part of."""
    for path, value in inner.updates.items():
        own = path[len(phase.path) :]
        if own not in native:
            what = f"a {layer.class_name} that keeps states cannot be called in the code of another layer"
            raise KconvertError(what, f"layer {layer.name}", "leave stateful out", Problem.USAGE)
        phase.update(native[own][0], value)
