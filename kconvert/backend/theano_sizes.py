"""The known sizes of Theano's tensors.

Theano's types have the rank of a tensor but not its sizes. Layers need sizes, so each tensor carries those that are
known in `tag.sizes`: `sized` sets them, `known_sizes` infers them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import theano_compat
from .base import Size, Tensor

theano = theano_compat.load()
T = theano.tensor


def sized(x: Tensor, sizes: Sequence[Size]) -> Tensor:
    """`x`, with its known sizes stored in `x.tag.sizes`: None for those that are symbolic."""
    x.tag.sizes = tuple(n if isinstance(n, int) else None for n in sizes)
    return x


def known_sizes(x: Tensor) -> tuple[int | None, ...]:
    """The sizes of `x` as far as they follow from the sizes of the inputs of the graph; None for the others."""
    waiting = [x]
    while waiting:
        variable = waiting[-1]
        node = variable.owner
        missing = [i for i in node.inputs if hasattr(i, "ndim") and not hasattr(i.tag, "sizes")] if node else []
        if hasattr(variable.tag, "sizes"):
            waiting.pop()
        elif missing:
            waiting.extend(missing)
        else:
            variable.tag.sizes = tuple(_known_size(size) for size in _inferred(variable))
    return x.tag.sizes


def _inferred(x: Tensor) -> Sequence[Any]:
    """The symbolic sizes of `x`, by `infer_shape` of the operation that computes it."""
    if isinstance(x, theano.compile.SharedVariable):
        return x.get_value(borrow=True).shape
    if isinstance(x, theano.gof.Constant):
        return x.data.shape
    unknown = tuple(x.shape[axis] for axis in range(x.ndim))
    if x.owner is None or not hasattr(x.owner.op, "infer_shape"):
        return unknown
    given = [_symbolic_sizes(i) if hasattr(i, "ndim") else None for i in x.owner.inputs]
    try:
        return x.owner.op.infer_shape(x.owner, given)[x.owner.outputs.index(x)]
    except T.basic.ShapeError:
        return unknown


def _symbolic_sizes(x: Tensor) -> tuple[Tensor, ...]:
    return tuple(x.shape[a] if n is None else T.constant(n, dtype="int64") for a, n in enumerate(x.tag.sizes))


def _known_size(size: Any) -> int | None:
    try:
        return int(T.get_scalar_constant_value(size))
    except T.NotScalarConstantError:
        return None
