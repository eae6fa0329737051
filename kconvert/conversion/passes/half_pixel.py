"""Expresses the bilinear upsampling of tf.keras by layers of Keras 2 (keras-facts: half-pixel-centers).

Keras 2, and tf.keras before TensorFlow 1.15, keep the position of the first pixel. tf.keras aligns the centres of
pixels: the new pixel o is at (o + 0.5) / f - 0.5. Upsampling by f in this way is the same as repeating each pixel f
times, and the edges f // 2 times more, and averaging windows of f; if f is even, then windows of 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ... import layers as L
from ...arguments import argument
from ...conventions.generations import OF_TENSORFLOW, release_of_tensorflow
from ...errors import KconvertError
from ...layers.base import Layer, Shape
from ...layers.shapes import space, space_axes
from ...network.network import Network
from ...network.rewrite import NewLayer, changed, class_names, rewrite
from ...network.rewritten import Rewritten

UNSURE, SINCE = (2, 2, 4), (2, 3, 0)
"""The release that tf.keras of TensorFlow 1.13 - 2.1 states, and the first one of which all files are such."""


def with_pixel_centers(model: Network, version: str | None) -> Rewritten:
    """`model` of a file of release `version`, with layers of Keras 2 that enlarge as that release did.

    Raises KconvertError where the release does not tell, or where the size of an image is not known.
    """
    numbers = release_of_tensorflow(version)
    notes: list[str] = []

    def apply(layer: Layer, shape: Any) -> Sequence[NewLayer] | None:
        if not isinstance(layer, L.UpSampling2D) or layer.interpolation != "bilinear" or max(layer.size) == 1:
            return None
        if numbers < SINCE:
            raise _undecided(layer, version)
        new = _enlarged(layer, shape)
        why = f"tf.keras {version} enlarges bilinearly by the centres of pixels, Keras 2 by their corners"
        notes.append(f"{layer.name}: read as {class_names(new)}, for {why}")
        return new

    return Rewritten(model) if numbers < UNSURE else _with_notes(rewrite(model, apply), notes)


def _with_notes(done: Rewritten, notes: list[str]) -> Rewritten:
    return replace(done, notes=list(dict.fromkeys(notes)))


def _undecided(layer: Layer, version: str | None) -> KconvertError:
    return KconvertError(
        f"tf.keras {version} is of TensorFlow 1.13 - 2.1, and bilinear enlarging changed with TensorFlow 1.15",
        where=f"layer {layer.name}",
        fix=f"give {argument('source_release', f'2.3.0{OF_TENSORFLOW}')} if TensorFlow 1.15 or later saved the file,"
        f" {argument('source_release', '2.2.4')} if an earlier one did, each with {argument('force', True)}",
    )


def _enlarged(layer: L.UpSampling2D, shape: Shape) -> list[NewLayer]:
    """The layers that compute `layer` on images of `shape` by the centres of pixels."""
    sizes = space(shape, layer.data_format)
    if None in sizes:
        raise KconvertError(
            "bilinear enlarging of tf.keras can be written for Keras 2 only if the size of the image is known",
            where=f"layer {layer.name}",
            fix="state the size in the shape of the model's input",
        )
    nearest = changed(layer, name=f"{layer.name}_nearest", interpolation="nearest")
    new = [NewLayer(nearest)]
    for i, (axis, n, factor) in enumerate(zip(space_axes(4, layer.data_format), sizes, layer.size, strict=True)):
        if factor > 1:
            new += _with_edges(layer, new[-1].layer.name, i, axis, n * factor, factor // 2)
    for window in (layer.size, tuple(2 - factor % 2 for factor in layer.size)):
        if max(window) > 1:
            name = f"{layer.name}_mean_{len(new)}"
            mean = L.AveragePooling2D(window, strides=1, data_format=layer.data_format, name=name)
            new.append(NewLayer(mean, (new[-1].layer.name,)))
    last = new.pop()
    return [*new, NewLayer(changed(last.layer, name=layer.name), last.inputs)]


def _with_edges(layer: L.UpSampling2D, of: str, i: int, axis: int, n: int, more: int) -> list[NewLayer]:
    """`more` repetitions of the first and of the last of `n` elements on spatial axis `i` of the tensor `of`."""
    edges = []
    for side, amounts in (("before", (0, n - more)), ("after", (n - more, 0))):
        cropping = [(0, 0), (0, 0)]
        cropping[i] = amounts
        crop = L.Cropping2D(cropping, data_format=layer.data_format, name=f"{layer.name}_{side}_{i}")
        edges.append(NewLayer(crop, (of,)))
    joined = L.Concatenate(axis, name=f"{layer.name}_edges_{i}")
    before, after = (edge.layer.name for edge in edges)
    return [*edges, NewLayer(joined, (before, of, after))]
