"""Functions that `keras.backend.numpy_backend` of Keras 2.3.1 has and other backends have not, or with other arguments.

Convolutions have one function for every number of axes, and no strides.
"""

from __future__ import annotations

from typing import Any

from ...backend import functions as F
from ...backend.base import Tensor
from . import convolutions
from .convolutions import pool2d as pool2d
from .convolutions import pool3d as pool3d
from .utils import to_categorical as to_categorical


def conv(x: Tensor, w: Tensor, padding: str, data_format: str, dilation_rate: Any = 1) -> Tensor:
    """The convolution of samples with one, two or three axes of space."""
    of_axes = {3: convolutions.conv1d, 4: convolutions.conv2d, 5: convolutions.conv3d}[x.ndim]
    return of_axes(x, w, padding=padding, data_format=data_format, dilation_rate=dilation_rate)


def depthwise_conv(x: Tensor, w: Tensor, padding: str, data_format: str, dilation_rate: Any = 1) -> Tensor:
    """The convolution of each channel of images by itself."""
    rates = dilation_rate if isinstance(dilation_rate, tuple | list) else (dilation_rate,) * 2
    return convolutions.depthwise_conv2d(x, w, padding=padding, data_format=data_format, dilation_rate=rates)


def separable_conv(x: Tensor, w1: Tensor, w2: Tensor, padding: str, data_format: str, dilation_rate: Any = 1) -> Tensor:
    """`depthwise_conv` with the kernel `w1`, then `conv` with `w2`, which has one element along each axis of space."""
    of_axes = {3: convolutions.separable_conv1d, 4: convolutions.separable_conv2d}[x.ndim]
    return of_axes(x, w1, w2, padding=padding, data_format=data_format, dilation_rate=dilation_rate)


def conv_transpose(
    x: Tensor, w: Tensor, output_shape: Any, padding: str, data_format: str, dilation_rate: Any = 1
) -> Tensor:
    """The transposed convolution of images or volumes."""
    options: dict[str, Any] = {"padding": padding, "data_format": data_format}
    if x.ndim == 5:
        return convolutions.conv3d_transpose(x, w, output_shape, **options)
    rates = dilation_rate if isinstance(dilation_rate, tuple | list) else (dilation_rate,) * 2
    return convolutions.conv2d_transpose(x, w, output_shape, dilation_rate=rates, **options)


def pool(x: Tensor, pool_size: Any, strides: Any, padding: str, data_format: str, pool_mode: str) -> Tensor:
    """The pooling of images or volumes."""
    of_axes = {4: pool2d, 5: pool3d}[x.ndim]
    return of_axes(x, pool_size, strides, padding, data_format, pool_mode)


def l2_normalize(x: Tensor, axis: int = -1) -> Tensor:
    """`x` over its length along an axis."""
    return F.l2_normalize(x, axis)


conv1d = conv2d = conv3d = conv
conv2d_transpose = conv3d_transpose = conv_transpose
depthwise_conv2d = depthwise_conv
separable_conv1d = separable_conv2d = separable_conv
