"""Reads HDF5 files from unknown sources: everything is checked, and every error is a KconvertError."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5l, h5o, h5s, h5t

from ...conventions.words.values import parse_json
from ...errors import KconvertError, Problem
from ...lazy_dataclasses import dataclass
from ..failures import COPY_AGAIN, library_error, library_errors, unreadable
from ..gathering import gather
from ..limits import LONG_JSON, check_limit
from ..parts import InOrder, Part
from .chunks import Chunks
from .costs import Costs
from .unpacking import Stored, unpacked

# Attributes of other types crash HDF5 where the file is damaged.
_PLAIN = (h5t.TypeStringID, h5t.TypeIntegerID, h5t.TypeFloatID, h5t.TypeEnumID)
_BFLOAT16 = np.dtype("V2")  # as Keras 3 stores it
_NO_LINKS = ("", ".")  # parts of a path that HDF5 passes over
INSIDE = "save a file that holds all its arrays itself"
_LINKS = {h5l.TYPE_SOFT: "a soft", h5l.TYPE_EXTERNAL: "an external"}


def hdf5_errors(what: str, where: str, problem: Problem = Problem.UNREADABLE) -> AbstractContextManager[None]:
    """Turns whatever h5py raises in the block into one sentence. Its exceptions have the message last."""
    return library_errors(what, where, _last_argument, problem)


def hdf5_error(error: Exception, what: str, where: str, problem: Problem = Problem.UNREADABLE) -> KconvertError:
    """The error that `hdf5_errors` raises, for code that catches exceptions itself because it runs for every array."""
    return library_error(error, what, where, _last_argument, problem)


def _last_argument(error: BaseException) -> object:
    return error.args[-1] if error.args else ""


def _opened(group: h5g.GroupID, key: bytes, opening: Callable[..., Any]) -> Any:
    """An object that should be of the kind that `opening` opens. It is quicker than `h5o.open`, which knows no kind."""
    try:
        return opening(group, key)
    except Exception:  # it is of another kind, or damaged
        return h5o.open(group, key)


def _kind_of_link(group: Any, key: bytes) -> int | None:
    """The kind of the link `key` in a group; None where it is not there, or `group` is not a group."""
    if not isinstance(group, h5g.GroupID):
        return None
    try:
        kind: int = group.links.get_info(key).type
    except Exception:  # it is damaged, or not there
        if group.links.exists(key):
            raise
        return None
    return kind


def _opened_attribute(group: h5g.GroupID, key: bytes) -> h5a.AttrID | None:
    """The attribute `key` of a group; None where it is not there."""
    try:
        return h5a.open(group, key)
    except Exception:  # it is damaged, or not there
        if h5a.exists(group, key):
            raise
        return None


@lru_cache(64)
def number_type(dtype: np.dtype[Any]) -> h5t.TypeID:
    """The type of numbers in HDF5."""
    return h5t.py_create(dtype, logical=True)


def _chunks_of(dataset: h5d.DatasetID, where: str) -> tuple[int, ...] | None:
    """The shape of the chunks of a dataset; None where it has none. Raises KconvertError for data in other files."""
    properties = dataset.get_create_plist()
    layout = properties.get_layout()
    if layout == h5d.VIRTUAL:
        raise unreadable("is a virtual dataset: its data are in other files", where, INSIDE)
    if properties.get_external_count():
        raise unreadable("has external storage: its data are in other files", where, INSIDE)
    chunks: tuple[int, ...] | None = properties.get_chunk() if layout == h5d.CHUNKED else None
    return chunks


@dataclass(frozen=True, eq=False)
class StoredArray(InOrder):
    """A dataset of an open file, which is read when needed."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    where: str
    id: h5d.DatasetID

    def read(self, part: Part | None = None) -> np.ndarray:
        """See `LazyArray.read`. Raises KconvertError where the file is damaged, or closed by now."""
        if not self.id:
            raise unreadable("the file is closed", self.where, "read arrays inside `with read(path)`")
        try:
            return self._whole() if part is None else gather(self._unpacked, part)
        except Exception as error:
            raise hdf5_error(error, "its data cannot be read", self.where) from None

    def _whole(self) -> np.ndarray:
        """The array as `Dataset.__getitem__` reads it, in a third of the time."""
        if isinstance(self._stored, Chunks):
            return self._stored[(slice(None),) * len(self.shape)]
        array = np.zeros(self.shape, self.dtype)
        if array.size:
            self.id.read(h5s.ALL, h5s.ALL, array, number_type(self.dtype))
        return array

    @cached_property
    def _unpacked(self) -> Stored:
        return unpacked(self._stored)

    @cached_property
    def _stored(self) -> Stored:
        dataset = h5py.Dataset(self.id)
        in_one_piece = self.id.get_offset() is not None
        return dataset if in_one_piece or dataset.chunks is None else Chunks(dataset, self.where)


@dataclass(frozen=True, eq=False)
class StoredGroup:
    """A group of an open file, accessed only through hard links."""

    path: Path
    id: h5g.GroupID
    costs: Costs
    """The costs of reading its parts."""
    name: str = "/"
    """The path of the group in the file."""

    @cached_property
    def where(self) -> str:
        return str(self.path) if self.name == "/" else f"{self.path}, group {self.name}"

    def __contains__(self, name: str) -> bool:
        with hdf5_errors("cannot be read", self.where):
            return self.id.links.exists(name.encode())

    # --------------------------------------------------------------- links ----

    def group(self, name: str) -> StoredGroup:
        """The group `name` below this one."""
        found, path = self._follow(name, h5g.open)
        if not isinstance(found, h5g.GroupID):
            raise unreadable(f"{name!r} is not a group", self.where)
        return StoredGroup(self.path, found, self.costs, path)

    def array(self, name: str) -> StoredArray:
        """The dataset `name` below this group, as Keras finds it: from the root if the name begins with '/'."""
        dataset, path = self._follow(name, h5d.open)
        if not isinstance(dataset, h5d.DatasetID):
            raise unreadable(f"{name!r} is not a dataset", self.where)
        where = f"{self.path}, dataset {path}"
        try:
            return StoredArray(name, *self._checked(dataset, where), where, dataset)
        except Exception as error:
            raise hdf5_error(error, "is not an array of numbers", where) from None

    def _follow(self, name: str, opening: Callable[..., Any]) -> tuple[Any, str]:
        """The object `name` below this group, or below the root, and its path in the file.

        opening: opens an object of the kind that it should be of.
        """
        parts = [part for part in name.split("/") if part not in _NO_LINKS]
        found, path = (self.costs.root, "/") if name.startswith("/") else (self.id, self.name)
        try:
            for number, part in enumerate(parts, start=1):
                key = part.encode()
                kind = _kind_of_link(found, key)
                if kind is None:
                    raise unreadable(f"{name!r} is named in its attributes but absent", self.where, COPY_AGAIN)
                if kind != h5l.TYPE_HARD:
                    link = _LINKS.get(kind, "a user-defined")
                    raise unreadable(f"{name!r} is {link} link, which kconvert never follows", self.where, INSIDE)
                found = _opened(found, key, opening if number == len(parts) else h5g.open)
                path = f"{path.rstrip('/')}/{part}"
        except Exception as error:
            raise hdf5_error(error, f"{name!r} cannot be opened", self.where) from None
        return found, path

    def _checked(self, dataset: h5d.DatasetID, where: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """The shape and the type of a dataset.

        Refuses datasets that Keras never writes, that read another file, or that would exhaust the memory.
        """
        space, dtype = dataset.get_space(), dataset.dtype
        in_one_piece = dataset.get_offset() is not None  # and in this file
        chunks = None if in_one_piece else _chunks_of(dataset, where)
        if dtype == _BFLOAT16:
            raise KconvertError(
                "is an array of bfloat16, which no Keras 2 reads",
                where,
                "build the model with the dtype float32, load the weights into it, and save that",
                Problem.UNSUPPORTED,
            )
        if space.get_simple_extent_type() == h5s.NULL:
            raise unreadable("is not an array of numbers: it has no elements and no shape", where, COPY_AGAIN)
        if dtype.kind not in "biuf":
            raise unreadable(f"is not an array of numbers (type {dtype})", where)
        shape = space.get_simple_extent_dims()
        self.costs.array(math.prod(shape) * dtype.itemsize, dataset.get_storage_size(), shape, chunks, where)
        return shape, dtype

    def members(self) -> list[str]:
        """The names of what is in this group."""
        with hdf5_errors("its members cannot be read", self.where):
            return [name.decode("utf-8") for name in self.id]

    # ---------------------------------------------------------- attributes ----

    def attributes(self) -> list[str]:
        """The names of the attributes."""
        with hdf5_errors("its attributes cannot be read", self.where):
            return [name if isinstance(name, str) else name.decode("utf-8") for name in h5py.AttributeManager(self)]

    def attribute(self, name: str) -> Any:
        """The value of an attribute; None if absent. Text is bytes, as Keras wrote it, unless marked as UTF-8."""
        try:
            stored = _opened_attribute(self.id, name.encode())
            if stored is None:
                return None
            kind = stored.get_type()
            size = math.prod(stored.shape or ()) * kind.get_size()
            if not isinstance(kind, _PLAIN) or size > self.costs.size:
                raise unreadable(f"attribute {name} is neither text nor numbers", self.where)
            value = self.costs.attribute(self, name, stored, kind, f"{self.where}, attribute {name}")
            as_bytes = isinstance(value, str) and kind.get_cset() == h5t.CSET_ASCII
            return value.encode("utf-8", "surrogateescape") if as_bytes else value
        except Exception as error:
            raise hdf5_error(error, f"attribute {name} cannot be read", self.where) from None

    def count(self, name: str) -> int:
        """An attribute that counts."""
        value = self.attribute(name)
        if not isinstance(value, np.integer) or value < 0:
            raise unreadable(
                f"attribute {name} should be a count and is {'absent' if value is None else value!r}", self.where
            )
        return int(value)

    def names(self, name: str) -> list[str] | None:
        """A list of names, in one attribute or in chunks (`layer_names0`, `layer_names1`, ...); None if absent."""
        chunks = self._chunks(name)
        if not chunks:
            return None
        texts = [text for chunk in chunks for text in np.ravel(chunk).tolist()]
        if not all(isinstance(text, bytes | str) for text in texts):
            raise unreadable(f"attribute {name} should hold names and holds {texts[0]!r}", self.where)
        with hdf5_errors(f"attribute {name} is not UTF-8", self.where):
            return [text.decode("utf-8") if isinstance(text, bytes) else text for text in texts]

    def text(self, name: str) -> str | None:
        """Text, in one attribute or in chunks; None if absent."""
        names = self.names(name)
        return None if names is None else "".join(names)

    def json(self, name: str) -> dict[str, Any] | None:
        """A JSON object; None if absent."""
        text = self.text(name)
        if text is None:
            return None
        check_limit("json", len(text), LONG_JSON, f"{self.where}, attribute {name}")
        try:
            value = parse_json(text)
        except ValueError as error:
            raise unreadable(f"attribute {name} is not JSON ({error})", self.where) from None
        if not isinstance(value, dict):
            raise unreadable(f"attribute {name} should be a JSON object and is a {type(value).__name__}", self.where)
        return value

    def _chunks(self, name: str) -> list[Any]:
        whole = self.attribute(name)
        if whole is not None:
            return [whole]
        chunks: list[Any] = []
        while (chunk := self.attribute(f"{name}{len(chunks)}")) is not None:
            chunks.append(chunk)
        return chunks
