"""Converts layers of Keras 0.2.0 - 0.3.1 to current ones or those of `layers/early.py` that compute the same, and back.

The rows that say which release needs which of these functions are in `oddities/keras0.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from ... import layers as L
from ...arguments import argument
from ...conventions.backends import BACKENDS, CHANNELS_LAST
from ...conventions.generations import release
from ...errors import KconvertError
from ...layers import early
from ...layers.base import Layer, Shape
from ...layers.component_names import stated
from ...network.network import Network
from ...network.rewrite import NewLayer, changed

RECURRENT: tuple[type[Layer], ...] = (L.SimpleRNN, L.GRU, L.LSTM)
MASKS: tuple[type[Layer], ...] = (L.Embedding, L.Masking)
POOLINGS: dict[type[Layer], type[Layer]] = {
    L.MaxPooling1D: L.AveragePooling1D,
    L.MaxPooling2D: L.AveragePooling2D,
}
TILING: dict[type[Layer], type[Layer]] = {
    L.UpSampling1D: early.UpSampling1D030,
    L.UpSampling2D: early.UpSampling2D030,
}


def masks_matter(network: Network, version: tuple[int, ...]) -> bool:
    """Whether masks change what a network of release `version` computes (keras-facts: early-masks).

    In Keras 0.3.0 and 0.3.1 only a recurrent layer that returns sequences reads them.
    """
    leaves = [layer for _, layer in network.leaves()]
    if not any(layer.makes_mask for layer in leaves):
        return False
    read = any(getattr(layer, "return_sequences", False) for layer in leaves)
    return version < (0, 3, 0) or read or not all(map(_maskless, leaves))


def _maskless(layer: Any) -> bool:
    """Whether a layer gives the same output when it makes no mask."""
    return not isinstance(layer, L.Masking) or layer.mask_value == 0


def _as_class(layer: Layer, cls: type[Layer], **config: Any) -> list[NewLayer]:
    """The same options in another class."""
    shared = {f.name: stated(layer, f.name) for f in fields(layer) if f.init}
    return [NewLayer(cls(**shared | config))]


def not_computed_by(layer: Layer, releases: str) -> KconvertError:
    return KconvertError(
        f"what this {layer.class_name} computes, {releases} does not compute",
        where=f"layer {layer.name}",
        fix=f"use {argument('format', 'keras2')}",
    )


# ------------------------------------------------------------------- masks ----


def with_masks(layer: Any, version: tuple[int, ...]) -> Sequence[NewLayer] | None:
    """A recurrent layer that treats masks as release `version` did."""
    cls = early.EARLY[version].get(type(layer))
    if cls is None:
        return None
    as_gate = version == (0, 3, 0) and isinstance(layer, L.GRU)
    return _as_class(layer, cls, **({"activation": stated(layer, "recurrent_activation")} if as_gate else {}))


def without_masks(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """A layer whose mask nothing reads, without that mask."""
    if not layer.makes_mask:
        return None
    if isinstance(layer, L.Masking):
        same = {key: stated(layer, key) for key in ("name", "trainable", "dtype", "batch_input_shape")}
        return [NewLayer(L.Activation("linear", **same))]
    return [NewLayer(changed(layer, mask_zero=False))]


def for_masks(layer: Any, version: tuple[int, ...], releases: str) -> Sequence[NewLayer] | None:
    """The layer of release `version` that `with_masks` reads as this one."""
    for plain, cls in early.EARLY[version].items():
        if isinstance(layer, cls):
            return _as_class(layer, plain)
    raise not_computed_by(layer, releases)


# --------------------------------------------------------- layers of 0.3.0 ----


def averaging(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    cls = POOLINGS.get(type(layer))
    return _as_class(layer, cls) if cls else None


def for_averaging(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    if type(layer) in POOLINGS:
        raise not_computed_by(layer, "Keras 0.3.0 on theano")
    (maximum,) = (plain for plain, average in POOLINGS.items() if isinstance(layer, average))
    return _as_class(layer, maximum)


def multiplying(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    return _as_class(layer, early.SimpleRNN030)


def for_multiplying(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    if not isinstance(layer, early.SimpleRNN030):
        raise not_computed_by(layer, "Keras 0.3.0")
    return _as_class(layer, L.SimpleRNN)


def gate_activation(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """A GRU whose candidate has the activation of its gates."""
    return [NewLayer(changed(layer, activation=stated(layer, "recurrent_activation")))]


def for_gate_activation(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    if stated(layer, "activation") != stated(layer, "recurrent_activation"):
        raise not_computed_by(layer, "Keras 0.3.0")
    return None


def tiling(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    return _as_class(layer, TILING[type(layer)])


def for_tiling(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    for plain, cls in TILING.items():
        if isinstance(layer, cls):
            return _as_class(layer, plain)
    raise not_computed_by(layer, "Keras 0.3.0")


def bias_along_rows(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """Only where there are as many rows as filters: Keras 0.3.0 runs no other channels_last Conv2D with a bias."""
    rows = layer.compute_output_shape(shape)[1]
    return _as_class(layer, early.Conv2D030) if _has_bias(layer) and rows in (None, layer.filters) else None


def for_bias_along_rows(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    if isinstance(layer, early.Conv2D030):
        return _as_class(layer, L.Conv2D)
    if _has_bias(layer):
        raise not_computed_by(layer, "Keras 0.3.0")
    return None


def _has_bias(layer: Any) -> bool:
    """Whether one bias for each channel is another thing than one for each row."""
    return layer.data_format == CHANNELS_LAST and layer.use_bias and layer.filters > 1


def refuse_early_layers(network: Network, version: str, backend: str) -> None:
    """Raises KconvertError for a layer that only one early release computes, where release `version` is another."""
    for path, layer in network.leaves():
        if isinstance(layer, early.OF_ONE_RELEASE) and not (isinstance(layer, early.JZS) and release(version) < (0, 3)):
            raise KconvertError(
                f"{early.described(layer)} computes what Keras {version} on {backend} does not",
                where=f"layer {path}",
                fix="load it with kconvert: kconvert.load_model runs it on every backend",
            )


def unread(network: Network, version: str, backend: str) -> list[str]:
    """Why the release does not read what is written for it on `backend`."""
    other = f"kconvert alone reads the result, or use {argument('format', 'keras2')}"
    if BACKENDS[backend].first_release > release(version):
        return [f"Keras {version} does not run on {backend}: {other}"]
    masks = any(layer.makes_mask for _, layer in network.leaves())
    if masks and BACKENDS[backend].first_masks > release(version):
        return [f"Keras {version} has no masks on {backend}: {other}"]
    return []


def refuse_other_data_formats(before: Network, after: Network) -> None:
    """Raises KconvertError for a convolution of Keras 0.3.0 that would get another data format."""
    old = {path: layer.data_format for path, layer in before.leaves() if isinstance(layer, L.Conv2D)}
    for path, layer in after.leaves():
        if isinstance(layer, L.Conv2D) and old.get(path, layer.data_format) != layer.data_format:
            raise KconvertError(
                "Keras 0.2.0 and 0.3.0 compute a Conv2D rightly in channels_first alone",
                where=f"layer {path}",
                fix=f"use {argument('data_format', 'keep')}",
            )
