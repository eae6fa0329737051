"""Theano functions that compile in little time: C++ for what gains by it, NumPy for the rest."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import theano_compat, theano_thunks

theano = theano_compat.load()
T = theano.tensor

_compiling = threading.RLock()
_modes: list[Any] = []


def mode() -> Any:
    """The optimisations to compile with, for the function itself and for each scan in it."""
    return _modes[-1]


def _few_runs() -> Any:
    """Optimised little, memory freed as soon as it can be."""
    return theano.compile.Mode("cvm", "fast_run").excluding("fusion", "inplace")


def _many_runs() -> Any:
    """Optimised for speed; memory is kept for the next run.

    Left out is what computes a product twice where it is used with a factor and without.
    """
    return theano.compile.Mode("cvm_nogc", "fast_run").excluding("local_dot22_to_dot22scalar")


_LIGHT = (
    T.basic.Split,
    T.basic.AllocEmpty,
    T.basic.ScalarFromTensor,
    T.basic.TensorFromScalar,
    T.basic.MaxAndArgmax,
    T.basic.ARange,
    T.subtensor.AdvancedSubtensor1,
    theano.compile.ops.Shape,
    theano.compile.ops.Rebroadcast,
    theano.scalar.ScalarOp,
    T.nnet.nnet.Softmax,
    T.nnet.nnet.SoftmaxWithBias,
)
"""Operations whose `perform` is a view, a copy or one call of NumPy."""


def _in_python(node: Any) -> bool:
    """Whether Theano's own Python does as well as C++."""
    scalars = isinstance(node.op, T.elemwise.Elemwise) and all(y.ndim == 0 for y in node.outputs)
    return scalars or isinstance(node.op, _LIGHT)


@contextmanager
def compiling(many_runs: bool = False) -> Iterator[None]:
    """Within it, functions are compiled in little time: what NumPy does as well runs in NumPy.

    That holds inside scan and constant folding too. Theano would compile a C++ module of about a second for
    each of these operations, type and rank; convolution, pooling and products of batches stay in C++, in modules
    that serve every model.
    many_runs: whether the functions are to run often, so that optimising them pays.
    """
    op_class = theano.gof.Op

    with _compiling:
        make_c_thunk = op_class.make_c_thunk

        def make_thunk(op: Any, node: Any, storage_map: Any, compute_map: Any, no_recycling: Any) -> Any:
            in_numpy = theano_thunks.thunk(node, storage_map, compute_map)
            if in_numpy is not None:
                return in_numpy
            if _in_python(node):
                raise NotImplementedError  # Theano falls back on `perform`
            return make_c_thunk(op, node, storage_map, compute_map, no_recycling)

        op_class.make_c_thunk = make_thunk
        _modes.append(_many_runs() if many_runs else _few_runs())
        try:
            yield
        finally:
            op_class.make_c_thunk = make_c_thunk
            _modes.pop()
