"""The error of the package, `KconvertError`: what is wrong, where, and how to fix it; and its warnings."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep

LONGEST = 5000  # characters of a text that are shown; longer than any path


class Problem(IntEnum):
    """The kind of a problem; the value is the exit code of the command line."""

    USAGE = 2  # the call or the command line is wrong
    UNSUPPORTED = 3  # the model cannot be converted
    UNREADABLE = 4  # a file cannot be read, is damaged, or exceeds a limit
    UNVERIFIED = 5  # a required backend is missing, or the model cannot run
    PARTLY_VERIFIED = 6  # what can run is equal, and some layers cannot run
    SOME_FAILED = 7  # of many files, some could not be converted or verified


class KconvertError(ValueError):
    """The error of kconvert, a short message that a user can act on. It is a ValueError, as most errors of Keras are.

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
    """An error that Keras raises as RuntimeError: a model is not compiled yet, or a graph of layers is incomplete."""


class AlsoTypeError(KconvertError, TypeError):
    """An error that Keras raises as TypeError: an object of a wrong class, or a layer that does not support masks."""


class AlsoAttributeError(KconvertError, AttributeError):
    """An error that Keras raises as AttributeError: an attribute that a layer does not have in its current state."""


class AlsoKeyError(KconvertError, KeyError):
    """What Keras and Python raise as KeyError: a name that is not there, or that is taken."""


class AlsoFileNotFoundError(KconvertError, FileNotFoundError):
    """The error for a file or a directory that does not exist, which Keras raises as OSError."""


class AlsoImportError(KconvertError, ImportError):
    """An error that Python raises as ImportError: a name that a module does not have."""


class AlsoNotImplementedError(KconvertError, NotImplementedError):
    """An error that Keras raises as NotImplementedError: a method that a model class of the user does not define."""


@contextmanager
def errors_in(path: object) -> Iterator[None]:
    """Errors of the block name the file `path`; None: they stay as they are."""
    try:
        yield
    except KconvertError as error:
        raise error if path is None else error.in_file(path) from None


def _shortened(text: str) -> str:
    """A text that is shortened in the middle if it is longer than LONGEST, as names from files can be."""
    left = len(text) - LONGEST
    return text if left <= 0 else f"{text[: LONGEST // 2]} ... ({left:,} characters) ... {text[-LONGEST // 2 :]}"


def printable(text: str) -> str:
    r"""`text` with its control characters escaped: names come from files, and a terminal would interpret them.

    A long text is shortened in the middle, because drawing a name of megabytes would take minutes.

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
