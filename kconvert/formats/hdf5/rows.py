"""Rows of a large array in few reads: arithmetic runs and blocks along the leading axis."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from tempfile import NamedTemporaryFile
from typing import Any

import h5py
import numpy as np

from ..checkpoint import RowIndex

BLOCK = 2 * 2**20  # bytes held at a time; for arrays twice as large NumPy asks for huge pages, which slows all copying


def blocks(shape: Sequence[int], itemsize: int, size: int = BLOCK) -> Iterator[slice | None]:
    """Slices of the leading axis of at most `size` bytes (one row at least); None for a scalar.

    >>> list(blocks((5, 2), 4, size=16))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    if not shape:
        yield None
        return
    step = max(1, size // max(1, math.prod(shape[1:]) * itemsize))
    for start in range(0, shape[0], step):
        yield slice(start, min(start + step, shape[0]))


def runs(rows: np.ndarray) -> Iterator[tuple[int, int]]:
    """Cuts `rows` into runs of equal steps, from left to right, each as long as it can be: (begin, end).

    >>> list(runs(np.array([0, 1, 2, 9, 7, 5, 5, 5])))
    [(0, 3), (3, 6), (6, 8)]
    """
    turns = np.flatnonzero(np.diff(rows, 2)) + 2
    begin = 0
    for end in [*turns.tolist(), len(rows)]:
        if end > begin + 1 or begin < end == len(rows):
            yield begin, end
            begin = end


def gather(dataset: Any, rows: RowIndex, size: int = BLOCK) -> np.ndarray:
    """`dataset[rows]` of NumPy, from a dataset that takes only slices with a positive step.

    One read for each run of rows; one in all where they lie within `size` bytes of each other.
    Raises IndexError for a row that is not there.
    """
    if rows is None:
        return np.asarray(dataset[()])
    if isinstance(rows, slice):
        return _run(dataset, range(dataset.shape[0])[rows])
    rows = _positions(rows, dataset.shape[0])
    spans = list(runs(rows))
    if len(spans) <= 1:
        return _run(dataset, rows)
    low, high = int(rows.min()), int(rows.max())
    row_size = math.prod(dataset.shape[1:]) * dataset.dtype.itemsize
    if (high + 1 - low) * row_size <= size:
        return dataset[low : high + 1][rows - low]
    result = np.empty((len(rows), *dataset.shape[1:]), dataset.dtype)
    for begin, end in spans:
        result[begin:end] = _run(dataset, rows[begin:end])
    return result


def unpacked(dataset: h5py.Dataset, size: int = BLOCK) -> h5py.Dataset:
    """The dataset, or where it is larger than `size` and chunked: a copy in one piece.

    HDF5 would unpack every chunk again for every run of rows. The copy is in a temporary file without a
    name, which is gone with the last reference to it.
    """
    if dataset.chunks is None or dataset.nbytes <= size:
        return dataset
    with NamedTemporaryFile(prefix="kconvert-") as named:
        copy = h5py.File(named.name, "w").create_dataset("copy", dataset.shape, dataset.dtype)
    for chunk in dataset.iter_chunks():
        copy[chunk] = dataset[chunk]
    return copy


def _positions(rows: np.ndarray, length: int) -> np.ndarray:
    """The same rows counted from 0."""
    rows = np.asarray(rows, np.intp)
    outside = rows[(rows < -length) | (rows >= length)]
    if len(outside):
        raise IndexError(f"row {outside[0]} of an array of {length} rows")
    return np.where(rows < 0, rows + length, rows)


def _run(dataset: Any, rows: np.ndarray | range) -> np.ndarray:
    """The rows of one run (or none)."""
    if not len(rows):
        return dataset[0:0]
    first, last = int(rows[0]), int(rows[-1])
    if first == last:
        return np.repeat(dataset[first : first + 1], len(rows), axis=0)
    step = (last - first) // (len(rows) - 1)
    if step > 0:
        return dataset[first : last + 1 : step]
    return dataset[last : first + 1 : -step][::-1]
