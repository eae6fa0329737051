"""DenseNet121, DenseNet169 and DenseNet201."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .... import layers as L
from ....models.model import Model
from .building import CHANNELS, Request, conv, joined, network, norm, relu, row
from .imagenet import decode_predictions as decode_predictions
from .imagenet import preprocessing

preprocess_input = preprocessing("torch")

EPSILON = 1.001e-5
GROWTH = 32  # the channels that a block adds


def _dense_block(x: Any, name: str) -> Any:
    y = row(x, norm(f"{name}_0_bn", epsilon=EPSILON), relu(f"{name}_0_relu"), conv(4 * GROWTH, 1, f"{name}_1_conv"))
    y = row(y, norm(f"{name}_1_bn", epsilon=EPSILON), relu(f"{name}_1_relu"))
    return joined([x, conv(GROWTH, 3, f"{name}_2_conv", padding="same")(y)], f"{name}_concat")


def _transition(x: Any, name: str) -> Any:
    """Half the channels, and half the rows and columns."""
    x = row(x, norm(f"{name}_bn", epsilon=EPSILON), relu(f"{name}_relu"))
    return row(
        x, conv(x.shape[CHANNELS] // 2, 1, f"{name}_conv"), L.AveragePooling2D(2, strides=2, name=f"{name}_pool")
    )


def _densenet(request: Request, name: str, blocks: Sequence[int]) -> Model:
    """blocks: the number of blocks in each part."""
    start = request.start(request.shape(224, 32))
    x = row(start, L.ZeroPadding2D(3), conv(64, 7, "conv1/conv", strides=2))
    x = row(x, norm("conv1/bn", epsilon=EPSILON), relu("conv1/relu"))
    x = row(x, L.ZeroPadding2D(1), L.MaxPooling2D(3, strides=2, name="pool1"))
    for i, count in enumerate(blocks, 2):
        for j in range(1, count + 1):
            x = _dense_block(x, f"conv{i}_block{j}")
        x = _transition(x, f"pool{i}") if i < 5 else x
    x = row(x, norm("bn", epsilon=EPSILON), relu("relu"))
    return request.model(start, request.classified(x, "fc1000", pooled=("avg_pool", "max_pool")), name)


@network
def DenseNet121(request: Request) -> Model:
    """DenseNet121 (Huang and others, 2016)."""
    return _densenet(request, "densenet121", (6, 12, 24, 16))


@network
def DenseNet169(request: Request) -> Model:
    """DenseNet169 (Huang and others, 2016)."""
    return _densenet(request, "densenet169", (6, 12, 32, 32))


@network
def DenseNet201(request: Request) -> Model:
    """DenseNet201 (Huang and others, 2016)."""
    return _densenet(request, "densenet201", (6, 12, 48, 32))
