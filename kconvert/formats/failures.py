"""Errors about files that cannot be read, and about what a library raises while it reads or writes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..errors import KconvertError, Problem

COPY_AGAIN = "the file is damaged or was cut off: copy it again from where it was made"
"""What to do with a file that is not as it was written."""


def unreadable(what: str, where: object, fix: str | None = None) -> KconvertError:
    """The error about a file, or a part of one, that cannot be read. where: a path, or text that names the part."""
    return KconvertError(what, str(where), fix, Problem.UNREADABLE)


def library_error(
    error: Exception,
    what: str,
    where: object,
    message: Callable[[BaseException], object] = str,
    problem: Problem = Problem.UNREADABLE,
) -> KconvertError:
    """What a library raised in one sentence: `what`, and the first line of the message. A KconvertError stays as it is.

    What the system does not say itself, such as that a file may not be opened, is damage of a file that is read.
    message: takes the message of the library from its exception.
    """
    if isinstance(error, KconvertError):
        return error
    lines = str(message(error)).splitlines()
    reason = lines[0] if lines else type(error).__name__
    of_system = isinstance(error, (MemoryError, OSError)) and getattr(error, "strerror", None) is not None
    fix = COPY_AGAIN if problem is Problem.UNREADABLE and not of_system else None
    return KconvertError(f"{what} ({reason})", str(where), fix, problem)


@contextmanager
def library_errors(
    what: str,
    where: object,
    message: Callable[[BaseException], object] = str,
    problem: Problem = Problem.UNREADABLE,
) -> Iterator[None]:
    """In the block, `library_error` of whatever a library raises."""
    try:
        yield
    except Exception as error:
        raise library_error(error, what, where, message, problem) from None
