"""The order of the layers of a network, where a release of Keras has another one than `Network.layers`."""

from __future__ import annotations

from ..layers.base import Layer
from .graph import layers_in_keras_order
from .network import Network
from .rewrite import changed


def sorted_by_names(network: Network) -> Network:
    """`network` with layers of one depth in the order of their names, in nested networks too.

    (keras-facts: order-by-names)
    """
    layers = [_sorted(layer) for layer in network.all_layers]
    return changed(network, all_layers=layers_in_keras_order(layers, network.nodes, network.output_refs, by_name=True))


def _sorted(layer: Layer) -> Layer:
    """A layer of the network: a nested network, or the one inside a wrapper, is sorted too."""
    if isinstance(layer, Network):
        return sorted_by_names(layer)
    inner = getattr(layer, "layer", None)
    return changed(layer, layer=sorted_by_names(inner)) if isinstance(inner, Network) else layer
