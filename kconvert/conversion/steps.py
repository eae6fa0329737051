"""Steps: the way of one weight from the source to the target; its arrays are computed when they are read."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..formats.checkpoint import LazyArray
from ..formats.parts import Part, cut, indices
from ..kernels import Chain, Region, Shape
from ..lazy_dataclasses import dataclass


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
    """One array of the target: the source is read and rearranged when the array is read, in parts where possible."""

    def __init__(self, step: Step, index: int) -> None:
        self._step, self._index = step, index
        self.name, self.shape = step.targets[index], step.target_shapes[index]
        self.dtype: np.dtype[Any] = step.sources[0].dtype
        self._whole: np.ndarray | None = None

    @property
    def order(self) -> tuple[int, ...]:
        """See `InOrder`: the axes of the target in the order in which the source stores them."""
        axes = range(len(self.shape))
        first = tuple(
            np.arange(1) for _ in axes
        )  # two elements show along which axis of the source they are neighbours
        wanted = [(*first[:axis], np.arange(min(self.shape[axis], 2)), *first[axis + 1 :]) for axis in axes]
        needed = [self._needed(region) for region in wanted if math.prod(self.shape)]
        if not needed or None in needed:
            return tuple(axes)
        places = [next((k for k, index in enumerate(found[0]) if len(index) > 1), -1) for found in needed if found]
        return tuple(sorted(axes, key=places.__getitem__))

    def read(self, part: Part | None = None) -> np.ndarray:
        if part is None:
            return self._step.read()[self._index]
        wanted = indices(part, self.shape)
        needed = self._needed(wanted) if all(map(len, wanted)) else None
        if needed is not None:
            region, chain = needed
            (block,) = chain.apply(self._step.sources[0].read(region))
            return block
        if self._whole is None:
            self._whole = self._step.read()[self._index]
        result = cut(self._whole, wanted)
        if all(len(index) and index.max() == n - 1 for index, n in zip(wanted, self.shape, strict=True)):
            self._whole = None  # the last block was asked for: let go of the array
        return result

    def _needed(self, wanted: Region) -> tuple[Region, Chain] | None:
        """What of the source a part needs, and how the one is computed from the other; None: all of it."""
        if len(self._step.sources) > 1 or len(self._step.targets) > 1:
            return None
        (source,) = self._step.sources
        return self._step.chain.for_region(wanted, tuple(source.shape))
