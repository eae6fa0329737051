"""Notes on facts that depend on the release that saved a file, if neither the file nor the user states it."""

from __future__ import annotations

from collections.abc import Iterable

from ... import layers as L
from ...arguments import argument
from ...conventions.generations import GENERATIONS
from ...conventions.roles import Role, variance
from ...layers.base import Layer
from ...network.network import Network
from ...network.rewritten import Rewritten
from ..evidence import akin
from ..source import Origin

MENTIONED = 3  # layers that a note names


def note_release(network: Network, origin: Origin) -> Rewritten:
    """Notes on layers that other releases stored differently under the same names."""
    return Rewritten(network, notes=release_notes((layer for _, layer in network.leaves()), origin))


def release_notes(layers: Iterable[Layer], origin: Origin) -> list[str]:
    """How the second statistic of a BatchNormalization is interpreted (keras-facts: running-std)."""
    names = [layer.name for layer in layers if isinstance(layer, L.BatchNormalization)]
    row = origin.convention.generation
    alike = [one for one in GENERATIONS.values() if akin(one, row)]
    meanings = {_is_deviation(variance(1e-3), one.name, origin.convention.backend) for one in alike}
    if origin.release_stated or not names or len(meanings) < 2:
        return []
    taken = "a deviation" if _is_deviation(variance(1e-3), row.name, origin.convention.backend) else "a variance"
    why = f"as the architecture is of Keras {origin.release}" if origin.release else f"as in Keras {row.releases}"
    listed = ", ".join(names[:MENTIONED]) + (", ..." if len(names) > MENTIONED else "")
    return [
        f"{listed}: the release is not known; running_std is taken for {taken}, {why}. "
        f"Before 1.0.8 it is a deviation, from then on a variance: {argument('source_release')} tells which"
    ]


def _is_deviation(role: Role, generation: str, backend: str) -> bool:
    return bool(role.values.get((generation, backend)))
