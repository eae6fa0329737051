"""SReLU layers that are bounded below `t_left`, as on Theano (keras-facts: bounded-srelu)."""

from __future__ import annotations

from ... import layers as L
from ...conventions.backends import BACKENDS
from ...network.network import Network
from ...network.rewritten import Rewritten
from .left_out import every, listed


def mark_bounded(network: Network, backend: str) -> None:
    """Sets `bounded` of each SReLU of a new network to what `backend` computes, the backend that saved the file."""
    for layer in every(network):
        if isinstance(layer, L.SReLU):
            layer.bounded = BACKENDS[backend].bounds_srelu


def notes_on_bounded(network: Network, backend: str) -> Rewritten:
    """Adds a note if `backend` computes SReLU layers differently from the source where a slope is negative.

    The layers are not refused, because a plan does not read the slopes. A verification shows whether they differ.
    """
    bounds = BACKENDS[backend].bounds_srelu
    otherwise = [layer.name for layer in every(network) if isinstance(layer, L.SReLU) and layer.bounded is not bounds]
    does = "bounds" if bounds else "does not bound"
    what = f"where a_left is negative, Keras 1 on {BACKENDS[backend].title} computes other values: it {does} them"
    return Rewritten(network, notes=[f"{listed(otherwise)}: {what}"] if otherwise else [])
