"""Shapes with spatial axes or a time axis: the position of the channels, and the lengths of outputs.

A size is an integer, None (unknown), or a symbolic size of a backend. The functions work for all three.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..backend.base import Backend, Size, Tensor
from ..backend.spatial import known_sizes
from ..conventions.backends import CHANNELS_FIRST, CHANNELS_LAST, DATA_FORMATS
from ..errors import KconvertError, Problem
from .lists import as_list
from .options import integers

Sizes = tuple[Any, ...]

MOST_AXES = 64
"""Of an array, in NumPy 2."""


# ------------------------------------------------------------ data formats ----


def data_format_of(value: str | None) -> str:
    """`value` as a data format; None is channels_last. Raises KconvertError for anything else.

    >>> data_format_of(None)
    'channels_last'
    """
    return one_of(CHANNELS_LAST if value is None else value, DATA_FORMATS, "data_format")


def one_of(value: Any, known: Iterable[Any], what: str) -> Any:
    """`value`, if it is one of `known`. Raises a KconvertError that lists them otherwise.

    what: the name of the option.
    """
    known = tuple(known)
    value = value.lower() if isinstance(value, str) and value not in known else value  # as Keras reads words
    if value not in known:
        choices = ", ".join(map(str, known))
        raise KconvertError(f"unknown {what} {value!r}", fix=f"one of: {choices}", problem=Problem.USAGE)
    return value


def check_axes(shape: Sequence[Size], axes: int) -> None:
    """Raises ValueError for a shape with another number of axes than `axes`, the batch axis included."""
    if len(shape) != axes:
        raise ValueError(f"a shape of {len(shape)} axes was given where {axes} are expected")


def channel_axis(ndim: int, data_format: str) -> int:
    """The axis of the channels in an array of `ndim` axes, including the batch axis."""
    return 1 if data_format == CHANNELS_FIRST else ndim - 1


def space_axes(ndim: int, data_format: str) -> tuple[int, ...]:
    """The spatial axes of an array of `ndim` axes, including the batch axis.

    >>> space_axes(4, "channels_first"), space_axes(4, "channels_last")
    ((2, 3), (1, 2))
    """
    return tuple(range(2, ndim) if data_format == CHANNELS_FIRST else range(1, ndim - 1))


def space(shape: Sequence[Size], data_format: str) -> Sizes:
    """The spatial sizes of `shape`."""
    return tuple(shape[2:] if data_format == CHANNELS_FIRST else shape[1:-1])


def image(batch: Size, sizes: Sequence[Size], n: Size, data_format: str) -> Sizes:
    """The shape with a batch size, the spatial sizes `sizes` and `n` channels.

    >>> image(None, (5, 7), 3, "channels_first")
    (None, 3, 5, 7)
    """
    return (batch, n, *sizes) if data_format == CHANNELS_FIRST else (batch, *sizes, n)


def bias_add(K: Backend, x: Tensor, bias: Tensor, data_format: str) -> Tensor:
    """`x` plus `bias` (channels,) along the axis of the channels."""
    if data_format == CHANNELS_FIRST:
        bias = K.reshape(bias, (1, -1) + (1,) * (K.ndim(x) - 2))
    return x + bias


def axes_of(axis: int | Sequence[int] | None, rank: int) -> tuple[int, ...]:
    """One or more axes of an array of `rank` axes, counted from 0; none for None. Raises KconvertError for others.

    >>> axes_of(-1, 4), axes_of([1, -1], 4), axes_of(None, 4)
    ((3,), (1, 3), ())
    """
    stated = [axis] if isinstance(axis, int) else list(axis or ())
    if not all(isinstance(one, int) and -rank <= one < rank for one in stated):
        raise KconvertError(f"axis {axis!r} is not one of {rank} axes", problem=Problem.USAGE)
    axes = tuple(one % rank for one in stated)
    if len(set(axes)) < len(axes):
        raise KconvertError(f"axis {axis!r} names an axis twice", problem=Problem.USAGE)
    return axes


# ----------------------------------------------------------------- lengths ----


def pairs(value: Any, rank: int, what: str) -> tuple[tuple[int, ...], ...]:
    """(before, after) for each of `rank` axes.

    value: one integer, one integer for each axis, or the pairs. what: the name of the option, for errors. Raises
    KconvertError for anything else.

    >>> pairs(1, 2, "padding"), pairs([1, 2], 2, "padding"), pairs([[0, 1], [2, 3]], 2, "padding")
    (((1, 1), (1, 1)), ((1, 1), (2, 2)), ((0, 1), (2, 3)))
    """
    sides = (value,) * rank if isinstance(value, int) else tuple(value) if isinstance(value, Iterable) else ()
    if len(sides) != rank:
        raise KconvertError(f"{what} must be an integer or {rank} items, not {value!r}", problem=Problem.USAGE)
    return tuple(integers(side, 2, what, 0) for side in sides)


def conv_length(size: Any, kernel: int, padding: str, stride: int, dilation: int = 1) -> Any:
    """The length of a convolution or pooling along one axis (keras-facts: lengths-of-outputs).

    size: the length of the input; None if unknown.

    >>> conv_length(10, 3, "valid", 2), conv_length(10, 3, "same", 2), conv_length(None, 3, "valid", 1)
    (4, 5, None)
    """
    if size is None:
        return None
    window = (kernel - 1) * dilation + 1
    changes = {"valid": 1 - window, "same": 0, "causal": 0, "full": window - 1}
    change = changes[one_of(padding, changes, "padding")]
    return -(-(size + change) // stride)


def deconv_length(
    size: Any, kernel: int, padding: str, stride: int, dilation: int = 1, output_padding: int | None = None
) -> Any:
    """The length of a transposed convolution along one axis (keras-facts: lengths-of-outputs).

    size: the length of the input; None if unknown.

    >>> deconv_length(5, 3, "same", 2), deconv_length(5, 3, "valid", 2), deconv_length(5, 4, "same", 2, 1, 0)
    (10, 11, 8)
    """
    if size is None:
        return None
    window = (kernel - 1) * dilation + 1
    if output_padding is None:
        changes = {"valid": max(window - stride, 0), "same": 0, "full": 2 - stride - window}
        return size * stride + changes[one_of(padding, changes, "padding")]
    cuts = {"valid": 0, "same": window // 2, "full": window - 1}
    cut = cuts[one_of(padding, cuts, "padding")]
    return (size - 1) * stride + window - 2 * cut + output_padding


# -------------------------------------------------------------------- time ----


def one_step(shape: Sequence[Size]) -> Sizes:
    """The shape (batch, time, ...) without its time axis."""
    return (shape[0], *shape[2:])


def fold_time(K: Backend, x: Tensor) -> Tensor:
    """(batch, time, ...) as (batch * time, ...)."""
    return K.reshape(x, (-1, *K.shape(x)[2:]))


def unfold_time(K: Backend, x: Tensor, time: Size) -> Tensor:
    """(batch * time, ...) as (batch, time, ...)."""
    return K.reshape(x, (-1, time, *K.shape(x)[1:]))


def shape_of(K: Backend, x: Any) -> Any:
    """The shape of a tensor, or the shapes of a list of tensors; unknown sizes are None."""
    sizes = [known_sizes(K, one) for one in as_list(x)]
    return sizes if isinstance(x, list) else sizes[0]
