"""The weights of a layer as tensors in the form in which Keras 1.2.2 stores them, and back.

The chains of `conventions/storage` are applied to arrays; here, their ops on tensors of a backend.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import singledispatch
from typing import Any

from ...backend.base import Backend, Tensor
from ...conventions.generations import Convention
from ...conventions.roles import Weight
from ...conventions.storage import Storage, storage
from ...errors import KconvertError
from ...kernels import Chain, Fuse, Gates, Split, Transpose
from ...kernels.axes import UNIT
from .settings import GENERATION


@singledispatch
def on_tensors(op: Any, K: Backend, tensors: Sequence[Tensor], shapes: Sequence[Any]) -> list[Tensor]:
    """The tensors that `op` makes of `tensors`, which have `shapes`. Raises KconvertError for ops on values."""
    raise KconvertError(f"the op {op} is not one on tensors")


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


def _applied(chain: Chain, K: Backend, tensors: Sequence[Tensor], shapes: Any) -> list[Tensor]:
    found = list(tensors)
    for op in chain.simplified.ops:
        found, shapes = on_tensors(op, K, found, shapes), Chain((op,)).shapes(tuple(map(tuple, shapes)))
    return found


def _storages(layer: Any, weights: Sequence[Weight], K: Backend) -> list[Storage]:
    """How Keras 1.2.2 stores weights on this backend: the form that the layer has comes first."""
    data_format, fused = getattr(layer, "data_format", None), bool(getattr(layer, "fused_gates", False))
    convention = Convention(GENERATION, K.convention)
    found = [storage(weights, convention, data_format, as_one) for as_one in (fused, not fused)]
    return [*found[0], *(one for one in found[1] if one.weight.role.gates)]


def as_attributes(layer: Any, weights: Sequence[Weight], tensors: Mapping[str, Tensor], K: Backend) -> dict[str, Any]:
    """The attributes of a layer of Keras 1.2.2 that have its weights, such as `W` or `W_i`, from tensors by name."""
    found: dict[str, Any] = {}
    for stored in reversed(_storages(layer, weights, K)):
        chain, shape = stored.from_run >> stored.chain.inverse, stored.weight.shape
        found.update(zip(stored.slots, _applied(chain, K, [tensors[stored.weight.name]], [shape]), strict=True))
        if len(stored.slots) == 1:
            found[f"{stored.slots[0]}_shape"] = stored.shapes[0]
    return found


def from_attributes(layer: Any, weights: Sequence[Weight], K: Backend) -> dict[str, Tensor]:
    """The tensors of weights by name, from the attributes of a layer; without those that it does not have."""
    found: dict[str, Tensor] = {}
    for stored in _storages(layer, weights, K):
        values = [layer.__dict__.get(slot) for slot in stored.slots]
        if stored.weight.name in found or any(value is None for value in values):
            continue
        (found[stored.weight.name],) = _applied(stored.chain >> stored.to_run, K, values, stored.shapes)
    return found
