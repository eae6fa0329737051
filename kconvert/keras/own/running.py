"""What `keras.backend` computes outside of models: compiled functions, values, gradients, and the phase of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...backend import default_backend, defaulting_to, get_backend
from ...backend import functions as F
from ...backend.base import Backend, InputSpec, Tensor
from ...backend.computing import GRADIENTS, TRAINING, current_backend, is_computing
from ...backend.context import assigned
from ...errors import AlsoAttributeError, AlsoTypeError, KconvertError, Problem
from ...layers import InputLayer
from ...layers.calls import Call, Symbol, calls_behind
from ...layers.deferred import STANDING, Deferred, emulation, filled, is_native, leaves
from ...layers.lists import as_list, items_of, one_or_list
from ...layers.phase import FIXED, Phase
from ...layers.recorded import recorded
from ...layers.slopes import gradient, variables_of_slopes
from ...models.model import Model
from ...network.functional import Input
from ...network.nested import walk
from .settings import PHASE, LearningPhase, learning_phase
from .sparse_tensors import dense_array
from .variables import Update, get_value, set_value


class _Placeholders(Model):
    """The model of a function, whose inputs have the sizes of their placeholders, also along the first axis."""

    @property
    def input_specs(self) -> list[InputSpec]:
        specs = super().input_specs
        return [replace(spec, shape=shape) for spec, shape in zip(specs, self.input_shapes, strict=True)]


class _Part(_Placeholders):
    """The model of a function that begins at inner tensors of other models, whose layers do not note its calls."""

    def symbols_of_tensors(self) -> dict[Any, Symbol]:
        return {}


class Function:
    """A compiled function from arrays to arrays: what `function` returns.

    inputs: symbols, and the learning phase. outputs: symbols, variables and expressions. updates: pairs of a variable
    and its new value, which each call assigns. Raises KconvertError for another input.
    """

    def __init__(self, inputs: Sequence[Any], outputs: Sequence[Any], updates: Sequence[Any] = ()) -> None:
        if others := [one for one in inputs if not isinstance(one, (Symbol, LearningPhase))]:
            what = f"an input of K.function is {type(others[0]).__name__}, which is no symbol"
            raise AlsoTypeError(what, fix="give it placeholders; K.set_value sets variables", problem=Problem.USAGE)
        self.inputs, self.outputs = list(inputs), list(outputs)
        self.updates = [tuple(pair) for pair in updates]
        # The backend that it computes on: the default one where it is made.
        self.backend = default_backend()
        self._compiled: dict[bool, Callable[..., list[np.ndarray]]] = {}

    def __call__(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        if len(inputs) != len(self.inputs):
            what = f"{len(inputs)} values were given for {len(self.inputs)} inputs"
            raise KconvertError(what, "K.function", problem=Problem.USAGE)
        pairs = list(zip(self.inputs, inputs, strict=True))
        training = bool(next((v for own, v in pairs if own is PHASE), FIXED["phase"] or 0))
        arrays = [np.asarray(dense_array(v)) for own, v in pairs if isinstance(own, Symbol)]
        with defaulting_to(self.backend):
            if training not in self._compiled:
                self._compiled[training] = self._compile(training)
            values = self._compiled[training](arrays)
        for (target, _), value in zip(self.updates, values[len(self.outputs) :], strict=True):
            set_value(target, value)
        return values[: len(self.outputs)]

    def _compile(self, training: bool) -> Callable[..., list[np.ndarray]]:
        wanted = [*self.outputs, *(new for _, new in self.updates)]
        symbols = list(dict.fromkeys(one for one in leaves(wanted) if isinstance(one, Symbol)))
        if not symbols:
            K = get_backend(default_backend())

            def read(values: Any, given: Any) -> list[Tensor]:
                with assigned(TRAINING, training):
                    return list(filled(K, wanted, {}))

            return lambda arrays: K.compile_reading(read, [], [])([])
        given = {one: _begin(one) for one in self.inputs if isinstance(one, Symbol)}
        inputs, own = list(given.values()), [one.call for one in given]
        calls = [call for call in calls_behind(symbols, own) if not call.inputs and call not in own]
        held = [call.output for call in calls if call.output.tensor is not None]  # these are not given
        kind = _Placeholders if inputs == list(given) else _Part
        model = kind([*inputs, *held], _computed_from(given, symbols))

        def build(K: Backend, weights: Any, given: list[Tensor], phase: Phase) -> list[Tensor]:
            own = Phase(K, True, K.fresh_seed()) if training else phase
            with assigned(STANDING, _standing(K, model, weights, symbols)):
                results = as_list(model.call(K, weights, one_or_list(given), None, own))
                return list(filled(K, wanted, dict(zip(symbols, results, strict=True))))

        def run(arrays: list[np.ndarray]) -> list[np.ndarray]:
            specs = zip([*arrays, *(one.tensor.eval() for one in held)], model.input_specs, strict=True)
            return model.runtime.compiled_function("K.function", build)([a.astype(spec.dtype) for a, spec in specs])

        return run


def _begin(symbol: Symbol) -> Symbol:
    """The symbol itself if it is an input, else an input that stands for it."""
    if isinstance(symbol.call.layer, InputLayer) and not symbol.call.inputs:
        return symbol
    return Input(batch_shape=symbol.shape, dtype=symbol.dtype)


def _computed_from(given: Mapping[Symbol, Symbol], symbols: Sequence[Symbol]) -> list[Symbol]:
    """What `symbols` are where inputs stand for inner symbols, the keys of `given`."""
    ends = [one.call for one in given]
    known = dict(given)
    for call in calls_behind(symbols, ends):
        inputs = tuple(known.get(one, one) for one in call.inputs)
        if call not in ends and inputs != call.inputs:
            made = Call(call.layer, inputs, call.shapes, call.arguments, call.images)
            known.update(zip(call.outputs, made.outputs, strict=True))
    return [known.get(one, one) for one in symbols]


def _standing(K: Backend, model: Model, weights: Any, symbols: Sequence[Symbol]) -> dict[int, Tensor]:
    """The tensors of the weights of a model, and of what its symbols are derived with respect to, by identity."""
    tensors = dict(walk(weights))
    standing = {**STANDING.get(), **{id(v): tensors[path] for path, v in model.runtime.variables.items()}}
    for one in variables_of_slopes(symbols):
        with assigned(STANDING, standing):
            standing = {**standing, id(one): one.tensor(K)}
    return standing


def function(inputs: Any, outputs: Any, updates: Any = None, **kwargs: Any) -> Function:
    """A function from arrays to arrays on the default backend, compiled at its first call.

    Raises KconvertError for further arguments, which sessions of TensorFlow take.
    """
    others = [key for key in kwargs if key != "name"]
    if others:
        raise KconvertError(f"function has no argument {others[0]!r}: it has no session of TensorFlow")
    given, wanted = map(items_of, (inputs, outputs))
    return Function(given, wanted, updates or [])


def eval(x: Any) -> Any:
    """The value of a variable, an expression or, on TensorFlow, an update, which it carries out.

    Raises KconvertError for the symbol of an input, and for what depends on one.
    """
    if isinstance(x, Update):
        if emulation().facts.updates_are_tensors:
            return x.assign()
        fix = "K.function([], [], updates=[...])([])"
        raise AlsoAttributeError("an update has no value on Theano", "K.eval", fix, Problem.USAGE)
    if isinstance(x, Symbol):
        inputs = [call.output for call in calls_behind([x]) if not call.inputs]
        if not [one for one in inputs if one.tensor is None]:
            return Function([], [x])([])[0]
        what = "a symbol has no value without the values of the inputs"
        raise KconvertError(what, fix="K.function([inputs], [outputs])([arrays])", problem=Problem.USAGE)
    if isinstance(x, (Deferred, np.ndarray, np.generic)) or not hasattr(x, "dtype") or is_native(x):
        return get_value(x)
    K = get_backend(default_backend())  # a tensor that was computed from weights of layers
    return K.compile_reading(lambda values, given: [x], [], [])([])[0]


def shape(x: Any) -> Any:
    """The sizes of `x`: a tuple while a backend computes, else what stands for a tensor of them."""
    return F.shape(x) if is_computing() else _shape(x)


def _sizes(x: Any) -> Any:
    """The sizes of `x` as one tensor."""
    K = current_backend()
    kind = K.facts.type_of_sizes
    return K.stack([K.cast(one, kind) if hasattr(one, "dtype") else K.constant(one, kind) for one in F.shape(x)], 0)


_sizes.gives_sizes = True  # type: ignore[attr-defined]  # an `Operation` with it is known where the sizes are
_shape = recorded(_sizes)


def gradients(loss: Any, variables: Any) -> Any:
    """The derivatives of the sum of `loss` with respect to what it was computed from.

    loss: a symbol, or an expression of variables. variables: symbols, variables, expressions or weights of layers, one
    or a list. On TensorFlow the result is a list, and None where the loss does not depend on something. On Theano it is
    no list for one variable outside of a list; KconvertError is raised for a loss that is no scalar, and where the loss
    does not depend on something (keras-facts: backend-functions).
    """
    wanted = items_of(variables)
    if is_computing():
        K, known = current_backend(), GRADIENTS.get(None)
        # A loss of the user may take symbols from outside.
        loss, *wanted = [filled(K, one, {}) if isinstance(one, Symbol) else one for one in (loss, *wanted)]
        return known(loss, wanted) if known else K.gradients(K.sum(loss), wanted)
    found = [gradient(loss, one) for one in wanted]
    listed = isinstance(variables, (list, tuple)) or emulation().facts.lenient_gradients
    return found if listed else found[0]


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`x` in training, else `alt`; both may be functions.

    training: whether it is training, a number or a tensor; None for the phase of the run, in which symbols of layers
    are computed.
    """
    flag = learning_phase() if training is None or isinstance(training, LearningPhase) else training
    if isinstance(flag, LearningPhase):
        return _of_phase(*_called(x, alt))
    if hasattr(flag, "shape") and not isinstance(flag, (np.ndarray, np.generic)):
        return switch(flag, x, alt)
    (chosen,) = _called(x if flag else alt)
    return chosen


@recorded
def _of_phase(x: Any, alt: Any) -> Any:
    return x if TRAINING.get() else alt


def _called(*values: Any) -> list[Any]:
    """The values, with the results of functions in place of functions."""
    return [one() if callable(one) else one for one in values]


_switch = recorded(F.switch)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Takes each element from the first tensor where `condition` is true, else from the second.

    A function in place of a tensor is called without arguments. Raises KconvertError for a condition of more axes than
    the tensors have.
    """
    return _switch(condition, *_called(then_expression, else_expression))


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`x` in testing, else `alt`; see `in_train_phase`."""
    return in_train_phase(alt, x, training)
