"""Constraints of Keras 2.3.1: what weights are made to fulfil after each step. (Source: `constraints.py` there.)"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ...backend.base import Backend, Tensor
from .registry import EPSILON, Component, Registry


class Constraint(Component):
    """A change of a weight into one that is allowed."""

    @abstractmethod
    def __call__(self, K: Backend, w: Tensor) -> Tensor:
        """The weight as it is allowed."""


@dataclass(frozen=True)
class MaxNorm(Constraint):
    """Norms of at most `max_value`, over `axis` of the canonical weight (0: the inputs of a dense unit)."""

    max_value: float = 2
    axis: int | Sequence[int] = 0

    spellings: ClassVar[Mapping[str, str]] = {"m": "max_value"}

    def __call__(self, K: Backend, w: Tensor) -> Tensor:
        norms = _norms(K, w, self.axis)
        return w * (K.minimum(norms, float(self.max_value)) / (EPSILON + norms))


@dataclass(frozen=True)
class NonNeg(Constraint):
    """No negative weights: they become 0."""

    def __call__(self, K: Backend, w: Tensor) -> Tensor:
        return K.maximum(w, 0.0)


@dataclass(frozen=True)
class UnitNorm(Constraint):
    """Norms of 1 over `axis`."""

    axis: int | Sequence[int] = 0

    def __call__(self, K: Backend, w: Tensor) -> Tensor:
        return w / (EPSILON + _norms(K, w, self.axis))


@dataclass(frozen=True)
class MinMaxNorm(Constraint):
    """Norms between `min_value` and `max_value` over `axis`, or `rate` of the way there."""

    min_value: float = 0.0
    max_value: float = 1.0
    rate: float = 1.0
    axis: int | Sequence[int] = 0

    spellings: ClassVar[Mapping[str, str]] = {"low": "min_value", "m": "max_value", "high": "max_value"}

    def __call__(self, K: Backend, w: Tensor) -> Tensor:
        norms = _norms(K, w, self.axis)
        within = K.minimum(K.maximum(norms, float(self.min_value)), float(self.max_value))
        return w * ((self.rate * within + (1.0 - self.rate) * norms) / (EPSILON + norms))


def _norms(K: Backend, w: Tensor, axis: int | Sequence[int]) -> Tensor:
    """Euclidean norms over `axis`, which stays with size 1."""
    axes = axis if isinstance(axis, int) else tuple(axis)
    return K.sqrt(K.sum(w * w, axes, keepdims=True))


CONSTRAINTS = Registry("constraint", Constraint, {cls.__name__: cls for cls in (MaxNorm, NonNeg, UnitNorm, MinMaxNorm)})


def get(spec: Any) -> Any:
    """The constraint that `spec` names: see `Registry.get`; a function takes (K, w).

    >>> get({"class_name": "max_norm", "config": {"max_value": 3}})
    MaxNorm(max_value=3, axis=0)
    >>> get("maxnorm") == get("MaxNorm") == MaxNorm()
    True
    """
    return CONSTRAINTS.get(spec)
