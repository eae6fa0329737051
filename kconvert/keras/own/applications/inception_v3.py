"""InceptionV3."""

from __future__ import annotations

from typing import Any

from .... import layers as L
from ....models.model import Model
from .building import Request, conv, joined, network, norm, relu, row
from .imagenet import decode_predictions as decode_predictions
from .imagenet import preprocessing

preprocess_input = preprocessing("tf")

_VALID: dict[str, Any] = {"padding": "valid"}
_HALF: dict[str, Any] = {"padding": "valid", "strides": (2, 2)}


def _conv(filters: int, rows: int, columns: int, **options: Any) -> Any:
    """A convolution with its normalisation and activation, as one function."""

    def call(x: Any) -> Any:
        layer = conv(filters, (rows, columns), **{"padding": "same", **options})
        return row(x, layer, norm(scale=False), relu())

    return call


def _mean() -> Any:
    return L.AveragePooling2D((3, 3), strides=(1, 1), padding="same")


def _max() -> Any:
    return L.MaxPooling2D((3, 3), strides=(2, 2))


def _small(x: Any, pool: int, name: str) -> Any:
    """Windows of 1, 3 and 5; pool: the channels of the mean."""
    branches = [
        row(x, _conv(64, 1, 1)),
        row(x, _conv(48, 1, 1), _conv(64, 5, 5)),
        row(x, _conv(64, 1, 1), _conv(96, 3, 3), _conv(96, 3, 3)),
        row(x, _mean(), _conv(pool, 1, 1)),
    ]
    return joined(branches, name)


def _long(x: Any, n: int, name: str) -> Any:
    """Windows of seven rows and of seven columns, with `n` channels."""
    branches = [
        row(x, _conv(192, 1, 1)),
        row(x, _conv(n, 1, 1), _conv(n, 1, 7), _conv(192, 7, 1)),
        row(x, _conv(n, 1, 1), _conv(n, 7, 1), _conv(n, 1, 7), _conv(n, 7, 1), _conv(192, 1, 7)),
        row(x, _mean(), _conv(192, 1, 1)),
    ]
    return joined(branches, name)


def _wide(x: Any, name: str, inner: str) -> Any:
    """Windows of three rows beside those of three columns; inner: the name of the first pair of them."""
    first = row(x, _conv(320, 1, 1))
    stem = row(x, _conv(384, 1, 1))
    pair = joined([row(stem, _conv(384, 1, 3)), row(stem, _conv(384, 3, 1))], inner)
    stem = row(x, _conv(448, 1, 1), _conv(384, 3, 3))
    other = joined([row(stem, _conv(384, 1, 3)), row(stem, _conv(384, 3, 1))])
    return joined([first, pair, other, row(x, _mean(), _conv(192, 1, 1))], name)


@network
def InceptionV3(request: Request) -> Model:
    """InceptionV3 (Szegedy and others, 2015)."""
    start = request.start(request.shape(299, 75))
    x = row(start, _conv(32, 3, 3, **_HALF), _conv(32, 3, 3, **_VALID), _conv(64, 3, 3), _max())
    x = row(x, _conv(80, 1, 1, **_VALID), _conv(192, 3, 3, **_VALID), _max())
    for i, pool in enumerate((32, 64, 64)):
        x = _small(x, pool, f"mixed{i}")
    first, second = (
        row(x, _conv(384, 3, 3, **_HALF)),
        row(x, _conv(64, 1, 1), _conv(96, 3, 3), _conv(96, 3, 3, **_HALF)),
    )
    x = joined([first, second, _max()(x)], "mixed3")
    for i, n in enumerate((128, 160, 160, 192), 4):
        x = _long(x, n, f"mixed{i}")
    first = row(x, _conv(192, 1, 1), _conv(320, 3, 3, **_HALF))
    second = row(x, _conv(192, 1, 1), _conv(192, 1, 7), _conv(192, 7, 1), _conv(192, 3, 3, **_HALF))
    x = joined([first, second, _max()(x)], "mixed8")
    for i in range(2):
        x = _wide(x, f"mixed{9 + i}", f"mixed9_{i}")
    return request.model(start, request.classified(x, "predictions"), "inception_v3")
