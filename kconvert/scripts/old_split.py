r"""`re.split` as before Python 3.7, which left out empty matches, for scripts that split by `(\W+)?`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .shortening import replaced


@contextmanager
def splitting_as_before(say: Callable[[str], None]) -> Iterator[None]:
    """In the block, `re.split` with a pattern that can match nothing does what it did; `say` is told so."""
    today = re.split

    def split(pattern: Any, string: Any, maxsplit: int = 0, flags: int = 0) -> list[Any]:
        compiled = re.compile(pattern, flags)
        if not compiled.match(""):
            return today(compiled, string, maxsplit)
        say("re.split left out empty matches before Python 3.7, and does so here")
        return _without_empty(compiled, string, maxsplit)

    with replaced(re, "split", split):
        yield


def _without_empty(pattern: re.Pattern[str], string: str, maxsplit: int) -> list[Any]:
    """The parts of a text between the matches that are not empty, with their groups.

    >>> _without_empty(re.compile(r"(\\W+)?"), "to be", 0)
    ['to', ' ', 'be']
    """
    parts: list[Any] = []
    end = 0
    for found in pattern.finditer(string):
        if found.group() and not (maxsplit and len(parts) >= maxsplit * (1 + pattern.groups)):
            parts += [string[end : found.start()], *found.groups()]
            end = found.end()
    return [*parts, string[end:]]
