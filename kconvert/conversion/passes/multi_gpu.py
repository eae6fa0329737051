"""Models for several GPUs: one model that is called on a slice of the batch for each GPU.

The outputs of the calls are joined along the batch, so the model alone computes the same
(keras-facts: multi-gpu-model). It replaces the network if every part of it is recognized: each slice, its
number, and the order in which the outputs are joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch

from ... import layers as L
from ...conventions.slices import SliceFunction, slice_function
from ...layers.base import Layer
from ...network.graph import Node, Ref
from ...network.network import Network
from ...network.rewritten import Rewritten
from .left_out import every


def without_slices(network: Network) -> Rewritten:
    """The model inside a network that slices the batch for several GPUs; other networks stay as they are."""
    models = [layer for layer in network.sublayers if isinstance(layer, Network)]
    if len(models) != 1 or not _samples_are_independent(models[0]):
        return Rewritten(network)
    (model,) = models
    calls = _joined_calls(network, model)
    rows = [_slice(network, call, number, len(calls)) for number, call in enumerate(calls)]
    has_more = len(network.sublayers) != 1 + len(calls) * len(network.input_refs) + len(network.output_refs)
    if has_more or not rows or None in rows or len(set(rows)) > 1 or model.input_specs != network.input_specs:
        return Rewritten(network)
    outer, inner = ([ref.layer for ref in one.output_refs] for one in (network, model))
    return Rewritten(model, notes=_notes(model, len(calls), rows[0]), unwrapped=dict(zip(outer, inner, strict=True)))


def _notes(model: Network, gpus: int, row: SliceFunction | None) -> list[str]:
    note = (
        f"unwrapped: the file calls {model.name} on one slice of the batch for each of {gpus} GPUs; it is taken alone"
    )
    rest = "; the file leaves out samples that do not fill a slice, the result does not"
    return [note + (rest if row and row.drops_rest else "")]


def _samples_are_independent(model: Network) -> bool:
    """Whether a sample gets the same result in every batch: no state, no fixed batch size, no join along the batch."""
    free = all(shape and shape[0] is None for shape in model.input_shapes)
    layers = list(every(model))
    return free and not any(getattr(layer, "stateful", False) or joined_axis(layer) == 0 for layer in layers)


def _joined_calls(network: Network, model: Network) -> Sequence[Node]:
    """The calls of `model` in the order in which all outputs of the network join them; none where one does not."""
    nodes = {node.output: node for node in network.nodes}
    found: list[list[Node]] = []
    for number, output in enumerate(network.output_refs):
        node = nodes.get(output)
        if node is None or node.kwargs or joined_axis(network.by_name[node.layer]) != 0:
            return []
        if any(ref.layer != model.name or ref.tensor != number for ref in node.inputs):
            return []
        found.append([nodes[Ref(*ref.call)] for ref in node.inputs])
    if len(found) != len(model.output_refs) or any(calls != found[0] for calls in found):
        return []
    return found[0] if len({call.index for call in found[0]}) == len(found[0]) > 1 else []


def _slice(network: Network, call: Node, number: int, parts: int) -> SliceFunction | None:
    """The function that takes slice `number` of every input of the network for a call; None where one does not."""
    nodes = {node.output: node for node in network.nodes}
    slices = [nodes.get(ref) for ref in call.inputs]
    rows = set()
    for node, given in zip(slices, network.input_refs, strict=False):
        layer = network.by_name[node.layer] if node else None
        if node is None or node.kwargs or node.inputs != (given,) or not isinstance(layer, L.Lambda) or layer.custom:
            return None
        arguments = layer.arguments or {}
        row = slice_function(layer.function, arguments)
        if row is None or (arguments[row.index], arguments[row.parts]) != (number, parts):
            return None
        rows.add(row)
    complete = len(slices) == len(network.input_refs) and not call.kwargs
    return rows.pop() if complete and len(rows) == 1 else None


@singledispatch
def joined_axis(layer: Layer) -> int | None:
    """The axis along which a layer joins its inputs; None for a layer that joins none."""
    return None


@joined_axis.register
def _(layer: L.Concatenate) -> int | None:
    return layer.axis


@joined_axis.register
def _(layer: L.Merge) -> int | None:
    return layer.concat_axis if layer.mode == "concat" else None
