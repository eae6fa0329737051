"""Reads parts of a stored array with few slices of positive step, because HDF5 reads only such slices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .parts import BLOCK, Part, indices, runs

Region = tuple[np.ndarray, ...]


def gather(dataset: Any, part: Part, size: int = BLOCK) -> np.ndarray:
    """A part of a dataset, which takes a slice along each axis and gives an array.

    One read for each run of indices; one in all where they lie in a part of at most `size` bytes.
    Raises IndexError for an index that is not there.
    """
    return _gather(dataset, indices(part, dataset.shape), size)


def _gather(dataset: Any, wanted: Region, size: int) -> np.ndarray:
    spans = [list(runs(index)) for index in wanted]
    uneven = [axis for axis, found in enumerate(spans) if len(found) > 1]
    if not uneven:
        return _slices(dataset, wanted)
    covering = tuple(
        np.arange(index.min(), index.max() + 1) if axis in uneven else index for axis, index in enumerate(wanted)
    )
    if math.prod(map(len, covering)) * dataset.dtype.itemsize <= size:
        block = _slices(dataset, covering)
        for axis in uneven:
            block = block.take(wanted[axis] - covering[axis][0], axis)
        return block
    axis = uneven[0]
    result = np.empty([len(index) for index in wanted], dataset.dtype)
    for begin, end in spans[axis]:
        run = (*wanted[:axis], wanted[axis][begin:end], *wanted[axis + 1 :])
        result[(slice(None),) * axis + (slice(begin, end),)] = _gather(dataset, run, size)
    return result


def _slices(dataset: Any, wanted: Region) -> np.ndarray:
    """A part whose indices are one run along each axis (or none)."""
    found = [_slice(index) for index in wanted]
    block = np.asarray(dataset[tuple(one for one, _, _ in found)])
    for axis, (_, backwards, count) in enumerate(found):
        if backwards:
            block = block[(slice(None),) * axis + (slice(None, None, -1),)]
        if count > 1:
            block = block.repeat(count, axis)
    return block


def _slice(index: np.ndarray) -> tuple[slice, bool, int]:
    """A run as a slice with a positive step, whether it runs backwards, and how often its one element is wanted."""
    if not len(index):
        return slice(0, 0), False, 1
    first, last = int(index[0]), int(index[-1])
    if first == last:
        return slice(first, first + 1), False, len(index)
    step = (last - first) // (len(index) - 1)
    return slice(min(first, last), max(first, last) + 1, abs(step)), step < 0, 1
