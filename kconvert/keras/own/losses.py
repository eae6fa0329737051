"""The functions of `keras.losses`, of `y_true` and `y_pred`, under all names that Keras has for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...errors import KconvertError, Problem
from ...layers.recorded import recorded
from ...models.training import losses
from .objects import deserialize_keras_object, serialize_keras_object

_KNOWN = [cls.function for cls in losses.CLASSES]

FUNCTIONS = {name: recorded(value) for name, value in vars(losses).items() if value in _KNOWN}
globals().update(FUNCTIONS)

OBJECTS = {**{cls.__name__: cls for cls in losses.CLASSES}, **FUNCTIONS}
"""The losses by the names that Keras has for them."""


class LossFunctionWrapper(losses.Loss):
    """A loss that computes `fn(y_true, y_pred, **options)`. fn: a function of tensors; its name is not stored."""

    def __init__(
        self, fn: Callable[..., Any], reduction: str = "sum_over_batch_size", name: str | None = None, **options: Any
    ) -> None:
        super().__init__(reduction=reduction, name=name or "")
        self.fn, self._fn_kwargs = fn, options

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        """The options of the function, the reduction and the name."""
        return {**self._fn_kwargs, **super().get_config()}


def get(identifier: Any) -> Any:
    """The loss that `identifier` names or describes; None, a function and an object stay as they are.

    Raises KconvertError for unknown names and other values.
    """
    return found(identifier, OBJECTS, "loss")


def serialize(loss: Any) -> Any:
    """The configuration of a loss that is an object, the name of a function. Raises KconvertError for anything else."""
    return serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss with a name or a configuration. Raises KconvertError for an unknown name."""
    return deserialize_keras_object(name, OBJECTS, custom_objects, "loss")


def stated(identifier: Any, kind: str) -> Any:
    """`identifier`. Raises KconvertError for None."""
    if identifier is None:
        raise KconvertError(f"None is no {kind}", fix="give a name or a function", problem=Problem.USAGE)
    return identifier


def found(identifier: Any, known: Mapping[str, Any], kind: str) -> Any:
    """The object of `known` that `identifier` names or describes; None and what can be called stay as they are.

    kind: the word for the object in messages. Raises KconvertError for unknown names and other values.
    """
    if identifier is None or isinstance(identifier, (str, Mapping)):
        return deserialize_keras_object(identifier, known, None, kind)
    if callable(identifier):
        return identifier
    raise KconvertError(f"{identifier!r} is no {kind}", fix="give a name or a function", problem=Problem.USAGE)
