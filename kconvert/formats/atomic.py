"""Writing files whole or not at all: each is made beside its place, synced, and then put there."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

import numpy as np

from ..errors import KconvertError, Problem

NamedPath = tuple[str, str | PathLike[str]]
"""The role of a file in a command, and its path."""


def writable_path(path: str | PathLike[str]) -> Path:
    """The real path of a file that can be written.

    Raises KconvertError (USAGE) where it is no regular file, or its directory is missing or not writable.
    """

    def refusal(what: str, fix: str) -> KconvertError:
        return KconvertError(what, str(path), fix, Problem.USAGE)

    with writing(path):
        target = Path(os.path.realpath(path))
        if target.is_dir() or (target.exists() and not target.is_file()):
            raise refusal("is not a regular file", "name a file")
        if not target.parent.is_dir():
            raise refusal(f"there is no directory {target.parent}", "create it first")
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise refusal(f"the directory {target.parent} is not writable", "name another one")
    return target


def new_path(path: Path, source: Path | None, force: bool) -> Path:
    """The real path of a file to write. Raises KconvertError (USAGE) as `writable_path` does.

    It is refused, too, where it is `source`, and where it exists and `force` does not replace it.
    """
    target = writable_path(path)
    if target.exists():
        if source is not None and source.exists() and target.samefile(source):
            what, fix = "is the source file itself, which is never written to", "name another file"
            raise KconvertError(what, str(path), fix, Problem.USAGE)
        if not force:
            raise KconvertError("exists already", str(path), "pass --force to replace it", Problem.USAGE)
    return target


def derived_path(path: Path, force: bool) -> Path:
    """The real path of a file that the user did not name. Raises KconvertError (USAGE) as `writable_path` does.

    It is refused, too, where it exists and `force` does not replace it, and where it is a link to nothing.
    """
    target = writable_path(path)
    if path.is_symlink() and not target.exists():
        raise KconvertError("is a symbolic link to a file that does not exist", str(path), problem=Problem.USAGE)
    if target.exists() and not force:
        raise KconvertError("exists already", str(path), "pass --force to replace it", Problem.USAGE)
    return target


def refuse_collisions(written: Sequence[NamedPath], read: Sequence[NamedPath]) -> None:
    """Refuses files to be written that are read too, or that are one file.

    Each is named by its role, such as 'report'. Raises KconvertError (USAGE) naming both roles.
    """
    for position, (role, path) in enumerate(written):
        taken = [f"is the {other} itself, which is never written to" for other, known in read if _one_file(path, known)]
        taken += [
            f"is to be the {other} and the {role}" for other, known in written[:position] if _one_file(path, known)
        ]
        if taken:
            raise KconvertError(taken[0], str(path), "name another file", Problem.USAGE)


def _one_file(first: str | PathLike[str], second: str | PathLike[str]) -> bool:
    """Whether two paths lead to one file, also through links."""
    try:
        return os.path.realpath(first) == os.path.realpath(second) or os.path.samefile(first, second)
    except (OSError, ValueError):
        return False


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A hidden file beside `target` for the block to make; it replaces `target`, or is removed on any error."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        yield temporary
        with writing(target):
            if target.exists():
                shutil.copymode(target, temporary)
            with open(temporary, "r+b") as file:
                os.fsync(file.fileno())
            os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_array(target: Path, array: np.ndarray) -> None:
    """Writes an array as .npy; an existing file is replaced."""
    with replacing(target) as temporary, writing(target), open(temporary, "xb") as file:
        np.save(file, array, allow_pickle=False)


def write_text(target: Path, text: str) -> None:
    """Writes `text` as UTF-8; an existing file is replaced."""
    with replacing(target) as temporary, writing(target), open(temporary, "x", encoding="utf-8") as file:
        file.write(text)


@contextmanager
def writing(path: str | PathLike[str]) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise KconvertError(f"cannot be written ({said})", str(path), problem=Problem.USAGE) from None
