"""Theano's cheap operations in NumPy.

Theano has two implementations of such an operation. Its C++ takes about a second to compile for each operation, dtype
and rank. Its Python prepares and checks at every call what could be prepared once, and copies where it could compute in
place. A rule in this module makes, once for each node of the graph, the function that computes the node:

    compute(out, *operands) -> result      out: the result of the last call, which may be overwritten, or None

The rules keep Theano's contract about memory: a result is a new array, or `out`, or, if the operation is a view or
works in place, an operand or part of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from ..lazy_dataclasses import dataclass
from . import theano_compat

theano = theano_compat.load()
T, scalar = theano.tensor, theano.scalar

Compute = Callable[..., Any]
Out = np.ndarray | None
Function = Callable[..., Any]
"""An elementwise function: called with its operands, and with the array for the result or None."""

BLOCK = 1 << 14
"""Number of elements computed at a time, so that intermediate results stay in the cache of the processor."""


def thunk(node: Any, storage_map: Any, compute_map: Any) -> Callable[[], None] | None:
    """The function that runs `node` on its storage; None if there is no rule for its operation."""
    rule = next((rule for op_class, rule in _RULES.items() if isinstance(node.op, op_class)), None)
    compute = rule(node) if rule else None
    if compute is None:
        return None
    inputs, outputs = ([storage_map[x] for x in those] for those in (node.inputs, node.outputs))
    computed = [compute_map[y] for y in node.outputs]
    first, is_computed = outputs[0], computed[0]

    def run() -> None:
        first[0] = compute(first[0], *[cell[0] for cell in inputs])
        is_computed[0] = True

    def run_several() -> None:
        for cell, done, y in zip(outputs, computed, compute(None, *[cell[0] for cell in inputs]), strict=True):
            cell[0], done[0] = y, True

    chosen: Any = run if len(outputs) == 1 else run_several
    chosen.inputs, chosen.outputs, chosen.lazy = inputs, outputs, False
    return chosen


# ------------------------------------------------------------- elementwise ----


@dataclass(frozen=True)
class _Program:
    """Elementwise functions that run one after another; the last one gives the result.

    The values are numbered: the operands first, then the constants, then the result of each step.
    """

    constants: list[np.ndarray]
    steps: list[tuple[Function, list[int]]]  # each function, and the numbers of the values that it takes

    def run(self, operands: Sequence[np.ndarray], out: Out) -> Any:
        values = [*operands, *self.constants]
        last = len(self.steps) - 1
        for i, (function, operand_numbers) in enumerate(self.steps):
            values.append(function(*[values[n] for n in operand_numbers], out if i == last else None))
        return values[-1]


def _program(op: Any, count: int) -> _Program | None:
    """The program that computes a scalar operation of `count` operands; None if NumPy lacks a function for it."""
    if not isinstance(op, scalar.Composite):
        function = _function(op, count)
        return _Program([], [(function, list(range(count)))]) if function else None
    graph, nodes = op.fgraph, op.fgraph.toposort()
    constants = list(dict.fromkeys(x for node in nodes for x in node.inputs if isinstance(x, theano.Constant)))
    number_of = {x: i for i, x in enumerate([*graph.inputs, *constants, *(node.outputs[0] for node in nodes)])}
    steps = []
    for node in nodes:
        function = _function(node.op, len(node.inputs))
        if function is None:
            return None
        steps.append((function, [number_of[x] for x in node.inputs]))
    is_last = bool(nodes) and graph.outputs == [nodes[-1].outputs[0]]
    return _Program([np.asarray(x.data, x.dtype) for x in constants], steps) if is_last else None


def _elementwise(node: Any) -> Compute | None:
    """Computes with NumPy's functions, a block of elements at a time."""
    op, result = node.op, node.outputs[0].type
    program = _program(op.scalar_op, len(node.inputs)) if len(node.outputs) == 1 else None
    if program is None or program.run([np.ones(1, x.dtype) for x in node.inputs], None).dtype != result.dtype:
        return None
    if result.ndim == 0:
        return lambda _, *operands: program.run(operands, np.empty((), result.dtype))
    in_place = op.inplace_pattern.get(0)
    whole = [i for i, x in enumerate(node.inputs) if x.broadcastable == result.broadcastable]
    own_axes = [(i, axis) for i, x in enumerate(node.inputs) for axis in range(x.ndim) if not x.broadcastable[axis]]
    cut = [i for i, axis in own_axes if axis == 0]

    def compute(out: Out, *operands: np.ndarray) -> np.ndarray:
        if not whole:
            return checked(program.run(operands, None), operands)
        like = operands[whole[0]]
        if in_place is not None:
            out = operands[in_place]
        elif out is None or out.shape != like.shape:
            out = np.empty_like(like, result.dtype)
        checked(out, operands)
        rows = -(-BLOCK * len(like) // like.size) if like.size > BLOCK else len(like)
        if rows >= len(like):
            return program.run(operands, out)
        for start in range(0, len(like), rows):
            block = slice(start, start + rows)
            program.run([x[block] if i in cut else x for i, x in enumerate(operands)], out[block])
        return out

    def checked(y: np.ndarray, operands: Sequence[np.ndarray]) -> np.ndarray:
        """`y`, if every operand has its size along each axis that Theano does not broadcast; NumPy would broadcast."""
        for i in whole:
            if operands[i].shape != y.shape:
                op.perform(node, operands, [[None]])  # raises the error that names the shapes
        if len(whole) < len(operands):
            for i, axis in own_axes:
                if operands[i].shape[axis] != y.shape[axis]:
                    op.perform(node, operands, [[None]])
        return y

    return compute


def _function(op: Any, count: int) -> Function | None:
    """The NumPy function for a scalar operation of `count` operands; None if there is none."""
    if isinstance(op, scalar.Composite):  # a composite may contain others
        program = _program(op, count)
        return None if program is None else lambda *given: program.run(given[:-1], given[-1])
    if type(op) in _FUNCTIONS:
        return _FUNCTIONS[type(op)](op)
    name, operands, _ = getattr(op, "nfunc_spec", None) or ("", 0, 0)
    ufunc = getattr(np, name, None)
    if not isinstance(ufunc, np.ufunc):
        return None
    if isinstance(op, scalar.Add | scalar.Mul) and count > operands:
        return _folded(ufunc)
    return ufunc if operands == count else None


def _folded(ufunc: np.ufunc) -> Function:
    """A sum or product of more than two operands, from the function of two."""

    def fold(*given: Any) -> Any:
        first, second, *rest, last, out = given
        y = ufunc(first, second)
        for x in rest:
            y = ufunc(y, x)
        return ufunc(y, last, out)

    return fold


_EXP_OF_15 = np.exp(np.float32(-15))


def _sigmoid(x: Any, out: Out) -> np.ndarray:
    """1 / (1 + exp(-x)); exactly 1 where x > 15, as in Theano's C++ for float32."""
    y = np.negative(x, np.empty_like(x))
    np.exp(y, y)
    np.multiply(y, y >= _EXP_OF_15, y)
    np.add(y, 1, y)
    return np.reciprocal(y, y if out is None else out)


def _written(y: Any, out: Out) -> Any:
    """`y`, copied into `out` if that is not None."""
    if out is None:
        return y
    np.copyto(out, y, casting="unsafe")
    return out


_FUNCTIONS: dict[type, Callable[[Any], Function]] = {
    T.nnet.sigm.ScalarSigmoid: lambda op: _sigmoid,
    scalar.Cast: lambda op: lambda x, out: _written(x if out is not None else x.astype(op.o_type.dtype), out),
    scalar.Switch: lambda op: lambda condition, x, y, out: _written(np.where(condition, x, y), out),
    scalar.RoundHalfToEven: lambda op: np.rint,
}


# ------------------------------------------------------------------ shapes ----


def _dimshuffle(node: Any) -> Compute:
    op = node.op
    axes = (*op.shuffle, *op.drop)
    kept: list[Any] = [slice(None)] * len(op.shuffle)
    for axis in op.augment:
        kept.insert(axis, None)
    index = (*kept, *[0] * len(op.drop), ...)
    if op.inplace:
        return lambda _, x: x.transpose(axes)[index]
    return lambda _, x: x.transpose(axes)[index].copy()


def _index(node: Any, operands: int) -> Callable[..., Any]:
    """The function that computes the index of a Subtensor or IncSubtensor from the inputs after its operands.

    operands: the number of inputs that are not part of the index. The index ends with an ellipsis, so that a single
    element is an array too.
    """
    entries, given = node.op.idx_list, node.inputs[operands:]
    found = T.subtensor.get_idx_list
    if all(isinstance(x, theano.Constant) for x in given):
        index = (*found((None, *[x.data for x in given]), entries), ...)
        return lambda *_: index
    return lambda *values: (*found((None, *values), entries), ...)


def _subtensor(node: Any) -> Compute:
    index = _index(node, 1)
    return lambda _, x, *given: x[index(*given)]


def _inc_subtensor(node: Any) -> Compute:
    op, index = node.op, _index(node, 2)

    def compute(_: Out, x: np.ndarray, part: np.ndarray, *given: Any) -> np.ndarray:
        y = x if op.inplace else x.copy()
        target = y[index(*given)]
        if op.set_instead_of_inc:
            target[...] = part
        else:
            np.add(target, part, target)
        return y

    return compute


def _split(node: Any) -> Compute | None:
    x, axis, sizes = node.inputs
    if not isinstance(axis, theano.Constant) or not isinstance(sizes, theano.Constant):
        return None
    position, length = int(axis.data) % x.ndim, int(sizes.data.sum())
    ends = pairwise(accumulate(sizes.data.tolist(), initial=0))
    parts = [(*[slice(None)] * position, slice(*both)) for both in ends]

    def compute(_: Out, x: np.ndarray, *given: Any) -> list[np.ndarray]:
        if x.shape[position] != length:
            raise ValueError(f"an array of shape {x.shape} does not have {length} elements along axis {position}")
        return [x[part].copy() for part in parts]

    return compute


def _alloc(out: Out, value: np.ndarray, *sizes: Any) -> np.ndarray:
    shape = tuple(map(int, sizes))
    out = np.empty(shape, value.dtype) if out is None or out.shape != shape else out
    out[...] = value
    return out


# ------------------------------------------------- reductions and products ----


def _reduction(node: Any) -> Compute | None:
    op, dtype = node.op, node.outputs[0].dtype
    if getattr(np, op.ufunc.__name__, None) is not op.ufunc or op.axis == ():
        return None
    axes = None if op.axis is None else tuple(op.axis)
    within = getattr(op, "acc_dtype", None) or dtype
    return lambda _, x: np.asarray(op.ufunc.reduce(x, axes, within), dtype)


def _product(out: Out, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    fits = out is not None and out.shape == (x.shape[0], y.shape[1]) and out.flags.c_contiguous
    return np.dot(x, y, out if fits else None)


def _gemm(node: Any) -> Compute:
    in_place = node.op.inplace

    def compute(_: Out, z: np.ndarray, a: np.ndarray, x: np.ndarray, y: np.ndarray, b: np.ndarray) -> np.ndarray:
        """a * (x . y) + b * z; if b is 0, z is not read, as it may contain NaN."""
        product = np.dot(x, y)
        if a != 1:
            np.multiply(product, a, product)
        rest = 0 if b == 0 else z if b == 1 else z * b
        return np.add(product, rest, z if in_place else product)

    return compute


_RULES: dict[type, Callable[[Any], Compute | None]] = {
    T.elemwise.Elemwise: _elementwise,
    T.elemwise.DimShuffle: _dimshuffle,
    T.elemwise.CAReduce: _reduction,
    T.blas.Dot22: lambda node: _product,
    T.blas.Gemm: _gemm,
    T.subtensor.Subtensor: _subtensor,
    T.subtensor.IncSubtensor: _inc_subtensor,
    T.Split: _split,
    T.Join: lambda node: lambda _, axis, *parts: np.concatenate(parts, int(axis)),
    T.Reshape: lambda node: lambda _, x, shape: x.reshape(shape),
    T.Alloc: lambda node: _alloc,
    T.opt.MakeVector: lambda node: lambda _, *items: np.array(items, node.op.dtype),
    theano.compile.ops.Shape_i: lambda node: lambda _, x: np.asarray(x.shape[node.op.i]),
    theano.compile.ops.ViewOp: lambda node: lambda _, x: x,
    theano.compile.ops.DeepCopyOp: lambda node: lambda _, x: x.copy(),
}
"""For each class of operations, what makes the function that computes a node; None if NumPy cannot compute it."""
