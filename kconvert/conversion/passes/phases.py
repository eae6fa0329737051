"""The argument `training` of a call in a file of Keras 3, which `predict` and `fit` of Keras 3 do not use.

They run every layer in their own phase, also if its call states another one. Only `model(x)` uses what the call states
(keras-facts: phase-of-a-call).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...conventions.generations import of_release
from ...network.graph import Node
from ...network.network import Network
from ...network.rewritten import Rewritten
from .left_out import every, listed

ARGUMENT = "training"


def without_phases(network: Network, version: str | None) -> Rewritten:
    """`network` of a file of release `version`; of Keras 3, without the argument `training` of calls."""
    row = of_release(version)
    if row is None or not row.expresses:
        return Rewritten(network)
    stated: dict[str, dict[str, None]] = {}
    for graph in _networks(network):
        for node in graph.nodes:
            if node.kwargs.get(ARGUMENT) is not None:
                stated.setdefault(f"{ARGUMENT}={node.kwargs[ARGUMENT]!r}", {})[node.layer] = None
        graph.nodes = [_without(node) for node in graph.nodes]
    notes = [
        f"left out: {argument} of the call of {listed(list(layers))}; predict and fit of Keras 3 do not use it, only"
        " model(x) does"
        for argument, layers in stated.items()
    ]
    return Rewritten(network, notes=notes)


def _networks(network: Network) -> Iterator[Network]:
    return (layer for layer in every(network) if isinstance(layer, Network))


def _without(node: Node) -> Node:
    return replace(node, kwargs={key: value for key, value in node.kwargs.items() if key != ARGUMENT})
