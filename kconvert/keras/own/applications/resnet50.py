"""ResNet50 with the layer names of its first weight files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .... import layers as L
from ....models.model import Model
from .building import Request, network, norm, relu, row
from .imagenet import decode_predictions as decode_predictions
from .imagenet import preprocessing

preprocess_input = preprocessing("caffe")

_STAGES = ((2, "abc", 64), (3, "abcd", 128), (4, "abcdef", 256), (5, "abc", 512))
"""For each stage: its number, the names of its blocks, and its number of filters."""


def _conv(filters: int, size: Any, name: str, **options: Any) -> Any:
    return L.Conv2D(filters, size, kernel_initializer="he_normal", name=name, **options)


def _block(x: Any, name: str, filters: int, strides: Sequence[int] | None) -> Any:
    """A block; strides: those of a block with a convolution beside it, None for one without."""
    options = {} if strides is None else {"strides": strides}
    y = row(x, _conv(filters, (1, 1), f"res{name}_branch2a", **options), norm(f"bn{name}_branch2a"), relu())
    y = row(y, _conv(filters, (3, 3), f"res{name}_branch2b", padding="same"), norm(f"bn{name}_branch2b"), relu())
    y = row(y, _conv(4 * filters, (1, 1), f"res{name}_branch2c"), norm(f"bn{name}_branch2c"))
    if strides is not None:
        x = row(x, _conv(4 * filters, (1, 1), f"res{name}_branch1", strides=strides), norm(f"bn{name}_branch1"))
    return row(L.Add()([y, x]), relu())


@network
def ResNet50(request: Request) -> Model:
    """ResNet50 (He and others, 2015)."""
    start = request.start(request.shape(224, 32))
    x = row(start, L.ZeroPadding2D((3, 3), name="conv1_pad"), _conv(64, (7, 7), "conv1", strides=(2, 2)))
    x = row(x, norm("bn_conv1"), relu(), L.ZeroPadding2D((1, 1), name="pool1_pad"))
    x = L.MaxPooling2D((3, 3), strides=(2, 2))(x)
    for number, names, filters in _STAGES:
        for name in names:
            strides = None if name != "a" else (1, 1) if number == 2 else (2, 2)
            x = _block(x, f"{number}{name}", filters, strides)
    return request.model(start, request.classified(x, "fc1000"), "resnet50")
