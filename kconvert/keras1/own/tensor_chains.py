"""The weights of a layer as tensors in the form in which Keras 1.2.2 stores them, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...backend.base import Backend, Tensor
from ...backend.tensor_chains import applied
from ...conventions.generations import Convention
from ...conventions.roles import Weight
from ...conventions.storage import Storage, storage
from .settings import GENERATION


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
        found.update(zip(stored.slots, applied(chain, K, [tensors[stored.weight.name]], [shape]), strict=True))
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
        (found[stored.weight.name],) = applied(stored.chain >> stored.to_run, K, values, stored.shapes)
    return found
