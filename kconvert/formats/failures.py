"""Errors about files that cannot be read, and about what a library raises while it reads or writes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..errors import KconvertError, Problem


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

    message: takes the message of the library from its exception.
    """
    if isinstance(error, KconvertError):
        return error
    lines = str(message(error)).splitlines()
    reason = lines[0] if lines else type(error).__name__
    return KconvertError(f"{what} ({reason})", str(where), problem=problem)


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
