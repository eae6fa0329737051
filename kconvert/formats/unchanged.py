"""Checks that files do not change while they are read."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from .failures import unreadable

Identity = tuple[int, int, int, int, int]
"""The device and the number of a file, its size, and the times of the last changes of its content and of the file.

If a program resets the modification time, as copying programs do, the time of the last status change shows it.
"""


def unchanged(paths: Sequence[Path]) -> Callable[[], None]:
    """A check that raises KconvertError (UNREADABLE) where one of the files was changed or replaced since now."""
    before = [_identity(path) for path in paths]

    def check() -> None:
        for path, identity in zip(paths, before, strict=True):
            if _identity(path) != identity:
                raise unreadable("was changed while it was read", path, "read it again when nothing writes to it")

    return check


def _identity(path: Path) -> Identity | None:
    """None for a file that is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
