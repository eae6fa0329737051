"""Rows: the order of flattened features along one axis of a weight.

`Flatten` makes features of a map, in the order of the map's axes: channels first or channels last. The rows of the
Dense kernel behind it follow that order.
"""

from __future__ import annotations

from math import prod

import numpy as np

from ..errors import KconvertError
from ..lazy_dataclasses import dataclass
from .base import Chain, EachOp, Json, Op, Region, Shape, distinct


@dataclass(frozen=True)
class Block:
    """Consecutive features that were flattened from one map, and the new order of the map's axes.

    source: the axes of the map, in the order in which it was flattened.
    target: the same axes, in the order in which the result is flattened.
    shape: the sizes of the axes `source`.

    >>> Block("chw", "hwc", (2, 1, 3)).index
    array([0, 3, 1, 4, 2, 5])
    """

    source: str
    target: str
    shape: Shape

    def __post_init__(self) -> None:
        same_axes = distinct(self.source) and sorted(self.source) == sorted(self.target)
        if not same_axes or len(self.source) != len(self.shape) or any(n < 0 for n in self.shape):
            raise KconvertError(f"a map of axes {self.source!r} and shape {self.shape} cannot become {self.target!r}")

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def inverse(self) -> Block:
        sizes = dict(zip(self.source, self.shape, strict=True))
        return Block(self.target, self.source, tuple(sizes[axis] for axis in self.target))

    @property
    def index(self) -> np.ndarray:
        """The old position of each feature of the result: `result = features[index]`."""
        order = [self.source.index(axis) for axis in self.target]
        return np.arange(self.size).reshape(self.shape).transpose(order).ravel()

    def old(self, new: np.ndarray) -> np.ndarray:
        """The old positions of the features at the positions `new` of the result: a part of `index`.

        >>> Block("chw", "hwc", (2, 1, 3)).old(np.array([1, 4]))
        array([3, 2])
        """
        places = dict(zip(self.target, np.unravel_index(new, self.inverse.shape), strict=True))
        return np.ravel_multi_index([places[axis] for axis in self.source], self.shape)

    @property
    def is_identity(self) -> bool:
        kept = [[axis for axis, n in zip(self.source, self.shape, strict=True) if n > 1]]
        kept.append([axis for axis in self.target if axis in kept[0]])
        return kept[0] == kept[1]

    def __str__(self) -> str:
        sizes = "x".join(map(str, self.shape))
        return f"{self.source}->{self.target} of {sizes}" if not self.is_identity else f"{self.size} kept"


def unchanged_block(size: int) -> Block:
    """A block of `size` features that keep their order."""
    return Block("i", "i", (size,))


@dataclass(frozen=True)
class Rows(EachOp):
    """Reorders the features along one axis, block by block.

    axis: the axis with the features.
    of: the names of all axes of the array.
    blocks: consecutive blocks of features; their sizes add up to the size of the axis.

    >>> Rows("i", "io", (Block("chw", "hwc", (4, 5, 7)),)).shape((140, 10))
    (140, 10)
    """

    axis: str
    of: str
    blocks: tuple[Block, ...]
    id = "rows"

    def __post_init__(self) -> None:
        if len(self.axis) != 1 or self.axis not in self.of or not distinct(self.of) or not self.blocks:
            raise KconvertError(f"no features to reorder along axis {self.axis!r} of {self.of!r}")

    @property
    def index(self) -> np.ndarray:
        """The old position of each row of the result."""
        return np.concatenate([block.index + start for block, start in zip(self.blocks, self._starts, strict=False)])

    @property
    def _starts(self) -> np.ndarray:
        """Where each block begins, and the end."""
        return np.cumsum([0] + [block.size for block in self.blocks])

    def _old(self, new: np.ndarray) -> np.ndarray:
        """The old positions of the rows `new` of the result: a part of `index`, which may be too long to hold."""
        starts, result = self._starts, np.empty_like(new)
        of_block = np.searchsorted(starts, new, side="right") - 1
        for number in np.unique(of_block):
            here = of_block == number
            result[here] = self.blocks[number].old(new[here] - starts[number]) + starts[number]
        return result

    @property
    def inverse(self) -> Rows:
        return Rows(self.axis, self.of, tuple(block.inverse for block in self.blocks))

    @property
    def is_identity(self) -> bool:
        return all(block.is_identity for block in self.blocks)

    @property
    def keeps_last_axis(self) -> bool:
        return self.axis != self.of[-1]

    def shape(self, shape: Shape) -> Shape:
        size = sum(block.size for block in self.blocks)
        if len(shape) != len(self.of) or shape[self.of.index(self.axis)] != size:
            raise KconvertError(f"axis {self.axis!r} of {self.of!r} in shape {shape} does not have {size} features")
        return shape

    def array(self, array: np.ndarray) -> np.ndarray:
        self.shape(array.shape)
        return array.take(self.index, axis=self.of.index(self.axis))

    def for_region(self, wanted: Region, shape: Shape) -> tuple[Region, Chain]:
        sides = zip(self.of, wanted, strict=True)
        return tuple(self._old(index) if axis == self.axis else index for axis, index in sides), Chain()

    def then(self, following: Op) -> tuple[Op, ...] | None:
        if isinstance(following, Rows) and following == self.inverse:
            return ()
        return super().then(following)

    def fields(self) -> Json:
        blocks = [{"source": b.source, "target": b.target, "shape": list(b.shape)} for b in self.blocks]
        return {"axis": self.axis, "of": self.of, "blocks": blocks}

    @classmethod
    def from_fields(cls, fields: Json) -> Rows:
        blocks = tuple(Block(b["source"], b["target"], tuple(b["shape"])) for b in fields["blocks"])
        return cls(fields["axis"], fields["of"], blocks)

    def __str__(self) -> str:
        return f"rows {self.axis} of {self.of}: " + ", ".join(map(str, self.blocks))

    def __repr__(self) -> str:
        return f"Rows({self.axis!r}, {self.of!r}, {self.blocks!r})"
