"""Theano 1.0.5 on a current Python: how to import it.

Needs Python 3.10 or 3.11, NumPy 1 and a C++ compiler. `load` makes the import work and gives Theano a
BLAS and a compile directory that lasts.
"""

from __future__ import annotations

import ctypes
import logging
import os
import shlex
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np

# Names that Theano takes from NumPy and NumPy 1.24 dropped.
_NUMPY_ALIASES = {"bool": bool, "int": int, "float": float, "object": object, "complex": complex, "str": str}

# The BLAS functions that Theano's C++ calls; scipy-openblas32 has each of them as `scipy_<name>_`.
_BLAS_FUNCTIONS = [
    precision + function
    for function in ("gemm", "gemv", "ger", "dot", "axpy", "scal", "copy", "swap", "rot")
    for precision in "sd"
]

# Convolution asks for the number of threads of the BLAS and sets it.
_BLAS_THREADS = ["openblas_set_num_threads", "openblas_get_num_threads", "goto_set_num_threads"]


# ----------------------------------------------------------------- loading ----


def cache_directory() -> Path:
    """Where compiled modules stay between runs.

    $KCONVERT_THEANO_COMPILEDIR, else kconvert/theano in $XDG_CACHE_HOME or ~/.cache.
    """
    if own := os.environ.get("KCONVERT_THEANO_COMPILEDIR"):
        return Path(own).expanduser()
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "kconvert" / "theano"


def load() -> ModuleType:
    """Imports Theano with all it needs; its floatX is float32, other settings of the user's THEANO_FLAGS hold."""
    if "theano" not in sys.modules:
        for name, value in {**_NUMPY_ALIASES, "typeDict": np.sctypeDict}.items():
            if name not in np.__dict__:
                setattr(np, name, value)
        # The C file of scan's loop in the wheel does not compile on Python 3.11; scan then loops in Python.
        sys.modules["theano.scan_module.scan_perform_ext"] = None  # type: ignore[assignment]
        has_openmp = _load_openmp()
        # Without a BLAS it says so at every import (`kconvert backends` does); of the lock on its compile
        # directory it tells whenever another process holds it for a moment.
        logging.getLogger("theano.tensor.blas").setLevel(logging.ERROR)
        with _environment("THEANO_FLAGS", _flags(os.environ.get("THEANO_FLAGS", ""))):
            import_module("theano")
        if has_openmp:  # or Theano compiles a program in each process to see whether the compiler has it
            sys.modules["theano"].gof.op.OpenMPOp.gxx_support_openmp = True
        logging.getLogger("theano.gof.compilelock").setLevel(logging.WARNING)
    theano = sys.modules["theano"]
    theano.config.floatX = "float32"
    for part in ("tensor.nnet", "tensor.signal.pool"):
        import_module(f"theano.{part}")
    return theano


def _flags(users: str) -> str:
    """THEANO_FLAGS: ours, the user's over them, and those without which nothing runs."""
    lexer = shlex.shlex(users, posix=True)
    lexer.whitespace, lexer.whitespace_split = ",", True
    given = dict(flag.strip().split("=", 1) for flag in lexer if "=" in flag)
    flags = {
        "device": "cpu",
        "base_compiledir": str(cache_directory()),
        "blas.ldflags": _blas_flags(),
        "openmp": "True",
        "compile.wait": "1",  # seconds between two looks at the lock, where processes share the directory
        **given,
        "floatX": "float32",
        "gcc.cxxflags": f"{_header_flags()} {given.get('gcc.cxxflags', '')}".strip(),
    }
    return ",".join(f'{key}="{value}"' for key, value in flags.items())


def _load_openmp() -> bool:
    """Loads the OpenMP of g++, by which convolution and pooling share samples out among the cores; False without it.

    Its threads are to sleep when they have no work, for those of NumPy take turns with them; it asks once for that.
    """
    with _environment("OMP_WAIT_POLICY", os.environ.get("OMP_WAIT_POLICY", "passive")):
        try:
            ctypes.CDLL("libgomp.so.1", mode=ctypes.RTLD_GLOBAL)
        except OSError:
            return False
    return True


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Within it the variable has that value, afterwards what it was."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _header_flags() -> str:
    """Compiler flags: Python 3.11 moved a header that Theano includes, and Theano's C++ is of an older taste."""
    moved = Path(sysconfig.get_path("include")) / "cpython" / "longintrepr.h"
    if not moved.exists():
        return "-fpermissive -w"
    headers = cache_directory() / "include"
    headers.mkdir(parents=True, exist_ok=True)
    (headers / "longintrepr.h").write_text("#include <cpython/longintrepr.h>\n")
    return f"-I{headers} -fpermissive -w"


def _blas_flags() -> str:
    """Linker flags of the BLAS in the wheel scipy-openblas32; without the wheel none, and convolution is slow.

    It has one thread: convolution calls it from several, and those of a second BLAS would stand in the way of NumPy's.
    """
    if find_spec("scipy_openblas32") is None:
        return ""
    wheel = import_module("scipy_openblas32")
    folder, library = Path(wheel.get_lib_dir()), wheel.get_library(fullname=True)
    blas = ctypes.CDLL(str(folder / library), mode=ctypes.RTLD_GLOBAL)
    blas.scipy_openblas_set_num_threads(1)
    names = [*(f"{name}_" for name in _BLAS_FUNCTIONS), *_BLAS_THREADS]
    renames = " ".join(f"-D{name}=scipy_{name}" for name in names)
    return f"-L{folder} -l{wheel.get_library()} {renames}"
