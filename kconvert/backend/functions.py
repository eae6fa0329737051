"""The backend functions of Keras, for the functions and layers of users: `from kconvert import backend as K`.

They have the names and arguments of `keras.backend` 1 and 2, and work on the tensors of the backend that is computing:
Theano, TensorFlow or NumPy. What the backends do not compute alike is left out: convolutions and pooling, whose kernels
and padding depend on the backend, and random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from math import prod as product
from typing import Any

import numpy as np

from ..errors import KconvertError, Problem
from .base import Backend, Tensor
from .context import assigned

_COMPUTING: ContextVar[Backend] = ContextVar("computing")
_IMAGES: ContextVar[str | None] = ContextVar("images", default=None)

_VARIABLES: ContextVar[Callable[[Any, str | None], Tensor]] = ContextVar("variables")

Axis = int | Sequence[int] | None


def computing(K: Backend) -> AbstractContextManager[None]:
    """Makes `K` the backend of these functions within a block."""
    return assigned(_COMPUTING, K)


def images_in(data_format: str | None) -> AbstractContextManager[None]:
    """Makes `data_format` that of images within a block; None: it stays as it is."""
    return assigned(_IMAGES, data_format or _IMAGES.get())


def making_variables(make: Callable[[Any, str | None], Tensor]) -> AbstractContextManager[None]:
    """Makes `variable` call `make(value, name)` within a block."""
    return assigned(_VARIABLES, make)


def _backend() -> Backend:
    """The backend that is computing. Raises KconvertError where none is."""
    try:
        return _COMPUTING.get()
    except LookupError:
        raise KconvertError(
            "a function of kconvert.backend was called outside of a model",
            fix="call it in the function of a Lambda, in an activation or in the methods of a layer",
            problem=Problem.USAGE,
        ) from None


def _named(name: str) -> Callable[..., Tensor]:
    """The operation `name` of the backend as a function of tensors."""

    def function(*tensors: Tensor) -> Tensor:
        return getattr(_backend(), name)(*tensors)

    function.__name__ = name
    return function


# --------------------------------------------------------------------- facts ----


def backend() -> str:
    """The backend whose convention the weights have: 'theano' or 'tensorflow'."""
    return _backend().convention


def image_data_format() -> str:
    """The data format of the model's images. Raises KconvertError where the layers of the model do not state one."""
    data_format = _IMAGES.get()
    if data_format is None:
        raise KconvertError(
            "the layers of the model do not state one data format",
            fix="write the axis of the channels into the function in place of K.image_data_format()",
        )
    return data_format


def image_dim_ordering() -> str:
    """`image_data_format` in the words of Keras 1: 'th' or 'tf'."""
    return {"channels_first": "th", "channels_last": "tf"}[image_data_format()]


def epsilon() -> float:
    """1e-7, as in Keras unless its configuration says otherwise."""
    return 1e-7


def floatx() -> str:
    """'float32', in which layers compute."""
    return "float32"


# -------------------------------------------------------------------- shapes ----


def shape(x: Tensor) -> tuple[Any, ...]:
    """The sizes of `x`: integers where they are known, else symbols."""
    return _backend().shape(x)


def int_shape(x: Tensor) -> tuple[int | None, ...]:
    """The sizes of `x`: integers where they are known, else None."""
    return tuple(int(n) if isinstance(n, (int, np.integer)) else None for n in shape(x))


def ndim(x: Tensor) -> int:
    """The number of axes."""
    return _backend().ndim(x)


def reshape(x: Tensor, shape: Sequence[Any]) -> Tensor:
    """`x` with new sizes, of which one may be -1."""
    return _backend().reshape(x, tuple(shape))


def permute_dimensions(x: Tensor, pattern: Sequence[int]) -> Tensor:
    """`x` with its axes in the order `pattern`."""
    return _backend().transpose(x, tuple(pattern))


def transpose(x: Tensor) -> Tensor:
    """`x` with its axes in reverse order."""
    return permute_dimensions(x, range(ndim(x))[::-1])


def expand_dims(x: Tensor, axis: int = -1, dim: int | None = None) -> Tensor:
    """`x` with a new axis of size 1. dim: the name of `axis` in Keras 1."""
    return _backend().expand_dims(x, (axis if dim is None else dim) % (ndim(x) + 1))


def squeeze(x: Tensor, axis: int) -> Tensor:
    """`x` without `axis`, whose size is 1."""
    return _backend().squeeze(x, axis % ndim(x))


def flatten(x: Tensor) -> Tensor:
    """All elements along one axis, the batch included."""
    return reshape(x, (-1,))


def batch_flatten(x: Tensor) -> Tensor:
    """The elements of each sample along one axis."""
    return reshape(x, (-1, product(shape(x)[1:])))


def concatenate(tensors: Sequence[Tensor], axis: int = -1) -> Tensor:
    """The tensors joined along an axis."""
    return _backend().concatenate(list(tensors), axis % ndim(tensors[0]))


def stack(x: Sequence[Tensor], axis: int = 0) -> Tensor:
    """The tensors joined along a new axis."""
    return _backend().stack(list(x), axis % (ndim(x[0]) + 1))


def repeat(x: Tensor, n: int) -> Tensor:
    """(batch, features) repeated along a new axis 1."""
    return _backend().repeat(expand_dims(x, 1), n, 1)


def repeat_elements(x: Tensor, rep: int, axis: int) -> Tensor:
    """Each element repeated along `axis`: a, a, b, b."""
    return _backend().repeat(x, rep, axis % ndim(x))


def tile(x: Tensor, n: int | Sequence[int]) -> Tensor:
    """`x` repeated as a whole, `n` times along the last axis, or as often as `n` says for each axis."""
    times = [1] * (ndim(x) - 1) + [n] if isinstance(n, int) else list(n)
    for axis, number in enumerate(times):
        x = concatenate([x] * number, axis) if number != 1 else x
    return x


def reverse(x: Tensor, axes: int | Sequence[int]) -> Tensor:
    """`x` reversed along `axes`."""
    for axis in [axes] if isinstance(axes, int) else axes:
        x = _backend().flip(x, axis % ndim(x))
    return x


def temporal_padding(x: Tensor, padding: tuple[int, int] = (1, 1)) -> Tensor:
    """(batch, time, features) padded with zeros along time."""
    return _backend().pad(x, [(0, 0), tuple(padding), (0, 0)])  # type: ignore[list-item]


def gather(reference: Tensor, indices: Tensor) -> Tensor:
    """The rows of `reference` at `indices`."""
    return _backend().gather(reference, indices)


def one_hot(indices: Tensor, num_classes: int) -> Tensor:
    """1 at each index and 0 elsewhere, along a new last axis."""
    K = _backend()
    return K.cast(K.equal(expand_dims(K.cast(indices, "int32")), K.arange(num_classes)), "float32")


# -------------------------------------------------------------------- values ----


def constant(value: Any, dtype: str | None = None, shape: Sequence[int] | None = None, name: str = "") -> Tensor:
    """A tensor with the values of a number or an array."""
    array = np.asarray(value)
    return _backend().constant(np.broadcast_to(array, tuple(shape)) if shape else array, dtype or "float32")


def variable(value: Any, dtype: str | None = None, name: str | None = None) -> Tensor:
    """A variable that `build` of a layer makes; elsewhere a constant."""
    make = _VARIABLES.get(None)
    return make(value, name) if make else constant(value, dtype)


def zeros(shape: Sequence[Any], dtype: str | None = None, name: str = "") -> Tensor:
    """A tensor of zeros."""
    return _backend().zeros(tuple(shape), dtype or "float32")


def ones(shape: Sequence[Any], dtype: str | None = None, name: str = "") -> Tensor:
    """A tensor of ones."""
    return cast(zeros(shape) + 1.0, dtype or "float32")


def zeros_like(x: Tensor, dtype: str | None = None, name: str = "") -> Tensor:
    """Zeros with the shape of `x`."""
    return cast(zeros(shape(x)), dtype or "float32")


def ones_like(x: Tensor, dtype: str | None = None, name: str = "") -> Tensor:
    """Ones with the shape of `x`."""
    return cast(zeros(shape(x)) + 1.0, dtype or "float32")


def arange(start: Any, stop: Any = None, step: int = 1, dtype: str = "int32") -> Tensor:
    """The integers from `start` up to `stop`, or from 0 up to `start` where no `stop` is given."""
    K, (first, end) = _backend(), (0, start) if stop is None else (start, stop)
    return K.cast(K.arange((end - first + step - 1) // step) * step + first, dtype)


def cast(x: Tensor, dtype: str) -> Tensor:
    """`x` with elements of `dtype`."""
    return _backend().cast(x, dtype)


def cast_to_floatx(x: Any) -> Tensor:
    """`x` with elements of float32."""
    return cast(x, "float32")


def identity(x: Tensor, name: str | None = None) -> Tensor:
    """`x` itself."""
    return x


# --------------------------------------------------------------- elementwise ----

exp, log, sqrt, abs, sign, round = map(_named, ("exp", "log", "sqrt", "abs", "sign", "round"))
tanh, sigmoid, softplus = map(_named, ("tanh", "sigmoid", "softplus"))
maximum, minimum, equal, not_equal, greater = map(_named, ("maximum", "minimum", "equal", "not_equal", "greater"))
stop_gradient = _named("stop_gradient")


def greater_equal(x: Tensor, y: Tensor) -> Tensor:
    """Where `x` is at least `y`."""
    return _backend().logical_or(greater(x, y), equal(x, y))


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
    """`x` within limits; None for no limit."""
    x = x if min_value is None else maximum(x, min_value)
    return x if max_value is None else minimum(x, max_value)


def switch(condition: Tensor, then_expression: Any, else_expression: Any) -> Tensor:
    """Elements of the first tensor where `condition` is true, else of the second. Functions are called for them."""
    first, second = (one() if callable(one) else one for one in (then_expression, else_expression))
    missing = ndim(first) - ndim(condition)
    for _ in range(missing):
        condition = expand_dims(condition)
    return _backend().where(condition, first, second)


def relu(x: Tensor, alpha: Any = 0.0, max_value: Any = None) -> Tensor:
    """`x` where positive, at most `max_value`; else `alpha * x`."""
    K = _backend()
    y = K.relu(x) if max_value is None else K.minimum(K.relu(x), max_value)
    return y - alpha * K.relu(-x) if alpha else y


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """`x` where positive, else `alpha * (exp(x) - 1)`."""
    return relu(x) + alpha * (exp(minimum(x, 0.0)) - 1.0)


def softsign(x: Tensor) -> Tensor:
    """x / (|x| + 1)."""
    return x / (abs(x) + 1.0)


def hard_sigmoid(x: Tensor) -> Tensor:
    """0.2 x + 0.5 within 0 and 1."""
    return clip(0.2 * x + 0.5, 0.0, 1.0)


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """exp(x) / sum(exp(x)) along `axis`."""
    return _backend().softmax(x, axis % ndim(x))


# ---------------------------------------------------------------- reductions ----


def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum along `axis`."""
    return _backend().sum(x, axis, keepdims)


def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean along `axis`."""
    return _backend().mean(x, axis, keepdims)


def max(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The greatest element along `axis`."""
    return _backend().max(x, axis, keepdims)


def min(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The least element along `axis`."""
    return -max(-x, axis, keepdims)


def var(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The variance along `axis`."""
    return mean(square(x - mean(x, axis, keepdims=True)), axis, keepdims)


def std(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The standard deviation along `axis`."""
    return sqrt(var(x, axis, keepdims))


def logsumexp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) along `axis`, computed without overflow."""
    most = max(x, axis, keepdims=True)
    return log(sum(exp(x - most), axis, keepdims)) + (most if keepdims else max(x, axis))


def argmax(x: Tensor, axis: int = -1) -> Tensor:
    """The index of the greatest element along `axis`."""
    return _backend().argmax(x, axis % ndim(x))


def argmin(x: Tensor, axis: int = -1) -> Tensor:
    """The index of the least element along `axis`."""
    return argmax(-x, axis)


def any(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether any element is true."""
    return _backend().any(cast(x, "bool"), axis, keepdims)


def all(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether all elements are true."""
    return _backend().all(cast(x, "bool"), axis, keepdims)


def l2_normalize(x: Tensor, axis: Axis = None) -> Tensor:
    """`x` with the vectors along `axis` scaled to length 1; vectors of nearly no length stay near 0."""
    return x / sqrt(maximum(sum(square(x), axis, keepdims=True), 1e-12))


# ------------------------------------------------------------ linear algebra ----


def dot(x: Tensor, y: Tensor) -> Tensor:
    """The product of `x` (..., n) and a matrix (n, m)."""
    if ndim(y) != 2:
        raise KconvertError(
            f"K.dot with {ndim(y)} axes in its second tensor", fix="give it a matrix, or use K.batch_dot"
        )
    return _backend().dot(x, y)


def batch_dot(x: Tensor, y: Tensor, axes: int | Sequence[int] | None = None) -> Tensor:
    """The product of `x` and `y` for each sample, summed over one axis of each."""
    if axes is None:
        axes = (ndim(x) - 1, 1 if ndim(y) == 2 else ndim(y) - 2)
    pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
    return _backend().batch_dot(x, y, (pair[0] % ndim(x), pair[1] % ndim(y)))
