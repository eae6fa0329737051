"""The activations of `keras.activations`: functions of whatever stands for a tensor."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

from ...errors import KconvertError, Problem
from ...layers.activations import ACTIVATIONS
from .objects import deserialize_keras_object
from .recorded import recorded


def _public(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function(K, x, ...)` of `ACTIVATIONS` as a function of x, which may be a symbol or a variable too."""
    public = recorded(function)
    taken = signature(function)
    public.__signature__ = taken.replace(parameters=list(taken.parameters.values())[1:])  # type: ignore[attr-defined]
    return public


FUNCTIONS = {name: _public(function) for name, function in ACTIVATIONS.items()}
globals().update(FUNCTIONS)


def as_known(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` with a check of its own, which layers take for the activation of the same name. It is a decorator."""
    function.__signature__ = signature(function)  # type: ignore[attr-defined]
    function.__wrapped__ = ACTIVATIONS[function.__name__]  # type: ignore[attr-defined]
    return function


@as_known
def softmax(x: Any, axis: int = -1) -> Any:
    """The exponentials of `x`, divided by their sum along `axis`. Raises KconvertError for a tensor of one axis."""
    if len(getattr(x, "shape", (0, 0))) < 2:
        raise KconvertError("softmax of a tensor with a single axis", problem=Problem.USAGE)
    return _softmax(x, axis)


_softmax = FUNCTIONS["softmax"]
FUNCTIONS["softmax"] = softmax


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
