"""VGG16 and VGG19, with the names of layers and of files of Keras 1.2.2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import layers as _layers
from ..models import Model
from .building import Network, network
from .imagenet import decode_predictions as decode_predictions
from .imagenet import preprocess_input as preprocess_input

L: Any = _layers


def _vgg(wanted: Network, name: str, blocks: Sequence[int]) -> Model:
    """blocks: the number of convolutions of each block."""
    x = start = wanted.start(224, 48)
    for i, (count, filters) in enumerate(zip(blocks, (64, 128, 256, 512, 512), strict=True), 1):
        for j in range(1, count + 1):
            conv = L.Convolution2D(filters, 3, 3, activation="relu", border_mode="same", name=f"block{i}_conv{j}")
            x = conv(x)
        x = L.MaxPooling2D((2, 2), strides=(2, 2), name=f"block{i}_pool")(x)
    if wanted.include_top:
        x = L.Flatten(name="flatten")(x)
        for part in ("fc1", "fc2"):
            x = L.Dense(4096, activation="relu", name=part)(x)
        x = L.Dense(wanted.classes, activation="softmax", name="predictions")(x)
    return wanted.model(start, x, name, name)


@network
def VGG16(wanted: Network) -> Model:
    """VGG16 (Simonyan and Zisserman, 2014)."""
    return _vgg(wanted, "vgg16", (2, 2, 3, 3, 3))


@network
def VGG19(wanted: Network) -> Model:
    """VGG19 (Simonyan and Zisserman, 2014)."""
    return _vgg(wanted, "vgg19", (2, 2, 4, 4, 4))
