"""Orders the layers of a network as a release of Keras does, if that differs from `Network.layers`."""

from __future__ import annotations

from ..layers.base import Layer
from .graph import layers_in_keras_order
from .network import Network
from .rewrite import changed


def ordered(network: Network, by_name: bool, early: bool) -> Network:
    """`network` with its layers in another order, in nested networks too.

    by_name: layers of one depth are in the order of their names (keras-facts: order-by-names). early: the depths are
    those of Keras 1 (keras-facts: depths-of-keras1).
    """
    layers = [_ordered(layer, by_name, early) for layer in network.all_layers]
    in_order = layers_in_keras_order(layers, network.nodes, network.output_refs, by_name, early)
    return changed(network, all_layers=in_order)


def _ordered(layer: Layer, by_name: bool, early: bool) -> Layer:
    """A layer of the network: a nested network, or the one inside a wrapper, is ordered too."""
    if isinstance(layer, Network):
        return ordered(layer, by_name, early)
    inner = getattr(layer, "layer", None)
    return changed(layer, layer=ordered(inner, by_name, early)) if isinstance(inner, Network) else layer
