"""Constraints of Keras 1.2.2 by name and by configuration (`keras.constraints`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .components import CONSTRAINTS
from .generic import get_from_module


def get(identifier: Any, kwargs: Mapping[str, Any] | None = None) -> Any:
    """The constraint that a name, or a dict with `name` and arguments, means; anything else as it is.

    kwargs: the arguments for a name. Raises KconvertError for an unknown name.
    """
    return get_from_module(identifier, CONSTRAINTS, "constraint", True, kwargs)
