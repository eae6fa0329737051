"""Caches the shapes of nested networks, so that a network that is called often is computed once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_KNOWN: ContextVar[dict[Hashable, Mapping[Any, Any]] | None] = ContextVar("known_shapes", default=None)


@contextmanager
def known_shapes() -> Iterator[dict[Hashable, Mapping[Any, Any]]]:
    """The shapes of tensors by network and input shapes, which hold until the outermost block ends.

    Networks can change, so a block must not change one.
    """
    known = _KNOWN.get()
    if known is not None:
        yield known
        return
    known = {}
    token = _KNOWN.set(known)
    try:
        yield known
    finally:
        _KNOWN.reset(token)
