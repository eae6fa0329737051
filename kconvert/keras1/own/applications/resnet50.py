"""ResNet50, with the names of layers and of files of Keras 1.2.2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import layers as _layers
from ..models import Model
from .building import Network, channel_axis, network
from .imagenet import decode_predictions as decode_predictions
from .imagenet import preprocess_input as preprocess_input

L: Any = _layers

_STAGES = ((2, "abc", 64), (3, "abcd", 128), (4, "abcdef", 256), (5, "abc", 512))
"""For each stage: its number, the names of its blocks, and its number of filters."""


def _conv(x: Any, filters: int, size: int, where: str, **options: Any) -> Any:
    """A convolution and its normalization; where: the stage, the block and the branch, as their names state them."""
    x = L.Convolution2D(filters, size, size, name=f"res{where}", **options)(x)
    return L.BatchNormalization(axis=channel_axis(), name=f"bn{where}")(x)


def _relu(x: Any) -> Any:
    return L.Activation("relu")(x)


def _main(x: Any, kernel_size: int, filters: Sequence[int], where: str, strides: Sequence[int] = (1, 1)) -> Any:
    """The three convolutions of a block."""
    first, second, third = filters
    x = _relu(_conv(x, first, 1, f"{where}2a", subsample=strides))
    x = _relu(_conv(x, second, kernel_size, f"{where}2b", border_mode="same"))
    return _conv(x, third, 1, f"{where}2c")


def identity_block(input_tensor: Any, kernel_size: int, filters: Sequence[int], stage: int, block: str) -> Any:
    """A block of three convolutions, whose input is added to their output.

    kernel_size: of the second convolution. filters: of the three convolutions. stage, block: a number and a letter, for
    the names of the layers.
    """
    x = _main(input_tensor, kernel_size, filters, f"{stage}{block}_branch")
    return _relu(L.merge([x, input_tensor], mode="sum"))


def conv_block(
    input_tensor: Any,
    kernel_size: int,
    filters: Sequence[int],
    stage: int,
    block: str,
    strides: Sequence[int] = (2, 2),
) -> Any:
    """A block with a convolution beside its three ones: see `identity_block`. strides: of the first convolutions."""
    where = f"{stage}{block}_branch"
    x = _main(input_tensor, kernel_size, filters, where, strides)
    beside = _conv(input_tensor, filters[2], 1, f"{where}1", subsample=strides)
    return _relu(L.merge([x, beside], mode="sum"))


@network
def ResNet50(wanted: Network) -> Model:
    """ResNet50 (He and others, 2015)."""
    start = wanted.start(224, 197)
    x = L.ZeroPadding2D((3, 3))(start)
    x = L.Convolution2D(64, 7, 7, subsample=(2, 2), name="conv1")(x)
    x = _relu(L.BatchNormalization(axis=channel_axis(), name="bn_conv1")(x))
    x = L.MaxPooling2D((3, 3), strides=(2, 2))(x)
    for stage, blocks, filters in _STAGES:
        sizes = (filters, filters, 4 * filters)
        x = conv_block(x, 3, sizes, stage, blocks[0], (1, 1) if stage == 2 else (2, 2))
        for block in blocks[1:]:
            x = identity_block(x, 3, sizes, stage, block)
    x = L.AveragePooling2D((7, 7), name="avg_pool")(x)
    if wanted.include_top:
        x = L.Dense(wanted.classes, activation="softmax", name="fc1000")(L.Flatten()(x))
    return wanted.model(start, x, "resnet50", "resnet50")
