"""What the JSON of an architecture says, in the words of any generation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..backends import DATA_FORMATS
from .rules import DIM_ORDERING


def stated_data_formats(value: Any) -> Iterator[str]:
    """The data format of every layer of an architecture that states one, in Keras 2's words."""
    if isinstance(value, Mapping):
        stated = value.get("dim_ordering", value.get("data_format"))
        if isinstance(stated, str) and (word := DIM_ORDERING[0](stated)) in DATA_FORMATS:
            yield word
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from stated_data_formats(item)


def keys(value: Any) -> Iterator[str]:
    """Every key in JSON values, at any depth."""
    if isinstance(value, Mapping):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from keys(item)
