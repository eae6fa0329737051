"""Limits on the cost of reading one file. A file that exceeds them is refused as damaged or malicious.

A file of a few kilobytes can declare terabytes. Real files stay far below these limits; `limited` raises them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields, replace
from pathlib import Path

from ..arguments import raised_limit
from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass

LONG_JSON = "has too long a text of JSON (bytes)"
EXPANSION = 100  # data up to this many times their stored size cost nothing; gzip reaches a factor of 1032


@dataclass(frozen=True)
class Limits:
    """What one file may cost."""

    bytes: int = 2**30
    """Bytes of arrays, decompressed data, sparse files and tensors, as far as they exceed 100 times the stored bytes.
    The tensors are those that a verification computes."""
    arrays: int = 100_000
    """Arrays."""
    chunks: int = 1_000_000
    """Chunks of arrays in HDF5 files."""
    chunk: int = 512 * 2**20
    """Bytes of one chunk, which HDF5 holds in memory."""
    text: int = 512 * 2**20
    """Bytes of names and attributes."""
    json: int = 32 * 2**20
    """Bytes of one JSON or YAML document; each byte may need 25 bytes of memory."""
    calls: int = 50_000
    """Calls of layers in a network, where each call of a nested network counts its own calls, and one with several
    inputs counts them."""


_USUAL = Limits()
_LIMITS: ContextVar[Limits] = ContextVar("limits", default=_USUAL)


@contextmanager
def limited(**limits: int) -> Iterator[None]:
    """Other limits for the files that are read within the block.

    limits: by the names of the fields of `Limits`. Raises KconvertError (USAGE) for another name.

    >>> with limited(calls=1_000_000):
    ...     limits().calls
    1000000
    """
    known = [field.name for field in fields(Limits)]
    if unknown := sorted(set(limits) - set(known)):
        raise KconvertError(f"there is no limit {unknown[0]!r}", fix=f"use {', '.join(known)}", problem=Problem.USAGE)
    token = _LIMITS.set(replace(_LIMITS.get(), **limits))
    try:
        yield
    finally:
        _LIMITS.reset(token)


def limits() -> Limits:
    """The current limits."""
    return _LIMITS.get()


def check_limit(name: str, cost: int, what: str, where: str | None) -> None:
    """Raises KconvertError (UNREADABLE) where the cost of a file is above the limit `name`."""
    limit: int = getattr(limits(), name)
    if cost > limit:
        raise KconvertError(
            f"{what}: {cost:,}, where the limit is {limit:,}",
            where,
            f"if you trust the file, raise the limit with {raised_limit(name, cost)}",
            Problem.UNREADABLE,
        )


def expansion(size: int, stored: int) -> int:
    """The bytes that `size` bytes of data cost, of which `stored` are in the file."""
    return max(0, size - EXPANSION * stored)


class Budget:
    """The costs of one file so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spent = dict.fromkeys((field.name for field in fields(Limits)), 0)

    def spend(self, name: str, cost: int, what: str, where: str) -> None:
        """Adds a cost. Raises KconvertError if the sum of its kind exceeds the limit."""
        self.spent[name] += cost
        check_limit(name, self.spent[name], what, where)

    def array(self, size: int, stored: int, shape: Sequence[int], chunks: Sequence[int] | None, where: str) -> None:
        """An array of `size` bytes, of which `stored` are in the file, in chunks of a shape."""
        self.spend("arrays", 1, "has too many arrays", str(self.path))
        self.spend(
            "bytes", expansion(size, stored), f"would expand from {stored:,} bytes to {size:,}; all such arrays", where
        )
        if chunks:
            count = math.prod(-(-length // chunk) for length, chunk in zip(shape, chunks, strict=True))
            self.spend("chunks", count, "has too many chunks", where)
            one = math.prod(chunks) * size // max(1, math.prod(shape))
            check_limit("chunk", one, "has too large chunks (bytes)", where)

    def text(self, size: int, where: str) -> None:
        """Text of so many bytes."""
        self.spend("text", size, "has too much text (bytes)", where)
