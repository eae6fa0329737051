"""Errors about files that cannot be read, and about what a library raises while it reads or writes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..errors import KconvertError, Problem


def unreadable(what: str, where: object, fix: str | None = None) -> KconvertError:
    """The error about a file, or a part of one, that cannot be read. where: a path, or text that names the part."""
    return KconvertError(what, str(where), fix, Problem.UNREADABLE)


@contextmanager
def library_errors(
    what: str,
    where: object,
    message: Callable[[Exception], object] = str,
    problem: Problem = Problem.UNREADABLE,
) -> Iterator[None]:
    """Turns whatever a library raises in the block into one sentence: `what`, and the first line of the message.

    message: takes the message of the library from its exception.
    """
    try:
        yield
    except KconvertError:
        raise
    except Exception as error:
        lines = str(message(error)).splitlines()
        reason = lines[0] if lines else type(error).__name__
        raise KconvertError(f"{what} ({reason})", str(where), problem=problem) from None
