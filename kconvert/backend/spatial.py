"""Functions for sizes and spatial axes that the backends share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..conventions.backends import CHANNELS_FIRST
from .base import Backend, Tensor


def known_sizes(K: Backend, x: Tensor) -> tuple[int | None, ...]:
    """The sizes of `x`: integers where they are known, else None."""
    return tuple(int(n) if isinstance(n, (int, np.integer)) else None for n in K.shape(x))


def move_channels(K: Backend, x: Tensor, source: str, target: str) -> Tensor:
    """Transposes `x` from data format `source` to data format `target`; the batch axis stays first."""
    if source == target:
        return x
    last = K.ndim(x) - 1
    return K.transpose(x, (0, last, *range(1, last)) if target == CHANNELS_FIRST else (0, *range(2, last + 1), 1))


def in_groups(
    K: Backend,
    x: Tensor,
    kernel: Tensor,
    strides: tuple[int, ...],
    padding: str,
    data_format: str,
    dilation: tuple[int, ...],
    groups: int,
) -> Tensor:
    """Convolves each group of channels separately, for a backend without grouped convolutions or their gradient.

    kernel: (spatial..., in / groups, out). The other arguments are those of `K.conv`.
    """
    axis = 1 if data_format == CHANNELS_FIRST else -1
    pairs = zip(K.split(x, groups, axis), K.split(kernel, groups), strict=True)
    return K.concatenate([K.conv(*pair, strides, padding, data_format, dilation) for pair in pairs], axis)


def unit_axis(data_format: str) -> int:
    """The position of the axis of size 1 that makes an image of a sequence (batch, time, channels) in `data_format`."""
    return 3 if data_format == CHANNELS_FIRST else 2


def dilated_sizes(kernel: Sequence[int], dilation: Sequence[int]) -> tuple[int, ...]:
    """The number of input elements that a dilated kernel spans on each axis.

    >>> dilated_sizes((3, 2), (1, 4))
    (3, 5)
    """
    return tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))


def batch_dot_subscripts(x_axes: int, y_axes: int, axes: tuple[int, int]) -> str:
    """The einsum subscripts of `Backend.batch_dot` for tensors with that many axes.

    >>> batch_dot_subscripts(3, 3, (2, 1))
    'abz,azj->abj'
    """
    x, y = list("abcdefgh"[:x_axes]), list("aijklmno"[:y_axes])
    x[axes[0]] = y[axes[1]] = "z"
    kept = [letter for letter in x + y[1:] if letter != "z"]
    return f"{''.join(x)},{''.join(y)}->{''.join(kept)}"
