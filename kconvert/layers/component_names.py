"""Names of activations, initializers, regularizers and constraints among the arguments of a layer.

A name that is not known is refused when the user makes the layer, as in Keras. A layer that is read from a file, or
made by a conversion, keeps the names that the file states.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any

from ..backend.context import assigned
from ..errors import KconvertError, Problem

_FINDERS: dict[str, Callable[[Any], Any]] = {}
"""What finds a component by its name, by the end of the names of options that take one."""

_CHECKED: ContextVar[bool] = ContextVar("checked", default=True)


def found_by(find: Callable[[Any], Any], *endings: str) -> None:
    """Registers what finds the components of options whose names have one of `endings`; it refuses unknown names."""
    _FINDERS.update(dict.fromkeys(endings, find))


def component(option: str, value: Any) -> Any:
    """The component that the value of an option of a layer describes. Raises KconvertError for unknown names."""
    return next(find for ending, find in _FINDERS.items() if option.endswith(ending))(value)


def takes_component(option: str) -> bool:
    """Whether the value of an option of a layer is a component."""
    return option.endswith(tuple(_FINDERS))


def unchecked() -> AbstractContextManager[None]:
    """Accepts every name within a block."""
    return assigned(_CHECKED, False)


def are_checked() -> bool:
    """Whether names are checked: layers are made by the user, not read from a file."""
    return _CHECKED.get()


def check_component_names(layer: Any) -> None:
    """Raises KconvertError where an option of `layer` names a component that is not known."""
    if not are_checked():
        return
    for option, value in vars(layer).items():
        if value is None and option.endswith("_initializer") and getattr(type(layer), option, None) is not None:
            where = f"{option} of a {layer.class_name} layer"
            raise KconvertError("None is no initializer", where, "leave it out for the usual one", Problem.USAGE)
        if not isinstance(value, (str, Mapping, int, float)):
            continue
        for ending, find in _FINDERS.items():
            if option.endswith(ending):
                _check(layer, option, value, find)


def _check(layer: Any, option: str, value: Any, find: Callable[[Any], Any]) -> None:
    try:
        find(value)
    except KconvertError as error:
        name = f" {layer.name}" if layer.name else ""
        where = f"{option} of a {layer.class_name} layer{name}"
        raise KconvertError(error.what, where, error.fix, Problem.USAGE) from None
