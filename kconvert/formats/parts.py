"""Parts of large arrays: the blocks in which an array is written, and arbitrary parts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

BLOCK = 2 * 2**20  # bytes held at a time; for arrays twice as large NumPy asks for huge pages, which slows all copying

Box = tuple[slice, ...]
"""A slice along each axis."""

Part = tuple[slice | np.ndarray, ...]
"""A slice or the indices along each axis."""


class InOrder:
    """An array that is stored in the order of its axes."""

    shape: tuple[int, ...]

    @property
    def order(self) -> tuple[int, ...]:
        """The axes in the order in which the source stores them; the last one is contiguous."""
        return tuple(range(len(self.shape)))


def blocks(shape: Sequence[int], order: Sequence[int], itemsize: int, size: int = BLOCK) -> Iterator[Box]:
    """Cuts an array into blocks of at most `size` bytes (one element at least).

    order: see `InOrder.order`. A block is long along the axes that are last in the array and in `order`: then neither
    is written nor read in short pieces.

    >>> list(blocks((3, 2), (0, 1), itemsize=4, size=16))
    [(slice(0, 2, None), slice(0, 2, None)), (slice(2, 3, None), slice(0, 2, None))]
    >>> list(blocks((4, 4), (1, 0), itemsize=4, size=32))[0]
    (slice(0, 2, None), slice(0, 4, None))
    """
    return boxes(shape, _lengths(shape, order, max(1, size // itemsize)))


def boxes(shape: Sequence[int], lengths: Sequence[int]) -> Iterator[Box]:
    """Cuts an array into boxes of these lengths; the last ones along an axis are shorter."""
    starts = [range(0, n, length) for n, length in zip(shape, lengths, strict=True)]
    return _boxes(shape, lengths, starts, ())


def _boxes(shape: Sequence[int], lengths: Sequence[int], starts: Sequence[range], begun: Box) -> Iterator[Box]:
    axis = len(begun)
    if axis == len(shape):
        yield begun
        return
    for start in starts[axis]:
        one = slice(start, min(start + lengths[axis], shape[axis]))
        yield from _boxes(shape, lengths, starts, (*begun, one))


def _lengths(shape: Sequence[int], order: Sequence[int], count: int) -> list[int]:
    """The lengths of a block of at most `count` elements: the shorter contiguous run is extended in each step."""
    lengths = [1] * len(shape)
    ways = [list(range(len(shape)))[::-1], list(order)[::-1]]  # axes as written and as read, the fastest first
    while True:
        growing = [(_run(shape, lengths, way), way) for way in ways]
        _, way = min(growing, key=lambda pair: pair[0])
        axis = next((axis for axis in way if lengths[axis] < shape[axis]), None)
        if axis is None:
            return lengths
        others = math.prod(length for k, length in enumerate(lengths) if k != axis)
        most = min(shape[axis], count // others)
        if most < 2 * lengths[axis]:
            lengths[axis] = max(most, lengths[axis])
            if lengths[axis] < shape[axis]:
                return lengths
        else:
            lengths[axis] *= 2


def _run(shape: Sequence[int], lengths: Sequence[int], way: Sequence[int]) -> int:
    """The length of the contiguous run of a block along the axes `way`."""
    result = 1
    for axis in way:
        result *= lengths[axis]
        if lengths[axis] < shape[axis]:
            break
    return result


def runs(index: np.ndarray) -> Iterator[tuple[int, int]]:
    """Cuts `index` into runs of equal steps, from left to right, each as long as it can be: (begin, end).

    >>> list(runs(np.array([0, 1, 2, 9, 7, 5, 5, 5])))
    [(0, 3), (3, 6), (6, 8)]
    """
    turns = np.flatnonzero(np.diff(index, 2)) + 2
    begin = 0
    for end in [*turns.tolist(), len(index)]:
        if end > begin + 1 or begin < end == len(index):
            yield begin, end
            begin = end


def indices(part: Part, shape: Sequence[int]) -> tuple[np.ndarray, ...]:
    """The indices of a part along each axis, counted from 0. Raises IndexError for one that is not there."""
    return tuple(_index(index, n) for index, n in zip(part, shape, strict=True))


def _index(index: slice | np.ndarray, length: int) -> np.ndarray:
    if isinstance(index, slice):
        return np.arange(*index.indices(length))
    index = np.asarray(index, np.intp)
    outside = index[(index < -length) | (index >= length)]
    if len(outside):
        raise IndexError(f"index {outside[0]} of an axis of length {length}")
    return np.where(index < 0, index + length, index)


def cut(array: np.ndarray, part: Part | None) -> np.ndarray:
    """A part of an array: a view of it where all its indices are slices."""
    for axis, index in enumerate(part or ()):
        array = array[(slice(None),) * axis + (index,)]
    return array
