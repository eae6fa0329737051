"""Weight files of every format that is read: which format a path has, and how it is read.

A format is a row of FORMATS; the first that matches a path reads it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from os import PathLike
from pathlib import Path
from threading import Event
from typing import Protocol

from ..lazy_dataclasses import dataclass
from . import archive, endings, hdf5, safetensors
from .checkpoint import Architecture, Checkpoint
from .failures import library_errors, unreadable
from .holes import check_holes
from .tensorflow_files import (
    GRAPH,
    METADATA,
    checkpoint_files,
    checkpoint_prefix,
    is_saved_model,
    saved_model_files,
)
from .unchanged import unchanged


class Reader(Protocol):
    def __call__(self, path: Path, architecture: Architecture | None = None) -> AbstractContextManager[Checkpoint]: ...


@dataclass(frozen=True)
class Format:
    """A format of weight files."""

    matches: Callable[[Path], bool]
    """Whether a path has it, as its signature or its files show."""
    read: Reader
    files: Callable[[Path], list[Path]]
    """The files that a path of this format stands for."""


def _read_checkpoint(path: Path, architecture: Architecture | None = None) -> AbstractContextManager[Checkpoint]:
    from . import tensorflow_checkpoint

    return tensorflow_checkpoint.read(path, architecture)


def _read_saved_model(path: Path, architecture: Architecture | None = None) -> AbstractContextManager[Checkpoint]:
    from . import saved_model

    return saved_model.read(path, architecture)


def _checkpoint_files(path: Path) -> list[Path]:
    prefix = checkpoint_prefix(path)
    assert prefix is not None
    return checkpoint_files(prefix)


def _is_archive(path: Path) -> bool:
    return path.is_file() and archive.is_archive(path)


FORMATS: Sequence[Format] = (
    Format(is_saved_model, _read_saved_model, saved_model_files),
    Format(lambda path: checkpoint_prefix(path) is not None, _read_checkpoint, _checkpoint_files),
    Format(_is_archive, archive.read, lambda path: [path]),
    Format(safetensors.is_safetensors, safetensors.read, lambda path: [path]),
)
"""The formats beside HDF5, which is that of every other file."""


def _format(path: Path) -> Format | None:
    try:
        return next((one for one in FORMATS if one.matches(path)), None)
    except OSError as error:
        raise unreadable(f"cannot be opened ({error.strerror})", path) from None


@contextmanager
def read(path: str | PathLike[str], architecture: Architecture | None = None) -> Iterator[Checkpoint]:
    """Opens a weight file of any format; its arrays can be read until the `with` block ends.

    architecture: reads that of the user, for weights that are kept by objects. Raises KconvertError (UNREADABLE) where
    the path is missing, damaged, hostile or of no known format.
    """
    path = Path(path)
    found = _format(path)
    if found is None and path.is_dir():
        _members(path)
        raise unreadable(
            "is a directory, and neither a SavedModel (with saved_model.pb) nor one of checkpoints (with checkpoint)",
            path,
            "convert a directory of files with kconvert batch",
        )
    if found is None and path.name in (GRAPH, METADATA) and is_saved_model(path.parent):
        raise unreadable("is one file of a SavedModel", path, f"give its directory, {path.parent}")
    every = [path] if found is None else found.files(path)
    check = unchanged(every)
    for one in every:
        if found is not None and one.exists() and not one.is_file():  # a pipe could keep the reader waiting forever
            raise unreadable("is not a regular file", one)
        if one.is_file():
            with library_errors("cannot be opened", one):
                check_holes(one)
    with hdf5.read(path, architecture) if found is None else found.read(path, architecture) as checkpoint:
        yield replace(checkpoint, check_source=check)


def paths(path: str | PathLike[str]) -> list[Path]:
    """The files that a path stands for."""
    found = _format(Path(path))
    return [Path(path)] if found is None else found.files(Path(path))


def is_weights(path: Path) -> bool:
    """Whether a directory is one model, and not a folder of weight files.

    A directory that holds a checkpoint and other weight files is both: it is taken for a folder.
    """
    found = _format(path) is not None
    others = map(endings.is_known, _members(path)) if path.is_dir() else ()
    return found and not any(others)


def _members(folder: Path) -> list[Path]:
    """What is in a directory."""
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise unreadable(f"cannot be opened ({error.strerror})", folder) from None


def sha256(path: str | PathLike[str], stop: Event = hdf5.NEVER) -> str:
    """The SHA-256 of a file, in hexadecimal; of several: that of their names and sums.

    stop: ends the computation when it is set. Raises CancelledError then.
    """
    every = paths(path)
    if len(every) == 1:
        return hdf5.sha256(every[0], stop)
    sums = "".join(f"{one.name} {hdf5.sha256(one, stop)}\n" for one in every)
    return hashlib.sha256(sums.encode("utf-8")).hexdigest()


def size(path: str | PathLike[str]) -> int:
    """The size of all its files, in bytes."""
    return sum(one.stat().st_size for one in paths(path))
