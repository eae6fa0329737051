"""The cost of the arrays and attributes of an HDF5 file, determined before they are read."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property, lru_cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Protocol

import h5py
import numpy as np
from h5py import h5a, h5g, h5i, h5r, h5t

from ...lazy_dataclasses import dataclass
from ..limits import Budget, limits
from .global_heap import GlobalHeap, GuardedFile

_READ_BEFORE = 4096  # bytes of a collection of strings that HDF5 reads before it knows the size
SHARE = 1000  # a list of strings is only measured exactly if it may cost more than this fraction of the limit

_IN_MEMORY = ("core", "fileobj")
"""The h5py drivers of files that are held in memory."""


class Attributed(Protocol):
    """An object of a file with attributes."""

    @property
    def id(self) -> h5g.GroupID: ...


class Costs:
    """One open file, whose costs count against one budget.

    content: the file, where it is a part of the file `path`.
    """

    def __init__(self, path: Path, file: h5py.File, content: BinaryIO | None) -> None:
        self.path, self.content = path, content
        self._file = file
        self.root: h5g.GroupID = file.id
        self.size: int = file.id.get_filesize()
        self.budget = Budget(path)
        self._left = self.size
        """The bytes of the file that no array has so far."""
        self._known: set[str] = set()
        """The arrays whose cost is spent."""
        self._open = ExitStack()
        self._files: dict[int, h5py.File] = {}
        """The same file, opened so that no more bytes than these are read at once."""

    def close(self) -> None:
        """Closes what was opened to read text."""
        self._open.close()

    def array(self, size: int, stored: int, shape: Sequence[int], chunks: Sequence[int] | None, where: str) -> None:
        """Spends what an array of `size` bytes costs, once. Raises KconvertError where that is too much.

        Arrays cannot have more bytes together than the file: in a malicious one, many of them may share their bytes.
        """
        if where in self._known:
            return
        self._known.add(where)
        stored = min(stored, self._left)
        self._left -= stored
        self.budget.array(size, stored, shape, chunks, where)

    def attribute(self, group: Attributed, name: str, stored: h5a.AttrID, kind: h5t.TypeID, where: str) -> Any:
        """An attribute of text or numbers, whose cost is spent. Raises KconvertError where that is too much.

        kind: its type. HDF5 does not tell how long a string of variable length is before it has read it.
        """
        count, each = math.prod(stored.shape or ()), kind.get_size()
        if isinstance(kind, h5t.TypeStringID) and kind.is_variable_str():
            return self._texts(group, name, count, where)
        self.budget.text(count * each, where)
        return _value(stored, kind)

    def _texts(self, group: Attributed, name: str, count: int, where: str) -> Any:
        """One string, or a list of `count` strings, which may all be the same one.

        A list that would cost too much if it held the longest string of the file is read so that HDF5 refuses the
        collection with that string.
        """
        most, bound = limits().text, None
        if count > 1 and count * self.size > most // SHARE:
            bound = self._heap.bound(most // count)
        try:
            value = self._guarded(group, most if bound is None else bound - _READ_BEFORE - 1)[name]
        except OSError:
            if bound is not None:
                self.budget.text(count * self._heap.longest, where)
            raise
        return self._spent(value, where)

    def _spent(self, value: Any, where: str) -> Any:
        """A value of text, whose cost is spent."""
        self.budget.text(sum(map(len, np.ravel(value).tolist())), where)
        return value

    def _guarded(self, group: Attributed, most: int) -> h5py.AttributeManager:
        """The attributes of a group, read without damaged strings, and no more than `most` bytes of strings at once."""
        if most not in self._files:
            file = self._open.enter_context(GuardedFile(self._descriptor(), most, self._width))
            self._files[most] = self._open.enter_context(h5py.File(file, "r"))
        place = h5r.create(group.id, b".", h5r.OBJECT)
        return h5py.AttributeManager(_Attributed(h5r.dereference(place, self._files[most].id)))

    def _descriptor(self) -> int:
        """A new descriptor of the content; a file in memory is copied to a temporary file, the first time."""
        if self.content is None and self._file.driver in _IN_MEMORY:
            self.content = self._open.enter_context(TemporaryFile())  # noqa: SIM115  # closed by `close`
            self.content.write(self._file.id.get_file_image())
            self.content.flush()
        return os.dup(self.content.fileno()) if self.content else os.open(self.path, os.O_RDONLY)

    @cached_property
    def _heap(self) -> GlobalHeap:
        with open(self._descriptor(), "rb", buffering=0) as file:
            return GlobalHeap(file, self._width)

    @cached_property
    def _width(self) -> int:
        """The bytes in which the file states sizes."""
        return h5i.get_file_id(self.root).get_create_plist().get_sizes()[1]


@dataclass(frozen=True)
class _Attributed:
    """A group by its identifier."""

    id: h5g.GroupID


def _value(stored: h5a.AttrID, kind: h5t.TypeID) -> Any:
    """Numbers or strings of one length, as from `attrs`, but in half the time."""
    if stored.shape is None:
        return h5py.Empty(stored.dtype)
    value = np.zeros(stored.shape, kind.dtype)
    stored.read(value, mtype=_in_memory(value.dtype))
    return value[()]


@lru_cache(64)
def _in_memory(dtype: np.dtype[Any]) -> h5t.TypeID:
    return h5t.py_create(dtype)
