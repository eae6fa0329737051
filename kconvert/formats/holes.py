"""Sparse files: holes are not stored on the disk and read as zeros, so a file of 1 TB may need 4 kB."""

from __future__ import annotations

import os
from pathlib import Path

from .limits import check_limit, expansion

_PARTS = 100_000  # the number of parts that are counted; a file with more parts stores enough


def stored_size(path: Path) -> int:
    """The bytes of a file without its holes, where the system tells them; otherwise its size."""
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if not hasattr(os, "SEEK_HOLE"):
            return size
        stored = end = 0
        try:
            for _ in range(_PARTS):
                begin = os.lseek(file.fileno(), end, os.SEEK_DATA)
                end = os.lseek(file.fileno(), begin, os.SEEK_HOLE)
                stored += end - begin
        except OSError:  # there are no data after `end`, or the file system cannot tell
            return stored
    return size


def check_holes(path: Path) -> None:
    """Raises KconvertError (UNREADABLE) for a file that is far larger than what the disk holds of it."""
    size, stored = path.stat().st_size, stored_size(path)
    what = f"has holes: the disk holds {stored:,} of its {size:,} bytes; what counts of that"
    check_limit("bytes", expansion(size, stored), what, str(path))
