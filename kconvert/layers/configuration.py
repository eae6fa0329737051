"""A layer made from its configuration in a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, Field, fields
from functools import lru_cache
from inspect import unwrap
from typing import Any

from ..conventions.words.items import shown
from ..conventions.words.options import in_keras2, sorted_out
from ..errors import KconvertError, Problem
from .calls import input_arguments
from .component_names import stated
from .options import is_later, key_of


def configured(cls: Any, config: Mapping[str, Any]) -> Any:
    """Makes a layer of the class `cls` from its configuration: see `Layer.from_config`."""
    if not hasattr(cls.__init__, "__wrapped__"):  # the class defines its constructor, which takes the configuration
        with _named_refusals(cls, config):
            return cls(**config)
    known = {key: f for key, f in _keys(cls).items() if not (is_later(f) and config.get(key) == f.default)}
    where = f"layer {config.get('name', '?')}"
    config = in_keras2(cls.__name__, config, set(known), where)
    if not cls.is_custom:
        with _named_refusals(cls, config):
            config = _stated_input(config, set(known))
    arguments = {known[key].name: value for key, value in config.items() if key in known}
    if not cls.is_custom:
        _check_kinds(cls, arguments, where)
    missing = [
        key
        for key, f in known.items()
        if f.default is MISSING and f.default_factory is MISSING and f.name not in arguments
    ]
    if missing:
        raise KconvertError(
            f"the configuration of a {cls.__name__} lacks {', '.join(missing)}",
            where=where,
            problem=Problem.UNREADABLE,
        )
    extra = {key: value for key, value in config.items() if key not in known}
    left_out: dict[str, Any] = {}
    if not cls.is_custom:
        extra, left_out = sorted_out(cls.__name__, extra, where)
    with _named_refusals(cls, config):
        layer = cls.__new__(cls)
        unwrap(cls.__init__)(layer, **arguments, extra=extra, left_out=left_out)
    layer.unstated = {f.name: stated(layer, f.name) for f in known.values() if f.name not in arguments}
    return layer


def _check_kinds(cls: Any, arguments: Mapping[str, Any], where: str) -> None:
    """Raises KconvertError where an option has a value of another kind than its own."""
    for name, value in arguments.items():
        kind = _plain_fields(cls).get(name)
        if kind is not None:
            wrong = isinstance(value, _NOT_PLAIN) or (value is None and name in _numbers(cls))
        else:
            kind, wrong = "the name or the configuration of one", name.endswith(_NAMED) and _names_nothing(value)
        if wrong:
            what = f"this is not the configuration of a {cls.__name__}: {name} is {shown(value)}"
            raise KconvertError(what, where, f"{name} must be {kind}", Problem.UNREADABLE)


def _names_nothing(value: Any) -> bool:
    """Whether a value of a file names no function and no object."""
    if isinstance(value, Mapping):
        return not isinstance(value.get("class_name", ""), str)
    return isinstance(value, (int, float, list, tuple))


@lru_cache(1024)
def _plain_fields(cls: Any) -> Mapping[str, str]:
    """The fields of a class that hold a number, or true or false, and how messages call that."""
    return {f.name: _KINDS[kind] for f in fields(cls) if (kind := str(f.type).removesuffix(" | None")) in _KINDS}


@lru_cache(1024)
def _numbers(cls: Any) -> frozenset[str]:
    """The fields of a class that hold a number, and never None."""
    return frozenset(f.name for f in fields(cls) if str(f.type) in ("int", "float") and f.default is not None)


_KINDS = {"int": "an integer", "float": "a number", "bool": "true or false"}
_NOT_PLAIN = (str, list, tuple, Mapping)
_NAMED = ("activation", "_initializer", "_regularizer", "_constraint")
"""What the names of options end in whose values name a function or an object."""


@lru_cache(1024)
def _keys(cls: Any) -> Mapping[str, Field[Any]]:
    """The fields of a class that a configuration can state, by their keys."""
    return {key_of(f): f for f in fields(cls) if f.init and f.name not in ("extra", "left_out", "unstated")}


def _stated_input(config: Mapping[str, Any], known: set[str]) -> dict[str, Any]:
    """`config` with the shape of the input under `batch_input_shape` alone, which counts before `input_shape`."""
    stated = input_arguments(known, config)
    shape = config.get("batch_input_shape")
    return stated if shape is None else {**stated, "batch_input_shape": shape}


@contextmanager
def _named_refusals(cls: Any, config: Mapping[str, Any]) -> Iterator[None]:
    """Converts errors of a constructor, for values in a file, to a KconvertError that names the layer and its class."""
    try:
        yield
    except KconvertError as error:
        if error.where:
            raise
        what = f"{cls.__name__}: {error.what}"
        raise KconvertError(what, f"layer {config.get('name', '?')}", error.fix, Problem.UNSUPPORTED) from error
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
        raise KconvertError(
            f"this is not the configuration of a {cls.__name__} ({type(error).__name__}: {error})",
            where=f"layer {config.get('name', '?')}",
            problem=Problem.UNREADABLE,
        ) from error
