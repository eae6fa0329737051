"""InceptionV3, with the layers and the names of files of Keras 1.2.2, which differ from those of Keras 2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import layers as _layers
from ..models import Model
from .building import Network, channel_axis, network, scaled
from .imagenet import decode_predictions as decode_predictions

L: Any = _layers

preprocess_input = scaled

_HALF: dict[str, Any] = {"subsample": (2, 2), "border_mode": "valid"}


def conv2d_bn(
    x: Any,
    nb_filter: int,
    nb_row: int,
    nb_col: int,
    border_mode: str = "same",
    subsample: Sequence[int] = (1, 1),
    name: str | None = None,
) -> Any:
    """A convolution with relu, and its normalization; name: the beginning of the names of both layers."""
    names = (f"{name}_conv", f"{name}_bn") if name is not None else (None, None)
    options = {"subsample": subsample, "activation": "relu", "border_mode": border_mode}
    x = L.Convolution2D(nb_filter, nb_row, nb_col, name=names[0], **options)(x)
    return L.BatchNormalization(axis=channel_axis(), name=names[1])(x)


def _row(x: Any, *convolutions: tuple[int, int, int]) -> Any:
    """Convolutions one after the other: for each its filters, rows and columns."""
    for filters, rows, columns in convolutions:
        x = conv2d_bn(x, filters, rows, columns)
    return x


def _joined(branches: Sequence[Any], name: str | None = None) -> Any:
    return L.merge(list(branches), mode="concat", concat_axis=channel_axis(), name=name)


def _mean(x: Any, filters: int) -> Any:
    """The mean of windows of 3, with a convolution after it."""
    return _row(L.AveragePooling2D((3, 3), strides=(1, 1), border_mode="same")(x), (filters, 1, 1))


def _small(x: Any, name: str) -> Any:
    """Windows of 1, 3 and 5."""
    first = _row(x, (64, 1, 1))
    second = _row(x, (48, 1, 1), (64, 5, 5))
    third = _row(x, (64, 1, 1), (96, 3, 3), (96, 3, 3))
    return _joined([first, second, third, _mean(x, 32)], name)


def _long(x: Any, n: int, name: str, before: int | None = None) -> Any:
    """Windows of seven rows and of seven columns, with `n` channels; before: those of the first two convolutions."""
    first = _row(x, (192, 1, 1))
    second = _row(x, (n, 1, 1), (n, 1, 7), (192, 7, 1))
    third = _row(x, (before or n, 1, 1), (n, 7, 1), (n, 1, 7), (n, 7, 1), (192, 1, 7))
    return _joined([first, second, third, _mean(x, 192)], name)


def _wide(x: Any, i: int) -> Any:
    """Windows of three rows beside those of three columns."""
    first = _row(x, (320, 1, 1))
    stem = _row(x, (384, 1, 1))
    second = _joined([_row(stem, (384, 1, 3)), _row(stem, (384, 3, 1))], f"mixed9_{i}")
    stem = _row(x, (448, 1, 1), (384, 3, 3))
    third = _joined([_row(stem, (384, 1, 3)), _row(stem, (384, 3, 1))])
    return _joined([first, second, third, _mean(x, 192)], f"mixed{9 + i}")


@network
def InceptionV3(wanted: Network) -> Model:
    """InceptionV3 (Szegedy and others, 2015)."""
    start = wanted.start(299, 139)
    x = conv2d_bn(start, 32, 3, 3, **_HALF)
    x = conv2d_bn(conv2d_bn(x, 32, 3, 3, border_mode="valid"), 64, 3, 3)
    x = L.MaxPooling2D((3, 3), strides=(2, 2))(x)
    x = conv2d_bn(conv2d_bn(x, 80, 1, 1, border_mode="valid"), 192, 3, 3, border_mode="valid")
    x = L.MaxPooling2D((3, 3), strides=(2, 2))(x)
    for i in range(3):
        x = _small(x, f"mixed{i}")
    first = conv2d_bn(x, 384, 3, 3, **_HALF)
    second = conv2d_bn(_row(x, (64, 1, 1), (96, 3, 3)), 96, 3, 3, **_HALF)
    x = _joined([first, second, L.MaxPooling2D((3, 3), strides=(2, 2))(x)], "mixed3")
    for i, n, before in ((4, 128, 128), (5, 160, 160), (6, 160, 160), (7, 192, 160)):
        x = _long(x, n, f"mixed{i}", before)
    first = conv2d_bn(_row(x, (192, 1, 1)), 320, 3, 3, **_HALF)
    second = conv2d_bn(_row(x, (192, 1, 1), (192, 1, 7), (192, 7, 1)), 192, 3, 3, **_HALF)
    x = _joined([first, second, L.AveragePooling2D((3, 3), strides=(2, 2))(x)], "mixed8")
    for i in range(2):
        x = _wide(x, i)
    if wanted.include_top:
        x = L.Flatten(name="flatten")(L.AveragePooling2D((8, 8), strides=(8, 8), name="avg_pool")(x))
        x = L.Dense(wanted.classes, activation="softmax", name="predictions")(x)
    return wanted.model(start, x, "inception_v3", "inception_v3")
