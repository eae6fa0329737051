"""Steps: the way of one weight from the source to the target; its arrays are computed when they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..formats.checkpoint import LazyArray, RowIndex
from ..kernels import Chain, Shape


@dataclass(frozen=True)
class Step:
    """What happens to one weight."""

    path: tuple[str, ...]
    """The path of its layer, and its name."""
    sources: tuple[LazyArray, ...]
    """Its arrays in the source."""
    chain: Chain
    """The ops that make the arrays of the target of them."""
    targets: tuple[str, ...]
    """The names of its arrays in the target."""

    @property
    def source_shapes(self) -> tuple[Shape, ...]:
        return tuple(tuple(array.shape) for array in self.sources)

    @property
    def target_shapes(self) -> tuple[Shape, ...]:
        return self.chain.shapes(self.source_shapes)

    def read(self) -> tuple[np.ndarray, ...]:
        """The arrays of the target."""
        return self.chain.apply(*(array.read() for array in self.sources))

    def to_json(self) -> dict[str, Any]:
        return {
            "weight": "/".join(self.path),
            "from": [{"name": array.name, "shape": list(array.shape)} for array in self.sources],
            "ops": self.chain.to_json(),
            "to": [{"name": n, "shape": list(s)} for n, s in zip(self.targets, self.target_shapes, strict=True)],
        }

    def result(self, index: int = 0) -> LazyArray:
        """One of the arrays of the target, computed when it is read."""
        return _Result(self, index)


class _Result:
    """One array of the target: the source is read and rearranged when the array is read, by rows where possible."""

    def __init__(self, step: Step, index: int) -> None:
        self._step, self._index = step, index
        self.name, self.shape = step.targets[index], step.target_shapes[index]
        self.dtype: np.dtype[Any] = step.sources[0].dtype
        self._whole: np.ndarray | None = None

    def read(self, rows: RowIndex = None) -> np.ndarray:
        if rows is None:
            return self._step.read()[self._index]
        wanted = _positions(rows, self.shape[0])
        block = self._block(wanted)
        if block is not None:
            return block
        if self._whole is None:
            self._whole = self._step.read()[self._index]
        part = self._whole[rows]
        if wanted.size and wanted.max() == self.shape[0] - 1:
            self._whole = None  # the last rows were asked for: let go of the array
        return part

    def _block(self, wanted: np.ndarray) -> np.ndarray | None:
        if len(self._step.sources) > 1 or len(self._step.targets) > 1:
            return None
        (source,) = self._step.sources
        return self._step.chain.apply_to_rows(wanted, tuple(source.shape), source.read)


def _positions(rows: np.ndarray | slice, length: int) -> np.ndarray:
    """Rows of an array of a length, counted from 0."""
    return np.arange(*rows.indices(length)) if isinstance(rows, slice) else np.where(rows < 0, rows + length, rows)
