"""Oddity: how some releases computed one kind of layer differently."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ....layers.base import Layer, Shape
from ....lazy_dataclasses import dataclass
from ....network.network import Network
from ....network.rewrite import NewLayer
from .. import early

Change = Callable[[Any, Shape], Sequence[NewLayer] | None]
Version = tuple[int, ...]


@dataclass(frozen=True)
class Oddity:
    """What some releases did with one kind of layer."""

    first: Version
    """The first of these releases."""
    last: Version
    """The last one."""
    classes: tuple[type[Layer], ...]
    """The classes of these layers."""
    does: str
    """What these releases do, after the name of the layer."""
    read: Change
    """The layers of today that compute what a layer of a file meant; None: it stays."""
    write: Change
    """The layers by which these releases compute what a layer means today; None: it stays."""
    backend: str | None = None
    """The backend on which they do that; None: all."""
    in_files: bool = False
    """Whether only the architecture in a weight file is odd, and not one that the user gives."""
    masks: bool | None = None
    """Whether they do that only in networks where masks matter (True), or only in others (False)."""
    resizes: bool = False
    """Whether the sizes of what follows change: such layers are read one after the other."""
    counts_axes: bool = False
    """Whether it is about the numbers of axes, which are written after the data format is changed."""

    def holds(self, version: Version, backend: str) -> bool:
        return self.first <= version <= self.last and self.backend in (None, backend)

    def holds_in(self, network: Network) -> bool:
        return self.masks in (None, early.masks_matter(network, self.last))

    @property
    def releases(self) -> str:
        """Which ones: 'Keras 2.0.4 - 2.1.4 on theano'."""
        first, last = (".".join(map(str, version)) for version in (self.first, self.last))
        releases = first if first == last else f"{first} - {last}"
        return f"Keras {releases}" + (f" on {self.backend}" if self.backend else "")


def stays(layer: Any, shape: Shape) -> None:
    """No change: the layer stays as it is."""
    return None
