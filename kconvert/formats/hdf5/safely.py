"""Reading an HDF5 file that somebody else made: everything is checked, and every error is one sentence."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ...conventions.words.values import parse_json
from ...errors import Problem
from ..failures import library_errors, unreadable
from ..parts import InOrder, Part
from .costs import Costs
from .gathering import gather, unpacked

# Attributes of other types crash HDF5 where the file is damaged.
_PLAIN = (h5py.h5t.TypeStringID, h5py.h5t.TypeIntegerID, h5py.h5t.TypeFloatID, h5py.h5t.TypeEnumID)
_NO_LINKS = ("", ".")  # parts of a path that HDF5 passes over
_LINKS = {h5py.h5l.TYPE_SOFT: "a soft", h5py.h5l.TYPE_EXTERNAL: "an external"}


def hdf5_errors(what: str, where: str, problem: Problem = Problem.UNREADABLE) -> AbstractContextManager[None]:
    """Turns whatever h5py raises in the block into one sentence. Its exceptions have the message last."""
    return library_errors(what, where, lambda error: error.args[-1] if error.args else "", problem)


@dataclass(frozen=True, eq=False)
class StoredArray(InOrder):
    """A dataset of an open file, read when asked."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    where: str
    dataset: h5py.Dataset

    def read(self, part: Part | None = None) -> np.ndarray:
        """See `LazyArray.read`. Raises KconvertError where the file is damaged, or closed by now."""
        if not self.dataset:
            raise unreadable("the file is closed", self.where, "read arrays inside `with read(path)`")
        with hdf5_errors("its data cannot be read", self.where):
            return np.asarray(self.dataset[()], self.dtype) if part is None else gather(self._unpacked, part)

    @cached_property
    def _unpacked(self) -> h5py.Dataset:
        return unpacked(self.dataset)


@dataclass(frozen=True, eq=False)
class StoredGroup:
    """A group of an open file, reached through hard links alone."""

    path: Path
    item: h5py.Group
    costs: Costs
    """What its parts cost to read."""

    @property
    def where(self) -> str:
        return str(self.path) if self.item.name == "/" else f"{self.path}, group {self.item.name}"

    def __contains__(self, name: str) -> bool:
        with hdf5_errors("cannot be read", self.where):
            return self.item.id.links.exists(name.encode())

    # --------------------------------------------------------------- links ----

    def group(self, name: str) -> StoredGroup:
        """The group `name` below this one."""
        item = self._follow(name)
        if not isinstance(item, h5py.Group):
            raise unreadable(f"{name!r} is not a group", self.where)
        return replace(self, item=item)

    def array(self, name: str) -> StoredArray:
        """The dataset `name` below this group, as Keras finds it: from the root if the name begins with '/'."""
        dataset = self._follow(name)
        if not isinstance(dataset, h5py.Dataset):
            raise unreadable(f"{name!r} is not a dataset", self.where)
        where = f"{self.path}, dataset {dataset.name}"
        with hdf5_errors("is not an array of numbers", where):
            self._check(dataset, where)
            return StoredArray(name, dataset.shape, dataset.dtype, where, dataset)

    def _follow(self, name: str) -> Any:
        item: Any = self.item.file if name.startswith("/") else self.item
        with hdf5_errors(f"{name!r} cannot be opened", self.where):
            for part in (part for part in name.split("/") if part not in _NO_LINKS):
                key = part.encode()
                if not isinstance(item, h5py.Group) or not item.id.links.exists(key):
                    raise unreadable(f"{name!r} is named in its attributes but absent", self.where)
                kind = item.id.links.get_info(key).type
                if kind != h5py.h5l.TYPE_HARD:
                    link = _LINKS.get(kind, "a user-defined")
                    raise unreadable(f"{name!r} is {link} link, which kconvert never follows", self.where)
                item = item[part]
        return item

    def _check(self, dataset: h5py.Dataset, where: str) -> None:
        """Refuses what Keras never writes and what would read another file or exhaust the memory."""
        if dataset.is_virtual:
            raise unreadable("is a virtual dataset: its data are in other files", where)
        if dataset.external:
            raise unreadable("has external storage: its data are in other files", where)
        if dataset.shape is None or dataset.dtype.kind not in "biuf":
            raise unreadable(f"is not an array of numbers (type {dataset.dtype})", where)
        self.costs.array(dataset, where)

    def members(self) -> list[str]:
        """The names of what is in this group."""
        with hdf5_errors("its members cannot be read", self.where):
            return [name.decode("utf-8") for name in self.item.id]

    # ---------------------------------------------------------- attributes ----

    def attributes(self) -> list[str]:
        """The names of the attributes."""
        with hdf5_errors("its attributes cannot be read", self.where):
            return [name if isinstance(name, str) else name.decode("utf-8") for name in self.item.attrs]

    def attribute(self, name: str) -> Any:
        """The value of an attribute; None if absent. Text is bytes, as Keras wrote it, unless marked as UTF-8."""
        with hdf5_errors(f"attribute {name} cannot be read", self.where):
            if name not in self.item.attrs:
                return None
            stored = self.item.attrs.get_id(name)
            kind = stored.get_type()
            size = math.prod(stored.shape or ()) * kind.get_size()
            if not isinstance(kind, _PLAIN) or size > self.costs.size:
                raise unreadable(f"attribute {name} is neither text nor numbers", self.where)
            value = self.costs.attribute(self.item, name, f"{self.where}, attribute {name}")
            as_bytes = isinstance(value, str) and kind.get_cset() == h5py.h5t.CSET_ASCII
            return value.encode("utf-8", "surrogateescape") if as_bytes else value

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
        return [self._decode(name, text) for text in texts]

    def text(self, name: str) -> str | None:
        """Text, in one attribute or in chunks; None if absent."""
        names = self.names(name)
        return None if names is None else "".join(names)

    def json(self, name: str) -> dict[str, Any] | None:
        """A JSON object; None if absent."""
        text = self.text(name)
        if text is None:
            return None
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

    def _decode(self, name: str, text: bytes | str) -> str:
        with hdf5_errors(f"attribute {name} is not UTF-8", self.where):
            return text.decode("utf-8") if isinstance(text, bytes) else text
