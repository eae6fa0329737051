"""Layouts: how a tensor of a model in another data format relates to the old one, and what a rule says of a layer."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

from ...conventions.backends import CHANNELS_LAST
from ...kernels import Block, Chain
from ...layers.base import Layer, Shape
from ...network.nested import as_list, one_or_list
from ...network.network import LayerPath


@dataclass(frozen=True)
class Layout:
    """How a tensor of the new model relates to the old one.

    axes: new = old.transpose(axes), batch axis included. features: new order of the last axis, block
    by block (None: the old order). origins: the Flattens that made the features' order.
    """

    axes: tuple[int, ...]
    features: tuple[Block, ...] | None = None
    origins: frozenset[str] = field(default=frozenset(), compare=False)

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
        """Where axis `old` (may be negative) went."""
        return self.axes.index(old % len(self.axes))

    def inner(self) -> Layout:
        """The layout of one time step: without axis 1."""
        return replace(self, axes=tuple(a - (a > 1) for a in self.axes if a != 1))

    def outer(self) -> Layout:
        """The layout of a sequence of such tensors: with a time axis 1."""
        return replace(self, axes=(0, 1, *(a + 1 for a in self.axes[1:])))


def identity(rank: int) -> Layout:
    return Layout(tuple(range(rank)))


def moved(data_format: str, rank: int, time: int = 0) -> Layout:
    """Images or volumes carried over to `data_format`, after `time` leading axes besides the batch's."""
    kept, first = tuple(range(1 + time)), 1 + time
    if data_format == CHANNELS_LAST:
        return Layout((*kept, *range(first + 1, rank), first))
    return Layout((*kept, rank - 1, *range(first, rank - 1)))


@dataclass(frozen=True)
class Moved:
    """What becomes of one layer: the layouts it takes and gives, itself, and ops on its canonical weights.

    weights: chains by the path of the weight inside the layer, its name last. layouts, reordered,
    notes: what a nested model reports of its own tensors.
    """

    inputs: list[Layout]
    layer: Layer
    outputs: list[Layout]
    weights: dict[LayerPath, Chain] = field(default_factory=dict)
    layouts: dict[str, Layout] = field(default_factory=dict)
    reordered: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Call:
    """One layer with the old shapes and the layouts of its inputs, and where all is carried to.

    restored, reordered: paths of the Flattens that must keep the features' order, and of those that
    should leave it to the weights.
    """

    layer: Layer
    shapes: list[Shape]
    given: list[Layout]
    data_format: str
    path: str
    restored: frozenset[str] = frozenset()
    reordered: frozenset[str] = frozenset()

    @property
    def rank(self) -> int:
        return len(self.shapes[0])

    @property
    def first(self) -> Layout:
        return self.given[0]

    def output_ranks(self) -> list[int]:
        return [len(shape) for shape in as_list(self.layer.compute_output_shape(one_or_list(self.shapes)))]

    def changed(self, **config: Any) -> Layer:
        """A copy of the layer with other configuration values."""
        layer = copy(self.layer)
        for key, value in config.items():
            setattr(layer, key, value)
        return layer

    def unchanged(self) -> Moved:
        """The layer as it is, in the old order."""
        inputs = [identity(len(shape)) for shape in self.shapes]
        return Moved(inputs, self.layer, [identity(rank) for rank in self.output_ranks()])

    def passed(
        self, layout: Layout, layer: Layer | None = None, weights: dict[LayerPath, Chain] | None = None
    ) -> Moved:
        """The layer gives what it takes."""
        return Moved(
            [layout] * len(self.shapes), layer or self.layer, [layout] * len(self.output_ranks()), weights or {}
        )


class Restore(Exception):
    """Features in a new order reached a layer that cannot take them: keep the order at these Flattens."""

    def __init__(self, origins: Iterable[str]) -> None:
        self.origins = frozenset(origins)
