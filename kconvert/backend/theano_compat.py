"""How to import Theano 1.0.5 on a current Python.

Needs Python 3.10 or 3.11, NumPy 1 and a C++ compiler. `load` makes the import work, and gives Theano a BLAS and a
permanent compile directory.
"""

from __future__ import annotations

import ctypes
import logging
import os
import shlex
import sys
import sysconfig
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np

from ..errors import KconvertError, Problem
from .environment import environment

# Names that Theano imports from NumPy and that NumPy 1.24 removed.
_NUMPY_ALIASES = {"bool": bool, "int": int, "float": float, "object": object, "complex": complex, "str": str}

# The BLAS functions that Theano's C++ calls; in scipy-openblas32 they are named `scipy_<name>_`.
_BLAS_FUNCTIONS = [
    precision + function
    for function in ("gemm", "gemv", "ger", "dot", "axpy", "scal", "copy", "swap", "rot")
    for precision in "sd"
]

# Theano's convolution reads and sets the number of threads of the BLAS.
_BLAS_THREADS = ["openblas_set_num_threads", "openblas_get_num_threads", "goto_set_num_threads"]


# ----------------------------------------------------------------- loading ----


def cache_directory() -> Path:
    """The directory in which compiled modules are kept between runs.

    $KCONVERT_THEANO_COMPILEDIR if it is set, else kconvert/theano in $XDG_CACHE_HOME or ~/.cache.
    """
    if own := os.environ.get("KCONVERT_THEANO_COMPILEDIR"):
        return Path(own).expanduser()
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "kconvert" / "theano"


def load() -> ModuleType:
    """Imports Theano with what it needs on a current Python.

    floatX is always float32; the user's THEANO_FLAGS are used otherwise.
    """
    if "theano" not in sys.modules:
        for name, value in {**_NUMPY_ALIASES, "typeDict": np.sctypeDict}.items():
            if name not in np.__dict__:
                setattr(np, name, value)
        # The C file of scan's loop in the wheel does not compile on Python 3.11; without it scan loops in Python.
        sys.modules["theano.scan_module.scan_perform_ext"] = None  # type: ignore[assignment]
        has_openmp = _load_openmp()
        # Theano would warn at every import without a BLAS (`kconvert backends` tells that), and log a line whenever
        # another process holds the lock of the compile directory.
        logging.getLogger("theano.tensor.blas").setLevel(logging.ERROR)
        with environment("THEANO_FLAGS", _flags(os.environ.get("THEANO_FLAGS", ""))):
            import_module("theano")
        _import_gpu_code()
        if has_openmp:  # else Theano compiles a program in each process to find out whether the compiler has OpenMP
            sys.modules["theano"].gof.op.OpenMPOp.gxx_support_openmp = True
        logging.getLogger("theano.gof.compilelock").setLevel(logging.WARNING)
    theano = sys.modules["theano"]
    theano.config.floatX = "float32"
    for part in ("tensor.nnet", "tensor.signal.pool"):
        import_module(f"theano.{part}")
    return theano


def _import_gpu_code() -> None:
    """Imports `theano.gpuarray`, which scan imports, where there is no pkg_resources: setuptools 82 dropped it.

    Theano uses nothing of it but the class of an error.
    """
    if find_spec("pkg_resources") is None:
        stand_in = ModuleType("pkg_resources")
        stand_in.DistributionNotFound = ImportError  # type: ignore[attr-defined]
        sys.modules["pkg_resources"] = stand_in
        try:
            import_module("theano.gpuarray")
        finally:
            del sys.modules["pkg_resources"]  # other packages must not find it


def _flags(users: str) -> str:
    """The value of THEANO_FLAGS: our defaults, the user's flags, and flags without which Theano does not run.

    users: the user's THEANO_FLAGS. They replace our defaults, but not floatX; gcc.cxxflags are added to ours.
    """
    lexer = shlex.shlex(users, posix=True)
    lexer.whitespace, lexer.whitespace_split = ",", True
    given = dict(flag.strip().split("=", 1) for flag in lexer if "=" in flag)
    flags = {
        "device": "cpu",
        "base_compiledir": str(cache_directory()),
        "blas.ldflags": _blas_flags(),
        "openmp": "True",
        "compile.wait": "1",  # seconds between two attempts to lock the directory, which processes share
        **given,
        "floatX": "float32",
        "gcc.cxxflags": f"{_header_flags()} {given.get('gcc.cxxflags', '')}".strip(),
    }
    return ",".join(f'{key}="{value}"' for key, value in flags.items())


def _load_openmp() -> bool:
    """Loads the OpenMP library of g++; returns whether there is one.

    With it, convolution and pooling distribute the samples of a batch over the cores. Its idle threads must sleep,
    because NumPy's threads run in turns with them; the library reads that setting only when it is loaded.
    """
    with environment("OMP_WAIT_POLICY", os.environ.get("OMP_WAIT_POLICY", "passive")):
        try:
            ctypes.CDLL("libgomp.so.1", mode=ctypes.RTLD_GLOBAL)
        except OSError:
            return False
    return True


def _header_flags() -> str:
    """Compiler flags: where a header is that Python 3.11 moved, and -fpermissive, which Theano's C++ needs."""
    moved = Path(sysconfig.get_path("include")) / "cpython" / "longintrepr.h"
    if not moved.exists():
        return "-fpermissive -w"
    headers = cache_directory() / "include"
    try:
        headers.mkdir(parents=True, exist_ok=True)
        (headers / "longintrepr.h").write_text("#include <cpython/longintrepr.h>\n")
    except OSError as error:
        what = f"the directory for compiled modules cannot be written: {error.strerror}"
        fix = "set KCONVERT_THEANO_COMPILEDIR to a directory that can be written"
        raise KconvertError(what, str(cache_directory()), fix, Problem.UNVERIFIED) from error
    return f"-I{headers} -fpermissive -w"


def _blas_flags() -> str:
    """Linker flags for the BLAS in the wheel scipy-openblas32; "" if it is not installed, and convolution is slow.

    The BLAS is limited to one thread: convolution calls it from several threads, and the threads of a second BLAS
    would compete with NumPy's.
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
