"""Partial loading, as by `load_weights(by_name=True)`: selects layers that a file and a network both have, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..arguments import argument
from ..conventions.generations import Convention
from ..errors import KconvertError, Problem
from ..formats.checkpoint import Checkpoint
from ..lazy_dataclasses import dataclass
from ..network.network import Network
from .binding import misfits, places
from .given_architecture import as_saved
from .passes.order import read
from .reading import described_network
from .source import Source, decide

MENTIONED = 3  # the number of layers that an error names


@dataclass(frozen=True)
class Selection:
    """Which layers take their weights from a file."""

    taken: Sequence[str]
    """The layers that both have, with the same shapes, in the order of the network."""
    left: Mapping[str, str]
    """The layers of the network that get no weights from the file, each with the reason."""
    unused: Sequence[str]
    """The layers that only the file has."""

    def of(self, checkpoint: Checkpoint) -> Checkpoint:
        """The file with only the layers that are taken, without the state of the optimizer."""
        taken = set(self.taken)
        groups = [group for group in checkpoint.groups if group.name in taken]
        return replace(checkpoint, groups=groups, partial=True, optimizer=(), training_config=None, whole_model=False)

    @property
    def notes(self) -> list[str]:
        """Notes for the user."""
        left = [f"{name} ({why})" for name, why in self.left.items()]
        lines = [
            f"taken by name: {', '.join(self.taken) or 'nothing'}",
            f"left as they are: {', '.join(left)}" if left else "",
            f"in the file alone: {', '.join(self.unused)}" if self.unused else "",
        ]
        return [line for line in lines if line]

    def to_json(self) -> dict[str, Any]:
        return {"taken": list(self.taken), "left": dict(self.left), "unused": list(self.unused)}

    def mark(self, network: Network) -> None:
        """Marks the layers of a network that have no weights, so that they are not run."""
        for name, why in self.left.items():
            for _, leaf in network.by_name[name].leaves():
                leaf.lacks_weights = why


def select(network: Network, checkpoint: Checkpoint, convention: Convention, skip_mismatch: bool) -> Selection:
    """The layers of a network that take their weights from a file, by name.

    skip_mismatch: whether a layer of another number or shape of weights is left out. Raises KconvertError for such a
    layer if not, and where the file has no names.
    """
    where = str(checkpoint.path or "checkpoint")
    if convention.generation.numbered:
        raise KconvertError("files of Keras 0.2 - 0.3 name no layers: nothing can be taken by name", where)
    expected = [name for name, found in places(network, convention) if found]
    known = set(expected)
    stored = {group.name: group for group in checkpoint.groups if group.arrays}
    left = {name: "the file has no such layer" for name in expected if name not in stored}
    for name, error in misfits(network, checkpoint, convention).items():
        if not skip_mismatch:
            fix = "give skip_mismatch=True to leave this layer as it is"
            raise KconvertError(error.what, error.where, fix, Problem.USAGE)
        left[name] = error.what
    return Selection(
        taken=[name for name in expected if name not in left],
        left={name: left[name] for name in expected if name in left},
        unused=[name for name in stored if name not in known],
    )


def selected(checkpoint: Checkpoint, source: Source) -> Selection:
    """The layers that a file and the architecture that the user gives have in common.

    An architecture of another data format is decided by the layers that fit it. Raises KconvertError where there is no
    architecture, or nothing in common.
    """
    if source.arch is None:
        what = "the architecture says which layers to take, and none is given"
        raise KconvertError(what, str(checkpoint.path or ""), f"give it with {argument('arch')}", Problem.USAGE)
    origin, network = decide(checkpoint, source), described_network(checkpoint, source)
    common = select(read(network, origin).model, checkpoint, origin.convention, True).of(checkpoint)
    origin, network = as_saved(network, common, source, origin)
    found = select(read(network, origin).model, checkpoint, origin.convention, True)
    if not found.taken:
        why = "; ".join(f"{name}: {reason}" for name, reason in list(found.left.items())[:MENTIONED])
        what = f"the file and the architecture have no layer in common that fits ({why})"
        raise KconvertError(what, str(checkpoint.path or "checkpoint"))
    return found
