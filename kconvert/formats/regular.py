"""Opening files that must be regular ones: a pipe or a device could keep the reader waiting forever."""

from __future__ import annotations

import os
import stat
from os import PathLike
from typing import BinaryIO

from ..errors import KconvertError, Problem


def open_regular(path: str | PathLike[str], problem: Problem = Problem.UNREADABLE) -> BinaryIO:
    """A regular file, open for reading. Raises OSError where it cannot be opened, KconvertError where it is another."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise KconvertError("is not a regular file", str(path), "save what it gives to a file", problem)
    return os.fdopen(descriptor, "rb")
