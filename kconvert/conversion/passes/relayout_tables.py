"""The tables that relayout_rules.py fills, and the arguments and results of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from functools import singledispatch
from typing import Any

from ...kernels import Chain
from ...layers.base import Layer, Shape
from ...layers.lists import as_list, one_or_list
from ...lazy_dataclasses import dataclass
from ...network.graph import LayerPath
from ...network.layout import Layout, identity


@dataclass(frozen=True)
class RuleInput:
    """One call of a layer, with the facts that rules need."""

    layer: Layer
    shapes: list[Shape]
    """The old shapes of its inputs."""
    layouts: list[Layout]
    """The layouts that its inputs have."""
    data_format: str
    """The data format that images are brought to."""
    path: str
    """Where the layer stands: its name, behind those of the nested networks around it."""
    restored: frozenset[str] = frozenset()
    """Paths of the Flattens that must keep the order of the features."""
    reordered: frozenset[str] = frozenset()
    """Paths of the Flattens that leave the order to the weights, even where they could keep it themselves."""

    @property
    def rank(self) -> int:
        return len(self.shapes[0])

    @property
    def first(self) -> Layout:
        return self.layouts[0]

    def output_ranks(self) -> list[int]:
        return [len(shape) for shape in as_list(self.layer.compute_output_shape(one_or_list(self.shapes)))]

    def unchanged(self) -> RuleResult:
        """The layer as it is, in the old order."""
        inputs = [identity(len(shape)) for shape in self.shapes]
        return RuleResult(inputs, self.layer, [identity(rank) for rank in self.output_ranks()])

    def kept(
        self, layout: Layout, layer: Layer | None = None, weights: Mapping[LayerPath, Chain] | None = None
    ) -> RuleResult:
        """All inputs and outputs in one layout."""
        outputs = [layout] * len(self.output_ranks())
        return RuleResult([layout] * len(self.shapes), layer or self.layer, outputs, weights or {})


@dataclass(frozen=True)
class RuleResult:
    """The converted layer."""

    inputs: list[Layout]
    """The layouts of its inputs."""
    layer: Layer
    """The layer, with the configuration that it needs now."""
    outputs: list[Layout]
    """The layouts of its outputs."""
    weights: Mapping[LayerPath, Chain] = field(default_factory=dict)
    """Ops on its canonical weights, by their path inside the layer."""
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    """The layouts of the tensors of a nested network."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """The new names of the tensors of a nested network."""
    reordered: frozenset[str] = frozenset()
    """The Flattens of a nested network whose features weights take in a new order."""
    notes: Sequence[str] = ()
    """What was inserted in a nested network, and why."""


class Restore(Exception):
    """Features in a new order reached a layer that cannot take them: keep the order at these Flattens."""

    def __init__(self, origins: Iterable[str]) -> None:
        self.origins = frozenset(origins)


# ------------------------------------------------------------------ tables ----


@singledispatch
def rule(layer: Layer, call: RuleInput) -> RuleResult:
    """The result for `layer`; by default it needs the old order."""
    return call.unchanged()


@singledispatch
def keeps_layout(layer: Layer) -> bool:
    """Whether the layer gives the layout that it takes, whichever that is."""
    return False


@singledispatch
def wanted_layout(layer: Layer, shapes: list[Shape], data_format: str, position: int) -> Layout | None:
    """The layout that the layer wants of its input `position`; None where it takes any or has no wish."""
    return None


Rule = Callable[[Any, RuleInput], RuleResult]


def rules(*classes: type[Layer], keeps: bool = False) -> Callable[[Rule], Rule]:
    """Registers the rule of some classes. keeps: these layers give the layout that they take."""

    def register(function: Rule) -> Rule:
        for cls in classes:
            rule.register(cls, function)
            keeps_layout.register(cls, lambda layer: keeps)
        return function

    return register
