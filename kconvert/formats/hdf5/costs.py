"""What the arrays and attributes of an HDF5 file cost to read, before they are read."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import h5py
import numpy as np
from h5py import h5a, h5g, h5t

from ..limits import Budget, limits

COLLECTION = b"GCOL\x01\0\0\0"  # what a collection of strings of variable length begins with; then its size
_HEADER = len(COLLECTION) + 8  # bytes up to the end of its size
_PIECE = 2**20
SHARE = 1000  # the part of what text may cost that lists of strings may be assumed to cost, in place of a closer look


class Attributed(Protocol):
    """An object of a file with attributes."""

    @property
    def id(self) -> h5g.GroupID: ...

    @property
    def name(self) -> str:
        """Its path in the file."""


class Costs:
    """One open file, whose costs are spent from one budget.

    content: the file, where it is a part of the file `path`.
    """

    def __init__(self, path: Path, file: h5py.File, content: BinaryIO | None) -> None:
        self.path, self.content = path, content
        self.root: h5g.GroupID = file.id
        self.size: int = file.id.get_filesize()
        self._assumed = 0  # bytes of text that lists were assumed to have, without a look
        self.budget = Budget(path)

    def array(self, size: int, stored: int, shape: Sequence[int], chunks: Sequence[int] | None, where: str) -> None:
        """Spends what an array of `size` bytes costs. Raises KconvertError where that is too much."""
        self.budget.array(size, min(stored, self.size), shape, chunks, where)

    def attribute(self, group: Attributed, name: str, stored: h5a.AttrID, where: str) -> Any:
        """An attribute of text or numbers, whose cost is spent. Raises KconvertError where that is too much.

        HDF5 does not tell how long a string of variable length is before it has read it.
        """
        count, kind = math.prod(stored.shape or ()), stored.get_type()
        each = kind.get_size()
        if isinstance(kind, h5t.TypeStringID) and kind.is_variable_str():
            if count == 1:
                return self._one_text(group, name, where)
            each = self._longest(count)
            self.budget.text(count * each, where)
            return h5py.AttributeManager(group)[name]
        self.budget.text(count * each, where)
        return _value(stored)

    def _longest(self, count: int) -> int:
        """What each of `count` strings may cost at most: the file is looked through where it is assumed too often."""
        if self._assumed + count * self.size > limits().text // SHARE:
            return min(self.size, self._largest_collection)
        self._assumed += count * self.size
        return self.size

    def _one_text(self, group: Attributed, name: str, where: str) -> Any:
        """A string. It is no longer than the file; in a large file, it is read in a way that refuses a long one."""
        opened = h5py.AttributeManager(group) if self.size <= limits().text else self._guarded[group.name].attrs
        value = opened[name]
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


def _value(stored: h5a.AttrID) -> Any:
    """Numbers or strings of one length, as `attrs` gives them, in half of the time."""
    if stored.shape is None:
        return h5py.Empty(stored.dtype)
    kind = stored.get_type()
    value = np.zeros(stored.shape, kind.dtype)
    stored.read(value, mtype=_in_memory(value.dtype))
    return value[()]


@lru_cache(64)
def _in_memory(dtype: np.dtype[Any]) -> h5t.TypeID:
    return h5t.py_create(dtype)


class _Guarded(io.FileIO):
    """A file of which at most `most` bytes are read at a time."""

    def __init__(self, descriptor: int, most: int) -> None:
        super().__init__(descriptor, "rb")
        self._most = most

    def readinto(self, buffer: Any) -> int | None:
        if len(buffer) > self._most:
            raise OSError(f"it needs {len(buffer):,} bytes at once, where text may need {self._most:,}")
        return super().readinto(buffer)
