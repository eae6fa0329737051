"""The one error of the package: what is wrong, where, and how to mend it."""

from __future__ import annotations

from enum import IntEnum


class Problem(IntEnum):
    """What kind of problem stopped the work; the value is the exit code of the command line."""

    USAGE = 2
    UNSUPPORTED = 3
    UNREADABLE = 4
    UNVERIFIED = 5


class KconvertError(Exception):
    """Anything kconvert refuses to do, in one sentence a user can act on.

    >>> print(KconvertError("unknown layer class 'Foo'", where="model.h5, layer foo_1",
    ...                     fix="pass its class with --custom"))
    model.h5, layer foo_1: unknown layer class 'Foo'; pass its class with --custom
    """

    def __init__(
        self,
        what: str,
        where: str | None = None,
        fix: str | None = None,
        problem: Problem = Problem.UNSUPPORTED,
    ) -> None:
        self.what = what
        self.where = where
        self.fix = fix
        self.problem = problem
        super().__init__(what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f"; {self.fix}" if self.fix else ""
        return printable(f"{place}{self.what}{remedy}")

    def within(self, place: str) -> KconvertError:
        """The same error, one place further out (`model.h5, layer conv1`)."""
        where = f"{place}, {self.where}" if self.where else place
        return KconvertError(self.what, where, self.fix, self.problem)


def printable(text: str) -> str:
    r"""`text` with its control characters spelled out: names come from files, and a terminal obeys what it is sent.

    >>> printable("conv1\x1b[2J")
    'conv1\\x1b[2J'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
