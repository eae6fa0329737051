"""Convolutions and pooling of `keras.backend`, as functions of tensors.

A data format of None is that of the model's images, `K.image_data_format()`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...backend import functions as F
from ...backend.base import Tensor
from ...backend.computing import current_backend
from ...backend.functions.shapes import sizes_of
from ...layers import LocallyConnected1D, LocallyConnected2D, shapes
from ...layers.options import integers
from ...layers.shapes import one_of
from .tensors import images_format

_PADDINGS = ("valid", "same")
_POOLED = {"max": "max", "avg": "average"}
"""The modes of pooling, by their names in Keras."""


def _convolved(
    x: Tensor, kernel: Tensor, strides: Any, padding: str, data_format: str | None, dilation: Any, rank: int
) -> Tensor:
    K, stated = current_backend(), images_format(data_format)
    if padding == "causal":
        left = integers(dilation, rank)[0] * (F.shape(kernel)[0] - 1)
        x, padding = F.temporal_padding(x, (left, 0)), "valid"
    padding = one_of(padding, (*_PADDINGS, "full"), "padding")  # TensorFlow refuses 'full'
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
    x: Tensor, kernel: Tensor, output_shape: Any, strides: Any, padding: str, data_format: Any, dilation: Any, rank: int
) -> Tensor:
    K, stated, shape = current_backend(), images_format(data_format), sizes_of(output_shape)
    padding = one_of(padding, _PADDINGS, "padding")
    steps, spread = integers(strides, rank), integers(dilation, rank)
    y = K.conv_transpose(x, kernel, shapes.space(shape, stated), steps, padding, stated, spread)
    return K.reshape(y, (shape[0], *K.shape(y)[1:])) if isinstance(shape[0], int) else y


def conv2d_transpose(
    x: Tensor,
    kernel: Tensor,
    output_shape: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = (1, 1),
) -> Tensor:
    """The transposed convolution of images to `output_shape`."""
    return _transposed(x, kernel, output_shape, strides, padding, data_format, dilation_rate, 2)


def conv3d_transpose(
    x: Tensor,
    kernel: Tensor,
    output_shape: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: Any = None,
) -> Tensor:
    """The transposed convolution of volumes to `output_shape`."""
    return _transposed(x, kernel, output_shape, strides, padding, data_format, 1, 3)


def depthwise_conv2d(
    x: Tensor,
    depthwise_kernel: Tensor,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Tensor:
    """The convolution of each channel of images by kernels of its own."""
    K, stated = current_backend(), images_format(data_format)
    padding = one_of(padding, _PADDINGS, "padding")
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
    mode = _POOLED[one_of(mode, tuple(_POOLED), "pool_mode")]
    padding = one_of(padding, _PADDINGS, "padding")
    stated = images_format(data_format)
    return current_backend().pool(x, integers(size, rank), integers(strides, rank), padding, stated, mode)


def separable_conv1d(
    x: Tensor,
    depthwise_kernel: Tensor,
    pointwise_kernel: Tensor,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """Sequences whose channels are convolved by kernels of their own, then convolved with kernels of size 1."""
    K, stated = current_backend(), images_format(data_format)
    steps, dilation = integers(strides, 1), integers(dilation_rate, 1)
    if padding == "causal":
        x, padding = F.temporal_padding(x, (dilation[0] * (F.shape(depthwise_kernel)[0] - 1), 0)), "valid"
    padding = one_of(padding, _PADDINGS, "padding")
    y = K.depthwise_conv(x, depthwise_kernel, steps, padding, stated, dilation)
    return conv1d(y, pointwise_kernel, data_format=stated)


def local_conv1d(
    inputs: Tensor, kernel: Tensor, kernel_size: Any, strides: Any, data_format: str | None = None
) -> Tensor:
    """Sequences convolved by other kernels at each step; kernel: (steps, size * channels, filters)."""
    layer = LocallyConnected1D(F.int_shape(kernel)[-1] or 0, kernel_size, strides, use_bias=False)
    layer.data_format = images_format(data_format)
    return layer.call(current_backend(), {"kernel": kernel}, inputs)


def local_conv2d(
    inputs: Tensor,
    kernel: Tensor,
    kernel_size: Any,
    strides: Any,
    output_shape: Sequence[int],
    data_format: str | None = None,
) -> Tensor:
    """Images convolved by other kernels at each place; kernel: (places, sizes * channels, filters)."""
    filters, stated = F.int_shape(kernel)[-1] or 0, images_format(data_format)
    layer = LocallyConnected2D(filters, kernel_size, strides, data_format=stated, use_bias=False)
    return layer.call(current_backend(), {"kernel": kernel}, inputs)
