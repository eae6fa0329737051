"""VGG16 and VGG19."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from .... import layers as L
from ....models.model import Model
from .building import Request, network, row
from .imagenet import decode_predictions as decode_predictions
from .imagenet import preprocessing

preprocess_input = preprocessing("caffe")
_network = partial(network, any_format=True)


def _vgg(request: Request, name: str, blocks: Sequence[int]) -> Model:
    """blocks: the number of convolutions of each block."""
    x = start = request.start(request.shape(224, 32))
    for i, (count, filters) in enumerate(zip(blocks, (64, 128, 256, 512, 512), strict=True), 1):
        for j in range(1, count + 1):
            x = L.Conv2D(filters, (3, 3), activation="relu", padding="same", name=f"block{i}_conv{j}")(x)
        x = L.MaxPooling2D((2, 2), strides=(2, 2), name=f"block{i}_pool")(x)
    if request.include_top:
        dense = [L.Dense(4096, activation="relu", name=part) for part in ("fc1", "fc2")]
        x = row(x, L.Flatten(name="flatten"), *dense)
        x = L.Dense(request.classes, activation="softmax", name="predictions")(x)
    else:
        x = request.pooled(x)
    return request.model(start, x, name)


@_network
def VGG16(request: Request) -> Model:
    """VGG16 (Simonyan and Zisserman, 2014)."""
    return _vgg(request, "vgg16", (2, 2, 3, 3, 3))


@_network
def VGG19(request: Request) -> Model:
    """VGG19 (Simonyan and Zisserman, 2014)."""
    return _vgg(request, "vgg19", (2, 2, 4, 4, 4))
