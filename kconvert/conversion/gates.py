"""Whether recurrent layers store one array for all gates or one for each, as the arrays of a file show.

Before Keras 2, this is an option of the layer that changes nothing else (keras-facts: gpu-mode-is-fused). An
architecture from another source may state another value than the weights were saved with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..layers import Bidirectional
from ..layers.base import Layer
from ..network.network import Network
from .taken import without_number


def by_gate(names: Sequence[str], layer: str, gates: Mapping[str, str]) -> bool:
    """Whether a layer has one array for each gate.

    names: those of the arrays of its group; gates: the letters of the gates by the name of a weight.

    >>> by_gate(["lstm_1_W_i", "lstm_1_U_i", "lstm_1_b_i"], "lstm_1", {"W": "ifco"})
    True
    >>> by_gate(["a_W:0", "a_U:0", "b_W_z:0"], "a", {"W": "zrh"})
    False
    >>> by_gate(["lstm_1_W_i_2:0", "lstm_1_U_i_2:0"], "lstm_1", {"W": "ifco"})
    True
    """
    stems = [without_number(name)[0] for name in names]
    own = [stem for stem in stems if stem.startswith(f"{layer}_")] or stems
    endings = tuple(f"_{slot}_{gate}" for slot, letters in gates.items() for gate in letters)
    return any(stem.endswith(endings) for stem in own)


def set_gates(layer: Any, one_for_each: bool) -> bool:
    """Sets how a layer stores its gates; returns whether this changed the layer."""
    if layer.fused_gates != one_for_each:
        return False
    layer.implementation = 1 if one_for_each else 2
    layer.use_options()
    return True


def agree_in_wrappers(model: Network) -> None:
    """Sets the option in the configuration of a Bidirectional as in its two layers, which have the weights."""
    for layer in _all(model.all_layers):
        if isinstance(layer, Bidirectional) and hasattr(layer.forward_layer, "fused_gates"):
            layer.layer.implementation = layer.forward_layer.implementation
            layer.layer.use_options()


def _all(layers: Iterable[Layer]) -> Iterator[Layer]:
    for layer in layers:
        yield layer
        yield from _all(layer.sublayers)
