"""Shapes with spatial axes and with time: lengths after a window, and where the channels stand.

Sizes are integers, None (unknown until a batch comes), or the symbolic sizes of a backend; the same
arithmetic serves all three.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..backend.base import Backend, Size, Tensor
from ..conventions.backends import CHANNELS_FIRST, CHANNELS_LAST, DATA_FORMATS
from ..errors import KconvertError, Problem
from .base import integers

Sizes = tuple[Any, ...]


# ------------------------------------------------------------ data formats ----


def data_format_of(value: str | None) -> str:
    """A known data format; channels_last where none is stated.

    >>> data_format_of(None)
    'channels_last'
    """
    return one_of(CHANNELS_LAST if value is None else value, DATA_FORMATS, "data_format")


def one_of(value: Any, known: Iterable[Any], what: str) -> Any:
    """`value` where it is one of `known`; else a KconvertError that lists them."""
    known = tuple(known)
    if value not in known:
        choices = ", ".join(map(str, known))
        raise KconvertError(f"unknown {what} {value!r}", fix=f"one of: {choices}", problem=Problem.USAGE)
    return value


def channel_axis(ndim: int, data_format: str) -> int:
    """Axis of the channels in an array of `ndim` axes, the batch among them."""
    return 1 if data_format == CHANNELS_FIRST else ndim - 1


def space_axes(ndim: int, data_format: str) -> tuple[int, ...]:
    """The spatial axes of an array of `ndim` axes, the batch among them.

    >>> space_axes(4, "channels_first"), space_axes(4, "channels_last")
    ((2, 3), (1, 2))
    """
    return tuple(axis for axis in range(1, ndim) if axis != channel_axis(ndim, data_format))


def channels(shape: Sequence[Size], data_format: str) -> Any:
    """The number of channels of `shape`; KconvertError where it is unknown, as no weight has a shape then."""
    found = shape[channel_axis(len(shape), data_format)]
    if found is None:
        raise KconvertError(f"the number of channels is unknown in an input of shape {tuple(shape)} ({data_format})")
    return found


def space(shape: Sequence[Size], data_format: str) -> Sizes:
    """The spatial sizes of `shape`."""
    return tuple(shape[axis] for axis in space_axes(len(shape), data_format))


def image(batch: Size, sizes: Sequence[Size], n: Size, data_format: str) -> Sizes:
    """The shape with spatial `sizes` and `n` channels.

    >>> image(None, (5, 7), 3, "channels_first")
    (None, 3, 5, 7)
    """
    return (batch, n, *sizes) if data_format == CHANNELS_FIRST else (batch, *sizes, n)


def bias_add(K: Backend, x: Tensor, bias: Tensor, data_format: str) -> Tensor:
    """`x` plus a bias for each channel."""
    if data_format == CHANNELS_FIRST:
        bias = K.reshape(bias, (1, -1) + (1,) * (K.ndim(x) - 2))
    return x + bias


# ----------------------------------------------------------------- lengths ----


def pairs(value: Any, rank: int, what: str) -> tuple[tuple[int, ...], ...]:
    """(before, after) for each of `rank` axes: from one integer, one for each axis, or the pairs themselves.

    >>> pairs(1, 2, "padding"), pairs([1, 2], 2, "padding"), pairs([[0, 1], [2, 3]], 2, "padding")
    (((1, 1), (1, 1)), ((1, 1), (2, 2)), ((0, 1), (2, 3)))
    """
    sides = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(sides) != rank:
        raise KconvertError(f"{what} should have {rank} parts, not {value!r}", problem=Problem.USAGE)
    return tuple(integers(side, 2, what) for side in sides)


def conv_length(size: Any, kernel: int, padding: str, stride: int, dilation: int = 1) -> Any:
    """Windows of a convolution or pooling along one axis (Keras 2.3.1, `conv_utils.conv_output_length`).

    >>> conv_length(10, 3, "valid", 2), conv_length(10, 3, "same", 2), conv_length(None, 3, "valid", 1)
    (4, 5, None)
    """
    if size is None:
        return None
    window = (kernel - 1) * dilation + 1
    grown = {"valid": 1 - window, "same": 0, "causal": 0, "full": window - 1}[padding]
    return -(-(size + grown) // stride)


def deconv_length(
    size: Any, kernel: int, padding: str, stride: int, dilation: int = 1, output_padding: int | None = None
) -> Any:
    """Length of a transposed convolution along one axis (Keras 2.3.1, `conv_utils.deconv_length`).

    >>> deconv_length(5, 3, "same", 2), deconv_length(5, 3, "valid", 2), deconv_length(5, 4, "same", 2, 1, 0)
    (10, 11, 8)
    """
    if size is None:
        return None
    window = (kernel - 1) * dilation + 1
    if output_padding is None:
        grown = {"valid": max(window - stride, 0), "same": 0, "full": 2 - stride - window}[padding]
        return size * stride + grown
    cut = {"valid": 0, "same": window // 2, "full": window - 1}[padding]
    return (size - 1) * stride + window - 2 * cut + output_padding


# -------------------------------------------------------------------- time ----


def one_step(shape: Sequence[Size]) -> Sizes:
    """The shape of one step of (batch, time, ...): without the time."""
    return (shape[0], *shape[2:])


def fold_time(K: Backend, x: Tensor) -> Tensor:
    """(batch, time, ...) as (batch * time, ...)."""
    return K.reshape(x, (-1, *K.shape(x)[2:]))


def unfold_time(K: Backend, x: Tensor, time: Size) -> Tensor:
    """(batch * time, ...) as (batch, time, ...)."""
    return K.reshape(x, (-1, time, *K.shape(x)[1:]))
