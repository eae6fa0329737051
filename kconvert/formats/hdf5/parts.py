"""NewFile: a new HDF5 file, made group by group and array by array."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5p, h5s, h5t

from ...errors import KconvertError, Problem
from ...lazy_dataclasses import dataclass
from ..atomic import begin_storing, reserve
from ..checkpoint import LazyArray, pieces
from .safely import hdf5_error, hdf5_errors, number_type

log = logging.getLogger(__name__)

_STORED_TOGETHER = 32 * 2**20
"""Bytes of arrays that are written before the system begins to store them."""


@dataclass(frozen=True)
class NewGroup:
    """A group of a new file."""

    id: h5g.GroupID
    name: str = "/"
    """The path of the group in the file."""

    def path(self, part: str) -> str:
        """The path of a part of the group."""
        return f"{self.name.rstrip('/')}/{part}"


class NewFile:
    """A new file and its parts. Errors name `target`, the file that it becomes."""

    def __init__(self, target: Path, root: NewGroup, descriptor: int | None = None) -> None:
        self.target = target
        self.root = root
        self._descriptor = descriptor
        self._unstored = 0  # bytes written since the system began to store the file

    @classmethod
    @contextmanager
    def at(
        cls, place: Path | IO[bytes], target: Path, size: int = 0, descriptor: int | None = None
    ) -> Iterator[NewFile]:
        """Opens an empty HDF5 file at `place` for the block to write. It becomes `target` later. HDF5 does not lock it.

        place: a path, or a file that is open for reading and writing. size: the bytes that the block will write into a
        path, if they are known; room for them is kept. descriptor: of the file on the disk that `place` is a part of.
        """
        with errors(target):
            file = h5py.File(place, "w", locking=False)
        try:
            if isinstance(place, Path):
                reserve(place, size, target)  # again, because HDF5 has freed the reserved space
                descriptor = file.id.get_vfd_handle()
            yield cls(target, NewGroup(file.id), descriptor)
        finally:
            with errors(target):
                file.close()

    @classmethod
    @contextmanager
    def in_memory(cls, place: Path, target: Path) -> Iterator[NewFile]:
        """The same for a small file, which is written to `place` in one piece when the block ends without an error."""
        with errors(target):
            file = h5py.File(place, "w", driver="core", backing_store=False)
        try:
            yield cls(target, NewGroup(file.id))
            with errors(target):
                file.flush()
                with open(place, "r+b") as stored:
                    stored.write(file.id.get_file_image())
                    stored.truncate()
        finally:
            with errors(target):
                file.close()

    def group(self, parent: NewGroup, name: str) -> NewGroup:
        try:
            return NewGroup(h5g.create(parent.id, name.encode("utf-8"), lcpl=_link(name)), parent.path(name))
        except Exception as error:
            raise self._failed(error, f"group {name}") from None

    def attribute(self, item: NewGroup, name: str, value: Any) -> None:
        """Writes nothing for None."""
        try:
            if isinstance(value, bytes):
                _new_attribute(item, name, np.array(value, _TEXT), _TEXT_TYPE)
            elif isinstance(value, np.ndarray) and value.dtype.kind in "Sf":
                _new_attribute(item, name, value, h5t.py_create(value.dtype, logical=True))
            elif value is not None:
                h5py.AttributeManager(item)[name] = value
        except Exception as error:
            raise self._failed(error, f"attribute {name}") from None

    def text(self, item: NewGroup, name: str, value: str | None) -> None:
        """Writes text as bytes, because old releases decode it."""
        self.attribute(item, name, None if value is None else value.encode("utf-8"))

    def json(self, item: NewGroup, name: str, value: dict[str, Any] | None) -> None:
        """Writes JSON as a text attribute; it waits for values that are still being computed."""
        self.text(item, name, None if value is None else json.dumps(value, default=Future.result))

    def array(self, group: NewGroup, name: str, array: LazyArray) -> None:
        """The array is read, block by block, while it is written."""
        log.debug("writing %s", name)
        try:
            dataset = _new_dataset(group, name, array)
        except Exception as error:
            raise self._failed(error, f"dataset {group.path(name)}") from None
        whole = tuple(array.shape)
        for box, block in pieces(array):
            try:
                if block.shape == whole:
                    dataset.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(block), number_type(array.dtype))
                else:
                    h5py.Dataset(dataset)[box] = block
            except Exception as error:
                raise self._failed(error, f"dataset {group.path(name)}") from None
            self._count(block.nbytes)

    def _failed(self, error: Exception, item: str) -> KconvertError:
        """The error about a part of the file that cannot be written."""
        return hdf5_error(error, "cannot be written", f"{self.target}, {item}", Problem.USAGE)

    def _count(self, size: int) -> None:
        """Counts bytes of arrays that are written."""
        self._unstored += size
        if self._descriptor is not None and self._unstored >= _STORED_TOGETHER:
            begin_storing(self._descriptor)
            self._unstored = 0


def errors(target: Path) -> AbstractContextManager[None]:
    """Turns whatever h5py raises in the block into one sentence."""
    return hdf5_errors("cannot be written", str(target), Problem.USAGE)


_DATASET, _LINK, _UNICODE_LINK = (h5p.create(kind) for kind in (h5p.DATASET_CREATE, h5p.LINK_CREATE, h5p.LINK_CREATE))
_DATASET.set_obj_track_times(False)
for _one, _characters in ((_LINK, h5t.CSET_ASCII), (_UNICODE_LINK, h5t.CSET_UTF8)):
    _one.set_create_intermediate_group(True)
    _one.set_char_encoding(_characters)


def _link(name: str) -> h5p.PropLCID:
    """The encoded name; the groups on its path are created."""
    return _LINK if name.isascii() else _UNICODE_LINK


def _new_dataset(group: NewGroup, name: str, array: LazyArray) -> h5d.DatasetID:
    """A dataset for an array, as from `create_dataset`, but in a fifth of the time."""
    kind, space = number_type(array.dtype), h5s.create_simple(tuple(array.shape))
    return h5d.create(group.id, name.encode("utf-8"), kind, space, _DATASET, _link(name))


_TEXT = h5py.string_dtype("ascii")
_TEXT_TYPE = h5t.py_create(_TEXT, logical=True)


def _new_attribute(item: NewGroup, name: str, value: np.ndarray, kind: h5t.TypeID) -> None:
    """An attribute of text, names or numbers, as from `attrs`, but in a third of the time."""
    h5a.create(item.id, name.encode("utf-8"), kind, h5s.create_simple(value.shape)).write(value)
