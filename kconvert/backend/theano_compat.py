"""Theano 1.0.5 on a current Python: how to import it, and how to compile with it in reasonable time.

Needs Python 3.10 or 3.11, NumPy 1 and a C++ compiler. `load` makes the import work and gives Theano a
BLAS and a compile directory that lasts; `compiling` keeps C++ for the operations that gain by it.
"""

from __future__ import annotations

import ctypes
import logging
import os
import shlex
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

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
        _load_openmp()
        users = os.environ.get("THEANO_FLAGS")
        os.environ["THEANO_FLAGS"] = _flags(users or "")
        # Without a BLAS it says so at every import (`kconvert backends` does); of the lock on its compile
        # directory it tells whenever another process holds it for a moment.
        logging.getLogger("theano.tensor.blas").setLevel(logging.ERROR)
        try:
            import_module("theano")
            logging.getLogger("theano.gof.compilelock").setLevel(logging.WARNING)
        finally:
            if users is None:
                del os.environ["THEANO_FLAGS"]
            else:
                os.environ["THEANO_FLAGS"] = users
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


def _load_openmp() -> None:
    """Loads OpenMP, by which convolution and pooling share samples out among the cores.

    Its threads are to sleep when they have no work, for those of NumPy take turns with them; it asks once for that.
    """
    chosen = os.environ.get("OMP_WAIT_POLICY")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        ctypes.CDLL("libgomp.so.1", mode=ctypes.RTLD_GLOBAL)
    except OSError:
        pass  # of another name elsewhere: the compiler's own is loaded with what it compiles
    finally:
        if chosen is None:
            del os.environ["OMP_WAIT_POLICY"]


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


# --------------------------------------------------------------- compiling ----

_compiling = threading.RLock()
_left_out: list[str] = []


def mode(theano: ModuleType) -> Any:
    """The optimisations to compile with, for the function itself and for each scan in it."""
    return theano.compile.Mode(optimizer="fast_run").excluding(*_left_out)


@contextmanager
def compiling(theano: ModuleType, in_place: bool = False) -> Iterator[None]:
    """Within it, functions are compiled in little time: what NumPy does as well runs in NumPy.

    That holds inside scan and constant folding too. Theano would compile a C++ module of about a second for
    each of these operations, type and rank; convolution, pooling and products of batches stay in C++, in modules
    that serve every model. Left out is what makes C++ kernels for one model.
    in_place: whether results may take the place of operands, which pays for functions that run often.
    """
    light = _light_ops(theano)
    elemwise = theano.tensor.elemwise.Elemwise
    op_class = theano.gof.Op

    def in_numpy(op: Any, node: Any) -> bool:
        if isinstance(op, elemwise):
            ufunc = op.nfunc_spec is not None and op.nfunc_spec[1] == len(node.inputs)
            return ufunc or all(out.ndim == 0 for out in node.outputs)
        return isinstance(op, light)

    with _compiling:
        make_c_thunk = op_class.make_c_thunk

        def make_thunk(op: Any, node: Any, *args: Any, **kwargs: Any) -> Any:
            if in_numpy(op, node):
                raise NotImplementedError  # Theano falls back on `perform`
            return make_c_thunk(op, node, *args, **kwargs)

        op_class.make_c_thunk = make_thunk
        _left_out[:] = ["fusion"] if in_place else ["fusion", "inplace"]
        try:
            yield
        finally:
            op_class.make_c_thunk = make_c_thunk
            _left_out.clear()


def _light_ops(theano: ModuleType) -> tuple[type, ...]:
    """Operations whose `perform` is a view, a copy or one call of NumPy."""
    basic, elemwise, subtensor = theano.tensor.basic, theano.tensor.elemwise, theano.tensor.subtensor
    compiled = theano.compile.ops
    softmax = theano.tensor.nnet.nnet
    return (
        elemwise.DimShuffle,
        elemwise.CAReduce,
        basic.Reshape,
        basic.Join,
        basic.Split,
        basic.Alloc,
        basic.AllocEmpty,
        basic.ScalarFromTensor,
        basic.TensorFromScalar,
        basic.MaxAndArgmax,
        basic.ARange,
        subtensor.Subtensor,
        subtensor.IncSubtensor,
        subtensor.AdvancedSubtensor1,
        compiled.Shape,
        compiled.Shape_i,
        compiled.Rebroadcast,
        compiled.DeepCopyOp,
        theano.tensor.opt.MakeVector,
        theano.tensor.blas.Dot22,
        theano.tensor.blas.Gemm,
        theano.scalar.ScalarOp,
        softmax.Softmax,
        softmax.SoftmaxWithBias,
    )
