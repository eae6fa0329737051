"""Xception."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .... import layers as L
from ....models.model import Model
from .building import Request, conv, network, norm_last, relu, row
from .imagenet import decode_predictions as decode_predictions
from .imagenet import preprocessing

preprocess_input = preprocessing("tf")


def _separable(filters: int, name: str) -> list[Any]:
    layer = L.SeparableConv2D(filters, (3, 3), padding="same", use_bias=False, name=name)
    return [layer, norm_last(f"{name}_bn")]


def _shrinking(x: Any, block: str, filters: Sequence[int], first: bool) -> Any:
    """A block that halves rows and columns. first: whether an activation comes before its first convolution."""
    beside = row(x, conv(filters[1], (1, 1), strides=(2, 2), padding="same"), norm_last())
    x = row(x, relu(f"{block}_sepconv1_act") if first else None, *_separable(filters[0], f"{block}_sepconv1"))
    x = row(x, relu(f"{block}_sepconv2_act"), *_separable(filters[1], f"{block}_sepconv2"))
    x = L.MaxPooling2D((3, 3), strides=(2, 2), padding="same", name=f"{block}_pool")(x)
    return L.Add()([x, beside])


def _middle(x: Any, block: str) -> Any:
    y = x
    for i in (1, 2, 3):
        y = row(y, relu(f"{block}_sepconv{i}_act"), *_separable(728, f"{block}_sepconv{i}"))
    return L.Add()([y, x])


@network
def Xception(request: Request) -> Model:
    """Xception (Chollet, 2016)."""
    x = start = request.start(request.shape(299, 71))
    for i, (filters, strides) in enumerate(((32, (2, 2)), (64, (1, 1))), 1):
        name = f"block1_conv{i}"
        x = row(x, conv(filters, (3, 3), name, strides=strides), norm_last(f"{name}_bn"), relu(f"{name}_act"))
    for i, filters in enumerate((128, 256, 728), 2):
        x = _shrinking(x, f"block{i}", (filters, filters), first=i > 2)
    for i in range(5, 13):
        x = _middle(x, f"block{i}")
    x = _shrinking(x, "block13", (728, 1024), first=True)
    for i, filters in enumerate((1536, 2048), 1):
        x = row(x, *_separable(filters, f"block14_sepconv{i}"), relu(f"block14_sepconv{i}_act"))
    return request.model(start, request.classified(x, "predictions"), "xception")
