"""Nested dicts of arrays, by layer and weight name, and lists that may be of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Arrays = dict[str, Any]


def as_list(value: Any) -> list[Any]:
    """A list as it is, anything else as a list of one."""
    return list(value) if isinstance(value, list) else [value]


def one_or_list(values: Sequence[Any]) -> Any:
    """The only value, or the list of them."""
    return values[0] if len(values) == 1 else list(values)


def walk(arrays: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], Any]]:
    """(path, array) of every array in a nested dict."""
    for name, value in arrays.items():
        if isinstance(value, Mapping):
            yield from walk(value, (*prefix, name))
        else:
            yield (*prefix, name), value


def nest(leaves: Iterable[tuple[tuple[str, ...], Any]]) -> Arrays:
    """The nested dict that `walk` took apart.

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
