"""Functions that change the shape or the order of elements, or select elements."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod as product
from typing import Any

import numpy as np

from ...errors import KconvertError, Problem
from ..base import Tensor
from ..computing import current_backend
from ..spatial import known_sizes


def shape(x: Tensor) -> tuple[Any, ...]:
    """The sizes of `x`: integers where they are known, else symbols."""
    return current_backend().shape(x)


def int_shape(x: Tensor) -> tuple[int | None, ...]:
    """The sizes of `x`: integers where they are known, else None."""
    return known_sizes(current_backend(), x)


def ndim(x: Tensor) -> int:
    """The number of axes."""
    return current_backend().ndim(x)


def sizes_of(shape: Any) -> tuple[Any, ...]:
    """The sizes that `shape` is made of: a sequence of numbers and tensors, or one tensor."""
    return tuple(shape[i] for i in range(int_shape(shape)[0] or 0)) if hasattr(shape, "dtype") else tuple(shape)


def reshape(x: Tensor, shape: Any) -> Tensor:
    """`x` with new sizes, of which one may be -1. shape: these sizes, or a tensor with them."""
    return current_backend().reshape(x, sizes_of(shape))


def _stand_in(x: np.ndarray, shape: Any) -> np.ndarray:
    """A value in the shape of the result of `reshape`, where `x` has not as many elements."""
    sizes = [int(n) for n in sizes_of(shape)]
    rest = max(x.size // max(product(n for n in sizes if n >= 0), 1), 1)
    return np.zeros([rest if n < 0 else n for n in sizes], x.dtype)


reshape.stand_in = _stand_in  # type: ignore[attr-defined]  # what an `Operation` finds the shape with


def permute_dimensions(x: Tensor, pattern: Sequence[int]) -> Tensor:
    """`x` with its axes in the order `pattern`."""
    return current_backend().transpose(x, tuple(pattern))


def transpose(x: Tensor) -> Tensor:
    """`x` with its axes in reverse order."""
    return permute_dimensions(x, range(ndim(x))[::-1])


def expand_dims(x: Tensor, axis: int = -1, dim: int | None = None) -> Tensor:
    """`x` with a new axis of size 1. dim: the name of `axis` in Keras 1."""
    return current_backend().expand_dims(x, (axis if dim is None else dim) % (ndim(x) + 1))


def squeeze(x: Tensor, axis: int) -> Tensor:
    """`x` without `axis`, whose size is 1."""
    return current_backend().squeeze(x, axis % ndim(x))


def flatten(x: Tensor) -> Tensor:
    """All elements along one axis, the batch included."""
    return reshape(x, (-1,))


def batch_flatten(x: Tensor) -> Tensor:
    """The elements of each sample along one axis."""
    return reshape(x, (-1, product(shape(x)[1:])))


def concatenate(tensors: Sequence[Tensor], axis: int = -1) -> Tensor:
    """The tensors joined along an axis."""
    return current_backend().concatenate(list(tensors), axis % ndim(tensors[0]))


def stack(x: Sequence[Tensor], axis: int = 0) -> Tensor:
    """The tensors joined along a new axis."""
    return current_backend().stack(list(x), axis % (ndim(x[0]) + 1))


def repeat(x: Tensor, n: int) -> Tensor:
    """(batch, features) repeated along a new axis 1. Raises KconvertError for other tensors."""
    if ndim(x) != 2:
        raise KconvertError(f"K.repeat takes a tensor of 2 axes, not {ndim(x)}", problem=Problem.USAGE)
    return current_backend().repeat(expand_dims(x, 1), n, 1)


def repeat_elements(x: Tensor, rep: int, axis: int) -> Tensor:
    """Each element repeated along `axis`: a, a, b, b."""
    return current_backend().repeat(x, rep, axis % ndim(x))


def tile(x: Tensor, n: int | Sequence[int]) -> Tensor:
    """Repeats all of `x`. `n` is the number of times along the last axis, or a list of numbers for the last axes."""
    stated = [n] if isinstance(n, int) else list(n)
    times = [1] * (ndim(x) - len(stated)) + stated
    for axis, number in enumerate(times):
        x = concatenate([x] * number, axis) if number != 1 else x
    return x


def reverse(x: Tensor, axes: int | Sequence[int]) -> Tensor:
    """`x` reversed along `axes`."""
    for axis in [axes] if isinstance(axes, int) else axes:
        x = current_backend().flip(x, axis % ndim(x))
    return x


def temporal_padding(x: Tensor, padding: tuple[int, int] = (1, 1)) -> Tensor:
    """(batch, time, features) padded with zeros along time."""
    return current_backend().pad(x, [(0, 0), tuple(padding), (0, 0)])  # type: ignore[list-item]


def gather(reference: Tensor, indices: Tensor) -> Tensor:
    """The rows of `reference` at `indices`."""
    K = current_backend()
    return K.gather(reference, K.cast(indices, "int32"))


def one_hot(indices: Tensor, num_classes: int) -> Tensor:
    """1 at each index and 0 elsewhere, along a new last axis."""
    K = current_backend()
    return K.cast(K.equal(expand_dims(K.cast(indices, "int32")), K.arange(num_classes)), "float32")
