"""Options of layers that take a component: an activation, an initializer, a regularizer or a constraint.

A layer keeps the value that it was given, such as a name, because a file states it. Who reads the attribute gets the
component, as in Keras. A name that is not known is refused when the user makes the layer. A layer that is read from a
file, or made by a conversion, keeps the names that the file states.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import MISSING
from typing import Any

from ..backend.context import assigned
from ..errors import KconvertError, Problem
from .custom import giving

_FINDERS: dict[str, Callable[[Any], Any]] = {}
"""What finds a component by its name, by the end of the names of options that take one."""

_CHECKED: ContextVar[bool] = ContextVar("checked", default=True)


def found_by(find: Callable[[Any], Any], *endings: str) -> None:
    """Registers what finds the components of options whose names have one of `endings`; it refuses unknown names."""
    _FINDERS.update(dict.fromkeys(endings, find))


ENDINGS = ("activation", "_initializer", "_regularizer", "_constraint")
"""The ends of the names of options that take a component."""


class ComponentOption:
    """A field of a layer that takes a component: it keeps what it is given, and gives the component."""

    def __init__(self, default: Any) -> None:
        self._default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, layer: Any, owner: type | None = None) -> Any:
        if layer is None:
            if self._default is MISSING:
                raise AttributeError(self._name)
            return self._default
        value = stated(layer, self._name)
        try:
            with giving(layer.custom_objects):
                return component(self._name, value)
        except KconvertError:  # a file may name a component that is not known here
            return value

    def __set__(self, layer: Any, value: Any) -> None:
        layer.__dict__[self._name] = value


class WithComponents:
    """Base class of classes with fields that take a component: reading such a field gives the component."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in vars(cls).get("__annotations__", {}):
            if name.endswith(ENDINGS):
                option = ComponentOption(vars(cls).get(name, MISSING))
                option.__set_name__(cls, name)
                setattr(cls, name, option)


def stated(layer: Any, option: str) -> Any:
    """The value that an option of a layer was given, such as the name of a component."""
    return layer.__dict__[option] if option in layer.__dict__ else getattr(type(layer), option)


def component(option: str, value: Any) -> Any:
    """The component that the value of an option of a layer describes.

    Raises KconvertError for unknown names, and where no model was imported, which knows them.
    """
    find = next((find for ending, find in _FINDERS.items() if option.endswith(ending)), None)
    if find is None:
        raise KconvertError(f"the components that {option} takes are not imported", problem=Problem.USAGE)
    return find(value)


def takes_component(option: str) -> bool:
    """Whether the value of an option of a layer is a component."""
    return option.endswith(ENDINGS)


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
