"""Reads parts of files when they are needed, without mapping the file into memory.

A process that reads a mapped file is killed if another process truncates the file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from .failures import library_errors, unreadable
from .parts import Box

RUN = 2**16  # bytes that are read at once, although only some of them are needed


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

    def boxed(self, position: int, shape: Sequence[int], dtype: np.dtype[Any], box: Box) -> np.ndarray:
        """The elements at slices with a positive step of the array of a shape at a position."""
        axes = [range(*one.indices(length)) for one, length in zip(box, shape, strict=True)]
        if not all(axes):
            return np.empty([len(axis) for axis in axes], dtype)
        return self._box(position, tuple(shape), dtype, axes)

    def _box(self, position: int, shape: tuple[int, ...], dtype: np.dtype[Any], axes: Sequence[range]) -> np.ndarray:
        """The elements at `axes`: in one read, or one for each index."""
        if not axes:
            return self.read(position, (), dtype)
        first, *others = axes
        each = math.prod(shape[1:]) * dtype.itemsize
        span, wanted = first[-1] + 1 - first[0], math.prod(map(len, axes)) * dtype.itemsize
        if not others or span * each <= max(RUN, 2 * wanted):
            found = self.read(position + first[0] * each, (span, *shape[1:]), dtype)
            cut = [slice(None, None, first.step), *(slice(axis.start, axis.stop, axis.step) for axis in others)]
            return found[tuple(cut)]
        result: np.ndarray = np.empty([len(axis) for axis in axes], dtype)
        for number, index in enumerate(first):
            result[number] = self._box(position + index * each, shape[1:], dtype, others)
        return result
