"""Functions of each element."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

from ...errors import KconvertError, Problem
from ..base import Tensor
from ..computing import current_backend
from ..float_settings import floatx
from .shapes import expand_dims, ndim


def _of_one(name: str) -> Callable[[Tensor], Tensor]:
    """The operation `name` of the backend as a function of a tensor."""

    def function(x: Tensor) -> Tensor:
        return getattr(current_backend(), name)(x)

    function.__name__ = name
    return function


def _of_two(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The operation `name` of the backend as a function of two tensors."""

    def function(x: Tensor, y: Tensor) -> Tensor:
        return getattr(current_backend(), name)(x, y)

    function.__name__ = name
    return function


exp, log, abs, sign, round, sin, cos = map(_of_one, ("exp", "log", "abs", "sign", "round", "sin", "cos"))
tanh, sigmoid, softplus = map(_of_one, ("tanh", "sigmoid", "softplus"))
maximum, minimum, equal, not_equal, greater = map(_of_two, ("maximum", "minimum", "equal", "not_equal", "greater"))


def stop_gradient(variables: Tensor) -> Tensor:
    """A tensor that counts as a constant in gradients."""
    return current_backend().stop_gradient(variables)


def sqrt(x: Tensor) -> Tensor:
    """The square root; 0 for negative numbers."""
    K = current_backend()
    return K.sqrt(K.maximum(x, 0.0))


def greater_equal(x: Tensor, y: Tensor) -> Tensor:
    """Where `x` is at least `y`."""
    return current_backend().logical_or(greater(x, y), equal(x, y))


def less(x: Tensor, y: Tensor) -> Tensor:
    """Where `x` is below `y`."""
    return greater(y, x)


def less_equal(x: Tensor, y: Tensor) -> Tensor:
    """Where `x` is at most `y`."""
    return greater_equal(y, x)


def square(x: Tensor) -> Tensor:
    """x * x."""
    return x * x


def pow(x: Tensor, a: Any) -> Tensor:
    """`x` to the power `a`."""
    return x**a


def clip(x: Tensor, min_value: Any, max_value: Any) -> Tensor:
    """`x` within limits; None for no limit. A `max_value` below `min_value` counts as that."""
    if isinstance(min_value, (int, float)) and isinstance(max_value, (int, float)):
        max_value = builtins.max(min_value, max_value)
    x = x if min_value is None else maximum(x, min_value)
    return x if max_value is None else minimum(x, max_value)


def switch(condition: Tensor, then_expression: Any, else_expression: Any) -> Tensor:
    """Takes each element from the first tensor where `condition` is true, else from the second.

    A function in place of a tensor is called without arguments.
    """
    first, second = (one() if callable(one) else one for one in (then_expression, else_expression))
    missing = ndim(first) - ndim(condition)
    if missing < 0:
        what = f"a condition of {ndim(condition)} axes is for tensors of {ndim(first)}"
        raise KconvertError(what, "K.switch", "it has no more axes than the tensors", Problem.USAGE)
    K = current_backend()
    chosen = K.cast(condition, "bool")
    for _ in range(missing):
        chosen = expand_dims(chosen)
    return K.where(chosen, first, second)


def relu(x: Tensor, alpha: Any = 0.0, max_value: Any = None, threshold: float = 0.0) -> Tensor:
    """`x` where above `threshold`, at most `max_value`; otherwise `alpha * (x - threshold)`."""
    K = current_backend()
    y = x * K.cast(K.greater(x, threshold), floatx()) if threshold else K.relu(x)
    if max_value is not None:
        y = K.minimum(K.relu(y), max_value)
    return y - alpha * K.relu(threshold - x) if alpha else y


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """`x` where positive, else `alpha * (exp(x) - 1)`."""
    return relu(x) + alpha * (exp(minimum(x, 0.0)) - 1.0)


def softsign(x: Tensor) -> Tensor:
    """x / (|x| + 1)."""
    return x / (abs(x) + 1.0)


def hard_sigmoid(x: Tensor) -> Tensor:
    """0.2 x + 0.5 within 0 and 1."""
    return clip(0.2 * x + 0.5, 0.0, 1.0)
