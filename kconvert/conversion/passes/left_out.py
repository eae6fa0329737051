"""Notes on configuration keys that Keras 2 does not have and that have no effect."""

from __future__ import annotations

from collections.abc import Iterator

from ...layers.base import Layer
from ...network.network import Network
from ...network.rewritten import Rewritten

SHOWN = 3
"""The number of layers that a note names."""


def notes_on_left_out(network: Network) -> Rewritten:
    """`network`, with a note on the keys that were left out when its architecture was read."""
    names: dict[str, dict[str, None]] = {}
    for layer in every(network):
        for key, value in layer.left_out.items():
            names.setdefault(f"{key}={value!r}", {})[layer.name] = None
    options = "; ".join(f"{option} of {listed(list(found))}" for option, found in names.items())
    notes = [f"left out, because it changes nothing: {options}"] if options else []
    return Rewritten(network, notes=[*notes, *_notes_on_dtypes(network)])


def _notes_on_dtypes(network: Network) -> list[str]:
    """A note on each dtype of floats in which the layers do not run here; files keep it."""
    stated = {str(layer.dtype) for layer in every(network) if "float" in str(layer.dtype)} - {"float32", "float64"}
    return [
        f"the weights and layers keep their dtype {dtype}; kconvert runs them in float32" for dtype in sorted(stated)
    ]


def every(layer: Layer) -> Iterator[Layer]:
    """A layer and all layers inside it, wrappers and input layers too."""
    yield layer
    for inner in layer.all_layers if isinstance(layer, Network) else layer.sublayers:
        yield from every(inner)


def listed(names: list[str]) -> str:
    """The first names, and the number of further ones."""
    more = len(names) - SHOWN
    shown = ", ".join(names[:SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown
