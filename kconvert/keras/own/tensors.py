"""Functions of `keras.backend` that `kconvert.backend.functions` does not have, as functions of tensors."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import accumulate
from typing import Any

import numpy as np

from ...backend import functions as F
from ...backend.base import Tensor
from ...backend.computing import current_backend
from ...conventions.backends import CHANNELS_FIRST
from ...errors import KconvertError
from ...layers import shapes
from ...layers.options import integers
from ...layers.shapes import axes_of, data_format_of
from ...models.training import losses

Axis = int | Sequence[int] | None


def _size(x: Tensor, axis: int) -> int:
    """The size of an axis. Raises KconvertError where it is not known."""
    size = F.int_shape(x)[axis]
    if size is None:
        raise KconvertError(f"axis {axis} has no known size", fix="give the placeholder or the input its size")
    return size


def _elements(x: Tensor, axis: int) -> list[Tensor]:
    """The slices of size 1 along an axis."""
    return [x[(slice(None),) * axis + (slice(i, i + 1),)] for i in range(_size(x, axis))]


def _without(x: Tensor, axes: Sequence[int]) -> Tensor:
    """`x` without axes of size 1."""
    for axis in sorted((axis % F.ndim(x) for axis in axes), reverse=True):
        x = F.squeeze(x, axis)
    return x


def prod(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product along `axis`."""
    axes = axes_of(axis, F.ndim(x)) if axis is not None else range(F.ndim(x))
    for one in axes:
        x = reduce(operator.mul, _elements(x, one))
    return x if keepdims else _without(x, axes)


def cumsum(x: Tensor, axis: int = 0) -> Tensor:
    """The sums of the elements up to each one, along `axis`."""
    return _cumulated(x, axis, operator.add)


def cumprod(x: Tensor, axis: int = 0) -> Tensor:
    """The products of the elements up to each one, along `axis`."""
    return _cumulated(x, axis, operator.mul)


def _cumulated(x: Tensor, axis: int, join: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    axis %= F.ndim(x)
    return F.concatenate(list(accumulate(_elements(x, axis), join)), axis)


def eye(size: int, dtype: str | None = None, name: str | None = None) -> Tensor:
    """The identity matrix."""
    return F.constant(np.eye(size), dtype)


def slice_(x: Tensor, start: Sequence[int], size: Sequence[int]) -> Tensor:
    """A part of `x`: `size` elements from `start` on, along each axis."""
    return x[tuple(slice(begin, begin + number) for begin, number in zip(start, size, strict=True))]


def bias_add(x: Tensor, bias: Tensor, data_format: str | None = None) -> Tensor:
    """`x` plus a bias of its channels, or of all its axes but the batch."""
    stated = data_format_of(data_format)
    if F.ndim(bias) == 1:
        return shapes.bias_add(current_backend(), x, bias, stated)
    axes = F.ndim(bias) - 1
    return x + (F.permute_dimensions(bias, (axes, *range(axes))) if stated == CHANNELS_FIRST else bias)


def batch_normalization(
    x: Tensor, mean: Tensor, var: Tensor, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3
) -> Tensor:
    """`x` normalized by a mean and a variance, then times `gamma` plus `beta`."""
    wanted = [1] * F.ndim(x)
    wanted[axis] = -1

    def broad(value: Any) -> Any:
        return F.reshape(value, wanted) if value is not None and F.ndim(value) == 1 else value

    y = (x - broad(mean)) / F.sqrt(broad(var) + epsilon)
    y = y if gamma is None else y * broad(gamma)
    return y if beta is None else y + broad(beta)


def normalize_batch_in_training(
    x: Tensor, gamma: Any, beta: Any, reduction_axes: Sequence[int], epsilon: float = 1e-3
) -> tuple[Tensor, Tensor, Tensor]:
    """`x` normalized by its own mean and variance along `reduction_axes`, the mean, and the variance."""
    axes = list(reduction_axes)
    mean, var = (f(x, axes, keepdims=True) for f in (F.mean, F.var))
    kept = [1 if i in axes else n for i, n in enumerate(F.shape(x))]
    beta, gamma = (F.reshape(one, kept) if one is not None and F.ndim(one) == 1 else one for one in (beta, gamma))
    y = batch_normalization(x, mean, var, beta, gamma, epsilon=epsilon)
    return y, _without(mean, axes), _without(var, axes)


def categorical_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1) -> Tensor:
    """The crossentropy of one-hot labels, along the last axis."""
    K = current_backend()
    target, output = (losses.with_last(K, one, axis) for one in (target, output))
    return losses.categorical_crossentropy(K, target, output, from_logits)


def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """The crossentropy of integer labels."""
    return losses.sparse_categorical_crossentropy(current_backend(), target, output, from_logits, axis)


def in_top_k(predictions: Tensor, targets: Tensor, k: int) -> Tensor:
    """Whether the target is among the `k` greatest predictions of a sample."""
    K = current_backend()
    size = _size(predictions, -1)
    own = F.sum(predictions * F.one_hot(targets, size), -1, keepdims=True)
    return K.greater(float(k) - 0.5, F.sum(F.cast(K.greater(predictions, own), "float32"), -1))


def spatial_2d_padding(x: Tensor, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None) -> Tensor:
    """Images padded with zeros."""
    return _padded(x, padding, data_format)


def spatial_3d_padding(x: Tensor, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None) -> Tensor:
    """Volumes padded with zeros."""
    return _padded(x, padding, data_format)


def _padded(x: Tensor, padding: Any, data_format: str | None) -> Tensor:
    inner = [(side, side) if isinstance(side, int) else tuple(side) for side in padding]
    none = (0, 0)
    sides = [none, none, *inner] if data_format == CHANNELS_FIRST else [none, *inner, none]
    return current_backend().pad(x, sides)


def resize_images(
    x: Tensor, height_factor: int, width_factor: int, data_format: str, interpolation: str = "nearest"
) -> Tensor:
    """Images enlarged by integer factors."""
    if interpolation == "bilinear":
        return current_backend().resize_bilinear(x, (height_factor, width_factor), data_format)
    return _repeated(x, (height_factor, width_factor), data_format)


def resize_volumes(x: Tensor, depth_factor: int, height_factor: int, width_factor: int, data_format: str) -> Tensor:
    """Volumes enlarged by integer factors."""
    return _repeated(x, (depth_factor, height_factor, width_factor), data_format)


def _repeated(x: Tensor, factors: Sequence[int], data_format: str) -> Tensor:
    for axis, factor in zip(shapes.space_axes(F.ndim(x), data_format), factors, strict=True):
        x = F.repeat_elements(x, factor, axis)
    return x


def map_fn(fn: Callable[..., Any], elems: Tensor, name: str | None = None, dtype: str | None = None) -> Tensor:
    """`fn` of each element along the first axis, joined."""
    return F.stack([fn(elems[i]) for i in range(_size(elems, 0))])


def foldl(fn: Callable[..., Any], elems: Tensor, initializer: Any = None, name: str | None = None) -> Tensor:
    """`fn(accumulated, element)` from the first element on."""
    return _folded(fn, [elems[i] for i in range(_size(elems, 0))], initializer)


def foldr(fn: Callable[..., Any], elems: Tensor, initializer: Any = None, name: str | None = None) -> Tensor:
    """`fn(accumulated, element)` from the last element on."""
    return _folded(fn, [elems[i] for i in reversed(range(_size(elems, 0)))], initializer)


def _folded(fn: Callable[..., Any], elements: Sequence[Tensor], initializer: Any) -> Tensor:
    return reduce(fn, elements) if initializer is None else reduce(fn, elements, initializer)


def rnn(
    step_function: Callable[..., Any],
    inputs: Tensor,
    initial_states: Sequence[Tensor],
    go_backwards: bool = False,
    mask: Any = None,
    constants: Sequence[Tensor] | None = None,
    unroll: bool = False,
    input_length: int | None = None,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """A step `f(x, states) -> (output, states)` over time: the last output, all outputs, the last states."""
    held = list(constants or ())

    def step(x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        output, new = step_function(x, [*states, *held])
        return output, list(new)

    return current_backend().rnn(step, inputs, list(initial_states), mask, go_backwards, unroll)


# ------------------------------------------------------------- convolutions ----


def _convolved(
    x: Tensor, kernel: Tensor, strides: Any, padding: str, data_format: str | None, dilation: Any, rank: int
) -> Tensor:
    K, stated = current_backend(), data_format_of(data_format)
    if padding == "causal":
        left = integers(dilation, rank)[0] * (_size(kernel, 0) - 1)
        x, padding = F.temporal_padding(x, (left, 0)), "valid"
    return K.conv(x, kernel, integers(strides, rank), padding, stated, integers(dilation, rank))


def conv1d(
    x: Tensor,
    kernel: Tensor,
    strides: int = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int = 1,
) -> Tensor:
    """The convolution of sequences, as the layer Conv1D computes it on this backend."""
    return _convolved(x, kernel, strides, padding, data_format, dilation_rate, 1)


def conv2d(
    x: Tensor,
    kernel: Tensor,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Tensor:
    """The convolution of images, as the layer Conv2D computes it on this backend."""
    return _convolved(x, kernel, strides, padding, data_format, dilation_rate, 2)


def conv3d(
    x: Tensor,
    kernel: Tensor,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1, 1),
) -> Tensor:
    """The convolution of volumes, as the layer Conv3D computes it on this backend."""
    return _convolved(x, kernel, strides, padding, data_format, dilation_rate, 3)


def _transposed(
    x: Tensor, kernel: Tensor, output_shape: Any, strides: Any, padding: str, data_format: Any, rank: int
) -> Tensor:
    K, stated = current_backend(), data_format_of(data_format)
    sizes = shapes.space(tuple(output_shape), stated)
    return K.conv_transpose(x, kernel, sizes, integers(strides, rank), padding, stated, (1,) * rank)


def conv2d_transpose(
    x: Tensor, kernel: Tensor, output_shape: Any, strides: Any = (1, 1), padding: str = "valid", data_format: Any = None
) -> Tensor:
    """The transposed convolution of images to `output_shape`."""
    return _transposed(x, kernel, output_shape, strides, padding, data_format, 2)


def conv3d_transpose(
    x: Tensor,
    kernel: Tensor,
    output_shape: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: Any = None,
) -> Tensor:
    """The transposed convolution of volumes to `output_shape`."""
    return _transposed(x, kernel, output_shape, strides, padding, data_format, 3)


def depthwise_conv2d(
    x: Tensor,
    depthwise_kernel: Tensor,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Tensor:
    """The convolution of each channel of images by kernels of its own."""
    K, stated = current_backend(), data_format_of(data_format)
    return K.depthwise_conv(x, depthwise_kernel, integers(strides, 2), padding, stated, integers(dilation_rate, 2))


def separable_conv2d(
    x: Tensor,
    depthwise_kernel: Tensor,
    pointwise_kernel: Tensor,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Tensor:
    """`depthwise_conv2d`, then a convolution with kernels of size 1."""
    y = depthwise_conv2d(x, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv2d(y, pointwise_kernel, data_format=data_format)


def pool2d(
    x: Tensor,
    pool_size: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Tensor:
    """The greatest or the mean element of windows of images."""
    return _pooled(x, pool_size, strides, padding, data_format, pool_mode, 2)


def pool3d(
    x: Tensor,
    pool_size: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Tensor:
    """The greatest or the mean element of windows of volumes."""
    return _pooled(x, pool_size, strides, padding, data_format, pool_mode, 3)


def _pooled(x: Tensor, size: Any, strides: Any, padding: str, data_format: Any, mode: str, rank: int) -> Tensor:
    mode = {"avg": "average"}.get(mode, mode)
    stated = data_format_of(data_format)
    return current_backend().pool(x, integers(size, rank), integers(strides, rank), padding, stated, mode)


# ------------------------------------------------------------------- random ----


def random_normal(
    shape: Sequence[Any], mean: float = 0.0, stddev: float = 1.0, dtype: str | None = None, seed: int | None = None
) -> Tensor:
    """Normal random numbers: others in each run."""
    K = current_backend()
    return K.random_normal(tuple(shape), _seed(seed)) * stddev + mean


def random_uniform(
    shape: Sequence[Any], minval: float = 0.0, maxval: float = 1.0, dtype: str | None = None, seed: int | None = None
) -> Tensor:
    """Uniform random numbers: others in each run."""
    K = current_backend()
    return K.random_uniform(tuple(shape), _seed(seed)) * (maxval - minval) + minval


def random_binomial(shape: Sequence[Any], p: float = 0.0, dtype: str | None = None, seed: int | None = None) -> Tensor:
    """Random zeros and ones: others in each run; `p` is the probability of a one."""
    K = current_backend()
    return K.cast(K.greater(p, K.random_uniform(tuple(shape), _seed(seed))), dtype or "float32")


def truncated_normal(
    shape: Sequence[Any], mean: float = 0.0, stddev: float = 1.0, dtype: str | None = None, seed: int | None = None
) -> Tensor:
    """Normal random numbers; those beyond two standard deviations are drawn again, four times at most, then cut."""
    K = current_backend()
    values = K.random_normal(tuple(shape), _seed(seed))
    for _ in range(4):
        values = K.where(K.greater(K.abs(values), 2.0), K.random_normal(tuple(shape), _seed(seed)), values)
    return F.clip(values, -2.0, 2.0) * stddev + mean


def dropout(x: Tensor, level: float, noise_shape: Any = None, seed: int | None = None) -> Tensor:
    """`x` with a part `level` of its elements set to 0, and the others scaled up."""
    K = current_backend()
    sizes = F.shape(x) if noise_shape is None else noise_shape
    kept = K.cast(K.greater(K.random_uniform(tuple(sizes), _seed(seed)), level), "float32")
    return x * kept * (1.0 / (1.0 - level))


def _seed(seed: int | None) -> Tensor:
    return current_backend().fresh_seed(seed)
