"""The limit on calls of layers: networks multiply in networks, so that a small architecture can cost a lot."""

from __future__ import annotations

from ..formats.limits import check_limit
from ..network.graph import count_calls
from ..network.network import Network


def bounded(network: Network, where: str | None = None) -> Network:
    """The same network. Raises KconvertError where it has more calls than the limit."""
    check_limit("calls", count_calls(network), "has too many calls of layers", where)
    return network
