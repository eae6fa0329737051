"""Arrays in .npy files, read block by block."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from ..lazy_dataclasses import dataclass
from .content import Content
from .failures import library_errors, unreadable
from .hdf5 import regular_file
from .parts import Box

SIGNATURE = npy.MAGIC_PREFIX
MOST_AXES = 64  # of an array, in NumPy 2

_Header = tuple[tuple[int, ...], bool, np.dtype[Any]]
_HEADERS: dict[tuple[int, int], Callable[[IO[bytes]], _Header]] = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
}
"""What reads the header of a version of the format. Version 3.0 has names that arrays of numbers do not have."""


@dataclass(frozen=True)
class NpyArray:
    """An array of numbers in an .npy file, which is opened for each part, so that many arrays keep no file open."""

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    begin: int
    """Where the elements begin."""
    reversed: bool
    """Whether the elements along the first axis are contiguous (Fortran order)."""

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def __getitem__(self, box: Box) -> np.ndarray:
        """The elements at slices with a positive step. Raises KconvertError where the file was cut off."""
        stored = self.shape[::-1] if self.reversed else self.shape
        with library_errors("cannot be read", self.path), open(self.path, "rb", buffering=0) as file:
            found = Content(self.path, file).boxed(
                self.begin, stored, self.dtype, box[::-1] if self.reversed else tuple(box)
            )
        return found.T if self.reversed else found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[tuple(slice(0, n) for n in self.shape)].astype(dtype or self.dtype, copy=False)


def opened(path: Path) -> NpyArray:
    """The array in an .npy file. Raises KconvertError (UNREADABLE) where there is none, or not all of it."""
    path = regular_file(path)
    with library_errors("is no .npy file of numbers", path), open(path, "rb") as file:
        version = npy.read_magic(file)
        if version not in _HEADERS:
            raise ValueError(f"its format has the version {version[0]}.{version[1]}")
        shape, reversed_, dtype = _HEADERS[version](file)
        if dtype.hasobject or dtype.kind not in "biuf" or len(shape) > MOST_AXES or any(size < 0 for size in shape):
            raise ValueError(f"it holds {dtype} of the shape {shape}")
        found = NpyArray(path, tuple(map(int, shape)), dtype, file.tell(), reversed_)
        size = os.fstat(file.fileno()).st_size
    if found.begin + found.nbytes > size:
        raise unreadable(f"is cut off: it needs {found.begin + found.nbytes:,} bytes and has {size:,}", path)
    return found
