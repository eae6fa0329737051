"""Analyses masks: which layers have a masked input, where the mask comes from, and what reads masked steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ... import layers as L
from ...arguments import argument
from ...errors import KconvertError
from ...layers.base import Layer
from ...layers.merge import Elementwise
from ...lazy_dataclasses import dataclass
from ...network.graph import CallId, Ref
from ...network.network import Network
from .left_out import every
from .parts import ZEROS, is_part


@dataclass(frozen=True)
class Mask:
    """A mask of a tensor. Two masks are equal if they are certainly the same."""

    made_by: str
    """The layer that makes it, from its input or from other masks."""
    merged: bool = False
    """Whether a merging layer makes it of the masks of its inputs, element by element, and these may differ."""


class Masked(NamedTuple):
    """A layer in a network, and the mask of its input."""

    # The name of the layer, or of the wrapper around it.
    name: str
    layer: Layer
    mask: Mask | None
    # How many inputs it is called on.
    inputs: int


Found = list[Masked]


def masked_layers(network: Network) -> Found:
    """Each layer and the layers in it, with the mask of its input; those in a wrapper have its name."""
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
            found += _inside(layer, mask, len(inputs))
            if isinstance(layer, L.TimeDistributed) and isinstance(layer.layer, Network):
                found += _walk(layer.layer, inputs)[0]
            masks[node.output.call] = _of_output(layer, inputs, mask)
    return found, next(filter(None, (masks.get(ref.call) for ref in network.output_refs)), None)


def _inside(layer: Layer, mask: Mask | None, inputs: int) -> Iterator[Masked]:
    """A layer and the layers inside it, all under its name."""
    return (Masked(layer.name, inner, mask, inputs) for inner in every(layer))


def _of_inputs(layer: Layer, inputs: Sequence[Mask | None]) -> Mask | None:
    """One of the masks of the inputs: a merged one if there is one."""
    return next(iter(sorted(filter(None, inputs), key=lambda mask: not mask.merged)), None)


def _of_output(layer: Any, inputs: Sequence[Mask | None], mask: Mask | None) -> Mask | None:
    if layer.makes_mask:
        return Mask(layer.name)
    if mask is None or not layer.passes_mask:
        return None
    if isinstance(layer, Elementwise | L.Concatenate) and len(set(inputs)) > 1:
        return Mask(layer.name, merged=isinstance(layer, Elementwise) or layer.axis != 1)
    return mask


def refuse_masked_states(network: Network, does: str) -> None:
    """Raises KconvertError where a recurrent layer has a masked input and initial states.

    Keras 3 does not give it the mask (keras-facts: masks-beside-states). does: what Keras 3 has to do with it.
    """
    for name, layer, mask, inputs in masked_layers(network):
        if mask is not None and inputs > 1 and isinstance(layer, _RECURRENT):
            raise KconvertError(
                f"Keras 3, {does}, does not use the mask of a recurrent layer that has initial states",
                where=f"layer {name}",
                fix=f"use {argument('format', 'keras2')}, or build the model without the mask, load the weights into it"
                " and save that",
            )


MASKED = (L.SimpleRNN, L.GRU, L.LSTM, L.RNN, L.ConvLSTM2D, L.GlobalAveragePooling1D)
"""Layers whose outputs depend on the mask of their input."""


def refuse_merged_masks(network: Network, fix: str) -> None:
    """Raises KconvertError if a mask matters that Keras 3 merges differently (keras-facts: merged-masks)."""
    for name, layer, mask, _ in masked_layers(network):
        if mask is not None and mask.merged and isinstance(layer, MASKED):
            raise KconvertError(
                f"Keras 3 does not merge different masks as Keras 2 does, and {name} depends on the result",
                where=f"layer {mask.made_by}",
                fix=fix,
            )


def refuse_lost_masks(before: Network, after: Network, reader: str) -> None:
    """Raises KconvertError where a layer that depends on the mask of its input has none after a rewriting."""
    masked = [
        {
            found.name: found.mask.made_by
            for found in masked_layers(one)
            if found.mask and isinstance(found.layer, MASKED)
        }
        for one in (before, after)
    ]
    for name in masked[0].keys() - masked[1].keys():
        raise KconvertError(
            f"the layers of {reader} that are written for those before it do not keep the mask of {masked[0][name]}",
            where=f"layer {name}",
            fix=f"{argument('format', 'same')} keeps the file in its own generation",
        )


_OF_IMAGES = (L.ConvLSTM1D, L.ConvLSTM2D, L.ConvLSTM3D)


def refuse_masks_of_keras3(network: Network) -> None:
    """Raises KconvertError where Keras 3, which saved the file, computed something else with a mask.

    Its Softmax sets masked elements to 0, its Rescaling and Normalization keep the mask, and its Bidirectional sets
    masked steps to 0, also those of images.
    """
    refuse_masked_states(network, "which saved this")
    refuse_merged_masks(network, WITHOUT_MASK)
    for name, layer, mask, _ in masked_layers(network):
        images = isinstance(layer, L.Bidirectional) and isinstance(layer.layer, _OF_IMAGES)
        if mask is not None and (images or isinstance(layer, L.Softmax | L.Rescaling | L.Normalization)):
            what = f"Keras 3, which saved this, computes a {layer.class_name} with the mask of its input"
            raise KconvertError(what, where=f"layer {name}", fix=WITHOUT_MASK)


WITHOUT_MASK = "build the model without the mask, load the weights into it and save that"


# ------------------------------------------------------------ masked steps ----

_RECURRENT = (L.RNN, L.SimpleRNN, L.GRU, L.LSTM, L.Bidirectional, L.GlobalAveragePooling1D)
"""Layers that skip masked steps."""

_BY_STEP = (
    *(L.Activation, L.Dense, L.Dropout, L.SpatialDropout1D, L.AlphaDropout, L.GaussianDropout, L.GaussianNoise),
    *(L.ELU, L.LeakyReLU, L.ReLU, L.ThresholdedReLU, L.TimeDistributed),
    *(L.Add, L.Average, L.Concatenate, L.Maximum, L.Minimum, L.Multiply, L.Subtract),
)
"""Layers that compute each step from the same step of their inputs, and keep the mask."""


def sequences_of(layer: Any) -> set[int]:
    """The outputs of a layer that may be sequences, and not states: a Bidirectional has one or two."""
    return {0, 1} if isinstance(layer, L.Bidirectional) and layer.merge_mode is None else {0}


def read_at_masked_steps(network: Network) -> list[Layer]:
    """The layers, also of nested networks, whose sequences something computes with at masked steps.

    The outputs of the network are read. A sequence is taken for one that has a mask.
    """
    return _read(network, range(len(network.output_refs)))[0]


def _read(network: Network, outputs: Collection[int]) -> tuple[list[Layer], list[int]]:
    """Such layers of a network, and which of its inputs are read; outputs: which of its outputs are."""
    read: dict[CallId, set[int]] = defaultdict(set)  # the outputs of each call that are read
    for i in outputs:
        read[network.output_refs[i].call].add(network.output_refs[i].tensor)
    found: list[Layer] = []
    for node in reversed(network.nodes):
        layer, after = network.by_name[node.layer], read[node.output.call]
        if isinstance(layer, Network):
            inner, inputs = _read(layer, after)
            found += inner
        else:
            found += every(layer) if after & sequences_of(layer) or isinstance(layer, L.TimeDistributed) else []
            inputs = [i for i in range(len(node.inputs)) if _reads(layer, i, after)]
        for i in inputs:
            read[node.inputs[i].call].add(node.inputs[i].tensor)
    return found, [i for i, ref in enumerate(network.input_refs) if ref.tensor in read[ref.call]]


def _reads(layer: Any, i: int, outputs: Collection[int]) -> bool:
    """Whether something computes with the masked steps of input `i` of a layer, of which `outputs` are read.

    The further inputs of a recurrent layer are its initial states. A product with the mask has zeros at these steps.
    """
    if isinstance(layer, _RECURRENT):
        return i > 0
    if is_part(layer, ZEROS):
        return False
    return bool(outputs) if isinstance(layer, _BY_STEP) else True


UNREAD = "{} at masked steps"
"""What a tensor is called in the result that has other values at masked steps there: no layer makes it."""


def unread_tensors(network: Network, layers: Collection[int]) -> dict[str, str]:
    """The names of all tensors that differ where the sequences of `layers`, by their ids, differ at masked steps.

    Nothing reads those steps of these layers. Each name leads to one that no tensor has: they are not compared.
    """
    return {name: UNREAD.format(name) for name in _unread(network, layers, "", ())[0]}


def _unread(
    network: Network, layers: Collection[int], prefix: str, given: Collection[int]
) -> tuple[list[str], list[int]]:
    """Such tensors of a network, and which of its outputs are; given: which of its inputs are."""
    found = {network.input_refs[i] for i in given}
    names: list[str] = []
    for node in network.nodes:
        layer, inputs = network.by_name[node.layer], [i for i, ref in enumerate(node.inputs) if ref in found]
        outputs: Iterable[int] = ()
        if isinstance(layer, Network):
            inner, outputs = _unread(layer, layers, f"{prefix}{node.output.key}/", inputs)
            names += inner
        elif id(layer) in layers:
            outputs = sequences_of(layer)
        elif inputs and isinstance(layer, _BY_STEP):
            outputs = (0,)
        refs = [Ref(*node.output.call, i) for i in outputs]
        names += [prefix + ref.key for ref in refs]
        found.update(refs)
    return names, [i for i, ref in enumerate(network.output_refs) if ref in found]
