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
from h5py import h5d, h5p, h5s, h5t

from ...errors import Problem
from ..atomic import reserve
from ..checkpoint import LazyArray, pieces
from .safely import hdf5_errors

log = logging.getLogger(__name__)


class NewFile:
    """A new file and its parts. Errors name `target`, the file that it becomes."""

    def __init__(self, target: Path, root: h5py.File) -> None:
        self.target = target
        self.root = root

    @classmethod
    @contextmanager
    def at(cls, place: Path | IO[bytes], target: Path, size: int = 0) -> Iterator[NewFile]:
        """Opens an empty HDF5 file at `place` for the block to write. It becomes `target` later. HDF5 does not lock it.

        place: a path, or a file that is open for reading and writing. size: the bytes that the block will write into a
        path, if they are known; room for them is kept.
        """
        with errors(target):
            file = h5py.File(place, "w", locking=False)
        try:
            if isinstance(place, Path):
                reserve(place, size, target)  # again: HDF5 has given back what was reserved before
            yield cls(target, file)
        finally:
            with errors(target):
                file.close()

    def group(self, parent: h5py.Group, name: str) -> h5py.Group:
        with errors(self.target, f"group {name}"):
            return parent.create_group(name)

    def attribute(self, item: h5py.Group, name: str, value: Any) -> None:
        """Writes nothing for None."""
        if value is not None:
            with errors(self.target, f"attribute {name}"):
                item.attrs[name] = value

    def text(self, item: h5py.Group, name: str, value: str | None) -> None:
        """Writes text as bytes, because old releases decode it."""
        self.attribute(item, name, None if value is None else value.encode("utf-8"))

    def json(self, item: h5py.Group, name: str, value: dict[str, Any] | None) -> None:
        """Writes JSON as a text attribute; it waits for values that are still being computed."""
        self.text(item, name, None if value is None else json.dumps(value, default=Future.result))

    def array(self, group: h5py.Group, name: str, array: LazyArray) -> None:
        """The array is read, block by block, while it is written."""
        where = f"dataset {group.name.rstrip('/')}/{name}"
        log.debug("writing %s", name)
        with errors(self.target, where):
            dataset = _new_dataset(group, name, array)
        shape = tuple(array.shape)
        for box, block in pieces(array):
            with errors(self.target, where):
                if block.shape == shape:
                    dataset.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(block))
                else:
                    h5py.Dataset(dataset)[box] = block


def errors(target: Path, item: str = "") -> AbstractContextManager[None]:
    """Turns whatever h5py raises in the block into one sentence."""
    return hdf5_errors("cannot be written", f"{target}{item and f', {item}'}", Problem.USAGE)


def _new_dataset(group: h5py.Group, name: str, array: LazyArray) -> h5py.h5d.DatasetID:
    """A dataset for an array, as `create_dataset` makes it, in a fifth of the time."""
    properties, link = h5p.create(h5p.DATASET_CREATE), h5p.create(h5p.LINK_CREATE)
    properties.set_obj_track_times(False)
    link.set_create_intermediate_group(True)
    link.set_char_encoding(h5t.CSET_ASCII if name.isascii() else h5t.CSET_UTF8)
    kind, space = h5t.py_create(array.dtype, logical=True), h5s.create_simple(tuple(array.shape))
    return h5d.create(group.id, name.encode("utf-8"), kind, space, properties, link)
