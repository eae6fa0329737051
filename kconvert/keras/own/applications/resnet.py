"""ResNet50, ResNet101 and ResNet152, with the names of layers that all of them share; `resnet` builds both versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .... import layers as L
from ....models.model import Model
from .building import Request, conv, network, norm, relu, row
from .imagenet import decode_predictions as decode_predictions
from .imagenet import preprocessing

preprocess_input = preprocessing("caffe")

EPSILON = 1.001e-5
_FILTERS = (64, 128, 256, 512)


def _norm(name: str) -> Any:
    return norm(name, epsilon=EPSILON)


def _block(x: Any, name: str, filters: int, stride: int, first: bool) -> Any:
    """A block of the first version; first: whether there is a convolution beside it."""
    beside = x
    if first:
        beside = row(x, L.Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv"), _norm(f"{name}_0_bn"))
    y = row(x, L.Conv2D(filters, 1, strides=stride, name=f"{name}_1_conv"), _norm(f"{name}_1_bn"))
    y = row(y, relu(f"{name}_1_relu"), L.Conv2D(filters, 3, padding="same", name=f"{name}_2_conv"))
    y = row(y, _norm(f"{name}_2_bn"), relu(f"{name}_2_relu"), L.Conv2D(4 * filters, 1, name=f"{name}_3_conv"))
    y = L.Add(name=f"{name}_add")([beside, _norm(f"{name}_3_bn")(y)])
    return relu(f"{name}_out")(y)


def _block_v2(x: Any, name: str, filters: int, stride: int, first: bool) -> Any:
    """A block of the second version, which normalises before its convolutions."""
    before = row(x, _norm(f"{name}_preact_bn"), relu(f"{name}_preact_relu"))
    if first:
        beside = L.Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(before)
    else:
        beside = L.MaxPooling2D(1, strides=stride)(x) if stride > 1 else x
    y = row(before, conv(filters, 1, f"{name}_1_conv", strides=1), _norm(f"{name}_1_bn"), relu(f"{name}_1_relu"))
    y = row(y, L.ZeroPadding2D(1, name=f"{name}_2_pad"), conv(filters, 3, f"{name}_2_conv", strides=stride))
    y = row(y, _norm(f"{name}_2_bn"), relu(f"{name}_2_relu"), L.Conv2D(4 * filters, 1, name=f"{name}_3_conv"))
    return L.Add(name=f"{name}_out")([beside, y])


def resnet(request: Request, name: str, blocks: Sequence[int], second: bool = False) -> Model:
    """A network of one of the two versions.

    blocks: how many there are in each stage. second: whether it is the second version.
    """
    start = request.start(request.shape(224, 32))
    x = row(start, L.ZeroPadding2D(3, name="conv1_pad"), L.Conv2D(64, 7, strides=2, name="conv1_conv"))
    x = x if second else row(x, _norm("conv1_bn"), relu("conv1_relu"))
    x = row(x, L.ZeroPadding2D(1, name="pool1_pad"), L.MaxPooling2D(3, strides=2, name="pool1_pool"))
    for stage, (count, filters) in enumerate(zip(blocks, _FILTERS, strict=True), 2):
        # The first version shrinks the image in the first block of a stage, the second one in its last block.
        shrinking = (count if stage < 5 else 0) if second else (1 if stage > 2 else 0)
        for i in range(1, count + 1):
            block = _block_v2 if second else _block
            x = block(x, f"conv{stage}_block{i}", filters, 2 if i == shrinking else 1, first=i == 1)
    x = row(x, _norm("post_bn"), relu("post_relu")) if second else x
    return request.model(start, request.classified(x, "probs", pooled=("avg_pool", "max_pool")), name)


@network
def ResNet50(request: Request) -> Model:
    """ResNet50 (He and others, 2015)."""
    return resnet(request, "resnet50", (3, 4, 6, 3))


@network
def ResNet101(request: Request) -> Model:
    """ResNet101 (He and others, 2015)."""
    return resnet(request, "resnet101", (3, 4, 23, 3))


@network
def ResNet152(request: Request) -> Model:
    """ResNet152 (He and others, 2015)."""
    return resnet(request, "resnet152", (3, 8, 36, 3))
