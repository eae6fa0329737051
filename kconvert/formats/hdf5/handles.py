"""Files that a user has opened: an `h5py.File` or a group of one, or a stream of bytes, in place of a path.

They are read from and written to through a file in a temporary directory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py

from ...errors import KconvertError, Problem


def is_open(file: Any) -> bool:
    """Whether `file` is an open HDF5 file, or a group of one."""
    return isinstance(file, h5py.Group)


@contextmanager
def path_to_read(source: Any) -> Iterator[Any]:
    """A path with the content of `source`; a path is returned unchanged."""
    if isinstance(source, (str, os.PathLike)):
        yield source
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        if is_open(source):
            with h5py.File(path, "w") as file:
                _copy(source, file)
        elif hasattr(source, "read"):
            path.write_bytes(source.read())
        else:
            raise _neither(source)
        yield path


@contextmanager
def path_to_write(target: Any) -> Iterator[Any]:
    """A path whose file becomes the content of `target` at the end of the block; a path is returned unchanged."""
    if isinstance(target, (str, os.PathLike)):
        yield target
        return
    if not (is_open(target) or hasattr(target, "write")):
        raise _neither(target)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        yield path
        if not is_open(target):
            target.write(path.read_bytes())
            return
        with h5py.File(path, "r") as file:
            _copy(file, target)


def _copy(source: Any, target: Any) -> None:
    """Copies all groups, arrays and attributes; those of the same names are replaced."""
    for name in source:
        if name in target:
            del target[name]
        source.copy(name, target)
    for name, value in source.attrs.items():
        target.attrs[name] = value


def _neither(value: Any) -> KconvertError:
    fix = "give a path, an open h5py.File, or a stream of bytes"
    return KconvertError(f"{type(value).__name__} is not a file", fix=fix, problem=Problem.USAGE)
