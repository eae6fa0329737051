"""The limit on calls of layers: nested networks multiply, so a small architecture can have very many calls."""

from __future__ import annotations

from ..formats.limits import check_limit
from ..network.graph import count_calls
from ..network.network import Network


def bounded(network: Network, where: str | None = None) -> Network:
    """Returns the network unchanged. Raises KconvertError if it has more calls than the limit."""
    check_limit("calls", count_calls(network), "has too many calls of layers", where)
    return network
