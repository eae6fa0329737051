"""What releases of Keras 1 computed differently from their configuration says today.

(keras-facts: even-volumes-of-theano, zero-padding-of-four-numbers, zero-padding-is-symmetric, unsaved-output-shape,
output-shape-needs-a-batch-size, crop-without-an-end, shared-axes-from-0, regularizers-of-gates)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .... import layers as L
from ....arguments import argument
from ....errors import KconvertError
from ....layers.base import Shape
from ....layers.lists import as_list
from ....network.rewrite import NewLayer, changed, in_sequence
from ..repair import CROPPINGS, PADDINGS, padded, sized
from .base import Oddity, stays


def _later_windows(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """With an even kernel, the smaller half of the zeros stands before the first element."""
    if layer.padding != "same" or all(k % 2 for k in layer.kernel_size):
        return None
    pads = [((k - 1) // 2, k // 2) for k in layer.kernel_size]
    return in_sequence(*padded(layer, pads), changed(layer, padding="valid"))


def _first_two(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """Rows by the first number, columns by the second (the file has top, bottom, left, right)."""
    rows, columns = layer.padding[0]
    return None if _symmetric(layer) else [NewLayer(changed(layer, padding=((rows, rows), (columns, columns))))]


def _symmetric(layer: Any) -> bool:
    return all(before == after for before, after in layer.amounts)


def _cropped(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """As many zeros on both sides, and the surplus cut off: at least one, as Keras 1.2.0 needs it."""
    if _symmetric(layer):
        return None
    most = [max(pair) + 1 for pair in layer.amounts]
    cuts = [(n - before, n - after) for n, (before, after) in zip(most, layer.amounts, strict=True)]
    wide = sized(type(layer), [(n, n) for n in most], layer, f"{layer.name}_wide")
    return in_sequence(wide, sized(CROPPINGS[layer.rank], cuts, layer, layer.name))


def _from_one(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """Shared axes counted from 1: the batch axis is axis 0."""
    axes = as_list(layer.shared_axes or [])
    return [NewLayer(changed(layer, shared_axes=[axis + 1 for axis in axes]))] if axes else None


def _from_zero(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """Shared axes counted from 0, without the batch axis."""
    axes = as_list(layer.shared_axes or [])
    return [NewLayer(changed(layer, shared_axes=[axis - 1 for axis in axes]))] if axes else None


def _cut_everywhere(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """Zeros around the axes of which the end stays, and a crop that takes them away again."""
    more = [int(after == 0) for _, after in layer.amounts]
    if not any(more):
        return None
    cuts = [(before + n, after + n) for n, (before, after) in zip(more, layer.amounts, strict=True)]
    wide = sized(PADDINGS[layer.rank], [(n, n) for n in more], layer, f"{layer.name}_wide")
    return in_sequence(wide, sized(CROPPINGS[layer.rank], cuts, layer, layer.name))


def _unsaid_shape(layer: Any, shape: Shape) -> None:
    """With strides several output shapes are possible, and the file has only the smallest."""
    if any(stride > 1 for stride in layer.strides):
        raise KconvertError(
            "Keras 1.0.7 - 1.1.1 did not save the output_shape that a Deconvolution2D with strides was given",
            where=f"layer {layer.name}",
            fix=f"put it into the architecture (model.to_json()) and give that with {argument('arch')}",
        )


def _sized_batch(layer: Any, shape: Shape) -> None:
    """The whole output shape is a constant of the graph."""
    if not (layer.keras1_output_shape or shape)[0]:
        raise KconvertError(
            "Keras 1.0.7 - 1.2.0 on TensorFlow runs a Deconvolution2D only with a batch size in its output_shape",
            where=f"layer {layer.name}",
            fix=f"use {argument('format', 'keras2')}, or put the batch size into the architecture and give that with"
            f" {argument('arch')}",
        )


def _as_kernel(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """The regularizer of the kernel on the recurrent kernel too, where each gate has arrays of its own."""
    if layer.fused_gates or layer.recurrent_regularizer == layer.kernel_regularizer:
        return None
    return [NewLayer(changed(layer, recurrent_regularizer=layer.kernel_regularizer))]


KERAS1 = (
    Oddity(
        (1, 2, 0),
        (1, 2, 2),
        (L.GRU, L.LSTM),
        "regularizes U with W_regularizer unless consume_less is 'gpu'",
        _as_kernel,
        stays,
    ),
    Oddity(
        (1, 0, 0),
        (1, 1, 0),
        (L.Conv3D,),
        "with padding='same' and an even kernel starts its windows one element later",
        _later_windows,
        stays,
        "theano",
    ),
    Oddity((1, 0, 0), (1, 1, 0), (L.ZeroPadding2D,), "takes the first two of four numbers", _first_two, _cropped),
    Oddity((1, 0, 0), (1, 1, 0), (L.ZeroPadding1D,), "pads both sides alike", stays, _cropped),
    Oddity((1, 0, 0), (1, 2, 2), (L.ZeroPadding3D,), "pads both sides alike", stays, _cropped),
    Oddity(
        (1, 2, 0),
        (1, 2, 0),
        (L.Cropping1D, L.Cropping2D, L.Cropping3D),
        "leaves nothing of an axis of which the end stays",
        stays,
        _cut_everywhere,
    ),
    Oddity(
        (1, 2, 0),
        (1, 2, 0),
        (L.PReLU, L.SReLU, L.ParametricSoftplus),
        "counts shared_axes from 0, without the batch axis",
        _from_one,
        _from_zero,
        counts_axes=True,
    ),
    Oddity(
        (1, 0, 7),
        (1, 1, 1),
        (L.Conv2DTranspose,),
        "with strides saves the smallest output_shape, not the one it was given",
        _unsaid_shape,
        stays,
        in_files=True,
    ),
    Oddity(
        (1, 0, 7),
        (1, 2, 0),
        (L.Conv2DTranspose,),
        "runs only with a batch size in its output_shape",
        stays,
        _sized_batch,
        "tensorflow",
    ),
)
