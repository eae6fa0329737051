"""InceptionResNetV2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .... import layers as L
from ....models.model import Model
from .building import CHANNELS, Request, conv, joined, network, norm, relu, row
from .imagenet import decode_predictions as decode_predictions
from .imagenet import preprocessing

preprocess_input = preprocessing("tf")

_HALF: dict[str, Any] = {"strides": 2, "padding": "valid"}
_VALID: dict[str, Any] = {"padding": "valid"}

BRANCHES: dict[str, Sequence[Sequence[tuple[int, Any]]]] = {
    "block35": (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3))),
    "block17": (((192, 1),), ((128, 1), (160, [1, 7]), (192, [7, 1]))),
    "block8": (((192, 1),), ((192, 1), (224, [1, 3]), (256, [3, 1]))),
}
"""Filters and windows of the convolutions in each branch of a block."""

BLOCKS = (("block35", 10, 0.17), ("block17", 20, 0.1), ("block8", 10, 0.2))
"""The blocks, how many there are, and the factor of what they add; it is 1 for the last one."""


def _conv(filters: int, size: Any, name: str = "", **options: Any) -> Any:
    """A convolution with its normalisation and activation, as one function."""

    def call(x: Any) -> Any:
        layer = conv(filters, size, name, **{"padding": "same", **options})
        return row(x, layer, norm(f"{name}_bn" if name else "", scale=False), relu(f"{name}_ac" if name else ""))

    return call


def _scaled_sum(inputs: Any, scale: float) -> Any:
    return inputs[0] + inputs[1] * scale


def _block(x: Any, kind: str, number: int, scale: float, last: bool) -> Any:
    """A block, which adds a part of its result to `x`. last: whether it is the one without an activation."""
    name = f"{kind}_{number}"
    branches = [row(x, *(_conv(filters, size) for filters, size in branch)) for branch in BRANCHES[kind]]
    up = L.Conv2D(x.shape[CHANNELS], 1, padding="same", name=f"{name}_conv")(joined(branches, f"{name}_mixed"))
    options: dict[str, Any] = {"output_shape": x.shape[1:], "arguments": {"scale": scale}}
    added = L.Lambda(_scaled_sum, name=name, **options)([x, up])
    return added if last else relu(f"{name}_ac")(added)


def _mixed_5b(x: Any) -> Any:
    branches = [
        row(x, _conv(96, 1)),
        row(x, _conv(48, 1), _conv(64, 5)),
        row(x, _conv(64, 1), _conv(96, 3), _conv(96, 3)),
        row(x, L.AveragePooling2D(3, strides=1, padding="same"), _conv(64, 1)),
    ]
    return joined(branches, "mixed_5b")


def _mixed_6a(x: Any) -> Any:
    branches = [
        row(x, _conv(384, 3, **_HALF)),
        row(x, _conv(256, 1), _conv(256, 3), _conv(384, 3, **_HALF)),
        row(x, L.MaxPooling2D(3, **_HALF)),
    ]
    return joined(branches, "mixed_6a")


def _mixed_7a(x: Any) -> Any:
    branches = [
        row(x, _conv(256, 1), _conv(384, 3, **_HALF)),
        row(x, _conv(256, 1), _conv(288, 3, **_HALF)),
        row(x, _conv(256, 1), _conv(288, 3), _conv(320, 3, **_HALF)),
        row(x, L.MaxPooling2D(3, **_HALF)),
    ]
    return joined(branches, "mixed_7a")


@network
def InceptionResNetV2(request: Request) -> Model:
    """InceptionResNetV2 (Szegedy and others, 2016). Its blocks are Lambda layers, as in Keras."""
    start = request.start(request.shape(299, 75))
    x = row(start, _conv(32, 3, **_HALF), _conv(32, 3, **_VALID), _conv(64, 3), L.MaxPooling2D(3, strides=2))
    x = row(x, _conv(80, 1, **_VALID), _conv(192, 3, **_VALID), L.MaxPooling2D(3, strides=2))
    for before, (kind, count, scale) in zip((_mixed_5b, _mixed_6a, _mixed_7a), BLOCKS, strict=True):
        x = before(x)
        for i in range(1, count + 1):
            last = kind == "block8" and i == count
            x = _block(x, kind, i, 1.0 if last else scale, last)
    x = _conv(1536, 1, "conv_7b")(x)
    return request.model(start, request.classified(x, "predictions"), "inception_resnet_v2")
