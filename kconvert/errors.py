"""The error of the package, `KconvertError`: what is wrong, where, and how to fix it; and its warnings."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep

LONGEST = 5000  # characters of a text that are shown: more than a path may have


class Problem(IntEnum):
    """The kind of a problem; the value is the exit code of the command line."""

    USAGE = 2  # the call or the command line is wrong
    UNSUPPORTED = 3  # the model cannot be converted
    UNREADABLE = 4  # a file cannot be read, or is hostile
    UNVERIFIED = 5  # a required backend is missing, or the model cannot run
    PARTLY_VERIFIED = 6  # what can run is equal, and some layers cannot run
    SOME_FAILED = 7  # of many files, some could not be converted or verified


class KconvertError(ValueError):
    """What kconvert refuses to do, in one sentence that a user can act on. Keras raises ValueError for most of it.

    what: what is wrong.
    where: the file, the layer; from the outside in.
    fix: how to fix it.
    problem: the kind of the problem.

    >>> print(KconvertError("unknown layer class 'Foo'", where="model.h5, layer foo_1",
    ...                     fix="register its class"))
    model.h5, layer foo_1: unknown layer class 'Foo'; register its class
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
        place = f"{printable(self.where)}: " if self.where else ""
        remedy = f"; {printable(self.fix)}" if self.fix else ""
        return f"{place}{printable(self.what)}{remedy}"

    def within(self, place: str) -> KconvertError:
        """The same error with `place` before its own place, as in `model.h5, layer conv1`."""
        where = f"{place}, {self.where}" if self.where else place
        own = type(self)
        made = own if own.__init__ is KconvertError.__init__ else KconvertError  # with a constructor of these arguments
        return made(self.what, where, self.fix, self.problem)

    def in_file(self, path: object) -> KconvertError:
        """The same error with the file `path` before its own place, where it is not there already."""
        return self if self.where is not None and str(path) in self.where else self.within(str(path))


class AlsoRuntimeError(KconvertError, RuntimeError):
    """What Keras raises as RuntimeError: a model is used before it is compiled, or a graph of layers is not whole."""


class AlsoTypeError(KconvertError, TypeError):
    """What Keras raises as TypeError: an object of a wrong class, or a layer that does not take masks."""


class AlsoAttributeError(KconvertError, AttributeError):
    """What Keras raises as AttributeError: an attribute that a layer does not have in its present state."""


class AlsoFileNotFoundError(KconvertError, FileNotFoundError):
    """The error for a file or a directory that does not exist, which Keras raises as OSError."""


class AlsoImportError(KconvertError, ImportError):
    """What Python raises as ImportError: a name that a module does not have."""


class AlsoNotImplementedError(KconvertError, NotImplementedError):
    """What Keras raises as NotImplementedError: what a model class of the user does not have."""


@contextmanager
def errors_in(path: object) -> Iterator[None]:
    """Errors of the block name the file `path`; None: they stay as they are."""
    try:
        yield
    except KconvertError as error:
        raise error if path is None else error.in_file(path) from None


def _shortened(text: str) -> str:
    """A text without its middle, where a name or value from a file makes it longer than anybody reads."""
    left = len(text) - LONGEST
    return text if left <= 0 else f"{text[: LONGEST // 2]} ... ({left:,} characters) ... {text[-LONGEST // 2 :]}"


def printable(text: str) -> str:
    r"""`text` with its control characters escaped, because names come from files and a terminal would obey them.

    The middle of a long text is left out: to draw a name of megabytes would take minutes.

    >>> printable("conv1\x1b[2J")
    'conv1\\x1b[2J'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in _shortened(text))


def warn(what: str, category: type[Warning] = UserWarning) -> None:
    """Gives a warning that names the line of the user: the innermost one that is not of this package."""
    frame, level = sys._getframe(1), 2
    while frame.f_code.co_filename.startswith(_PACKAGE) and frame.f_back is not None:
        frame, level = frame.f_back, level + 1
    warnings.warn(what, category, stacklevel=level)
