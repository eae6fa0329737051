"""Notes on layers that tf_keras and Keras 3 compute differently from Keras 2.3.

A result for Keras 2 on TensorFlow can be loaded in them too, and they load it without an error (keras-facts:
readers-of-today). The same rows apply to files that one of them saved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ... import layers as L
from ...conventions.generations import READER_KERAS3, READER_TF_KERAS, release_of_tensorflow
from ...layers.base import Layer
from ...lazy_dataclasses import dataclass
from ...network.network import Network
from ...network.rewritten import Rewritten
from .left_out import listed
from .masks import masked_layers, read_at_masked_steps

READERS = (READER_TF_KERAS, READER_KERAS3)
TF_KERAS, KERAS3 = (reader.title for reader in READERS)
FIRST_KERAS3 = (3,)


@dataclass(frozen=True)
class Difference:
    """One kind of layer that other readers of a Keras 2 file compute differently."""

    readers: tuple[str, ...]
    """The readers that compute it differently."""
    holds: Callable[[Any, bool], bool]
    """Whether it is such a layer, from the layer and whether something reads its output at masked steps."""
    does: str
    """What they compute, as the rest of a sentence that begins with their names."""


def _bilinear(layer: Any, masked: bool) -> bool:
    return isinstance(layer, L.UpSampling2D) and layer.interpolation == "bilinear"


def _masked_sequences(layer: Any, masked: bool) -> bool:
    two_way = masked and isinstance(layer, L.Bidirectional) and layer.layer.return_sequences
    return two_way and not getattr(layer.layer, "zero_output_for_mask", False)


def _unstated_reset(layer: Any, masked: bool) -> bool:
    return isinstance(layer, (L.GRU, L.GRUCell)) and "reset_after" in layer.unstated and not layer.reset_after


def _hard_sigmoid(layer: Any, masked: bool) -> bool:
    names = ("activation", "recurrent_activation")
    return any(vars(layer).get(name) == "hard_sigmoid" for name in names)


DIFFERENCES = (
    Difference((TF_KERAS, KERAS3), _bilinear, "enlarges bilinearly by the centres of pixels (from TensorFlow 1.15 on)"),
    Difference((TF_KERAS, KERAS3), _masked_sequences, "gives zeros at masked steps, not the output of the step before"),
    Difference((TF_KERAS, KERAS3), _unstated_reset, "takes reset_after for true, which the file does not state"),
    Difference((KERAS3,), _hard_sigmoid, "computes hard_sigmoid as relu6(x + 3) / 6, not as 0.2 x + 0.5"),
)


def notes_for_readers(model: Network) -> Rewritten:
    """`model` of a result for Keras 2 on TensorFlow, with a note on each row that holds for a layer."""
    notes = []
    layers = _masked(model)
    for row in DIFFERENCES:
        names = _names(layers, row)
        if names:
            notes.append(
                f"Keras 2.3 computes {listed(names)} as here; loaded in {' or '.join(row.readers)}, it {row.does}"
            )
    return Rewritten(model, notes=notes)


def notes_on_writer(model: Network, version: str | None) -> Rewritten:
    """`model` of a file of release `version`, with a note on what tf.keras computes differently from Keras 2.

    A file of Keras 3 is one that kconvert wrote: its layers compute what Keras 2 does.
    """
    numbers = release_of_tensorflow(version)
    notes = []
    if not () < numbers < FIRST_KERAS3:
        return Rewritten(model)
    layers = _masked(model)
    for row in DIFFERENCES:
        names = _names(layers, row) if TF_KERAS in row.readers else []
        if names:
            notes.append(f"{TF_KERAS}, which saved {listed(names)}, {row.does}; Keras 2 does not")
    return Rewritten(model, notes=notes)


def computed_otherwise(model: Network, package: str, version: str) -> dict[str, str]:
    """What a release of a package computes differently from Keras 2.3, by the names of the layers.

    Activations are named in conventions/activations.py.
    """
    titles = [one.title for one in READERS if one.package == package and version.startswith(one.releases)]
    rows = [row for row in DIFFERENCES if set(titles) & set(row.readers) and row.holds is not _hard_sigmoid]
    layers = _masked(model)
    return {name: f"in {titles[0]} it {row.does}" for row in rows for name in _names(layers, row)}


def _masked(model: Network) -> list[tuple[str, Layer, bool]]:
    """Each layer with its name, and whether something reads its output at masked steps."""
    read = {id(layer) for layer in read_at_masked_steps(model)}
    return [(name, layer, mask is not None and id(layer) in read) for name, layer, mask, _ in masked_layers(model)]


def _names(layers: Sequence[tuple[str, Layer, bool]], row: Difference) -> list[str]:
    """The names of the layers for which a row holds."""
    return list(dict.fromkeys(name for name, layer, masked in layers if row.holds(layer, masked)))
