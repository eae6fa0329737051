"""Xception, with the names of layers and of files of Keras 1.2.2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....errors import warn
from .. import layers as _layers
from ..models import Model
from ..settings import image_dim_ordering, set_image_dim_ordering
from .building import Network, network, scaled
from .imagenet import decode_predictions as decode_predictions

L: Any = _layers

preprocess_input = scaled


def _separable(x: Any, filters: int, name: str) -> Any:
    x = L.SeparableConv2D(filters, 3, 3, border_mode="same", bias=False, name=name)(x)
    return L.BatchNormalization(name=f"{name}_bn")(x)


def _relu(x: Any, name: str) -> Any:
    return L.Activation("relu", name=f"{name}_act")(x)


def _shrinking(x: Any, block: str, filters: Sequence[int]) -> Any:
    """A block that halves rows and columns; the first one begins without an activation."""
    beside = L.Conv2D(filters[1], 1, 1, subsample=(2, 2), border_mode="same", bias=False)(x)
    beside = L.BatchNormalization()(beside)
    if block != "block2":
        x = _relu(x, f"{block}_sepconv1")
    x = _separable(x, filters[0], f"{block}_sepconv1")
    x = _separable(_relu(x, f"{block}_sepconv2"), filters[1], f"{block}_sepconv2")
    x = L.MaxPooling2D((3, 3), strides=(2, 2), border_mode="same", name=f"{block}_pool")(x)
    return L.merge([x, beside], mode="sum")


def _middle(x: Any, block: str) -> Any:
    y = x
    for i in (1, 2, 3):
        y = _separable(_relu(y, f"{block}_sepconv{i}"), 728, f"{block}_sepconv{i}")
    return L.merge([y, x], mode="sum")


@network
def Xception(wanted: Network) -> Model:
    """Xception (Chollet, 2016), in the ordering 'tf', also where another one is set."""
    before = image_dim_ordering()
    if before != "tf":
        what = f"Xception takes images in the dim_ordering 'tf'; the one that is set is {before!r}"
        warn(what)
    set_image_dim_ordering("tf")
    try:
        return _xception(wanted)
    finally:
        set_image_dim_ordering(before)


def _xception(wanted: Network) -> Model:
    x = start = wanted.start(299, 71)
    for i, (filters, strides) in enumerate(((32, (2, 2)), (64, (1, 1))), 1):
        name = f"block1_conv{i}"
        x = L.Conv2D(filters, 3, 3, subsample=strides, bias=False, name=name)(x)
        x = _relu(L.BatchNormalization(name=f"{name}_bn")(x), name)
    for i, filters in enumerate((128, 256, 728), 2):
        x = _shrinking(x, f"block{i}", (filters, filters))
    for i in range(5, 13):
        x = _middle(x, f"block{i}")
    x = _shrinking(x, "block13", (728, 1024))
    for i, filters in enumerate((1536, 2048), 1):
        x = _relu(_separable(x, filters, f"block14_sepconv{i}"), f"block14_sepconv{i}")
    if wanted.include_top:
        x = L.GlobalAveragePooling2D(name="avg_pool")(x)
        x = L.Dense(wanted.classes, activation="softmax", name="predictions")(x)
    return wanted.model(start, x, "xception", "xception")
