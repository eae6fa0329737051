"""Variables and placeholders of `keras.backend`: made, read, set and updated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...backend import default_backend, get_backend
from ...backend import functions as F
from ...backend.computing import UPDATED, VARIABLES, is_computing
from ...backend.float_settings import as_float, floatx
from ...errors import AlsoTypeError, KconvertError, Problem
from ...layers.calls import Symbol
from ...layers.deferred import Deferred, Expression, Variable, WeightValue, is_native, stands_for_tensors
from ...layers.recorded import recorded
from ...models.training.hyperparameters import Hyperparameter
from ...network.functional import Input
from . import tensors
from .sparse_tensors import as_sparse, dense_array


def placeholder(
    shape: Sequence[int | None] | None = None,
    ndim: int | None = None,
    dtype: str | None = None,
    sparse: bool = False,
    name: str | None = None,
) -> Symbol:
    """A symbol of an input, with the batch axis in `shape`.

    sparse: see `sparse_tensors`. Raises KconvertError where neither `shape` nor `ndim` is given.
    """
    if shape is None and ndim is None:
        raise KconvertError("placeholder needs a shape or ndim", problem=Problem.USAGE)
    sizes = tuple(shape) if shape is not None else (None,) * int(ndim or 0)
    symbol = Input(batch_shape=sizes, dtype=dtype, sparse=sparse, name=name or "")
    symbol.call.layer.is_placeholder = True
    return symbol


def variable(value: Any, dtype: str | None = None, name: str | None = None, constraint: Any = None) -> Any:
    """A variable with the value of an array, or of an expression.

    constraint: what `get_updates` of an optimizer applies to its new values. A sparse matrix of SciPy gives a sparse
    variable: see `sparse_tensors`.
    """
    array = value.eval() if isinstance(value, Deferred) else dense_array(value)
    if is_computing() or _inside_build():
        return F.variable(array, dtype, name)
    made = Variable(array, dtype or floatx(), name or "variable")
    made.constraint = constraint
    return made if array is value or isinstance(value, Deferred) else as_sparse(made)


def _inside_build() -> bool:
    """Whether `build` of a layer of the user runs, whose variables are weights."""
    try:
        return VARIABLES.get() is not None
    except LookupError:
        return False


def zeros(shape: Sequence[int], dtype: str | None = None, name: str | None = None) -> Any:
    """A variable of zeros; while a backend computes, and where a size is a tensor, a tensor of them."""
    return _filled(_zeros, np.zeros, shape, dtype, name)


def ones(shape: Sequence[int], dtype: str | None = None, name: str | None = None) -> Any:
    """A variable of ones; while a backend computes, and where a size is a tensor, a tensor of them."""
    return _filled(_ones, np.ones, shape, dtype, name)


_zeros, _ones = recorded(F.zeros), recorded(F.ones)
_zeros_like, _ones_like = recorded(F.zeros_like), recorded(F.ones_like)


def _filled(tensor: Callable[..., Any], array: Callable[..., Any], shape: Any, dtype: Any, name: Any) -> Any:
    """What `zeros` and `ones` return; tensor, array: what makes a tensor and an array of such numbers."""
    if stands_for_tensors(shape) or (is_computing() and not _inside_build()):
        return tensor(shape, dtype)
    return variable(array(tuple(shape)), dtype, name)


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
    return _zeros_like(x, dtype)


def ones_like(x: Any, dtype: str | None = None, name: str | None = None) -> Any:
    """Ones in the shape of `x`."""
    return _ones_like(x, dtype)


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


def get_value(x: Any) -> Any:
    """The value of a variable, or of an expression, as an array. Raises KconvertError for anything else."""
    if isinstance(x, Deferred):
        return x.eval()
    if isinstance(x, Hyperparameter):
        return as_float(x)
    if isinstance(x, (float, int, np.ndarray, np.generic)):  # what optimizers have in place of variables
        return np.asarray(x)
    if is_native(x):
        return get_backend(default_backend()).value(x)
    raise AlsoTypeError(f"get_value takes a variable, not {type(x).__name__}", problem=Problem.USAGE)


def batch_get_value(ops: Sequence[Any]) -> list[Any]:
    """The values of several variables."""
    return [get_value(one) for one in ops]


def set_value(x: Any, value: Any) -> None:
    """Sets the value of a variable, of a weight of a layer, or of a hyperparameter of an optimizer.

    Raises KconvertError for anything else.
    """
    if isinstance(x, (Variable, WeightValue)):
        x.value = value
    elif isinstance(x, Hyperparameter):
        x.set(float(np.asarray(value)))
    elif is_native(x):
        WeightValue(x).value = value
    else:
        raise KconvertError(f"set_value takes a variable, not {type(x).__name__}", problem=Problem.USAGE)


def batch_set_value(tuples: Sequence[tuple[Any, Any]]) -> None:
    """Sets the values of several variables."""
    for one, value in tuples:
        set_value(one, value)


def count_params(x: Any) -> int:
    """The number of elements of a variable."""
    return int(np.prod(x.shape if isinstance(x, WeightValue) else get_value(x).shape))


class Update(NamedTuple):
    """The update that gives a variable a new value."""

    variable: Any
    value: Any

    def assign(self) -> np.ndarray:
        """Sets the variable. Returns its new value."""
        set_value(self.variable, self.value.eval() if isinstance(self.value, Deferred) else self.value)
        return np.asarray(get_value(self.variable))


def update(x: Any, new_x: Any) -> Update:
    """The update that gives `x` the value `new_x`, for the argument `updates` of `function`.

    Within `update_state` of a metric, `x` gets the value at once; on TensorFlow, in `eval` too, as in Keras.
    """
    if UPDATED.get(None) is None or not isinstance(x, Variable):
        return Update(x, new_x)
    x.assign(new_x)
    return Update(x, x)


def update_add(x: Any, increment: Any) -> Update:
    """The update that adds `increment` to `x`."""
    return update(x, x + increment)


def update_sub(x: Any, decrement: Any) -> Update:
    """The update that subtracts `decrement` from `x`."""
    return update(x, x - decrement)


def moving_average_update(x: Any, value: Any, momentum: float) -> Update:
    """The update that replaces `x` by its moving average with `value`."""
    return update(x, x * momentum + value * (1.0 - momentum))
