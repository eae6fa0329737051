"""open_runner: the runner that a user asked for one side."""

from __future__ import annotations

import sys

from ..._version import __version__, install
from ...errors import KconvertError, Problem
from .base import Runner
from .here import Here
from .interpreter import Interpreter, look
from .process import Process
from .real_keras import RealKeras


def open_runner(
    backend: str,
    python: str | None = None,
    timeout: float | None = None,
    package: str | None = None,
    here: bool = False,
) -> Runner:
    """The runner for a side that runs on `backend`.

    python: another interpreter, which has this release of kconvert or a real Keras. timeout: seconds for an answer.
    package: run the files in that real Keras ('keras' or 'tf_keras'). here: in this process, where neither python nor
    package is given. Raises KconvertError for an interpreter that has neither, or another release of kconvert.
    """
    if python is None and package is None:
        return Here() if here else Process(timeout=timeout)
    found = look(python or sys.executable, timeout)
    if package is None and found.kconvert == __version__:
        return Process(found.path, timeout)
    if package is None and found.kconvert:
        raise _lacks(found, f"has kconvert {found.kconvert}, this is {__version__}", _kconvert(found))
    wanted = package or "keras"
    if wanted not in found.packages:
        neither = "has neither kconvert nor keras" if package is None else f"has no {wanted}"
        raise _lacks(found, neither, f"{found.path} -m pip install {wanted}" if package else _kconvert(found))
    return RealKeras(backend, found.path, timeout, wanted)


def _kconvert(found: Interpreter) -> str:
    """How that interpreter gets this release of kconvert."""
    return f"{install(python=found.path)}, version {__version__}"


def _lacks(found: Interpreter, what: str, fix: str) -> KconvertError:
    return KconvertError(what, f"Python {found.python} at {found.path}", fix, Problem.USAGE)
