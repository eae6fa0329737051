"""Functions along axes: reductions and products."""

from __future__ import annotations

from builtins import all as all_of
from collections.abc import Sequence
from math import prod as prod_of

from ...errors import KconvertError, Problem
from ..base import Tensor
from ..computing import current_backend
from ..float_settings import floatx
from ..vectors import unit_vectors
from .elementwise import exp, log, sqrt, square
from .shapes import ndim, shape
from .values import cast

Axis = int | Sequence[int] | None


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """exp(x) / sum(exp(x)) along `axis`."""
    return current_backend().softmax(x, axis % ndim(x))


def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum along `axis`."""
    return current_backend().sum(x, axis, keepdims)


def prod(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product along `axis`."""
    return current_backend().prod(x, axis, keepdims)


def cumsum(x: Tensor, axis: int = 0) -> Tensor:
    """The sums of the elements up to each one, along `axis`."""
    return current_backend().cumsum(x, axis % ndim(x))


def cumprod(x: Tensor, axis: int = 0) -> Tensor:
    """The products of the elements up to each one, along `axis`."""
    return current_backend().cumprod(x, axis % ndim(x))


def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean along `axis`; of booleans, the part that is true.

    On TensorFlow, the mean of integers is rounded towards 0, as in Keras (keras-facts: backend-functions).
    """
    K = current_backend()
    kind = str(getattr(x, "dtype", "float"))
    real = K.mean(x if "float" in kind else K.cast(x, floatx()), axis, keepdims)
    return K.cast(real, x.dtype) if "int" in kind and K.facts.integer_means else real


def max(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The greatest element along `axis`."""
    return current_backend().max(x, axis, keepdims)


def min(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The least element along `axis`."""
    return -max(-x, axis, keepdims)


def var(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The variance along `axis`; of booleans, that of zeros and ones."""
    x = cast(x, floatx()) if "bool" in str(getattr(x, "dtype", "")) else x
    return mean(square(x - mean(x, axis, keepdims=True)), axis, keepdims)


def std(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The standard deviation along `axis`."""
    return sqrt(var(x, axis, keepdims))


def logsumexp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) along `axis`, computed without overflow."""
    most = max(x, axis, keepdims=True)
    return log(sum(exp(x - most), axis, keepdims)) + (most if keepdims else max(x, axis))


def argmax(x: Tensor, axis: int = -1) -> Tensor:
    """The index of the greatest element along `axis`, as int64."""
    return cast(current_backend().argmax(x, axis % ndim(x)), "int64")


def argmin(x: Tensor, axis: int = -1) -> Tensor:
    """The index of the least element along `axis`."""
    return argmax(-x, axis)


def any(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether any element is true."""
    return current_backend().any(cast(x, "bool"), axis, keepdims)


def all(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether all elements are true."""
    return current_backend().all(cast(x, "bool"), axis, keepdims)


def l2_normalize(x: Tensor, axis: Axis = None) -> Tensor:
    """`x` with the vectors along `axis` scaled to length 1."""
    return unit_vectors(current_backend(), x, axis)


def dot(x: Tensor, y: Tensor) -> Tensor:
    """The product of `x` (..., n) and `y` (n, m) or (..., n, m), summed over n; the axes of `x` come first.

    `y` may be a vector on Theano. Raises KconvertError for a vector on TensorFlow, as Keras does.
    """
    K = current_backend()
    if ndim(y) == 1 and K.facts.dots_vectors:
        return sum(x * y) if ndim(x) == 1 else K.squeeze(K.dot(x, K.expand_dims(y, 1)), ndim(x) - 1)
    if ndim(y) == 2:
        return K.dot(x, y)
    if ndim(y) < 2:
        what = f"the second tensor of K.dot has {ndim(y)} axes"
        raise KconvertError(what, "K.dot", "give it a matrix", Problem.USAGE)
    *outer, inner, last = shape(y)
    axes = (ndim(y) - 2, *range(ndim(y) - 2), ndim(y) - 1)
    product = K.dot(x, K.reshape(K.transpose(y, axes), (inner, prod_of(outer) * last)))
    return K.reshape(product, (*shape(x)[:-1], *outer, last))


def batch_dot(x: Tensor, y: Tensor, axes: int | Sequence[int] | None = None) -> Tensor:
    """The product of `x` and `y` for each sample, summed over one axis of each."""
    K = current_backend()
    if axes is None:
        axes = (ndim(x) - 1, 1 if ndim(y) == 2 else ndim(y) - 2)
    pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
    if len(pair) != 2 or not all_of(isinstance(axis, int) for axis in pair):
        raise KconvertError(f"axes {axes!r} are not one axis of each", "K.batch_dot", problem=Problem.USAGE)
    _check_batch_dot(x, y, pair)
    first, second = pair[0] % ndim(x), pair[1] % ndim(y)
    return K.batch_dot(x, y, (first, second))


def _check_batch_dot(x: Tensor, y: Tensor, axes: Sequence[int]) -> None:
    """Raises KconvertError for tensors without samples, an axis that is that of the samples, and other sizes."""
    where, first, second = "K.batch_dot", axes[0] % ndim(x), axes[1] % ndim(y)
    if ndim(x) < 2 or ndim(y) < 2:
        raise KconvertError("a tensor has no axis besides the samples", where, "use K.dot", Problem.USAGE)
    if first == 0 or second == 0:
        raise KconvertError("axis 0 is that of the samples", where, "use K.dot", Problem.USAGE)
    left, right = shape(x)[first], shape(y)[second]
    if isinstance(left, int) and isinstance(right, int) and left != right:
        what = f"axis {first} with {left} elements is multiplied by axis {second} with {right}"
        raise KconvertError(what, where, "give other axes", Problem.USAGE)
