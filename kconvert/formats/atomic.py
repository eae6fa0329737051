"""Writing files whole or not at all: each is made beside its place, synced, and then put there."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from ..errors import KconvertError, Problem


def writable_path(path: str | PathLike[str]) -> Path:
    """The real path of a file that can be written.

    Raises KconvertError (USAGE) where it is no regular file, or its directory is missing or not writable.
    """

    def refusal(what: str, fix: str) -> KconvertError:
        return KconvertError(what, str(path), fix, Problem.USAGE)

    with _writing(path):
        target = Path(os.path.realpath(path))
        if target.is_dir() or (target.exists() and not target.is_file()):
            raise refusal("is not a regular file", "name a file")
        if not target.parent.is_dir():
            raise refusal(f"there is no directory {target.parent}", "create it first")
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise refusal(f"the directory {target.parent} is not writable", "name another one")
    return target


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A hidden file beside `target` for the block to make; it replaces `target`, or is removed on any error."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        yield temporary
        with _writing(target):
            if target.exists():
                shutil.copymode(target, temporary)
            with open(temporary, "r+b") as file:
                os.fsync(file.fileno())
            os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(target: Path, text: str) -> None:
    """Writes `text` as UTF-8; an existing file is replaced."""
    with replacing(target) as temporary, _writing(target), open(temporary, "x", encoding="utf-8") as file:
        file.write(text)


@contextmanager
def _writing(path: str | PathLike[str]) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise KconvertError(f"cannot be written ({said})", str(path), problem=Problem.USAGE) from None
