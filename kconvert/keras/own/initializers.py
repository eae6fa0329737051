"""Functions of `keras.initializers`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...models.training import initializers
from .losses import stated


def get(identifier: Any) -> Any:
    """The initializer that `identifier` names or describes; a function and an object stay as they are.

    Raises KconvertError for unknown names and other values, None included.
    """
    known = isinstance(identifier, (str, Mapping)) or not callable(identifier)
    return initializers.get(stated(identifier, "initializer")) if known else identifier
