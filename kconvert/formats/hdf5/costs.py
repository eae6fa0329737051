"""What the arrays and attributes of an HDF5 file cost to read, before they are read."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

from ..limits import Budget, limits

COLLECTION = b"GCOL\x01\0\0\0"  # what a collection of strings of variable length begins with; then its size
_HEADER = len(COLLECTION) + 8  # bytes up to the end of its size
_PIECE = 2**20
SHARE = 1000  # the part of what text may cost that a list of strings may be assumed to cost, in place of a closer look


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

    def attribute(self, item: h5py.Group, name: str, where: str) -> Any:
        """An attribute of text or numbers, whose cost is spent. Raises KconvertError where that is too much.

        HDF5 does not tell how long a string of variable length is before it has read it.
        """
        stored = item.attrs.get_id(name)
        count, kind = math.prod(stored.shape or ()), stored.get_type()
        each = kind.get_size()
        if isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str():
            if count == 1:
                return self._one_text(item, name, where)
            small = count * self.size <= limits().text // SHARE
            each = self.size if small else min(self.size, self._largest_collection)
        self.budget.text(count * each, where)
        return item.attrs[name]

    def _one_text(self, item: h5py.Group, name: str, where: str) -> Any:
        """A string. It is no longer than the file; in a large file, it is read in a way that refuses a long one."""
        opened = item if self.size <= limits().text else self._guarded[item.name]
        value = opened.attrs[name]
        self.budget.text(sum(map(len, np.ravel(value).tolist())), where)
        return value

    @cached_property
    def _guarded(self) -> h5py.File:
        """The file, opened so that HDF5 reads no collection of strings that is longer than what text may cost."""
        return h5py.File(_Guarded(self._descriptor(), limits().text), "r")

    def _descriptor(self) -> int:
        return os.dup(self.content.fileno()) if self.content else os.open(self.path, os.O_RDONLY)

    @cached_property
    def _largest_collection(self) -> int:
        """The size of the largest collection of strings: no string is longer, and all strings may be the same one."""
        return max(self._collections(), default=0)

    def _collections(self) -> Iterator[int]:
        """The sizes of all that may be a collection of strings."""
        with open(self._descriptor(), "rb", buffering=0) as file:
            file.seek(0)
            data = b""
            while piece := file.read(_PIECE):
                data = data[1 - _HEADER :] + piece  # one may begin in the piece before
                position = data.find(COLLECTION)
                while 0 <= position <= len(data) - _HEADER:
                    yield int.from_bytes(data[position + len(COLLECTION) : position + _HEADER], "little")
                    position = data.find(COLLECTION, position + 1)


class _Guarded(io.FileIO):
    """A file of which at most `most` bytes are read at a time."""

    def __init__(self, descriptor: int, most: int) -> None:
        super().__init__(descriptor, "rb")
        self._most = most

    def readinto(self, buffer: Any) -> int | None:
        if len(buffer) > self._most:
            raise OSError(f"it needs {len(buffer):,} bytes at once, where text may need {self._most:,}")
        return super().readinto(buffer)
