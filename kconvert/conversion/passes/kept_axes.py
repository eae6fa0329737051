"""Converts global poolings that keep the axes of the image, an option of tf.keras, by adding a Reshape for Keras 2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import layers as L
from ...layers.shapes import channel_axis
from ...network.network import Network
from ...network.rewrite import NewLayer, changed, in_sequence, rewrite
from ...network.rewritten import Rewritten
from .left_out import every
from .parts import part


def without_kept_axes(model: Network) -> Rewritten:
    """`model` with a Reshape after each global pooling that keeps the axes."""
    return rewrite(model, _reshaped) if any(map(_keeps_axes, every(model))) else Rewritten(model)


def _keeps_axes(layer: Any) -> bool:
    return getattr(layer, "keepdims", False) and "keepdims" in {f.name for f in layer.config_fields()}


def _reshaped(layer: Any, shape: Any) -> Sequence[NewLayer] | None:
    if not _keeps_axes(layer):
        return None
    sizes = [1] * len(shape)
    axis = channel_axis(len(shape), layer.data_format)
    sizes[axis] = layer.known(shape, axis)
    pooling = changed(layer, keepdims=False)
    return in_sequence(pooling, L.Reshape(tuple(sizes[1:]), name=part(layer, "axes")))
