"""Arrays in nested dicts, by the names of layers and weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Arrays = dict[str, Any]


def walk(arrays: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], Any]]:
    """(path, array) of every array in a nested dict; prefix: what all paths begin with."""
    for name, value in arrays.items():
        if isinstance(value, Mapping):
            yield from walk(value, (*prefix, name))
        else:
            yield (*prefix, name), value


def nest(leaves: Iterable[tuple[tuple[str, ...], Any]]) -> Arrays:
    """The nested dict with an array at each path: the inverse of `walk`.

    >>> nest([(("dense", "kernel"), 1), (("dense", "bias"), 2)])
    {'dense': {'kernel': 1, 'bias': 2}}
    """
    nested: Arrays = {}
    for path, value in leaves:
        inner = nested
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = value
    return nested
