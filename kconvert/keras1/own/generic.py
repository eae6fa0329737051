"""Small functions of `keras.utils.generic_utils` of Keras 1.2.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import KconvertError, Problem
from ...keras.own.objects import get_custom_objects


def make_tuple(*args: Any) -> tuple[Any, ...]:
    """The arguments as a tuple."""
    return args


def get_from_module(
    identifier: Any,
    module_params: Mapping[str, Any],
    module_name: str,
    instantiate: bool = False,
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """The object that a name, or a dict with its name and arguments, means; anything else as it is.

    module_params: the objects by name, beside `get_custom_objects()`. module_name: the word for them in messages.
    instantiate, kwargs: whether the object of a name is called, and its arguments. Raises KconvertError for an unknown
    name.
    """
    if not isinstance(identifier, (str, dict)):
        return identifier
    name: Any = identifier
    if isinstance(identifier, dict):
        instantiate, kwargs = True, dict(identifier)
        name = kwargs.pop("name")
    found = get_custom_objects().get(name) or module_params.get(name)
    if not found:
        raise KconvertError(f"unknown {module_name} {name!r}", problem=Problem.USAGE)
    return found(**(kwargs or {})) if instantiate else found
