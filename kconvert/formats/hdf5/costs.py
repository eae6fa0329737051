"""What the arrays and attributes of an HDF5 file cost to read, before they are read."""

from __future__ import annotations

import math
import mmap
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import h5py

from ..limits import Budget, limits

COLLECTION = b"GCOL\x01\0\0\0"  # what a collection of strings of variable length begins with; then its size


class Costs:
    """One open file, whose costs are spent from one budget.

    content: the file, where it is a part of the file `path`.
    """

    def __init__(self, path: Path, file: h5py.File, content: BinaryIO | None) -> None:
        self.path, self.content = path, content
        self.size: int = file.id.get_filesize()
        self.budget = Budget(path)

    def array(self, dataset: h5py.Dataset, where: str) -> None:
        """Spends what an array costs. Raises KconvertError where that is too much."""
        size = dataset.size * dataset.dtype.itemsize
        stored = min(dataset.id.get_storage_size(), self.size)
        self.budget.array(size, stored, dataset.shape, dataset.chunks, where)

    def attribute(self, attribute: h5py.h5a.AttrID, where: str) -> None:
        """Spends what an attribute of text or numbers costs. Raises KconvertError where that is too much."""
        count, kind = math.prod(attribute.shape or ()), attribute.get_type()
        each = kind.get_size()
        if isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str():
            each = self.size if count * self.size <= limits().text else min(self.size, self._largest_collection)
        self.budget.text(count * each, where)

    @cached_property
    def _largest_collection(self) -> int:
        """The size of the largest collection of strings: no string is longer, and all strings may be the same one."""
        largest = 0
        with (
            open(self.content.fileno() if self.content else self.path, "rb", closefd=not self.content) as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            position = data.find(COLLECTION)
            while position >= 0:
                start = position + len(COLLECTION)
                largest = max(largest, int.from_bytes(data[start : start + 8], "little"))
                position = data.find(COLLECTION, start)
        return largest
