"""The page of an inspection: what the file is, with the evidence, and its network with its hazards."""

from __future__ import annotations

from collections.abc import Iterator

from ...conventions.backends import BACKENDS
from ...drawing.page import environment
from ...network.graph import LayerPath
from ...network.network import Network
from ...network.picture import pictures
from ..inspection import Inspection
from ..passes.hazards import hazards
from .marks import HAZARD, legend_of, marks_of


def render(found: Inspection) -> str:
    """The page of an inspection."""
    network = found.network
    marks = marks_of({HAZARD: [] if network is None else _hazards(network, found)})
    return (
        environment(__package__)
        .get_template("inspection.html")
        .render(
            title=found.path,
            found=found,
            pictures=[] if network is None else list(pictures(network, marks)),
            legend=legend_of(marks),
        )
    )


def _hazards(network: Network, found: Inspection) -> Iterator[LayerPath]:
    """The layers that a backend to which the file can be converted computes differently."""
    for target in found.hazards:
        for source in BACKENDS:
            if source != target:
                yield from (tuple(hazard.path.split("/")) for hazard in hazards(network, source, target))
