"""Sets context variables within a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Value = TypeVar("Value")


@contextmanager
def assigned(variable: ContextVar[Value], value: Value) -> Iterator[None]:
    """Gives `variable` the value within the block, and its earlier value after it."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)
