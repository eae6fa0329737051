"""`keras.backend`: functions on values, on tensors inside layers, and on symbols.

While a backend computes (in a Lambda, a loss, a layer of the user), a function works on its tensors. Elsewhere it is
recorded: on symbols of layers as an operation of the network, on variables and values as an expression, which `eval`,
`get_value` and `function` compute.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any, NoReturn

import numpy as np

from ...backend import default_backend, get_backend
from ...backend import functions as F
from ...backend.base import Backend, InputSpec, Tensor
from ...backend.computing import GRADIENTS, TRAINING, UPDATED, VARIABLES, current_backend, is_computing
from ...backend.context import assigned
from ...errors import KconvertError, Problem
from ...layers.calls import Symbol, calls_behind
from ...layers.lists import as_list, one_or_list
from ...layers.operations import (
    SLOPES,
    STANDING,
    Deferred,
    Expression,
    Operation,
    Variable,
    filled,
    gradient,
    symbols_within,
)
from ...layers.phase import FIXED, Phase
from ...models.model import Model
from ...models.training.hyperparameters import Hyperparameter
from ...network.functional import Input
from ...network.nested import walk
from . import alignments, convolutions, loops, random_numbers, tensors
from .recorded import recorded, recorded_parts
from .settings import PHASE, LearningPhase, learning_phase

_LOG = logging.getLogger(__name__)

# ---------------------------------------------------------------- variables ----


def placeholder(
    shape: Sequence[int | None] | None = None,
    ndim: int | None = None,
    dtype: str | None = None,
    sparse: bool = False,
    name: str | None = None,
) -> Symbol:
    """A symbol of an input, with the batch axis in `shape`. Raises KconvertError for sparse ones."""
    if sparse:
        raise KconvertError("sparse placeholders are not supported", fix="give dense arrays")
    if shape is None and ndim is None:
        raise KconvertError("placeholder needs a shape or ndim", problem=Problem.USAGE)
    sizes = tuple(shape) if shape is not None else (None,) * int(ndim or 0)
    symbol = Input(batch_shape=sizes, dtype=dtype, name=name or "")
    symbol.call.layer.is_placeholder = True
    return symbol


def variable(value: Any, dtype: str | None = None, name: str | None = None, constraint: Any = None) -> Any:
    """A variable with the value of an array, or of an expression.

    constraint: what `get_updates` of an optimizer applies to its new values.
    """
    if is_computing() or _inside_build():
        return F.variable(eval(value) if isinstance(value, Deferred) else value, dtype, name)
    made = Variable(eval(value) if isinstance(value, Deferred) else value, dtype or "float32", name or "")
    made.constraint = constraint
    return made


def _inside_build() -> bool:
    """Whether `build` of a layer of the user runs, whose variables are weights."""
    try:
        return VARIABLES.get() is not None
    except LookupError:
        return False


def zeros(shape: Sequence[int], dtype: str | None = None, name: str | None = None) -> Any:
    """A variable of zeros."""
    if is_computing() and not _inside_build():
        return F.zeros(shape, dtype)
    return variable(np.zeros(tuple(shape)), dtype, name)


def ones(shape: Sequence[int], dtype: str | None = None, name: str | None = None) -> Any:
    """A variable of ones."""
    if is_computing() and not _inside_build():
        return F.ones(shape, dtype)
    return variable(np.ones(tuple(shape)), dtype, name)


def constant(value: Any, dtype: str | None = None, shape: Sequence[int] | None = None, name: str = "") -> Any:
    """A tensor with the values of a number or an array."""
    if is_computing():
        return F.constant(value, dtype, shape)
    return Expression(lambda: F.constant(value, dtype, shape), (), {})


def eye(size: Any, dtype: str | None = None, name: str | None = None) -> Any:
    """A variable with the identity matrix; size: of both axes, or a pair of sizes."""
    return tensors.eye(size, dtype) if is_computing() else variable(np.eye(*np.atleast_1d(size)), dtype, name)


def zeros_like(x: Any, dtype: str | None = None, name: str | None = None) -> Any:
    """Zeros in the shape of `x`."""
    return _LIKE[0](x, dtype)


def ones_like(x: Any, dtype: str | None = None, name: str | None = None) -> Any:
    """Ones in the shape of `x`."""
    return _LIKE[1](x, dtype)


_LIKE = recorded(F.zeros_like), recorded(F.ones_like)


def random_uniform_variable(
    shape: Sequence[int], low: float, high: float, dtype: str | None = None, name: str | None = None, seed: Any = None
) -> Any:
    """A variable with uniform random numbers, by NumPy's generator."""
    return variable(_generator(seed).uniform(low, high, tuple(shape)), dtype, name)


def random_normal_variable(
    shape: Sequence[int], mean: float, scale: float, dtype: str | None = None, name: str | None = None, seed: Any = None
) -> Any:
    """A variable with normal random numbers, by NumPy's generator."""
    return variable(_generator(seed).normal(mean, scale, tuple(shape)), dtype, name)


def _generator(seed: int | None) -> Any:
    return np.random if seed is None else np.random.RandomState(seed)


def eval(x: Any) -> Any:
    """The value of a variable or an expression."""
    if isinstance(x, Deferred):
        return x.eval()
    if isinstance(x, Symbol):
        inputs = [call.output for call in calls_behind([x]) if not call.inputs]
        if not [one for one in inputs if one.tensor is None]:
            return Function([], [x])([])[0]
        what = "a symbol has no value without the values of the inputs"
        raise KconvertError(what, fix="K.function([inputs], [outputs])([arrays])", problem=Problem.USAGE)
    return x.get_value() if hasattr(x, "get_value") else np.asarray(x)


def get_value(x: Any) -> Any:
    """The value of a variable, as an array."""
    return eval(x)


def batch_get_value(ops: Sequence[Any]) -> list[Any]:
    """The values of several variables."""
    return [get_value(one) for one in ops]


def set_value(x: Any, value: Any) -> None:
    """Sets the value of a variable, of a weight of a layer, or of a hyperparameter of an optimizer.

    Raises KconvertError for anything else.
    """
    if isinstance(x, Variable):
        x.value = value
    elif isinstance(x, Hyperparameter):
        x.set(float(np.asarray(value)))
    elif hasattr(x, "assign") or hasattr(x, "set_value"):
        if np.shape(value) != eval(x).shape:
            what = f"a value of shape {np.shape(value)} does not fit a variable of shape {eval(x).shape}"
            raise KconvertError(what, problem=Problem.USAGE)
        get_backend(default_backend()).assign(x, np.asarray(value))
    else:
        raise KconvertError(f"set_value takes a variable, not {type(x).__name__}", problem=Problem.USAGE)


def batch_set_value(tuples: Sequence[tuple[Any, Any]]) -> None:
    """Sets the values of several variables."""
    for one, value in tuples:
        set_value(one, value)


def count_params(x: Any) -> int:
    """The number of elements of a variable."""
    return int(np.prod(eval(x).shape))


def update(x: Any, new_x: Any) -> tuple[Any, Any]:
    """That `x` becomes `new_x`, for the updates of `function`. Within `update_state` of a metric it does so at once."""
    if UPDATED.get(None) is None or not isinstance(x, Variable):
        return x, new_x
    x.assign(new_x)
    return x, x


def update_add(x: Any, increment: Any) -> tuple[Any, Any]:
    """That `increment` is added to `x`."""
    return update(x, x + increment)


def update_sub(x: Any, decrement: Any) -> tuple[Any, Any]:
    """That `decrement` is subtracted from `x`."""
    return update(x, x - decrement)


def moving_average_update(x: Any, value: Any, momentum: float) -> tuple[Any, Any]:
    """That `x` becomes its moving average with `value`."""
    return update(x, x * momentum + value * (1.0 - momentum))


# ------------------------------------------------------- what something is ----


def int_shape(x: Any) -> tuple[int | None, ...]:
    """The sizes of `x`: integers where they are known, else None."""
    if isinstance(x, (Symbol, Deferred)):
        return tuple(x.shape)
    return F.int_shape(x) if is_computing() else np.shape(x)


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(int_shape(x)) if not is_computing() or isinstance(x, Deferred) else F.ndim(x)


def dtype(x: Any) -> str:
    """The name of the type of the elements."""
    if isinstance(x, Symbol):
        return getattr(x.call.layer, "dtype", None) or "float32"
    if isinstance(x, Expression):
        return str(x.eval().dtype)
    found = x.dtype
    return str(getattr(found, "name", found))


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is what a layer returned: no placeholder, and not what a function of this module returned.

    Raises KconvertError for what is no symbol at all.
    """
    if not isinstance(x, (Symbol, Deferred)):
        raise KconvertError(f"{type(x).__name__} is not a symbol or a variable", problem=Problem.USAGE)
    made_by = x.call.layer if isinstance(x, Symbol) else None
    return not (made_by is None or isinstance(made_by, Operation) or getattr(made_by, "is_placeholder", False))


def is_placeholder(x: Any) -> bool:
    """Whether `x` is the symbol of an input."""
    return isinstance(x, Symbol) and not x.call.inputs


def is_variable(x: Any) -> bool:
    """Whether `x` is a variable."""
    return isinstance(x, Variable)


def is_tensor(x: Any) -> bool:
    """Whether `x` stands for a tensor."""
    return isinstance(x, (Symbol, Deferred))


def is_sparse(tensor: Any) -> bool:
    """False: there are no sparse tensors."""
    return False


def to_dense(tensor: Any) -> Any:
    """`tensor`, which is dense."""
    return tensor


def get_variable_shape(x: Any) -> tuple[int | None, ...]:
    """The sizes of a variable."""
    return int_shape(x)


def print_tensor(x: Any, message: str = "") -> Any:
    """`x`; a warning says that nothing is printed when it is computed."""
    _LOG.warning("K.print_tensor prints nothing when a model runs%s", f": {message}" if message else "")
    return x


def control_dependencies(control_inputs: Any) -> AbstractContextManager[None]:
    """A block without effect: updates of a step are computed from the values before it."""
    return nullcontext()


def symbolic(func: Callable[..., Any]) -> Callable[..., Any]:
    """`func`: there is no eager mode to leave. It is a decorator."""
    return func


def eager(func: Callable[..., Any]) -> Callable[..., Any]:
    """`func`: there is no symbolic mode to leave. It is a decorator."""
    return func


def name_scope(name: str) -> AbstractContextManager[None]:
    """A block without effect: operations have no names."""
    return nullcontext()


def _of_tensorflow(name: str, fix: str) -> Callable[..., NoReturn]:
    """The function `name` of Keras, which only TensorFlow 1 has. It raises KconvertError."""

    def refused(*args: Any, **kwargs: Any) -> NoReturn:
        what = f"K.{name} is not supported: there are no sessions, graphs and sparse tensors of TensorFlow 1"
        raise KconvertError(what, fix=fix, problem=Problem.UNSUPPORTED)

    return refused


_RUNNING = "K.function, K.eval and K.get_value compute values"
get_session = _of_tensorflow("get_session", _RUNNING)
set_session = _of_tensorflow("set_session", "leave it out")
ctc_label_dense_to_sparse = _of_tensorflow("ctc_label_dense_to_sparse", "K.ctc_batch_cost takes dense labels")


# ------------------------------------------------------------------ running ----


class _Placeholders(Model):
    """The model of a function, whose inputs have the sizes of their placeholders, also along the first axis."""

    @property
    def input_specs(self) -> list[InputSpec]:
        specs = super().input_specs
        return [replace(spec, shape=shape) for spec, shape in zip(specs, self.input_shapes, strict=True)]


class Function:
    """A compiled function from arrays to arrays: what `function` returns.

    inputs: symbols of inputs, and the learning phase. outputs: symbols, variables and expressions. updates: pairs of a
    variable and its new value, which each call assigns.
    """

    def __init__(self, inputs: Sequence[Any], outputs: Sequence[Any], updates: Sequence[Any] = ()) -> None:
        self.inputs, self.outputs = list(inputs), list(outputs)
        self.updates = [tuple(pair) for pair in updates]
        self._compiled: dict[bool, Callable[..., list[np.ndarray]]] = {}

    def __call__(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        if len(inputs) != len(self.inputs):
            what = f"{len(inputs)} values were given for {len(self.inputs)} inputs"
            raise KconvertError(what, "K.function", problem=Problem.USAGE)
        pairs = list(zip(self.inputs, inputs, strict=True))
        training = bool(next((v for own, v in pairs if own is PHASE), FIXED["phase"] or 0))
        arrays = [np.asarray(v) for own, v in pairs if isinstance(own, Symbol)]
        if training not in self._compiled:
            self._compiled[training] = self._compile(training)
        values = self._compiled[training](arrays)
        for (target, _), value in zip(self.updates, values[len(self.outputs) :], strict=True):
            set_value(target, value)
        return values[: len(self.outputs)]

    def _compile(self, training: bool) -> Callable[..., list[np.ndarray]]:
        wanted = [*self.outputs, *(new for _, new in self.updates)]
        symbols = list(dict.fromkeys(symbols_within(wanted)))
        inputs = [one for one in self.inputs if isinstance(one, Symbol)]
        own = [one.call for one in inputs]
        calls = [call for call in calls_behind(symbols) if not call.inputs and call not in own]
        held = [call.output for call in calls if call.output.tensor is not None]  # these are not given

        def rest(K: Backend, known: dict[Symbol, Tensor]) -> list[Tensor]:
            return [filled(K, one, known) for one in wanted]

        if not symbols:
            K = get_backend(default_backend())
            return lambda arrays: K.compile_reading(lambda values, given: rest(K, {}), [], [])([])
        model = _Placeholders([*inputs, *held], symbols)

        def build(K: Backend, weights: Any, given: list[Tensor], phase: Phase) -> list[Tensor]:
            own = Phase(K, True, K.fresh_seed()) if training else phase
            tensors = dict(walk(weights))
            by_weight = {id(variable): tensors[path] for path, variable in model.runtime.variables.items()}
            with assigned(STANDING, {**STANDING.get(), **by_weight}):
                results = as_list(model.call(K, weights, one_or_list(given), None, own))
            known = dict(zip(symbols, results, strict=True))

            def slope(symbol: Symbol, weight: Any) -> Tensor:
                if id(weight) not in by_weight:
                    raise KconvertError("the loss does not depend on the weight", "K.gradients", None, Problem.USAGE)
                return K.gradients(K.sum(known[symbol]), [by_weight[id(weight)]])[0]

            with assigned(SLOPES, slope), assigned(STANDING, {**STANDING.get(), **by_weight}):
                return rest(K, known)

        def run(arrays: list[np.ndarray]) -> list[np.ndarray]:
            specs = zip([*arrays, *(one.tensor.eval() for one in held)], model.input_specs, strict=True)
            return model.runtime.compiled_function("K.function", build)([a.astype(spec.dtype) for a, spec in specs])

        return run


def shape(x: Any) -> Any:
    """The sizes of `x`: a tuple while a backend computes, else what stands for a tensor of them."""
    return F.shape(x) if is_computing() else _shape(x)


@recorded
def _shape(x: Any) -> Any:
    """The sizes of `x` as one tensor."""
    K = current_backend()
    sizes = [K.cast(one, "int32") if hasattr(one, "dtype") else K.constant(one, "int32") for one in F.shape(x)]
    return K.stack(sizes, 0)


def function(inputs: Sequence[Any], outputs: Any, updates: Any = None, **kwargs: Any) -> Function:
    """A function from arrays to arrays, compiled on the default backend at its first call.

    Raises KconvertError for further arguments, which sessions of TensorFlow take.
    """
    if kwargs:
        raise KconvertError(f"function has no argument {next(iter(kwargs))!r}: it has no session of TensorFlow")
    return Function(inputs, outputs if isinstance(outputs, (list, tuple)) else [outputs], updates or [])


def gradients(loss: Any, variables: Any) -> Any:
    """The derivatives of the sum of `loss` with respect to what it was computed from.

    loss: a symbol, and the variables are symbols or weights of layers; or an expression, and they are variables.
    `function` computes the derivatives of weights. Raises KconvertError for anything else.
    """
    wanted = list(variables) if isinstance(variables, (list, tuple)) else [variables]
    if is_computing():
        K, known = current_backend(), GRADIENTS.get(None)
        return known(loss, wanted) if known else K.gradients(K.sum(loss), wanted)
    return [gradient(loss, one) for one in wanted]


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`x` in training, else `alt`; both may be functions.

    training: None for the phase of the run, in which symbols of layers are computed.
    """
    flag = learning_phase() if training is None or isinstance(training, LearningPhase) else training
    if isinstance(flag, LearningPhase):
        return _of_phase(*(one() if callable(one) else one for one in (x, alt)))
    chosen = x if flag else alt
    return chosen() if callable(chosen) else chosen


@recorded
def _of_phase(x: Any, alt: Any) -> Any:
    return x if TRAINING.get() else alt


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`x` in testing, else `alt`; see `in_train_phase`."""
    return in_train_phase(alt, x, training)


# ---------------------------------------------------------------- functions ----

_OWN = frozenset(name for name in globals() if not name.startswith("_"))
globals().update({name: recorded(getattr(F, name)) for name in F.__all__ if name not in _OWN})
globals().update(
    {
        name: recorded(value)
        for module in (tensors, convolutions, random_numbers)
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__ and not name.startswith("_")
    }
)
slice = recorded(tensors.slice_)
_dropout = recorded(random_numbers.dropout)
ctc_batch_cost = recorded(alignments.ctc_batch_cost)
map_fn, foldl, foldr = map(recorded, (loops.map_fn, loops.foldl, loops.foldr))


def rnn(step_function: Any, inputs: Any, initial_states: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any, list[Any]]:
    """A step over time: the last output, all outputs, the last states; further arguments as in `loops.rnn`."""
    run = recorded_parts(loops.rnn, 2 + len(initial_states))
    last, outputs, *states = run(step_function, inputs, initial_states, *args, **kwargs)
    return last, outputs, states


normalize_batch_in_training = recorded_parts(tensors.normalize_batch_in_training, 3)


def dropout(x: Any, level: Any, noise_shape: Any = None, seed: int | None = None) -> Any:
    """`x` with a part `level` of its elements set to 0, and the others scaled up.

    Raises KconvertError for a level below 0, or of 1 or more.
    """
    if isinstance(level, (int, float)) and not 0 <= level < 1:
        raise KconvertError(f"the level of K.dropout is at least 0 and below 1, not {level}", problem=Problem.USAGE)
    return _dropout(x, level, noise_shape, seed)


def ctc_decode(
    y_pred: Any,
    input_length: Any,
    greedy: bool = True,
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = False,
) -> tuple[list[Any], Any]:
    """The labels of the best path, (batch, labels) filled up with -1, in a list; and minus the logarithm of it.

    Raises KconvertError for a beam search, and for symbols, which have no values.
    """
    if not greedy or top_paths != 1:
        raise KconvertError("K.ctc_decode has no beam search", fix="give greedy=True", problem=Problem.UNSUPPORTED)
    labels, costs = alignments.greedy(eval(y_pred), eval(input_length))
    return [Variable(labels, "int64")], Variable(costs)
