"""Errors about files that cannot be read, and about what a library raises while it reads or writes one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from ..errors import KconvertError, Problem


def unreadable(what: str, where: object, fix: str | None = None) -> KconvertError:
    """The error about a file, or a part of one, that cannot be read. where: a path, or text that names the part."""
    return KconvertError(what, str(where), fix, Problem.UNREADABLE)


class library_errors(AbstractContextManager[None]):
    """Turns whatever a library raises in the block into one sentence: `what`, and the first line of the message.

    message: takes the message of the library from its exception. It is a class, because files with many arrays enter
    many such blocks.
    """

    def __init__(
        self,
        what: str,
        where: object,
        message: Callable[[BaseException], object] = str,
        problem: Problem = Problem.UNREADABLE,
    ) -> None:
        self._what, self._where, self._message, self._problem = what, where, message, problem

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, KconvertError) or not isinstance(error, Exception):
            return
        lines = str(self._message(error)).splitlines()
        reason = lines[0] if lines else type(error).__name__
        raise KconvertError(f"{self._what} ({reason})", str(self._where), problem=self._problem) from None
