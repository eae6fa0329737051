"""Chains of ops on tensors of a backend; `kernels` applies them to arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

from ..errors import KconvertError
from ..kernels import Chain, Fuse, Gates, Split, Transpose
from ..kernels.axes import UNIT
from .base import Backend, Tensor


@singledispatch
def on_tensors(op: Any, K: Backend, tensors: Sequence[Tensor], shapes: Sequence[Any]) -> list[Tensor]:
    """Applies one op to `tensors` with the shapes `shapes`. Raises KconvertError for ops that compute new values."""
    raise KconvertError(f"the op {op} cannot be applied to tensors")


@on_tensors.register
def _(op: Transpose, K: Backend, tensors: Sequence[Tensor], shapes: Sequence[Any]) -> list[Tensor]:
    named = [axis for axis in op.source if axis != UNIT]
    order = [named.index(axis) for axis in op.target if axis != UNIT]

    def turned(tensor: Tensor, shape: Any) -> Tensor:
        sizes = [n for axis, n in zip(op.source, shape, strict=True) if axis != UNIT]
        return K.reshape(K.transpose(K.reshape(tensor, sizes), order), op.shape(tuple(shape)))

    return [turned(tensor, shape) for tensor, shape in zip(tensors, shapes, strict=True)]


@on_tensors.register
def _(op: Split, K: Backend, tensors: Sequence[Tensor], shapes: Sequence[Any]) -> list[Tensor]:
    return _blocks(tensors[0], shapes[0], len(op.gates))


@on_tensors.register
def _(op: Fuse, K: Backend, tensors: Sequence[Tensor], shapes: Sequence[Any]) -> list[Tensor]:
    return [K.concatenate(list(tensors), axis=-1)]


@on_tensors.register
def _(op: Gates, K: Backend, tensors: Sequence[Tensor], shapes: Sequence[Any]) -> list[Tensor]:
    def ordered(tensor: Tensor, shape: Any) -> Tensor:
        blocks = dict(zip(op.source, _blocks(tensor, shape, len(op.source)), strict=True))
        return K.concatenate([blocks[gate] for gate in op.target], axis=-1)

    return [ordered(tensor, shape) for tensor, shape in zip(tensors, shapes, strict=True)]


def _blocks(tensor: Tensor, shape: Any, count: int) -> list[Tensor]:
    """A tensor cut into `count` parts of one size along its last axis."""
    n = shape[-1] // count
    return [tensor[..., i * n : (i + 1) * n] for i in range(count)]


def applied(chain: Chain, K: Backend, tensors: Sequence[Tensor], shapes: Any) -> list[Tensor]:
    """Applies a chain to `tensors` with the shapes `shapes`. Raises KconvertError for ops that compute new values."""
    found = list(tensors)
    for op in chain.simplified.ops:
        found, shapes = on_tensors(op, K, found, shapes), Chain((op,)).shapes(tuple(map(tuple, shapes)))
    return found
