"""What tf_keras and Keras 3 compute otherwise than Keras 2.3 from the same file: a note that names the layers.

A result for Keras 2 on TensorFlow can be loaded in them too, and they load it without an error (keras-facts:
readers-of-today). The same rows tell what a file that one of them saved means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ... import layers as L
from ...conventions.generations import release_of_tensorflow
from ...errors import KconvertError
from ...layers.base import Layer
from ...network.graph import CallId
from ...network.network import Network
from ...network.rewrite import Rewritten
from .left_out import every, listed

TF_KERAS, KERAS3 = "tf_keras", "Keras 3"
FIRST_KERAS3 = (3,)


@dataclass(frozen=True)
class Difference:
    """One kind of layer that other readers of a Keras 2 file compute otherwise."""

    readers: tuple[str, ...]
    """Those that do."""
    holds: Callable[[Any, bool], bool]
    """Whether it is such a layer, from the layer and whether its input is masked."""
    does: str
    """What they do, after their names."""
    refused: bool = False
    """Whether a file that one of them saved is refused; else it is noted. None of its layers is in Keras 2."""


def _bilinear(layer: Any, masked: bool) -> bool:
    return isinstance(layer, L.UpSampling2D) and layer.interpolation == "bilinear"


def _masked_sequences(layer: Any, masked: bool) -> bool:
    return masked and isinstance(layer, L.Bidirectional) and layer.layer.return_sequences


def _unstated_reset(layer: Any, masked: bool) -> bool:
    return isinstance(layer, (L.GRU, L.GRUCell)) and "reset_after" in layer.unstated and not layer.reset_after


def _hard_sigmoid(layer: Any, masked: bool) -> bool:
    names = ("activation", "recurrent_activation")
    return any(getattr(layer, name, None) == "hard_sigmoid" for name in names)


DIFFERENCES = (
    Difference((TF_KERAS, KERAS3), _bilinear, "enlarges bilinearly by the centres of pixels (from TensorFlow 1.15 on)"),
    Difference((TF_KERAS, KERAS3), _masked_sequences, "gives zeros at masked steps, not the output of the step before"),
    Difference((TF_KERAS, KERAS3), _unstated_reset, "takes reset_after for true, which the file does not state"),
    Difference((KERAS3,), _hard_sigmoid, "computes hard_sigmoid as relu6(x + 3) / 6, not as 0.2 x + 0.5", refused=True),
)


def notes_for_readers(model: Network) -> Rewritten:
    """`model` of a result for Keras 2 on TensorFlow, with a note on each row that holds for a layer."""
    notes = []
    for row in DIFFERENCES:
        names = _names(model, row)
        if names:
            notes.append(
                f"Keras 2.3 computes {listed(names)} as here; loaded in {' or '.join(row.readers)}, it {row.does}"
            )
    return Rewritten(model, notes=notes)


def notes_on_writer(model: Network, version: str | None) -> Rewritten:
    """`model` of a file of release `version`, with a note on what Keras 2 computes otherwise.

    Raises KconvertError for a layer that no layer of Keras 2 computes alike.
    """
    numbers = release_of_tensorflow(version)
    writer = KERAS3 if numbers >= FIRST_KERAS3 else TF_KERAS
    notes = []
    for row in DIFFERENCES if numbers else ():
        names = _names(model, row) if writer in row.readers else []
        if names and row.refused:
            raise KconvertError(
                f"{writer} {row.does}, and Keras 2 has no layer that does so",
                where=f"layer {names[0]}",
                fix="replace hard_sigmoid in the model by another activation, and train it again",
            )
        if names:
            notes.append(f"{writer}, which saved {listed(names)}, {row.does}; Keras 2 does not")
    return Rewritten(model, notes=notes)


def _names(model: Network, row: Difference) -> list[str]:
    layers = _masked(model, [])[0]
    return list(dict.fromkeys(name for name, layer, masked in layers if row.holds(layer, masked)))


def _masked(network: Network, given: Sequence[bool]) -> tuple[list[tuple[str, Layer, bool]], bool]:
    """(name, layer, whether a mask may reach it) of each layer and the layers in it, and whether the output has a mask.

    given: whether each input of the network has a mask; none: no input has one.
    """
    found: list[tuple[str, Layer, bool]] = []
    masks: dict[CallId, bool] = dict(zip((ref.call for ref in network.input_refs), given, strict=False))
    for node in network.nodes:
        layer = network.by_name[node.layer]
        inputs = [masks.get(ref.call, False) for ref in node.inputs]
        if isinstance(layer, Network):
            inner, masks[node.output.call] = _masked(layer, inputs)
            found += inner
        elif inputs:
            found += _inside(layer, any(inputs))
            masks[node.output.call] = layer.makes_mask or (any(inputs) and _passes_mask(layer))
    return found, any(masks.get(ref.call, False) for ref in network.output_refs)


def _inside(layer: Layer, masked: bool) -> Iterator[tuple[str, Layer, bool]]:
    """A layer and the layers inside it, all under its name."""
    return ((layer.name, inner, masked) for inner in every(layer))


def _passes_mask(layer: Any) -> bool:
    """Whether the output has the mask of the input; a recurrent layer keeps it for sequences."""
    inner = layer.layer if isinstance(layer, L.Bidirectional) else layer
    return layer.supports_masking and getattr(inner, "return_sequences", True)
