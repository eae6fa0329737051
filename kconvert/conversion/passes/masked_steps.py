"""Expresses a Bidirectional of tf.keras, which returns zeros at masked steps, by layers of Keras 2.

(keras-facts: masked-bidirectional) Keras 2 repeats the output of the step before. It has no layer that gives a mask as
a tensor, but a masked recurrent layer shows it. One that counts the steps, modulo 2 and in one-hot form, repeats its
value at a masked step. The count of the last step that is not masked, up to a step, and of the next one, from it, are
equal where the step itself is not masked. Otherwise they differ, or one of them is zeros. So the product of the two is
the mask, which then multiplies the output.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ... import layers as L
from ...arguments import argument
from ...conventions.generations import release_of_tensorflow
from ...errors import KconvertError
from ...layers.base import Layer
from ...layers.lists import as_list
from ...layers.options import remade
from ...network.graph import LayerPath
from ...network.network import Network
from ...network.rewrite import NewLayer, changed, class_names, rewrite
from ...network.rewritten import Rewritten, Source
from .left_out import listed
from .masks import masked_layers, read_at_masked_steps, refuse_masks_of_keras3, sequences_of, unread_tensors
from .parts import ZEROS, part

UNSURE = (2, 2, 4)
"""The release that tf.keras of TensorFlow 1.13 states too, which repeats outputs."""

FIRST_KERAS3 = (3,)


def with_zeros(model: Network, version: str | None) -> Rewritten:
    """`model` of a file of release `version`, whose masked Bidirectionals give zeros at masked steps as tf.keras does.

    A file of Keras 3 states that itself. Raises KconvertError for one that Keras 3 computed without a mask.
    """
    numbers = release_of_tensorflow(version)
    if numbers >= FIRST_KERAS3:
        refuse_masks_of_keras3(model)
    if not () < numbers < FIRST_KERAS3:
        return Rewritten(model)
    found: list[Any] = [layer for _, layer, mask, _ in masked_layers(model) if mask is not None and is_two_way(layer)]
    inside = {id(layer.layer) for layer in found}

    def apply(layer: Any, shape: Any) -> Sequence[NewLayer] | None:
        if isinstance(layer, L.Bidirectional) and layer.stated_backward is not None and id(layer.layer) in inside:
            first, second = (changed(one, zero_output_for_mask=True) for one in (layer.layer, layer.stated_backward))
            return [NewLayer(remade(layer, layer=first, stated_backward=second))]
        return [NewLayer(changed(layer, zero_output_for_mask=True))] if id(layer) in inside else None

    names = list(dict.fromkeys(layer.name for layer in found))
    unsure = argument("source_release", ".".join(map(str, UNSURE)))
    notes = [
        f"{listed(names)}: read as with zeros at masked steps, as in tf.keras from TensorFlow 1.14 on; if TensorFlow"
        f" 1.13 saved the file, give {unsure} with {argument('force', True)}"
    ]
    return replace(rewrite(model, apply), notes=notes if numbers == UNSURE else []) if found else Rewritten(model)


def is_two_way(layer: Any) -> bool:
    """Whether it is a Bidirectional of sequences that has the option."""
    return (
        isinstance(layer, L.Bidirectional)
        and layer.layer.return_sequences
        and "zero_output_for_mask" in {f.name for f in layer.layer.config_fields()}
    )


def without_zeros(model: Network) -> Rewritten:
    """`model` for Keras 2: the outputs of layers that give zeros at masked steps are multiplied by the mask.

    Where the input has no mask, or nothing reads the masked steps, the layer stays as Keras 2 has it.
    """
    giving = [(layer, mask) for _, layer, mask, _ in masked_layers(model) if _gives_zeros(layer)]
    if not giving:
        return Rewritten(model)
    masked = {id(layer) for layer, mask in giving if mask is not None}
    read = masked & {id(layer) for layer in read_at_masked_steps(model)}
    notes: list[str] = []

    def apply(layer: Layer, shape: Any) -> Sequence[NewLayer] | None:
        if not _gives_zeros(layer):
            return None
        if id(layer) not in read:
            return [NewLayer(_plain(layer))]
        new = _times_mask(layer, shape)
        notes.append(f"{layer.name}: Keras 2 has no zeros at masked steps; written as {class_names(new)}")
        return new

    done = rewrite(model, apply)
    aliases = {**done.aliases, **unread_tensors(model, masked - read)}
    return replace(done, aliases=aliases, notes=list(dict.fromkeys(notes)))


def _gives_zeros(layer: Any) -> bool:
    inner = layer.layer if isinstance(layer, L.Bidirectional) else layer
    return getattr(inner, "zero_output_for_mask", False)


def _backwards(layer: Any) -> bool:
    """Whether the output has the last step of the input first."""
    return (layer.layer if isinstance(layer, L.Bidirectional) else layer).go_backwards


def _plain(layer: Any) -> Layer:
    """The layer without zeros at masked steps."""
    if isinstance(layer, L.Bidirectional):
        return remade(layer, layer=changed(layer.layer, zero_output_for_mask=False))
    return changed(layer, zero_output_for_mask=False)


def _times_mask(layer: Any, shape: Any) -> list[NewLayer]:
    """The layer as Keras 2 has it, its mask as a tensor, and the products of its sequences with that."""
    outputs = as_list(layer.compute_output_shape(shape))
    sequences = sorted(sequences_of(layer))
    width = outputs[0][-1]
    if len(outputs[0]) != len(("batch", "time", "features")) or _backwards(layer):
        raise KconvertError(
            "Keras 2 has no zeros at masked steps, and only a sequence in the order of the input takes a mask",
            where=f"layer {layer.name}",
            fix=f"{argument('format', 'keras3')} writes it",
        )
    states = {i: i for i in range(len(outputs)) if i not in sequences}
    count = L.SimpleRNN(2, activation="linear", return_sequences=True, name=part(layer, "count"), trainable=False)
    code = L.SimpleRNN(2, activation="linear", use_bias=False, return_sequences=True, name="count")
    both = L.Bidirectional(code, merge_mode="mul", name=part(layer, "mask"), trainable=False)
    spread = L.Dense(width, use_bias=False, name=part(layer, "spread"), trainable=False)
    copies: dict[LayerPath, Source] = {
        (one.name, name): array for one in both.sublayers for name, array in _COPY.items()
    }
    products = [
        NewLayer(
            L.Multiply(name=part(layer, f"{ZEROS}_{i}" if i else ZEROS)),
            (layer.name, spread.name),
            tensors=(i, 0),
            outputs={i: 0},
        )
        for i in reversed(sequences)
    ]
    return [
        NewLayer(_plain(layer), outputs=states),
        NewLayer(count, (layer.name,), sources={(name,): array for name, array in _counting(width).items()}),
        NewLayer(both, (count.name,), sources=copies),
        NewLayer(spread, (both.name,), sources={("kernel",): np.ones((2, width), "float32")}),
        *products,
    ]


def _counting(width: int) -> dict[str, np.ndarray]:
    """Weights with which the state is (1, 0), (0, 1), (1, 0), ... from zeros on: (1 - p, p) of the state (p, q)."""
    return {
        "kernel": np.zeros((width, 2), "float32"),
        "recurrent_kernel": np.array([[-1, 1], [0, 0]], "float32"),
        "bias": np.array([1, 0], "float32"),
    }


_COPY = {"kernel": np.eye(2, dtype="float32"), "recurrent_kernel": np.zeros((2, 2), "float32")}
"""Weights with which a step gives its input."""
