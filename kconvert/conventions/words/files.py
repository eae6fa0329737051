"""Reads facts from the JSON of an architecture of any generation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..backends import DATA_FORMATS
from .rules import DIM_ORDERING


def stated_data_formats(value: Any) -> Iterator[str]:
    """The data format of every layer of an architecture that states one, in Keras 2's words."""
    for item in mappings(value):
        stated = item.get("dim_ordering", item.get("data_format"))
        if isinstance(stated, str) and (word := DIM_ORDERING[0](stated)) in DATA_FORMATS:
            yield word


def keys(value: Any) -> Iterator[str]:
    """Every key in JSON values, at any depth."""
    if isinstance(value, Mapping):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from keys(item)


def mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every mapping in JSON values, at any depth, an outer one before those in it."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, list):
            todo += reversed(item)
        elif isinstance(item, Mapping):
            yield item
            todo += reversed(list(item.values()))


def holds_code(config: Any) -> bool:
    """Whether Keras would load Python code from an architecture: that of a Lambda, or of a function stored as one."""
    return any(map(_is_code, mappings(config)))


def _is_code(item: Mapping[str, Any]) -> bool:
    functions = (value == "lambda" for key, value in item.items() if key.endswith("_type"))
    return item.get("class_name") in ("Lambda", "__lambda__") or any(functions)
