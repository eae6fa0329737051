"""What takes the place of a path: an open `h5py.File` or a group of one, a stream of bytes, a dict or an `H5Dict`.

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
from .dictionary import H5Dict


def is_open(file: Any) -> bool:
    """Whether `file` is an open HDF5 file, or a group of one."""
    return isinstance(file, h5py.Group)


@contextmanager
def path_to_read(source: Any) -> Iterator[Any]:
    """A path with the content of `source`; a path is returned unchanged."""
    if isinstance(source, (str, os.PathLike)):
        yield source
        return
    source = source.data if isinstance(source, H5Dict) else source
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        if isinstance(source, dict):
            with H5Dict(path, "w") as content:
                H5Dict(source).copy_to(content)
        elif is_open(source):
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
    target = target.data if isinstance(target, H5Dict) else target
    if not (is_open(target) or isinstance(target, dict) or hasattr(target, "write")):
        raise _neither(target)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        yield path
        if isinstance(target, dict):
            with H5Dict(path, "r") as content:
                content.copy_to(H5Dict(target))
            return
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
    fix = "give a path, an open h5py.File, a dict, or a stream of bytes"
    return KconvertError(f"{type(value).__name__} is not a file", fix=fix, problem=Problem.USAGE)
