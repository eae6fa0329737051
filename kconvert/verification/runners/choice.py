"""Chooses the runner for one side."""

from __future__ import annotations

import sys

from ..._version import __version__, install
from ...arguments import argument
from ...conventions.generations import Reader
from ...errors import KconvertError, Problem
from .base import Runner
from .here import Here
from .interpreter import Interpreter, look, this_interpreter
from .process import Process
from .reading import Reading
from .real_keras import RealKeras

OWN = "kconvert"
"""The name of the runner that runs a file in the layers of kconvert, for any reader."""


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


def open_reader(
    reader: Reader,
    own: Runner,
    python: str | None = None,
    backend: str | None = None,
    timeout: float | None = None,
    required: bool = False,
) -> Runner:
    """The runner for files of `reader`: that package if it is installed, otherwise `own`, and the result says so.

    python: another interpreter that has it. backend: the one that it runs on, by default the first that is installed.
    Raises KconvertError where it is not installed, and the user named either of these or says that it is `required`.
    """
    found = this_interpreter() if python is None else look(python, timeout)
    lacking, fix = _lacking(reader, found, backend)
    if not lacking:
        runs_on = backend or next(name for name in reader.backends if name in found.packages)
        return Reading(reader.title, own, RealKeras(runs_on, found.path, timeout, reader.package))
    if python or backend or required:
        problem = Problem.USAGE if python or backend else Problem.UNVERIFIED
        raise KconvertError(lacking, f"Python {found.python} at {found.path}", fix, problem)
    return Reading(reader.title, own, why=lacking)


def _lacking(reader: Reader, found: Interpreter, backend: str | None) -> tuple[str, str]:
    """What an interpreter lacks to run files in `reader`, and how to install it; '' if nothing is missing."""
    release = found.packages.get(reader.package)
    if release is None:
        return f"{reader.title} is not installed", f"{found.path} -m pip install {reader.package}"
    if not release.startswith(reader.releases if release else ""):
        what = f"{reader.package} {release} is installed, and not {reader.title}"
        return what, f"{found.path} -m pip install -U {reader.package}"
    if backend and backend not in reader.backends:
        return f"{reader.title} does not run on {backend}", f"give {argument('keras_backend', reader.backends[0])}"
    if backend and backend not in found.packages:
        return f"{backend} is not installed", f"{found.path} -m pip install {backend}"
    if not backend and found.packages.keys().isdisjoint(reader.backends):
        what = f"{reader.title} has none of its backends ({', '.join(reader.backends)})"
        return what, f"{found.path} -m pip install {reader.backends[0]}"
    return "", ""


def _kconvert(found: Interpreter) -> str:
    """How that interpreter gets this release of kconvert."""
    return f"{install(python=found.path)}, version {__version__}"


def _lacks(found: Interpreter, what: str, fix: str) -> KconvertError:
    return KconvertError(what, f"Python {found.python} at {found.path}", fix, Problem.USAGE)
