"""What is marked in the picture of a network: hazards, repairs and rearranged weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...network.graph import LayerPath

HAZARD, REPAIRED, REARRANGED = "hazard", "repaired", "rearranged"

LEGEND = {
    HAZARD: "computes other outputs on the other backend",
    REPAIRED: "rewritten, so that it computes the same",
    REARRANGED: "weights are rearranged",
}


def marks_of(kinds: Mapping[str, Iterable[LayerPath]]) -> dict[LayerPath, list[str]]:
    """The marks of each layer, from the layers of each mark."""
    found: dict[LayerPath, list[str]] = {}
    for kind, paths in kinds.items():
        for path in dict.fromkeys(paths):
            found.setdefault(path, []).append(kind)
    return found


def legend_of(marks: Mapping[LayerPath, Iterable[str]]) -> dict[str, str]:
    """The words for the marks that are there."""
    there = {kind for kinds in marks.values() for kind in kinds}
    return {kind: words for kind, words in LEGEND.items() if kind in there}
