"""Converts a Bidirectional with a separate `backward_layer`, an option of tf.keras, to layers of Keras 2.

If that layer is a copy of the forward layer, the result is a plain Bidirectional. Otherwise each direction becomes a
layer. A layer that runs backwards gives its sequence from the last step to the first; the second direction of a
Bidirectional without a merge gives it from the first to the last. So the backward layer becomes a Bidirectional, whose
first output is not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ... import layers as L
from ...errors import KconvertError
from ...layers.base import layer_config
from ...layers.lists import as_list
from ...layers.options import remade
from ...network.graph import LayerPath, leaf_weights
from ...network.network import Network
from ...network.rewrite import NewLayer, changed, class_names, rewrite
from ...network.rewritten import Rewritten, Source
from .left_out import every
from .parts import part

MERGING: dict[str, type[Any]] = {"concat": L.Concatenate, "sum": L.Add, "mul": L.Multiply, "ave": L.Average}
"""The layers that merge the two directions, by the mode of the Bidirectional."""


def with_copies(model: Network) -> Rewritten:
    """`model` without any `backward_layer`. Raises KconvertError for a Bidirectional that has no such form."""
    if not any(isinstance(layer, L.Bidirectional) and layer.stated_backward is not None for layer in every(model)):
        return Rewritten(model)
    notes: list[str] = []

    def apply(layer: Any, shape: Any) -> Sequence[NewLayer] | None:
        if not isinstance(layer, L.Bidirectional) or layer.stated_backward is None:
            return None
        if _is_copy(layer):
            return [_plain(layer, shape)]
        new = _apart(layer, shape)
        notes.append(f"{layer.name}: Keras 2 has no backward_layer; written as {class_names(new)}")
        return new

    done = rewrite(model, apply)
    return replace(done, notes=list(dict.fromkeys(notes)))


def _is_copy(layer: L.Bidirectional) -> bool:
    """Whether the backward layer has the class and the options of the forward one."""
    copy = remade(layer.layer, go_backwards=not layer.layer.go_backwards, name=layer.stated_backward.name)
    return layer_config(copy) == layer_config(layer.stated_backward)


def _plain(layer: L.Bidirectional, shape: Any) -> NewLayer:
    """The Bidirectional of Keras 2, whose copy has the weights of the backward layer."""
    new = remade(layer, stated_backward=None)
    sequence = shape[0] if isinstance(shape, list) else shape
    forward = _from(new.forward_layer, layer.forward_layer, sequence, inside=True)
    return NewLayer(new, sources={**forward, **_from(new.backward_layer, layer.backward_layer, sequence, inside=True)})


def _apart(layer: L.Bidirectional, shape: Any) -> list[NewLayer]:
    """Both directions, and what merges them."""
    if isinstance(shape, list) or layer.layer.go_backwards or layer.layer.stateful:
        raise KconvertError(
            "Keras 2 has no backward_layer of other options, and this one has initial states, is stateful or is the one"
            " that reads forwards",
            where=f"layer {layer.name}",
            fix="build the model with two recurrent layers and a layer that merges them",
        )
    sequences, merged = layer.layer.return_sequences, layer.merge_mode is not None
    forward = changed(layer.layer, name=part(layer, "forward"))
    first = NewLayer(forward, sources=_from(forward, layer.forward_layer, shape))
    if sequences:
        inner = changed(layer.stated_backward, go_backwards=False)
        backward: Any = L.Bidirectional(inner, merge_mode=None, name=part(layer, "backward"))
        copies = [_from(one, layer.backward_layer, shape, inside=True) for one in backward.sublayers]
        sources = {**copies[0], **copies[1]}
    else:
        backward = changed(layer.stated_backward, name=part(layer, "backward"))
        sources = _from(backward, layer.backward_layer, shape)
    n, back = (len(as_list(one.compute_output_shape(shape))) - 1 for one in (layer.forward_layer, layer.backward_layer))
    output = 1 if sequences else 0
    skipped = 2 + back if sequences else 1  # outputs of the new layer before the states of the backward one
    outputs = 1 if merged else 2
    second = NewLayer(
        backward,
        sources=sources,
        outputs={**({} if merged else {1: output}), **{outputs + n + i: skipped + i for i in range(back)}},
    )
    first = replace(first, outputs={outputs + i: 1 + i for i in range(n)})
    if layer.merge_mode is None:
        return [second, first]
    merge = MERGING[layer.merge_mode](name=part(layer, "merged"))
    return [first, second, NewLayer(merge, (forward.name, backward.name), tensors=(0, output))]


def _from(new: Any, old: Any, shape: Any, inside: bool = False) -> dict[LayerPath, Source]:
    """The sources of the weights of `new`: those of `old`, a direction of the Bidirectional.

    inside: whether `new` is a layer in the new layer, and not that itself.
    """
    before = (new.name,) if inside else ()
    return {
        (*before, *leaf.path[1:], weight.name): (old.name, *leaf.path[1:], weight.name)
        for leaf in leaf_weights(old, shape)
        for weight in leaf.weights
    }
