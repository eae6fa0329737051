"""The error about a file that does not exist: it names a similar path, or says that the path is a URL."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ..errors import AlsoFileNotFoundError, KconvertError, Problem

_LOOKED_AT = 10_000  # names in a directory
_ALIKE = 0.7
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):[/\\]+(.*)", re.DOTALL)  # one letter is a drive of Windows

NO_URL = "is a URL", "copy the file to this machine, or use kconvert batch (s3://, gs://, http(s)://)"
"""What is wrong with a URL in place of a path, and what to do."""


def missing(path: Path, where: str | None = None, what: str = "there is no such file") -> KconvertError:
    """The error about a path that does not exist. where: what the error names in place of the path."""
    if url := url_of(path):
        wrong, remedy = NO_URL
        return AlsoFileNotFoundError(what if where else wrong, where or url, remedy, Problem.UNREADABLE)
    near = similar(path)
    fix = f"did you mean {near}?" if near else None
    return AlsoFileNotFoundError(what, where or str(path), fix, Problem.UNREADABLE)


def url_of(path: Path) -> str | None:
    """The URL that was given as a path, which has lost a slash; None where it is none."""
    found = _URL.fullmatch(str(path))
    return f"{found[1]}://{found[2]}" if found else None


def similar(path: Path) -> Path | None:
    """An existing path that is similar to `path`: another name replaces the first one that does not exist."""
    from difflib import get_close_matches  # for this error alone

    parts = path.parts
    for count, part in enumerate(parts):
        folder = Path(*parts[:count])
        if not os.path.lexists(folder / part):
            rest = parts[count + 1 :]
            near = get_close_matches(part, islice(_names(folder), _LOOKED_AT), cutoff=_ALIKE)
            return next((found for name in near if (found := folder.joinpath(name, *rest)).exists()), None)
    return None


def _names(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            yield from (entry.name for entry in entries)
    except OSError:
        return
