"""Functions of `keras.initializers`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...conventions.backends import CHANNELS_FIRST, CHANNELS_LAST, DATA_FORMATS
from ...layers.shapes import one_of
from ...models.training import initializers
from .losses import stated


def get(identifier: Any) -> Any:
    """The initializer that `identifier` names or describes; a function and an object stay as they are.

    Raises KconvertError for unknown names and other values, None included.
    """
    known = isinstance(identifier, (str, Mapping)) or not callable(identifier)
    return initializers.get(stated(identifier, "initializer")) if known else identifier


def _compute_fans(shape: Sequence[int], data_format: str = CHANNELS_LAST) -> tuple[float, float]:
    """The number of inputs of a unit, and of units that an input goes to, of a kernel in a data format.

    Raises KconvertError for an unknown data format.
    """
    shape = tuple(shape)
    if one_of(data_format, DATA_FORMATS, "data_format") == CHANNELS_FIRST and 2 < len(shape) < 6:
        shape = (*shape[2:], shape[1], shape[0])
    return initializers.fans(shape)
