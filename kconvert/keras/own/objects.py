"""Objects of the user by name: those that all calls know, and configurations as objects (`keras.utils`)."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Mapping
from inspect import signature
from typing import Any

from ...errors import KconvertError, Problem
from ...layers.registry import give, with_custom_objects


class _Known(UserDict[str, Any]):
    """A dict of custom objects that every call after a change knows."""

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self._give()

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._give()

    def _give(self) -> None:
        """Gives those that files can describe; others are only found by `deserialize_keras_object`."""
        give(_stored(self.data))


def _stored(objects: Mapping[str, Any]) -> dict[str, Any]:
    """The custom objects that files can describe: functions, layers, and classes with a configuration."""
    return {
        name: one
        for name, one in objects.items()
        if hasattr(one, "get_config" if isinstance(one, type) else "__call__")
    }


_KNOWN = _Known()


def get_custom_objects() -> _Known:
    """The custom objects that every call knows: a dict, which the user changes."""
    return _KNOWN


class CustomObjectScope:
    """Within a `with` block, every call knows the objects in `dicts`."""

    def __init__(self, *dicts: Mapping[str, Any]) -> None:
        self.custom_objects = dicts

    def __enter__(self) -> CustomObjectScope:
        self._before = dict(_KNOWN)
        for objects in self.custom_objects:
            _KNOWN.update(objects)
        return self

    def __exit__(self, *_: Any) -> None:
        _KNOWN.clear()
        _KNOWN.update(self._before)


def custom_object_scope(*dicts: Mapping[str, Any]) -> CustomObjectScope:
    """`CustomObjectScope` under its other name."""
    return CustomObjectScope(*dicts)


def serialize_keras_object(instance: Any) -> Any:
    """`{'class_name': ..., 'config': ...}` for an object with a configuration, the name for a function, or None.

    Raises KconvertError for anything else.
    """
    if instance is None:
        return None
    if hasattr(instance, "get_config"):
        name = getattr(instance, "class_name", type(instance).__name__)
        return {"class_name": name, "config": instance.get_config()}
    if hasattr(instance, "__name__"):
        return instance.__name__
    raise KconvertError(f"{instance!r} has neither a configuration nor a name", problem=Problem.USAGE)


def deserialize_keras_object(
    identifier: Any,
    module_objects: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The object that `identifier` describes: a configuration as above, or a name; None stays None.

    module_objects, custom_objects: what the names stand for, beside `get_custom_objects()`. printable_module_name: the
    word for the kind of the object in messages. Raises KconvertError for unknown names, and for other values.
    """
    if identifier is None:
        return None
    known = {**(module_objects or {}), **_KNOWN, **(custom_objects or {})}
    if isinstance(identifier, str):
        return _known(known, identifier, printable_module_name)
    if not isinstance(identifier, Mapping) or not {"class_name", "config"} <= set(identifier):
        what = f"{identifier!r} describes no {printable_module_name}"
        fix = "give a name, or a dict with class_name and config"
        raise KconvertError(what, fix=fix, problem=Problem.USAGE)
    maker, config = _known(known, identifier["class_name"], printable_module_name), identifier["config"]
    with with_custom_objects(_stored(custom_objects or {})):
        if not hasattr(maker, "from_config"):
            return maker(**config)
        if "custom_objects" in signature(maker.from_config).parameters:
            return maker.from_config(config, custom_objects={**_KNOWN, **(custom_objects or {})})
        return maker.from_config(config)


def _known(objects: Mapping[str, Any], name: str, kind: str) -> Any:
    if name not in objects:
        raise KconvertError(f"unknown {kind} {name!r}", fix="give it as a custom object", problem=Problem.USAGE)
    return objects[name]
