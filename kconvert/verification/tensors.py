"""Tensors: outputs of layers, in memory or in a file, which are read block by block."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from ..formats import npy
from ..formats.parts import Box, blocks
from ..network.layout import Layout, identity


class Tensor(Protocol):
    """An array of NumPy, or a `StoredTensor`."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    @property
    def size(self) -> int: ...

    @property
    def ndim(self) -> int: ...

    def __getitem__(self, box: Any, /) -> Any: ...

    def __array__(self) -> np.ndarray: ...


class StoredTensor:
    """A tensor in an .npy file, in a layout of its own. No part of it stays in memory.

    Raises KconvertError where the file holds no array of numbers, or was cut off.
    """

    def __init__(self, path: Path, layout: Layout | None = None) -> None:
        self._stored = npy.opened(path)
        self.path = path
        self.dtype: np.dtype[Any] = self._stored.dtype
        self.layout = layout or identity(len(self._stored.shape))
        self.shape: tuple[int, ...] = tuple(self._stored.shape[axis] for axis in self.layout.axes)
        self._index = self.layout.index

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __getitem__(self, box: Box) -> np.ndarray:
        """A copy of a box."""
        wanted = box if self._index is None else (*box[:-1], slice(None))
        found = self._stored[tuple(wanted[axis] for axis in np.argsort(self.layout.axes))].transpose(self.layout.axes)
        if self._index is not None:
            found = found[..., self._index[box[-1]]]
        return np.array(found, order="C", subok=False)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[tuple(slice(0, n) for n in self.shape)].astype(dtype or self.dtype, copy=False)

    def in_layout(self, layout: Layout) -> StoredTensor:
        """The same tensor in the layout of another network."""
        return StoredTensor(self.path, layout)


def reshaped(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The elements of a tensor in another shape; they are read if it is not its own."""
    return x if tuple(x.shape) == tuple(shape) else np.asarray(x).reshape(shape)


def parts(x: Tensor) -> Iterator[Box]:
    """Boxes that are small in memory and cover a tensor; their elements come in its order."""
    return blocks(x.shape, range(x.ndim), x.dtype.itemsize)


def rows(x: Tensor) -> Iterator[Box]:
    """The same, with the last axis in one piece."""
    *others, last = x.shape
    return ((*box, slice(0, last)) for box in blocks(others, range(len(others)), x.dtype.itemsize * max(last, 1)))


def both(x: Tensor, y: Tensor, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """One box of `x` and the elements of `y` there, as float64.

    The shapes are equal without the axes of size 1: `y` may have others of these.
    """
    first = np.asarray(x[box], "float64")
    long = iter([one for one, n in zip(box, x.shape, strict=True) if n != 1])
    there = tuple(slice(0, 1) if n == 1 else next(long) for n in y.shape)
    return first, np.asarray(y[there], "float64").reshape(first.shape)


def write(file: IO[bytes], x: Tensor) -> None:
    """Writes a tensor as .npy."""
    descr = np.lib.format.dtype_to_descr(x.dtype)
    header = {"descr": descr, "fortran_order": False, "shape": tuple(x.shape)}
    np.lib.format.write_array_header_2_0(file, header)
    for box in parts(x):
        file.write(np.ascontiguousarray(x[box]).data)
