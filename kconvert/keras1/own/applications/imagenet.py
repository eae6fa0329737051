"""Images for networks that were trained on ImageNet, and the names of its classes."""

from __future__ import annotations

from typing import Any

from ....keras.own.applications import imagenet as later
from ....keras.own.applications.imagenet import decode_predictions as decode_predictions
from ..settings import data_format_of


def preprocess_input(x: Any, dim_ordering: str = "default") -> Any:
    """Images with values from 0 to 255 as BGR without the mean of ImageNet; an array of floats is changed in place."""
    return later.preprocess_input(x, data_format_of(dim_ordering), "caffe")
