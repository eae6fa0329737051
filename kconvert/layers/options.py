"""Fields for options: those of other releases, the keys of fields in a configuration, and sizes as tuples."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import Field, field
from numbers import Integral
from typing import Any

import numpy as np

from ..backend.float_settings import floatx
from ..errors import KconvertError, Problem


def old_option(default: Any) -> Any:
    """A field for an option that Keras 2 dropped. It is read from old configurations, and not written for Keras 2."""
    return field(default=default, metadata={"old_option": True})


LATER: Mapping[str, bool] = {"later_option": True}
"""The metadata of such a field."""


def later_option(default: Any) -> Any:
    """A field for an option of tf.keras that Keras 2.3 does not have. With its default it is not written."""
    return field(default=default, kw_only=True, metadata=LATER)


DTYPE = "float32"
"""The dtype of a layer that states none."""


class OrElse:
    """A field that keeps what it is given; who reads it gets `shown` where that is `default`."""

    def __init__(self, default: Any, shown: Any) -> None:
        self._default, self._shown = default, shown

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, one: Any, owner: type | None = None) -> Any:
        value = self._default if one is None else one.__dict__.get(self._name, self._default)
        return self._shown if one is not None and value is self._default else value

    def __set__(self, one: Any, value: Any) -> None:
        one.__dict__[self._name] = value


class FloatType(OrElse):
    """The type of a layer: as stated, else `floatx` where the layer is made; float32 is not stated."""

    def __init__(self) -> None:
        super().__init__(None, DTYPE)

    def __set__(self, one: Any, value: Any) -> None:
        made_in = floatx()
        super().__set__(one, made_in if value is None and made_in != DTYPE else value)


def is_later(f: Field[Any]) -> bool:
    """Whether a field is an option of tf.keras that Keras 2.3 does not have."""
    return "later_option" in f.metadata


def is_old(f: Field[Any]) -> bool:
    """Whether a field is an option that Keras 2 dropped."""
    return "old_option" in f.metadata


def key_of(f: Field[Any]) -> str:
    """The configuration key of a field: its name, or metadata "key" where a method has the name of the key."""
    return f.metadata.get("key", f.name)


def remade(layer: Any, /, **options: Any) -> Any:
    """A copy of a layer with other options, completed as its constructor does it.

    As `dataclasses.replace`, which calls the constructor: that of a user's class takes other arguments.
    """
    made = copy(layer)
    for name, value in options.items():
        setattr(made, name, value)
    if hasattr(made, "__post_init__"):
        made.__post_init__()
    return made


def integers(value: Any, n: int, what: str = "size", least: int = 1) -> tuple[int, ...]:
    """One integer or a sequence of `n` integers, as a tuple of `n`. Raises KconvertError for anything else.

    least: the smallest integer that is allowed.

    >>> integers(3, 2), integers([3, 5], 2)
    ((3, 3), (3, 5))
    """
    listed = isinstance(value, (list, tuple, np.ndarray))
    result = (value,) * n if isinstance(value, (int, Integral)) else tuple(value) if listed else ()
    if len(result) != n or not all(isinstance(item, (int, Integral)) for item in result):
        raise KconvertError(f"{what} must be an integer or {n} integers, not {value!r}", problem=Problem.USAGE)
    if any(int(item) < least for item in result):
        raise KconvertError(f"{what} must not be less than {least}, and is {value!r}", problem=Problem.USAGE)
    return tuple(int(item) for item in result)  # NumPy's integers cannot be written as JSON
