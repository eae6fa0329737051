"""One value or a list of values: Keras uses a list only where there are several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def as_list(value: Any) -> list[Any]:
    """A copy of a list; anything else as a list of one item."""
    return list(value) if isinstance(value, list) else [value]


def items_of(value: Any) -> list[Any]:
    """The items of a list or a tuple as a list; anything else as a list of one item."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def one_or_list(values: Sequence[Any]) -> Any:
    """The value itself where there is only one, else the list of values."""
    return values[0] if len(values) == 1 else list(values)
