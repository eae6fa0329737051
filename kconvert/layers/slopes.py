"""Derivatives outside of a backend: what stands for them, and what they depend on."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from ..backend import functions as F
from ..backend.base import Backend, Tensor
from ..backend.computing import current_backend
from ..backend.context import assigned
from ..errors import AlsoTypeError, KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .calls import Symbol, calls_behind
from .core import Lambda
from .deferred import STANDING, Deferred, Expression, ShownWeight, WeightValue, emulation, is_native, leaves
from .lists import one_or_list
from .operations import Operation, record


@dataclass(eq=False)
class Slope(Deferred):
    """The derivative of the sum of an expression with respect to a variable or another expression."""

    of: Deferred
    wrt: Deferred

    @property
    def shape(self) -> tuple[int, ...]:
        return self.wrt.shape

    @property
    def dtype(self) -> str:
        return self.wrt.dtype

    def computed(self, K: Backend) -> Tensor:
        if K.name != K.convention:  # NumPy, which finds shapes
            return K.zeros(self.shape, self.dtype)
        x = self.wrt.tensor(K)
        with assigned(STANDING, {**STANDING.get(), id(self.wrt): x}):
            return K.gradients(K.sum(self.of.tensor(K)), [x])[0]


def gradient(y: Any, x: Any) -> Any:
    """What stands for the derivative of the sum of `y` with respect to `x`.

    y: a symbol, or an expression of variables. x: a symbol, a variable, an expression, or the variable of a weight of a
    layer. Where `y` does not depend on `x`, as in Keras: None on TensorFlow, and KconvertError on Theano. Raises
    KconvertError for anything else.
    """
    if isinstance(x, ShownWeight):
        whole = gradient(y, x.whole)
        return None if whole is None else record(lambda slope: x.shown(current_backend(), slope), whole)
    if isinstance(x, (Symbol, Deferred)):
        wrt: Any = x
    elif is_native(x):
        wrt = WeightValue(x)
    else:
        raise KconvertError(f"gradients takes symbols and variables, not {type(x).__name__}", problem=Problem.USAGE)
    if not isinstance(y, (Symbol, Deferred)):
        raise KconvertError(f"{type(y).__name__} has no gradient", problem=Problem.USAGE)
    facts = emulation().facts
    if y.shape and not facts.lenient_gradients:
        raise AlsoTypeError(f"a loss of shape {y.shape} has no gradient", "K.gradients", "K.sum it", Problem.USAGE)
    if not _depends(y, wrt, facts.lenient_gradients):
        if facts.lenient_gradients:
            return None
        what = "the loss does not depend on what its gradient is wanted for"
        raise KconvertError(what, "K.gradients", problem=Problem.USAGE)
    symbols = list(dict.fromkeys(one for one in (y, wrt) if isinstance(one, Symbol)))
    if not symbols:
        return Slope(cast(Deferred, y), wrt)
    made = Operation(function=_gradient, arguments=(y, wrt), symbols=symbols, output=wrt.shape, dtype=wrt.dtype)
    return made(one_or_list(symbols))


def _gradient(y: Tensor, x: Tensor) -> Tensor:
    K = current_backend()
    return K.gradients(K.sum(y), [x])[0]


def variables_of_slopes(symbols: Iterable[Symbol]) -> list[Deferred]:
    """The variables, then the expressions, that `symbols` hold derivatives with respect to.

    One tensor has to stand for each of them while the symbols are computed.
    """
    layers = [call.layer for call in calls_behind(list(symbols))]
    wrt = [layer.arguments[1] for layer in layers if isinstance(layer, Operation) and layer.function is _gradient]
    return sorted((one for one in wrt if isinstance(one, Deferred)), key=lambda one: isinstance(one, Expression))


def _depends(y: Any, x: Any, with_a_slope: bool) -> bool:
    """Whether `y` may be computed from `x`. Functions of the user, in loops for example, may hold anything.

    with_a_slope: what has no derivative does not count.
    """
    seen: set[Any] = set()
    todo = [y]
    while todo:
        one = todo.pop()
        if one is x or _is_same(one, x) or _is_of_user(one) or _has_weight(one, x):
            return True
        key = one if isinstance(one, Symbol) else id(one)
        if key not in seen:
            seen.add(key)
            todo += () if with_a_slope and _has_no_slope(one) else _parts(one)
    return False


def _is_same(one: Any, x: Any) -> bool:
    """Whether two values are one symbol, or one weight of a layer."""
    if isinstance(one, WeightValue):
        return isinstance(x, WeightValue) and one.weight is x.weight
    return isinstance(one, Symbol) and bool(one == x)


_FLAT = (operator.floordiv, F.stop_gradient, F.zeros_like, F.ones_like)
"""Functions of real numbers that have no derivative on TensorFlow."""


def _has_no_slope(value: Any) -> bool:
    """Whether a symbol or an expression has no derivative with respect to anything, as booleans and integers."""
    if not isinstance(value, (Symbol, Deferred)):
        return False
    made_by = value.call.layer if isinstance(value, Symbol) else value
    return getattr(made_by, "function", None) in _FLAT or "float" not in value.dtype


def _parts(value: Any) -> Iterator[Any]:
    """What a symbol or an expression is directly computed from."""
    if isinstance(value, Slope):
        yield from (value.of, value.wrt)
    elif isinstance(value, Expression):
        yield from leaves((value.arguments, dict(value.options)))
    elif isinstance(value, Symbol):
        yield from value.call.inputs
        if isinstance(value.call.layer, Operation):
            yield from leaves((value.call.layer.arguments, value.call.layer.options))


def _is_of_user(value: Any) -> bool:
    """Whether a value among the arguments of an operation is a function."""
    function: type[Callable[..., Any]] = type(lambda: None)
    return isinstance(value, function)


def _has_weight(value: Any, x: Any) -> bool:
    """Whether a symbol is the output of a layer with the weight `x`, or of a layer of the user, which may hold it."""
    if not isinstance(value, Symbol) or isinstance(value.call.layer, Operation):
        return False
    layer = value.call.layer
    if not isinstance(x, WeightValue):
        return bool(layer.is_custom) or isinstance(layer, Lambda)
    weights = (one for _, leaf in layer.leaves() if leaf.entry is not None for one in leaf.weights)
    return any(_is_same(WeightValue.of(one), x) for one in weights)
