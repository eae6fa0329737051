"""Arrays in a safetensors file, read where they are asked for.

The file is not mapped into memory: a program that reads a mapped file is killed where another one cuts the file off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from ..failures import library_errors, unreadable
from ..gathering import gather
from ..parts import Box, InOrder, Part
from .header import Entry

RUN = 2**16  # bytes that are read in one piece, though only some of them are wanted


class Content:
    """An open file, of which several threads may read parts."""

    def __init__(self, path: Path, file: FileIO) -> None:
        self.path, self._file, self._lock = path, file, Lock()

    def read(self, position: int, shape: Sequence[int], dtype: np.dtype[Any]) -> np.ndarray:
        """The array of a shape at a position. Raises KconvertError where the file ends before."""
        array: np.ndarray = np.empty(shape, dtype)
        left = array.reshape(-1).view(np.uint8).data
        with self._lock, library_errors("cannot be read", self.path):
            self._file.seek(position)
            while left:
                count = self._file.readinto(left)
                if not count:
                    raise unreadable("was cut off while it was read", self.path)
                left = left[count:]
        return array


@dataclass(frozen=True, eq=False)
class Stored(InOrder):
    """An array in the file."""

    name: str
    entry: Entry
    begin: int
    """The end of the header."""
    content: Content

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        return self.entry.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.entry.dtype

    def read(self, part: Part | None = None) -> np.ndarray:
        """See `LazyArray.read`. Raises KconvertError where the file was cut off, or is closed by now."""
        if part is not None:
            return gather(self, part)
        return self.content.read(self.begin + self.entry.begin, self.shape, self.dtype)

    def __getitem__(self, box: Box) -> np.ndarray:
        """The elements at slices with a positive step."""
        axes = [range(*one.indices(length)) for one, length in zip(box, self.shape, strict=True)]
        if not all(axes):
            return np.empty([len(axis) for axis in axes], self.dtype)
        return self._box(self.begin + self.entry.begin, self.shape, axes)

    def _box(self, position: int, shape: tuple[int, ...], axes: Sequence[range]) -> np.ndarray:
        """The elements at `axes` of the array of a shape at a position: in one read, or one for each index."""
        if not axes:
            return self.content.read(position, (), self.dtype)
        first, *others = axes
        each = math.prod(shape[1:]) * self.dtype.itemsize
        span, wanted = first[-1] + 1 - first[0], math.prod(map(len, axes)) * self.dtype.itemsize
        if not others or span * each <= max(RUN, 2 * wanted):
            found = self.content.read(position + first[0] * each, (span, *shape[1:]), self.dtype)
            cut = [slice(None, None, first.step), *(slice(axis.start, axis.stop, axis.step) for axis in others)]
            return found[tuple(cut)]
        result: np.ndarray = np.empty([len(axis) for axis in axes], self.dtype)
        for number, index in enumerate(first):
            result[number] = self._box(position + index * each, shape[1:], others)
        return result
