"""Decompresses large chunked arrays once; HDF5 would decompress the chunks again for every part."""

from __future__ import annotations

import math
from tempfile import NamedTemporaryFile
from typing import TypeAlias

import h5py

from ..parts import BLOCK, boxes
from .chunks import Chunks

SLAB = 4 * BLOCK  # bytes of chunks that are decompressed at a time


Stored: TypeAlias = h5py.Dataset | Chunks


def unpacked(dataset: Stored, size: int = BLOCK) -> Stored:
    """The dataset, or where it is larger than `size` and chunked: a copy in one piece.

    HDF5 would unpack every chunk again for every run of indices. The copy is in a temporary file without a
    name, which is gone with the last reference to it.
    """
    if dataset.chunks is None or dataset.nbytes <= size:
        return dataset
    with NamedTemporaryFile(prefix="kconvert-") as named:
        copy = h5py.File(named.name, "w").create_dataset("copy", dataset.shape, dataset.dtype)
    for box in boxes(dataset.shape, _whole_chunks(dataset)):
        copy[box] = dataset[box]
    return copy


def _whole_chunks(dataset: Stored) -> list[int]:
    """The lengths of a box of whole chunks, long along the last axes, so that the copy is written in long pieces."""
    lengths = [min(chunk, n) for chunk, n in zip(dataset.chunks, dataset.shape, strict=True)]
    for axis in reversed(range(dataset.ndim)):
        count = SLAB // (math.prod(lengths) * dataset.dtype.itemsize)
        lengths[axis] = min(dataset.shape[axis], max(1, count) * lengths[axis])
        if lengths[axis] < dataset.shape[axis]:
            break
    return lengths
