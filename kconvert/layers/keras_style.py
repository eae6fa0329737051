"""Layer classes that are written as in Keras: `build`, `add_weight`, `call(self, x)`, `get_config`.

Such a class inherits from `kconvert.layers.Layer` or from a layer of Keras, and calls the functions of
`kconvert.backend`. Its methods keep tensors on `self`, so they run on a copy of the layer, which is at work: see
`builder`. A weight that `add_weight` makes is carried as it is stored: its role says nothing of its axes.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from copy import copy
from dis import get_instructions
from functools import cache, partial, wraps
from inspect import signature, unwrap
from typing import Any

import numpy as np

from ..backend import get_backend
from ..backend.base import Backend, Tensor
from ..backend.computing import SYMBOLS, computing, current_backend, making_variables
from ..backend.context import assigned
from ..backend.float_settings import floatx
from ..conventions.roles import Weight
from ..errors import KconvertError, Problem
from .adding import WeightToMake
from .at_work import (
    Inside,
    building,
    building_layer,
    call_native,
    in_two_forms,
    is_at_work,
    mask_native,
    specs_of_build,
    specs_of_keras,
    takes_backend,
    weights_inside,
    weights_of_user_inside,
)
from .builder import ADOPTING, MADE, Builder, Make, Run, is_in_keras_style
from .component_names import unchecked
from .custom import CustomFunction, zeros_for_symbols, zeros_in
from .deferred import WeightValue
from .lists import as_list, one_or_list
from .operators import Operators
from .phase import Phase
from .shapes import shape_of
from .weights import AROUND, WithWeights

NAMES = "_names_of_build"
"""The attribute with the names of what `build` and `call` set."""
BEFORE_BUILD = "_before_build"
"""The attribute with what the constructor set and `build` sets anew, by name."""
_SIZE = 32
"""The number that stands for an unknown size where a call only shows which weights there are."""


def keras_style(cls: Any, base: Any) -> None:
    """Gives the methods of a class that are written as in Keras the arguments that kconvert calls them with.

    The methods of kconvert may be called as in Keras, too, by a class that inherits from theirs.
    """
    own = vars(cls)
    if "get_output_shape_for" in own and "compute_output_shape" not in own:
        cls.compute_output_shape = own["get_output_shape_for"]
    for name, as_keras, form in (("compute_mask", _masking, mask_native), ("call", _calling, call_native)):
        if name in own and not hasattr(own[name], "in_kconvert"):
            method = own[name]
            setattr(cls, name, in_two_forms(method, form) if _names_backend(method) else as_keras(method))
    if "build" in own:
        cls.build = (building if cls.is_network else building_layer)(own["build"])
    if cls.is_network or not ("build" in own or hasattr(own.get("call"), "in_keras")):
        return
    cls.is_built_by_user = cls.shows_weights = own.get("is_built_by_user", True)
    if specs_of_keras(cls) is not base.weight_specs:
        cls.weight_specs = specs_of_build(built_weights)
        if "call" not in own:
            cls.call = _calling(_inherited(cls))
    if not hasattr(own.get("call"), "in_keras"):
        return
    cls.sublayers = base.sublayers
    if "build" in own and "compute_output_shape" in own:
        cls.compute_output_shape = _shape_of_built(cls.compute_output_shape)
    if cls.compute_output_shape is base.compute_output_shape:
        cls.compute_output_shape = _computed_shape


def _inherited(cls: Any) -> Callable[..., Any]:
    """`call(self, x, mask=None)` of a class that does not define it."""

    def call(self: Any, x: Any, mask: Any = None) -> Any:
        return super(cls, self).call(x, mask)

    return call


def built_weights(layer: Any, shape: Any) -> list[Weight]:
    """The weights that `build` of the layer, and `call` of the layers inside it, make for inputs of `shape`."""
    built, weights = _weights(layer, shape)
    run: Run = built._builder.run
    return run.in_order(weights, built)


def note_built(layer: Any) -> None:
    """Notes what `build` of a layer of the user sets in place of what its constructor set, and what it accepts.

    The attributes that are set anew are those of the layer at work, so users see these.
    """
    shape = one_or_list(layer.shapes_of_weights or [])
    if not (type(layer).is_built_by_user and shape) or BEFORE_BUILD in layer.__dict__:
        return
    built = _on_zeros(layer, shape)
    if "input_spec" in built.__dict__:
        layer.input_spec = built.input_spec
    anew = [name for name, one in vars(layer).items() if name in vars(built) and _is_set_anew(one, vars(built)[name])]
    layer.__dict__.pop(NAMES, None)
    layer.__dict__[BEFORE_BUILD] = {name: layer.__dict__.pop(name) for name in anew}


def _is_set_anew(before: Any, after: Any) -> bool:
    """Whether `build` put a tensor or a layer in place of a value, such as None, or of a weight to make."""
    return isinstance(before, (WeightToMake, type(None))) and isinstance(after, (np.ndarray, WithWeights))


def note_layers_inside(layer: Any) -> None:
    """Lets the layers that are attributes of a layer of the user find the weights that they share with it."""
    for one in _layers_inside(layer):
        one.__dict__[AROUND] = layer
        note_layers_inside(one)


def shared_weights(layer: Any) -> list[Inside]:
    """The weights that a layer of the user shares with the layers inside it that are attributes."""
    shapes = layer.shapes_of_weights
    if not shapes or not (_layers_inside(layer) or layer.__dict__.get(MADE)):
        return []
    built, weights = _weights(layer, one_or_list(shapes))
    run: Run = built._builder.run
    found = (pair for inner in run.layers for pair in (weights_inside(inner), weights_of_user_inside(inner, weights)))
    return [one for some in found for one in some]


def losses_of_calls(layer: Any) -> list[Any]:
    """What `add_loss` in `call` of a layer of the user adds, for each of its calls: symbols and expressions."""
    calls = layer.__dict__.get("_inbound") if is_in_keras_style(layer) else None
    held = layer._held() if calls else None
    if not calls or held is None:
        return []
    names = [name for name, _ in held.named]
    variables = [WeightValue.of(variable) for _, variable in held.named]
    found = []
    for call in calls:
        inputs = one_or_list(list(call.inputs))
        zeros = [zeros_in(one.shape, _SIZE) for one in call.inputs]
        arrays = [np.zeros(one.shape, one.dtype) for one in variables]
        with computing(get_backend("numpy")), np.errstate(all="ignore"):
            added = _added_losses(layer, names, one_or_list(zeros), arrays)
        for number in range(len(added)):
            found.append(Operators.record(partial(_added_loss, layer, names, number), inputs, variables))
    return found


def _added_losses(layer: Any, names: Sequence[str], x: Any, weights: Sequence[Tensor]) -> list[Tensor]:
    """What `call` of a layer adds to the loss for inputs `x`; names, weights: its weights."""
    built = called_with_weights(layer, dict(zip(names, weights, strict=True)), x)
    return list(built._builder.run.losses)


def called_with_weights(layer: Any, weights: Mapping[str, Tensor], x: Any) -> Any:
    """A copy of a layer of the user, at work, whose `call` was run on inputs `x`; weights: its weights by name."""
    K, method = current_backend(), type(layer).call.in_keras
    built = with_weights(layer, K, weights, shape_of(K, x))
    CustomFunction(f"{layer.class_name}.call", method).run(
        K, built, x, **_stated(signature(method).parameters, None, None)
    )
    return built


def _added_loss(layer: Any, names: Sequence[str], number: int, x: Any, weights: Sequence[Tensor]) -> Tensor:
    return _added_losses(layer, names, x, weights)[number]


def _layers_inside(layer: Any) -> list[Any]:
    """The layers that are attributes of a layer, if it is written as in Keras."""
    if not is_in_keras_style(layer):
        return []
    return [one for name, one in vars(layer).items() if isinstance(one, WithWeights) and name != AROUND]


def set_by_build(layer: Any, shape: Any) -> dict[str, Any]:
    """Runs `build` of a layer for inputs of `shape` and returns the attributes that it sets. The weights are zeros."""
    return _set_on(_on_zeros(layer, shape), layer)


def set_by_call(layer: Any, shape: Any) -> dict[str, Any]:
    """Runs `call` of a layer and returns the attributes that it sets.

    shape: of the inputs. The inputs and the weights are zeros.
    """
    if not (is_in_keras_style(layer) and _sets_attributes(type(layer).call.in_keras)):
        return {}
    built = _on_zeros(layer, shape)
    before = dict(built.__dict__)
    _called_on_zeros(built, shape, fails=False)
    return {name: one for name, one in _set_on(built, layer).items() if before.get(name) is not one}


def _set_on(built: Any, layer: Any) -> dict[str, Any]:
    """The attributes of `built`, a copy of `layer` at work, that `layer` does not have."""
    return {
        name: value
        for name, value in built.__dict__.items()
        if name not in layer.__dict__ and name not in _OF_BUILDER and not name.startswith("_native")
    }


_OF_BUILDER = frozenset(
    {"_builder", "built", "constraints", "trainable_weights", "non_trainable_weights"}
    | {"_trainable_weights", "_non_trainable_weights"}
)
"""Attributes of a layer at work that are none of the user's."""


class _Array(np.ndarray):
    """An array that can be a key of a dict, as the tensors of Keras 1."""

    __hash__ = object.__hash__  # type: ignore[assignment]


def hashable(tensor: Tensor) -> Tensor:
    """A tensor that can be a key of a dict: of an array a view."""
    return tensor.view(_Array) if type(tensor) is np.ndarray else tensor


def _names_backend(method: Any) -> bool:
    return "K" in list(signature(method).parameters)[:2]


def _built(layer: Any, K: Backend, shape: Any, make: Make, phase: Phase | None = None) -> Any:
    """A copy of the layer, at work, whose `build` was run."""
    built = copy(layer)
    builder = built.__dict__["_builder"] = Builder(built, Run(make, phase), layer)
    built.__dict__.update(layer.__dict__.get(BEFORE_BUILD, {}))
    built.__dict__["constraints"] = dict(layer.__dict__.get("constraints", {}))
    function = CustomFunction(f"{layer.class_name}.build", type(layer).build)
    with unchecked(), making_variables(builder.variable), K.hashable_tensors():
        builder.adopt_attributes()
        function.attempt(K, built, shape)
    return built


def _on_zeros(layer: Any, shape: Any) -> Any:
    """`_built` with NumPy, where weights are zeros."""
    return _built(layer, get_backend("numpy"), shape, lambda _, values: hashable(values))


def _weights(layer: Any, shape: Any) -> tuple[Any, list[Weight | None]]:
    """A layer at work, and its weights. Where `build` did not build all layers inside, `call` is run on zeros, too."""
    built = _on_zeros(layer, shape)
    run = built._builder.run
    if is_in_keras_style(layer):
        waits = any(_waits(inner) for inner in run.layers)
        if waits or _sets_attributes(type(layer).call.in_keras):
            run.counts = True
            _called_on_zeros(built, shape, fails=waits)
            run.counts = False
    return built, run.weights(built)


def _called_on_zeros(built: Any, shape: Any, fails: bool) -> None:
    """Runs `call` of a layer at work on zeros in `shape`; fails: whether it raises the errors of `call`."""
    method = CustomFunction(f"{built.class_name}.call", type(built).call.in_keras)
    # A batch of one sample is enough: only the layers that are built matter.
    inputs = [zeros_in((batch or 1, *others), _SIZE) for batch, *others in as_list(shape)]
    x = inputs if isinstance(shape, list) else inputs[0]
    try:
        with np.errstate(all="ignore"), assigned(SYMBOLS, zeros_for_symbols(_SIZE)):
            method.attempt(get_backend("numpy"), built, x, **_stated(method.parameters, None, None))
    except KconvertError:
        if fails:
            raise


@cache
def _sets_attributes(method: Callable[..., Any]) -> bool:
    """Whether `call` of a class sets attributes of the layer, which may be layers."""
    return any(step.opname == "STORE_ATTR" for step in get_instructions(unwrap(method)))


def _waits(layer: Any) -> bool:
    """Whether a layer at work is not built, and may have weights."""
    has = bool(layer.sublayers) or is_in_keras_style(layer) or not hasattr(specs_of_keras(type(layer)), "of_base")
    return has and not layer.__dict__.get("built")


def _stated(words: Container[str], mask: Any, training: Phase | None) -> dict[str, Any]:
    """The arguments beside the input that a method `call` with the parameters `words` takes."""
    return {name: one for name, one in {"mask": mask, "training": bool(training)}.items() if name in words}


def _adopting(method: Callable[..., Any]) -> Callable[..., Any]:
    """`call` of a class of the user: layers that it makes are inside the layer, which is at work."""

    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        with assigned(ADOPTING, self.__dict__.get("_builder")):
            return method(self, *args, **kwargs)

    return call


def _calling(method: Callable[..., Any]) -> Callable[..., Any]:
    """`call(self, x, mask=None)` of Keras as `call(self, K, w, x, mask, training)`; on a layer at work as it is."""
    words, method = signature(method).parameters, _adopting(method)

    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return run(self, *args, **kwargs) if takes_backend(args, kwargs) else method(self, *args, **kwargs)

    def run(
        self: Any, K: Backend, w: Mapping[str, Any], x: Any, mask: Any = None, training: Phase | None = None
    ) -> Any:
        built = with_weights(self, K, w, shape_of(K, x), training)
        state: Run = built._builder.run
        if self.stateful:
            state.kept = {name: w[name] for name in self.kept_states(shape_of(K, x)) if name in w}
        state.note_mask(x, mask)
        y = CustomFunction(f"{self.class_name}.call", method).run(K, built, x, **_stated(words, mask, training))
        state.report(self)
        return y

    call.in_keras = call.in_kconvert = method  # type: ignore[attr-defined]
    return call


def with_weights(layer: Any, K: Backend, w: Mapping[str, Any], shape: Any, phase: Phase | None = None) -> Any:
    """A copy of a layer whose attributes are the weights `w`, as `build` makes them for inputs of `shape`."""
    _, weights = _weights(layer, shape)

    def stored(number: int, values: np.ndarray) -> Tensor:
        weight = weights[number]
        return hashable(w[weight.name] if weight else K.constant(values))

    return _built(layer, K, shape, stored, phase)


def _shape_of_built(method: Callable[..., Any]) -> Callable[..., Any]:
    """`compute_output_shape` of a class, which may use what its `build` sets: Keras builds a layer before."""

    @wraps(method)
    def compute_output_shape(self: Any, shape: Any) -> Any:
        try:
            built = self if is_at_work(self) else _on_zeros(self, shape)
        except KconvertError:  # sizes that `build` needs are not known yet
            built = self
        return method(built, shape)

    return compute_output_shape


def _masking(method: Callable[..., Any]) -> Callable[..., Any]:
    """`compute_mask(self, x, mask=None)` of Keras as `compute_mask(self, K, x, mask)`; on a layer at work as it is."""

    def run(self: Any, K: Backend, x: Any, mask: Any = None) -> Any:
        return CustomFunction(f"{self.class_name}.compute_mask", method).attempt(K, self, x, mask)

    @wraps(method)
    def compute_mask(self: Any, *args: Any, **kwargs: Any) -> Any:
        return run(self, *args, **kwargs) if takes_backend(args, kwargs) else method(self, *args, **kwargs)

    compute_mask.in_kconvert = method  # type: ignore[attr-defined]
    return compute_mask


def _computed_shape(self: Any, shape: Any) -> Any:
    """The shape of the output of a class that does not say it: its `call` is run on zeros."""

    def run(K: Backend, x: Any) -> Tensor:
        sizes = [one.shape for one in x] if isinstance(x, list) else x.shape
        zeros = {weight.name: np.zeros(weight.shape, floatx()) for weight in self.weight_specs(sizes)}
        return self.call(K, zeros, x)

    try:
        return CustomFunction(self.class_name, run).shape_for(shape, {})
    except (KconvertError, ValueError) as error:
        if isinstance(error, KconvertError) and error.problem is Problem.USAGE:
            raise
        what = error.what if isinstance(error, KconvertError) else str(error)
        raise KconvertError(
            f"the output shape of {self.class_name} is not known: {what}",
            where=f"layer {self.name}",
            fix="define its method compute_output_shape",
        ) from error
