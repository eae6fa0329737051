"""Backends: `get_backend(name)` imports a framework when it is needed; `probe()` tells what is installed without that.

One contract, `Backend` in `base.py`, and one class for each framework in `numpy_backend.py`, `theano_backend.py` and
`tensorflow_backend.py`. The functions of `keras.backend` that users' functions and layers call are in `functions/`;
they are used as `from kconvert import backend as K`.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import asdict
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from .._version import install
from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .base import Backend, InputSpec, Tensor
from .context import assigned
from .quiet import quiet_import

__all__ = ["Backend", "InputSpec", "Probe", "Tensor", "default_backend", "get_backend", "probe", "set_backend"]

log = logging.getLogger(__name__)

_CLASSES = {  # name: module, class
    "numpy": (".numpy_backend", "NumpyBackend"),
    "theano": (".theano_backend", "TheanoBackend"),
    "tensorflow": (".tensorflow_backend", "TensorflowBackend"),
}


@dataclass(frozen=True)
class Probe:
    """Whether one backend can run here."""

    name: str
    version: str | None  # version of the framework; None if it is not installed
    missing: str = ""  # why the backend cannot run; "" if it can
    fix: str = ""  # how to install what is missing
    hint: str = ""  # how to make a backend that runs faster

    @property
    def usable(self) -> bool:
        return not self.missing

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "usable": self.usable}


def get_backend(name: str, convention: str | None = None) -> Backend:
    """The backend of that name; imports its framework.

    name: "theano", "tensorflow" or "numpy".
    convention: the framework that numpy emulates, "tensorflow" (the default) or "theano".

    Raises KconvertError if the name is unknown, the framework cannot run here, or `convention` names another framework.

    >>> get_backend("numpy", "theano").facts.convolves
    True
    """
    if name not in _CLASSES:
        raise KconvertError(f"unknown backend {name!r}", fix=f"one of: {', '.join(_CLASSES)}", problem=Problem.USAGE)
    if name != "numpy" and convention not in (None, name):
        raise KconvertError(
            f"backend {name} cannot emulate {convention!r}",
            fix="use backend numpy for that",
            problem=Problem.USAGE,
        )
    probed = _PROBES[name]()
    if not probed.usable:
        raise KconvertError(f"backend {name} cannot run: {probed.missing}", fix=probed.fix, problem=Problem.UNVERIFIED)
    module, class_name = _CLASSES[name]
    log.info("loading %s", name)
    try:
        with quiet_import():
            backend = getattr(import_module(module, __name__), class_name)
    except Exception as error:  # a broken installation may raise any error
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise KconvertError(
            f"backend {name} is installed but cannot be imported ({reason})", problem=Problem.UNVERIFIED
        ) from error
    return backend(convention) if name == "numpy" and convention else backend()


def __getattr__(name: str) -> Any:
    """A function of `keras.backend`. Raises AttributeError where it is not in `functions/`."""
    functions = None if name.startswith("_") else import_module(".functions", __name__)
    if functions is None or name not in functions.__all__:
        raise AttributeError(f"kconvert.backend has no function {name!r}")
    return getattr(functions, name)


_WITHIN: ContextVar[str | None] = ContextVar("within", default=None)
"""The default backend within a block of `defaulting_to`."""

_chosen: list[str] = []  # the backend that `set_backend` named, if any


def set_backend(name: str) -> None:
    """Makes `name` the default backend of models that are built from now on; models that already run keep theirs.

    Raises KconvertError if the name is unknown.
    """
    _chosen[:] = [_known(name, "set_backend")]


def defaulting_to(name: str) -> AbstractContextManager[None]:
    """Makes `name` the default backend within a block."""
    return assigned(_WITHIN, name)


def default_backend() -> str:
    """The backend of models for which none is given.

    The first of these that is set: `set_backend`, the environment variable KCONVERT_BACKEND, `{"backend": ...}` in
    ~/.kconvert/config.json. If none is set: tensorflow, or theano if only that is installed.
    """
    if (within := _WITHIN.get()) is not None:
        return within
    if _chosen:
        return _chosen[0]
    if stated := os.environ.get("KCONVERT_BACKEND"):
        return _known(stated, "KCONVERT_BACKEND")
    file = Path.home() / ".kconvert" / "config.json"
    if file.exists():
        return _known(_backend_in(file), str(file))
    return next((name for name in ("tensorflow", "theano") if _PROBES[name]().usable), "tensorflow")


def _backend_in(file: Path) -> str:
    """The backend that a configuration file names."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))["backend"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise KconvertError(
            "the configuration names no backend", str(file), 'write {"backend": "theano"}', Problem.USAGE
        ) from error


def _known(name: str, where: str) -> str:
    if name not in _CLASSES:
        choices = ", ".join(_CLASSES)
        raise KconvertError(f"unknown backend {name!r}", where, f"one of: {choices}", Problem.USAGE)
    return name


def probe() -> dict[str, Probe]:
    """Whether each backend can run here, by name. No framework is imported.

    >>> probe()["numpy"].usable
    True
    """
    return {name: probe_one() for name, probe_one in _PROBES.items()}


@cache  # reading the metadata of a package takes milliseconds, and metrics ask in every batch
def _installed(*packages: str) -> str | None:
    """The version of the first of `packages` that is installed; None if none is."""
    from importlib.metadata import PackageNotFoundError, version  # slow to import, and needed by few commands

    for package in packages:
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    return None


def _probe_numpy() -> Probe:
    return Probe("numpy", _installed("numpy"))


def _probe_theano() -> Probe:
    version = _installed("Theano")
    numpy = _installed("numpy") or ""
    extra = install("theano")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if sys.version_info[:2] not in ((3, 10), (3, 11)):
        missing, fix = f"Theano 1.0.5 does not run on Python {python}", f"use Python 3.10 or 3.11 and {extra}"
    elif version is None:
        missing, fix = "Theano is not installed", extra
    elif not numpy.startswith("1."):
        missing, fix = f"Theano 1.0.5 does not run on NumPy {numpy}", "pip install 'numpy<2'"
    elif shutil.which("g++") is None:
        missing, fix = "there is no C++ compiler, and Theano compiles its convolutions", "install g++"
    elif _installed("scipy-openblas32") is None:
        hint = "Theano has no BLAS, so convolutions are many times slower; pip install scipy-openblas32"
        return Probe("theano", version, hint=hint)
    else:
        return Probe("theano", version)
    return Probe("theano", version, missing, fix)


def _probe_tensorflow() -> Probe:
    version = _installed("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tensorflow-macos")
    if version is None:
        return Probe("tensorflow", None, "TensorFlow is not installed", install("tensorflow"))
    return Probe("tensorflow", version)


_PROBES: dict[str, Callable[[], Probe]] = {
    "numpy": _probe_numpy,
    "theano": _probe_theano,
    "tensorflow": _probe_tensorflow,
}
