"""Finds out what another Python interpreter has installed, once, before it runs anything."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ..._version import __version__
from ...backend import probe
from ...errors import KconvertError, Problem
from ...lazy_dataclasses import dataclass
from .pipes import kill, last_lines, start

START_TIMEOUT = 60.0  # seconds for an interpreter to start

# Valid in Python 2.7 as well. Nothing is imported from the working directory, which may contain any files.
_QUESTION = """
import json, pkgutil, sys
sys.path.pop(0)
try:
    from importlib.util import find_spec
except ImportError:
    find_spec = pkgutil.find_loader
try:
    from importlib.metadata import version
except ImportError:
    version = lambda name: ""
def release(name):
    try:
        return version(name) if find_spec(name) else None
    except Exception:
        return ""
names = ("keras", "tf_keras", "tensorflow", "jax", "torch")
found = {"packages": dict((name, release(name)) for name in names)}
try:
    from kconvert._version import __version__
    found["kconvert"] = __version__
except Exception:
    found["kconvert"] = None
found["python"] = sys.version.split()[0]
print("\\n" + json.dumps(found))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python interpreter, and what it has installed."""

    path: str
    python: str  # its release
    kconvert: str | None  # the release of kconvert; None: it has none
    packages: Mapping[str, str]  # the Keras packages and the backends of Keras 3, with their releases; '': unknown


def this_interpreter() -> Interpreter:
    """The interpreter of this process. Nothing is imported."""
    found = {name: _release(name) for name in ("keras", "tf_keras", "jax", "torch")}
    tensorflow = probe()["tensorflow"]
    found["tensorflow"] = tensorflow.version if tensorflow.usable else None
    packages = {name: release for name, release in found.items() if release is not None}
    return Interpreter(sys.executable, platform.python_version(), __version__, packages)


def _release(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version  # slow to import, and needed by few commands

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def look(python: str, timeout: float | None = None) -> Interpreter:
    """Asks the interpreter `python`, a path or a command. Raises KconvertError where it does not answer."""
    path = shutil.which(os.path.expanduser(python)) or python
    seconds = min(timeout or START_TIMEOUT, START_TIMEOUT)
    with tempfile.TemporaryDirectory() as folder:
        errors = Path(folder, "log")
        try:
            process = start([path, "-c", _QUESTION], os.environ, errors)
        except OSError as error:
            raise _useless(python, f"cannot be started ({error.strerror})") from error
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise _useless(python, f"did not answer within {seconds:g} seconds") from error
        finally:
            kill(process)
        try:
            found = json.loads(output.splitlines()[-1])
            packages = {name: release for name, release in found["packages"].items() if release is not None}
            return Interpreter(path, found["python"], found["kconvert"], packages)
        except (LookupError, TypeError, ValueError) as error:
            last = "".join(f" ({line})" for line in last_lines(errors)[-1:])
            raise _useless(python, f"is not a working Python interpreter{last}") from error


def _useless(python: str, what: str) -> KconvertError:
    return KconvertError(what, python, "name a Python interpreter", Problem.USAGE)
