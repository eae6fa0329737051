"""Layouts: the order of axes and features of a tensor in a rewritten network, relative to the old one."""

from __future__ import annotations

from dataclasses import field, replace

import numpy as np

from ..conventions.backends import CHANNELS_LAST
from ..kernels import Block, Rows
from ..layers.base import Shape
from ..lazy_dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """The order of axes and features of a tensor in the new network, relative to the old one."""

    axes: tuple[int, ...]
    """new = old.transpose(axes), with the batch axis."""
    features: tuple[Block, ...] | None = None
    """The new order of the last axis, block by block; None: the old order."""
    origins: frozenset[str] = field(default=frozenset(), compare=False)
    """The Flatten layers that caused this order of the features."""

    @property
    def index(self) -> np.ndarray | None:
        """The old positions along the last axis, in their new order; None: the old order."""
        return Rows("o", "o", self.features).index if self.features else None

    @property
    def is_identity(self) -> bool:
        return self.keeps_axes and self.features is None

    @property
    def keeps_axes(self) -> bool:
        return self.axes == tuple(range(len(self.axes)))

    def shape(self, old: Shape) -> Shape:
        """The new shape of a tensor that had shape `old`."""
        return tuple(old[axis] for axis in self.axes)

    def axis(self, old: int) -> int:
        """The new position of axis `old` (may be negative)."""
        return self.axes.index(old % len(self.axes))

    def inner(self) -> Layout:
        """The layout of one time step: without axis 1."""
        return replace(self, axes=tuple(a - (a > 1) for a in self.axes if a != 1))

    def outer(self) -> Layout:
        """The layout of a sequence of such tensors: with a time axis 1."""
        return replace(self, axes=(0, 1, *(a + 1 for a in self.axes[1:])))


def identity(rank: int) -> Layout:
    """The layout of a tensor that stays as it is."""
    return Layout(tuple(range(rank)))


def image_layout(data_format: str, rank: int, time: int = 0) -> Layout:
    """The layout of images or volumes that are brought to `data_format`, with `time` axes before the spatial ones."""
    kept, first = tuple(range(1 + time)), 1 + time
    if data_format == CHANNELS_LAST:
        return Layout((*kept, *range(first + 1, rank), first))
    return Layout((*kept, rank - 1, *range(first, rank - 1)))
