"""Compiles Theano functions fast: C++ only for operations that are faster in it, NumPy for the others.

Theano asks each operation for C++ code through `Op.make_c_thunk`. `compiling` replaces that method while it is open.
"""

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
    """The Theano mode of the function that is being compiled; each scan in it takes the same."""
    return _modes[-1]


def _few_runs() -> Any:
    """The mode for few runs: few optimisations, and memory is freed as early as possible."""
    return theano.compile.Mode("cvm", "fast_run").excluding("fusion", "inplace")


def _many_runs() -> Any:
    """The mode for many runs: optimised for speed, and memory is kept for the next run.

    One optimisation is excluded, because it computes a product twice if it is used both with a factor and without.
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
"""Operations whose `perform` in Python is a view, a copy or one call of NumPy."""

_MOST_OPERANDS = 32
"""The number of inputs and outputs that a function of NumPy may have: Theano's Python cannot compute with more."""


def _in_python(node: Any) -> bool:
    """Whether the operation runs as fast in Theano's Python as in C++."""
    if isinstance(node.op, T.elemwise.Elemwise):
        return all(y.ndim == 0 for y in node.outputs) and len(node.inputs) + len(node.outputs) <= _MOST_OPERANDS
    return isinstance(node.op, _LIGHT)


@contextmanager
def compiling(many_runs: bool = False) -> Iterator[None]:
    """While it is open, Theano compiles functions fast: operations that NumPy computes as fast run in NumPy.

    This includes scan and constant folding. Theano would compile a C++ module, in about a second, for each of these
    operations, dtype and rank. Convolution, pooling and products of batches stay in C++, in modules that every model
    uses.

    `theano.gof.Op.make_c_thunk`, from which Theano gets the C++ code of an operation, is replaced meanwhile, for all
    operations. The replacement returns NumPy code from `theano_thunks`, or raises NotImplementedError, which is
    Theano's own signal that an operation has no C++ code: Theano then calls its `perform`, in Python.

    many_runs: whether the functions will run often, so that more optimisation pays.
    """
    op_class = theano.gof.Op

    with _compiling:
        make_c_thunk = op_class.make_c_thunk

        def make_thunk(op: Any, node: Any, storage_map: Any, compute_map: Any, no_recycling: Any) -> Any:
            in_numpy = theano_thunks.thunk(node, storage_map, compute_map)
            if in_numpy is not None:
                return in_numpy
            if _in_python(node):
                raise NotImplementedError  # tells Theano to call `perform`
            return make_c_thunk(op, node, storage_map, compute_map, no_recycling)

        op_class.make_c_thunk = make_thunk
        _modes.append(_many_runs() if many_runs else _few_runs())
        try:
            yield
        finally:
            op_class.make_c_thunk = make_c_thunk
            _modes.pop()
