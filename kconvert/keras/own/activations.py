"""The activations of `keras.activations`, for tensors, symbols, variables and arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import KconvertError, Problem
from ...layers.activations import ACTIVATIONS
from .objects import deserialize_keras_object

FUNCTIONS: dict[str, Callable[..., Any]] = dict(ACTIVATIONS)
globals().update(FUNCTIONS)


def get(identifier: Any) -> Any:
    """The activation that `identifier` names; None is `linear`, and a function stays as it is.

    Raises KconvertError for unknown names and other values.
    """
    if identifier is None:
        return FUNCTIONS["linear"]
    if isinstance(identifier, str):
        return deserialize(identifier)
    if callable(identifier):
        return identifier
    raise KconvertError(f"{identifier!r} is not an activation", fix="give a name or a function", problem=Problem.USAGE)


def serialize(activation: Callable[..., Any]) -> str:
    """The name of an activation."""
    return activation.__name__


def deserialize(name: str, custom_objects: Any = None) -> Any:
    """The activation with a name. Raises KconvertError for an unknown name."""
    return deserialize_keras_object(name, FUNCTIONS, custom_objects, "activation function")
