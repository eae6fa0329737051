"""What releases of Keras 2 computed differently from their configuration says today.

(keras-facts: average-counts-zeros, dilation-ignored, pooling-3d-surplus, raised-epsilon)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .... import layers as L
from ....conventions.backends import BACKENDS, same_padding
from ....kernels import Chain, Shift
from ....layers.base import Layer, Shape
from ....network.rewrite import NewLayer, changed, in_sequence
from ..early import not_computed_by
from ..hazards import windows
from ..repair import explicit, known, padded
from ..surplus_pooling import THEANO, uncut
from .base import Oddity, stays

_AVERAGES: tuple[type[Layer], ...] = (L.AveragePooling1D, L.AveragePooling2D)

FUSED_EPSILON = 1.001e-5
"""The number to which Keras on TensorFlow raises a smaller epsilon (keras-facts: raised-epsilon)."""


def _same_average(layer: Any) -> bool:
    return layer.padding == "same"


def _counted(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """Zeros around the input, which then count in the mean."""
    if not _same_average(layer):
        return None
    pads = []
    for window in windows(layer, shape):
        n, k, s = known(layer, window.size), window.kernel, window.stride
        pads.append(same_padding(BACKENDS["theano"].pool_padding(n, k, s), n, k, s))
    return in_sequence(*padded(layer, pads), changed(layer, padding="valid"))


def _uncounted(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """Windows that hang over the edge become smaller ones."""
    return explicit(layer, shape, THEANO) if _same_average(layer) else None


def _raised_epsilon(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """variance + epsilon stays what it was: what is added to the one is taken from the other."""
    if len(shape) != 4 or layer.epsilon >= 1e-5:
        return None
    less = Chain((Shift(layer.epsilon - FUSED_EPSILON),))
    return [NewLayer(changed(layer, epsilon=FUSED_EPSILON), (), {("moving_variance",): less})]


def _undilated(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    return [NewLayer(changed(layer, dilation_rate=(1, 1)))] if _dilated(layer) else None


def _for_undilated(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    if _dilated(layer):
        raise not_computed_by(layer, "Keras 2.0.0 - 2.0.8")
    return None


def _dilated(layer: Any) -> bool:
    return any(rate != 1 for rate in layer.dilation_rate)


KERAS2 = (
    Oddity(
        (2, 0, 0),
        (2, 0, 8),
        (L.SeparableConv2D,),
        "ignores dilation_rate",
        _undilated,
        _for_undilated,
    ),
    Oddity((2, 0, 4), (2, 1, 4), _AVERAGES, "counts the zeros of padding='same'", _counted, _uncounted, "theano"),
    Oddity(
        (2, 0, 0),
        (2, 1, 5),
        (L.MaxPooling3D, L.AveragePooling3D),
        "with padding='same' gives more elements than it declares",
        uncut,
        stays,
        "theano",
        resizes=True,
    ),
    Oddity(
        (2, 1, 0),
        (2, 3, 1),
        (L.BatchNormalization,),
        f"raises the epsilon of images to {FUSED_EPSILON}",
        stays,
        _raised_epsilon,
        "tensorflow",
    ),
)
