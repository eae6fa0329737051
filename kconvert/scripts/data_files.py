"""Finds files of a script in another directory: `kconvert run SCRIPT --data DIR`."""

from __future__ import annotations

import builtins
import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

from .shortening import replaced

_CHANGING = frozenset("wax+")
"""The letters of modes of `open` for writing."""


@contextmanager
def found_in(folder: str | None, say: Callable[[str], None]) -> Iterator[None]:
    """In the block, a file or folder that does not exist is looked for in `folder`, by the last parts of its path.

    `open` for reading, `os.stat` (of `os.path.exists`), `os.listdir` and `os.scandir` (of `os.walk` and `glob`) find
    it; `say` is told so. None changes nothing.
    """
    if folder is None:
        yield
        return
    find = _finder(Path(folder).absolute(), os.stat, say)
    with ExitStack() as stack:
        for owner, name in ((builtins, "open"), (io, "open")):
            stack.enter_context(replaced(owner, name, _opening(open, find)))
        for name in ("stat", "listdir", "scandir"):
            stack.enter_context(replaced(os, name, _reading(getattr(os, name), find)))
        yield


def _finder(folder: Path, stat: Callable[[Any], Any], say: Callable[[str], None]) -> Callable[[Any], Any]:
    """A function that maps the path of a missing file to one in `folder`, and any other path to itself."""

    def exists(path: Any) -> bool:
        try:
            stat(path)
        except (OSError, ValueError):
            return False
        return True

    def find(path: Any) -> Any:
        if not isinstance(path, str | os.PathLike) or exists(path):
            return path
        parts = [part for part in Path(os.fsdecode(path)).parts if part not in ("..", os.sep)]
        for start in range(len(parts)):
            if exists(there := folder.joinpath(*parts[start:])):
                say(f"{os.fsdecode(path)!r} does not exist; {there} takes its place")
                return str(there)
        return path

    return find


def _opening(original: Callable[..., Any], find: Callable[[Any], Any]) -> Callable[..., Any]:
    @wraps(original)
    def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        return original(file if _CHANGING & set(mode) else find(file), mode, *args, **kwargs)

    return opened


def _reading(original: Callable[..., Any], find: Callable[[Any], Any]) -> Callable[..., Any]:
    @wraps(original)
    def read(path: Any = ".", *args: Any, **kwargs: Any) -> Any:
        return original(find(path), *args, **kwargs)

    return read
