"""Notes on unknown layers and activations, which are copied unchanged, and errors where that would be wrong."""

from __future__ import annotations

from ...arguments import argument
from ...errors import KconvertError
from ...layers.activations import unknown_activations
from ...layers.as_is import AsIs, how_to_register
from ...network.network import Network
from .left_out import every


def notes_on_carried(network: Network) -> list[str]:
    """A note on each layer and each activation that is copied unchanged."""
    layers = [f"{layer.name}: {_why(layer)}; its weights stay as they are stored" for layer in _carried(network)]
    return [*layers, *(f"{error.where}: {error.what}; its name stays" for error in unknown_activations(network))]


def refuse_carried(network: Network) -> None:
    """Raises KconvertError for a layer that is copied unchanged, if the network is converted to another data format."""
    for layer in _carried(network):
        raise KconvertError(
            f"{_why(layer)}, so that it cannot be brought to another data format",
            where=f"layer {layer.name}",
            fix=f"keep the data format ({argument('data_format', 'keep')}),"
            f" or {how_to_register(layer.unknown_class or layer.class_name)}",
        )


def _carried(network: Network) -> list[AsIs]:
    return [layer for layer in every(network) if isinstance(layer, AsIs)]


def _why(layer: AsIs) -> str:
    return str(layer.cannot_run.what)
