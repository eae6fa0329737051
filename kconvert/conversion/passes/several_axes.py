"""Converts a Softmax of tf.keras along several axes: for Keras 2, these become one axis, the last one."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ... import layers as L
from ...errors import KconvertError
from ...network.network import Network
from ...network.rewrite import NewLayer, in_sequence, rewrite
from ...network.rewritten import Rewritten
from .left_out import every
from .parts import part


def with_one_axis(model: Network) -> Rewritten:
    """`model` with a Permute and a Reshape before and after each Softmax along several axes."""
    return rewrite(model, _reshaped) if any(map(_has_several, every(model))) else Rewritten(model)


def _has_several(layer: Any) -> bool:
    return isinstance(layer, L.Softmax) and not isinstance(layer.axis, int)


def _reshaped(layer: Any, shape: Any) -> Sequence[NewLayer] | None:
    if not _has_several(layer):
        return None
    rank = len(shape)
    axes = sorted({axis % rank for axis in layer.axis})
    if 0 in axes:
        what = "Keras 2 has no Softmax along the samples of a batch"
        raise KconvertError(what, where=f"layer {layer.name}", fix="build the model without axis 0 in it")
    order = [*(axis for axis in range(1, rank) if axis not in axes), *axes]
    back = [order.index(axis) + 1 for axis in range(1, rank)]
    beside = rank - 1 - len(axes)
    free = [axis for axis in order[:beside] if shape[axis] is None][:1]  # -1 in a Reshape
    sizes = [-1 if axis in free else layer.known(shape, axis) for axis in order]
    together = [*sizes[:beside], prod(sizes[beside:])]
    new = [
        L.Permute(tuple(order), name=part(layer, "permuted")),
        L.Reshape(tuple(together), name=part(layer, "together")),
        L.Softmax(name=layer.name),
        L.Reshape(tuple(sizes), name=part(layer, "apart")),
        L.Permute(tuple(back), name=part(layer, "back")),
    ]
    return in_sequence(*new)
