"""Masks: which layers of a network have a masked input, and where the mask comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ... import layers as L
from ...layers.base import Layer
from ...layers.merge import Elementwise
from ...network.graph import CallId
from ...network.network import Network
from .left_out import every


@dataclass(frozen=True)
class Mask:
    """A mask of a tensor. Two masks are equal where they are certainly the same."""

    made_by: str
    """The layer that makes it, from its input or from other masks."""
    merged: bool = False
    """Whether a merging layer makes it of the masks of its inputs, element by element, and these may differ."""


Found = list[tuple[str, Layer, Mask | None]]


def masked_layers(network: Network) -> Found:
    """(name, layer, mask of its input) of each layer and the layers in it; those in a wrapper have its name."""
    return _walk(network, [])[0]


def _walk(network: Network, given: Sequence[Mask | None]) -> tuple[Found, Mask | None]:
    """The layers of a network with their masks, and the mask of its output.

    given: the mask of each input of the network; none: no input has one.
    """
    found: Found = []
    masks: dict[CallId, Mask | None] = dict(zip((ref.call for ref in network.input_refs), given, strict=False))
    for node in network.nodes:
        layer = network.by_name[node.layer]
        inputs = [masks.get(ref.call) for ref in node.inputs]
        if isinstance(layer, Network):
            inner, masks[node.output.call] = _walk(layer, inputs)
            found += inner
        elif inputs:
            mask = _of_inputs(layer, inputs)
            found += _inside(layer, mask)
            masks[node.output.call] = _of_output(layer, inputs, mask)
    return found, next(filter(None, (masks.get(ref.call) for ref in network.output_refs)), None)


def _inside(layer: Layer, mask: Mask | None) -> Iterator[tuple[str, Layer, Mask | None]]:
    """A layer and the layers inside it, all under its name."""
    return ((layer.name, inner, mask) for inner in every(layer))


def _of_inputs(layer: Layer, inputs: Sequence[Mask | None]) -> Mask | None:
    """One of the masks of the inputs: a merged one if there is one."""
    return next(iter(sorted(filter(None, inputs), key=lambda mask: not mask.merged)), None)


def _of_output(layer: Any, inputs: Sequence[Mask | None], mask: Mask | None) -> Mask | None:
    if layer.makes_mask:
        return Mask(layer.name)
    if mask is None or not _passes_mask(layer):
        return None
    if isinstance(layer, Elementwise | L.Concatenate) and len(set(inputs)) > 1:
        return Mask(layer.name, merged=isinstance(layer, Elementwise) or layer.axis != 1)
    return mask


def _passes_mask(layer: Any) -> bool:
    """Whether the output has the mask of the input; a recurrent layer keeps it for sequences."""
    inner = layer.layer if isinstance(layer, L.Bidirectional) else layer
    return layer.supports_masking and getattr(inner, "return_sequences", True)
