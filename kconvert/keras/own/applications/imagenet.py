"""Images for networks that were trained on ImageNet, and the names of its classes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ....backend.image_format import default_data_format
from ....conventions.words.values import parse_json
from ....errors import KconvertError, Problem
from ..utils import get_file

CLASSES = "imagenet_class_index.json"
_ORIGIN = f"https://storage.googleapis.com/download.tensorflow.org/data/{CLASSES}"
_MEAN_BGR = (103.939, 116.779, 123.68)
_MEAN_RGB, _DEVIATION_RGB = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Images with values from 0 to 255, as a network takes them; an array of floats is changed in place.

    x: an array or a symbol (..., rows, columns, channels) in RGB.
    mode: 'caffe' for BGR without the mean of ImageNet, 'tf' for values from -1 to 1, 'torch' for RGB of mean 0 and
    deviation 1. data_format: 'channels_first' for (..., channels, rows, columns); None for that of `keras.backend`.
    Raises KconvertError for another mode or data format.
    """
    data_format = data_format or default_data_format()
    for value, known in ((mode, ("caffe", "tf", "torch")), (data_format, ("channels_last", "channels_first"))):
        if value not in known:
            raise KconvertError(f"unknown value {value!r}", "preprocess_input", f"one of {known}", Problem.USAGE)
    if not isinstance(x, np.ndarray):
        return _of_symbol(x, data_format, mode)
    x = x if np.issubdtype(x.dtype, np.floating) else x.astype("float32")
    channels = np.moveaxis(x, -3, -1) if data_format == "channels_first" else x
    if mode == "tf":
        channels /= 127.5
        channels -= 1.0
        return x
    if mode == "torch":
        channels /= 255.0
        channels -= np.asarray(_MEAN_RGB)
        channels /= np.asarray(_DEVIATION_RGB)
        return x
    channels = channels[..., ::-1]
    channels -= np.asarray(_MEAN_BGR)
    return np.moveaxis(channels, -1, -3) if data_format == "channels_first" else channels


def _of_symbol(x: Any, data_format: str | None, mode: str) -> Any:
    """The same of a symbol or tensor with a batch axis."""
    if mode == "tf":
        return x / 127.5 - 1.0
    first = data_format == "channels_first"
    shape = (1, 3, 1, 1) if first else (1, 1, 1, 3)
    if mode == "torch":
        mean, deviation = (np.reshape(value, shape).astype("float32") for value in (_MEAN_RGB, _DEVIATION_RGB))
        return (x / 255.0 - mean) / deviation
    return (x[:, ::-1] if first else x[:, :, :, ::-1]) - np.reshape(_MEAN_BGR, shape).astype("float32")


def preprocessing(mode: str) -> Callable[..., Any]:
    """`preprocess_input` of the networks that take images in one mode."""

    def prepared(x: Any, data_format: str | None = None) -> Any:
        """Images as the network takes them: see `imagenet_utils.preprocess_input`."""
        return preprocess_input(x, data_format, mode)

    return prepared


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, float]]]:
    """For each image, the `top` most probable classes: (WordNet ID, name, probability).

    preds: (samples, 1000). Raises KconvertError for another shape, and where the file `imagenet_class_index.json` is
    neither in the folder of the data sets nor in `models` beside it.
    """
    preds = np.asarray(preds)
    if preds.ndim != 2 or preds.shape[1] != 1000:
        what = f"predictions of ImageNet have the shape (samples, 1000), not {preds.shape}"
        raise KconvertError(what, "decode_predictions", problem=Problem.USAGE)
    names = _classes(get_file(CLASSES, _ORIGIN, cache_subdir="models"))
    order = np.argsort(preds)[:, : -top - 1 : -1]
    return [[(*names[i], row[i]) for i in best] for row, best in zip(preds, order.tolist(), strict=True)]


@cache
def _classes(path: str) -> dict[int, tuple[str, str]]:
    """ID and name of each class. Raises KconvertError where the file is not that of Keras."""
    try:
        with open(path, "rb") as file:
            return {int(number): (str(key), str(name)) for number, (key, name) in parse_json(file.read()).items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise KconvertError(f"this is not the file of Keras ({error})", path, None, Problem.UNREADABLE) from error
