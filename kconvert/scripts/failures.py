"""Errors of a script: a short message for missing packages or files, and the traceback of the script for the rest."""

from __future__ import annotations

import os
import socket
import sys
import sysconfig
import traceback
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

from ..arguments import argument
from ..errors import KconvertError, Problem
from .imports import KERAS

_OURS = str(Path(__file__).parents[1]) + os.sep


def lacking(error: BaseException, script: str) -> KconvertError | None:
    """The message for an error about something that the script lacks, or that kconvert does not support.

    None for an error of the script itself.
    """
    where = _line(error, script)
    if isinstance(error, KconvertError):
        return error.within(where)
    for kind, sentence in _SENTENCES:
        if isinstance(error, kind):
            return sentence(error, where)
    return None


def _package(error: ImportError, where: str) -> KconvertError | None:
    name = (error.name or "").split(".")[0]
    if not isinstance(error, ModuleNotFoundError) or not name:
        return None
    if error.name in KERAS or str(error.name).startswith("keras."):
        return KconvertError(f"Keras has no module {error.name!r} in this dialect", where, problem=Problem.UNSUPPORTED)
    return KconvertError(
        f"the script needs the package {name!r}, which is not installed",
        where,
        f"pip install {_PACKAGES.get(name, name)}",
        Problem.USAGE,
    )


def _network(error: BaseException, where: str) -> KconvertError:
    return KconvertError(
        f"the script needs the network, which does not answer ({error})",
        where,
        f"{argument('data', 'DIR')} names a folder with the file that it wants to download",
        Problem.USAGE,
    )


def _file(error: OSError, where: str) -> KconvertError | None:
    if error.filename is None:
        return None
    name = os.fspath(error.filename) if not isinstance(error.filename, int) else str(error.filename)
    return KconvertError(
        f"the script needs {name!r}, which does not exist",
        where,
        f"the working directory is {os.getcwd()}; {argument('data', 'DIR')} names another folder to look in",
        Problem.USAGE,
    )


_PACKAGES = {"sklearn": "scikit-learn", "PIL": "pillow", "cv2": "opencv-python", "skimage": "scikit-image"}
"""Packages that have another name on PyPI."""

_SENTENCES: tuple[
    tuple[type[BaseException] | tuple[type[BaseException], ...], Callable[..., KconvertError | None]], ...
]
_SENTENCES = (
    (ImportError, _package),
    ((URLError, socket.gaierror), _network),
    (FileNotFoundError, _file),
)


def print_traceback(error: BaseException, script: str) -> None:
    """Prints the traceback of an error as Python does, without the frames of kconvert and of what it calls."""
    shown = traceback.TracebackException.from_exception(error)
    _reduce(shown, script)
    print("".join(shown.format()), end="", file=sys.stderr)


def _reduce(shown: traceback.TracebackException | None, script: str) -> None:
    while shown is not None:
        shown.stack[:] = own_frames(shown.stack, script)
        shown._str = without_graph(str(shown._str))  # type: ignore[attr-defined]
        if shown.__cause__ is not None:
            _reduce(shown.__cause__, script)
        shown = shown.__context__


def without_graph(message: str) -> str:
    """A message without the graph of Theano or TensorFlow in which the error arose.

    >>> without_graph("Detected at node sub\\n  File ...\\n\\nIncompatible shapes\\n\\t [[{{node sub}}]] [Op:f]")
    'Incompatible shapes'
    """
    message = message.partition("\nApply node that caused the error:")[0]
    if "[[{{node" in message:
        message = message.partition("\n\t [[{{node")[0].rpartition("\n\n")[2]
    return message


def own_frames(frames: list[traceback.FrameSummary], script: str) -> list[traceback.FrameSummary]:
    """The frames of the script, and of what it calls itself.

    A frame of kconvert hides those that it calls, up to the next frame of the script or of a module beside it.
    """
    folder = os.path.dirname(os.path.abspath(script)) + os.sep
    libraries = tuple(sysconfig.get_paths()[name] + os.sep for name in ("purelib", "stdlib"))
    shown, hidden = [], False
    for frame in frames:
        path = os.path.abspath(frame.filename)
        if path.startswith(_OURS):
            hidden = True
        elif path == os.path.abspath(script) or (path.startswith(folder) and not path.startswith(libraries)):
            hidden = False
        if not hidden:
            shown.append(frame)
    return shown


def _line(error: BaseException, script: str) -> str:
    """The script, and the line that raised an error."""
    path = os.path.abspath(script)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return f"{script}, line {lines[-1]}" if lines else script
