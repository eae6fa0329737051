"""Rewritten: a network that was made from another one, and the origin of its weights and tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

import numpy as np

from ..kernels import Chain
from ..lazy_dataclasses import dataclass
from .graph import LayerPath, Ref
from .layout import Layout, identity
from .network import Network

Source = LayerPath | np.ndarray
"""The source of a weight in a new network: a weight of the old one, by its path, or a new array."""


@dataclass(frozen=True)
class Hazard:
    """A layer whose outputs differ between two backends with any weights."""

    path: str
    layer: str
    """The name of its class."""
    why: str

    def __str__(self) -> str:
        return f"{self.path} ({self.layer}): {self.why}"


@dataclass(frozen=True, eq=False)
class Rewritten:
    """A network, and how it was made from another one.

    A weight keeps its path, unless `sources` has another one or the network is `unwrapped`.
    """

    model: Network
    """The new network."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """The new name of each tensor whose name changed."""
    weights: Mapping[LayerPath, Chain] = field(default_factory=dict)
    """Ops on canonical weights, by path in the new network."""
    sources: Mapping[LayerPath, Source] = field(default_factory=dict)
    """The sources of weights that have another path in the old network, by path in the new one."""
    notes: Sequence[str] = ()
    """What was done and why."""
    hazards: Sequence[Hazard] = ()
    """Layers that the two backends of a conversion still compute differently."""
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    """The layouts of tensors, by their new names; a tensor that is not there has its old layout."""
    reordered: frozenset[str] = frozenset()
    """The paths of the Flatten layers after which weights take the features in a new order."""
    unwrapped: Mapping[str, str] | None = None
    """The names of the layers that give its outputs, by those of the network that it was inside of; None where it was
    not inside of another one."""

    @property
    def inputs(self) -> list[Layout]:
        """The layouts of the network's inputs."""
        return self._layouts(self.model.input_refs)

    @property
    def outputs(self) -> list[Layout]:
        """The layouts of the network's outputs."""
        return self._layouts(self.model.output_refs)

    def _layouts(self, refs: Sequence[Ref]) -> list[Layout]:
        shapes = self.model.shapes()
        return [self.layouts.get(ref.key) or identity(len(shapes[ref])) for ref in refs]

    def then(self, later: Rewritten) -> Rewritten:
        """This rewriting and a `later` one of its network, as one.

        Raises ValueError where both change layouts or the order of features: one rewriting alone may.
        """
        if (self.layouts or self.reordered) and (later.layouts or later.reordered):
            raise ValueError("two rewritings change layouts")
        renamed = {old: later.aliases.get(new, new) for old, new in self.aliases.items()}
        kept = {later.aliases.get(name, name): layout for name, layout in self.layouts.items()}
        return Rewritten(
            model=later.model,
            aliases={**later.aliases, **renamed},
            weights=self._weights_then(later),
            sources=self._sources_then(later),
            notes=[*self.notes, *later.notes],
            hazards=[*self.hazards, *later.hazards],
            layouts={**kept, **later.layouts},
            reordered=self.reordered | later.reordered,
            unwrapped=later.unwrapped if self.unwrapped is None else self.unwrapped,
        )

    def _weights_then(self, later: Rewritten) -> dict[LayerPath, Chain]:
        """The ops of this rewriting and then those of a later one, by path in the network of the later one."""
        none = Chain()
        found: dict[LayerPath, Chain] = {}
        for path in {**self.weights, **later.weights, **later.sources}:
            source = later.sources.get(path, path)
            before = self.weights.get(source, none) if isinstance(source, tuple) else none
            found[path] = before >> later.weights.get(path, none)
        return found

    def _sources_then(self, later: Rewritten) -> dict[LayerPath, Source]:
        """What the weights of a later network are in the network before this rewriting."""
        found: dict[LayerPath, Source] = {**self.sources, **later.sources}
        for path, source in later.sources.items():
            if isinstance(source, tuple):
                found[path] = self.sources.get(source, source)
        return found


def renamed_inputs(old: Network, new: Network) -> dict[str, str]:
    """The new name of each input whose name changed: the input of a Sequential is called after its first layer."""
    pairs = zip(old.input_refs, new.input_refs, strict=True)
    return {before.key: after.key for before, after in pairs if before != after}
