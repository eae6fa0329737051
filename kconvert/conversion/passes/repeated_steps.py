"""Expresses masked Bidirectionals of Keras 2 by layers of tf_keras, whose Bidirectional returns zeros at masked steps.

(keras-facts: masked-bidirectional) Keras 2 repeats at a masked step the output of the step before; in the backward
direction, that of the step behind. So does a masked SimpleRNN of tf_keras that stands alone and gives its input. One
such layer follows in each direction, and the two directions are merged after them. The layer of the backward direction
gives the last step first, so that another one turns its output round; that one must not be masked, and behind a Reshape
there is no mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ... import layers as L
from ...arguments import argument
from ...errors import KconvertError
from ...layers.base import Layer
from ...layers.lists import as_list
from ...layers.options import remade
from ...network.graph import LayerPath
from ...network.network import Network
from ...network.rewrite import NewLayer, changed, class_names, rewrite
from ...network.rewritten import Rewritten, Source
from .directions import MERGING
from .masked_steps import is_two_way
from .masks import masked_layers, read_at_masked_steps, unread_tensors
from .parts import part


def with_repeats(model: Network) -> Rewritten:
    """`model` with the layers that compute what its masked Bidirectionals do.

    Where nothing reads the masked steps, the layer stays, and gives zeros.
    """
    found: list[Any] = [layer for _, layer, mask, _ in masked_layers(model) if mask is not None and is_two_way(layer)]
    two_way = {id(layer) for layer in found if not layer.layer.zero_output_for_mask}
    if not two_way:
        return Rewritten(model)
    read = {id(layer) for layer in read_at_masked_steps(model)}
    notes: list[str] = []

    def apply(layer: Layer, shape: Any) -> Sequence[NewLayer] | None:
        if id(layer) not in two_way:
            return None
        if id(layer) not in read:
            return [NewLayer(_with_zeros(layer))]
        new = _repeating(layer, shape)
        why = "the Bidirectional of tf_keras gives zeros at masked steps"
        notes.append(f"{layer.name}: written as {class_names(new)}, for {why}")
        return new

    done = rewrite(model, apply)
    aliases = {**done.aliases, **unread_tensors(model, two_way - read)}
    return replace(done, aliases=aliases, notes=list(dict.fromkeys(notes)))


def _with_zeros(layer: Any, **options: Any) -> Layer:
    """The Bidirectional as tf_keras computes it."""
    found: Layer = remade(layer, layer=changed(layer.layer, zero_output_for_mask=True), **options)
    return found


def _repeating(layer: Any, shape: Any) -> list[NewLayer]:
    """The layer with two outputs, each repeated at masked steps, and what merges them."""
    if layer.layer.go_backwards:
        raise KconvertError(
            "tf_keras has no masked Bidirectional that repeats outputs and begins with the last step",
            where=f"layer {layer.name}",
            fix=f"use {argument('format', 'keras2')}",
        )
    apart = _with_zeros(layer, merge_mode=None)
    outputs = as_list(apart.compute_output_shape(shape))
    width = outputs[0][-1]
    merged = layer.merge_mode is not None
    states = {i - merged: i for i in range(2, len(outputs))}
    forward, backward, turned = (
        _copy(layer, what, width, i) for i, what in enumerate(("forward", "backward", "turned"))
    )
    unmasked = L.Reshape((-1, width), name=part(layer, "unmasked"))
    found = [
        NewLayer(apart, outputs=states),
        NewLayer(backward.layer, (layer.name,), sources=backward.sources, tensors=(1,)),
        NewLayer(unmasked, (backward.layer.name,)),
        NewLayer(turned.layer, (unmasked.name,), sources=turned.sources),
    ]
    first = NewLayer(forward.layer, (layer.name,), sources=forward.sources, tensors=(0,))
    ends = (forward.layer.name, turned.layer.name)
    if merged:
        last = MERGING[layer.merge_mode](name=part(layer, "merged"))
        return [*found, first, NewLayer(last, ends)]
    zeros = L.Dense(width, use_bias=False, name=part(layer, "mask"), trainable=False)
    none: dict[LayerPath, Source] = {("kernel",): np.zeros((width, width), "float32")}
    masked = L.Add(name=part(layer, "masked"))
    return [
        *found,
        NewLayer(zeros, (layer.name,), sources=none),
        NewLayer(masked, (turned.layer.name, zeros.name), outputs={1: 0}),
        first,
    ]


def _copy(layer: Layer, what: str, width: int, number: int) -> NewLayer:
    """A SimpleRNN that gives its input; the first of three runs forwards."""
    loop = L.SimpleRNN(
        width,
        activation="linear",
        use_bias=False,
        return_sequences=True,
        go_backwards=number > 0,
        name=part(layer, what),
        trainable=False,
    )
    sources: dict[LayerPath, Source] = {
        ("kernel",): np.eye(width, dtype="float32"),
        ("recurrent_kernel",): np.zeros((width, width), "float32"),
    }
    return NewLayer(loop, sources=sources)
