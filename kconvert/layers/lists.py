"""Values that may be one or several: Keras gives a list only where there are several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def as_list(value: Any) -> list[Any]:
    """A list as it is, anything else as a list of one."""
    return list(value) if isinstance(value, list) else [value]


def one_or_list(values: Sequence[Any]) -> Any:
    """The only value, or the list of them."""
    return values[0] if len(values) == 1 else list(values)
