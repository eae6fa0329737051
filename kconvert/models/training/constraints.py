"""Constraints of Keras 2.3.1: functions that change a weight after each step of the optimizer.

Source: `constraints.py` of Keras 2.3.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ...backend.base import Backend, Tensor
from ...backend.computing import current_backend
from ...backend.float_settings import epsilon
from ...layers.component_names import found_by
from ...layers.custom import CustomFunction
from ...layers.operations import record
from ...lazy_dataclasses import dataclass
from .registry import Component, Registry, of_user
from .registry import serialize as serialize


class Constraint(Component):
    """Base class of the constraints, which changes nothing."""

    def constrained(self, K: Backend, w: Tensor) -> Tensor:
        """The value, in the shape of `w`, that replaces the weight `w`."""
        return w

    def __call__(self, w: Any) -> Any:
        """The value, as in Keras: `w` is a tensor, or what stands for one."""
        return record(lambda w: self.constrained(current_backend(), w), w)


@dataclass(frozen=True)
class MaxNorm(Constraint):
    """Scales a weight so that its norms over `axis` are at most `max_value`."""

    max_value: float = 2
    # One or several axes of the canonical weight; 0: the inputs of a Dense layer.
    axis: int | Sequence[int] = 0

    spellings: ClassVar[Mapping[str, str]] = {"m": "max_value"}

    def constrained(self, K: Backend, w: Tensor) -> Tensor:
        norms = _norms(K, w, self.axis)
        return w * (K.minimum(norms, float(self.max_value)) / (epsilon() + norms))


@dataclass(frozen=True)
class NonNeg(Constraint):
    """Replaces negative elements by 0."""

    def constrained(self, K: Backend, w: Tensor) -> Tensor:
        return K.maximum(w, 0.0)


@dataclass(frozen=True)
class UnitNorm(Constraint):
    """Scales a weight so that its norms over `axis` are 1."""

    axis: int | Sequence[int] = 0

    def constrained(self, K: Backend, w: Tensor) -> Tensor:
        return w / (epsilon() + _norms(K, w, self.axis))


@dataclass(frozen=True)
class MinMaxNorm(Constraint):
    """Scales a weight so that its norms over `axis` move towards the range from `min_value` to `max_value`."""

    min_value: float = 0.0
    max_value: float = 1.0
    # The part of the way to the range: 1 moves norms all the way.
    rate: float = 1.0
    axis: int | Sequence[int] = 0

    spellings: ClassVar[Mapping[str, str]] = {"low": "min_value", "m": "max_value", "high": "max_value"}

    def constrained(self, K: Backend, w: Tensor) -> Tensor:
        norms = _norms(K, w, self.axis)
        limited = K.minimum(K.maximum(norms, float(self.min_value)), float(self.max_value))
        return w * ((self.rate * limited + (1.0 - self.rate) * norms) / (epsilon() + norms))


def _norms(K: Backend, w: Tensor, axis: int | Sequence[int]) -> Tensor:
    """Euclidean norms over `axis`, which stays as an axis of size 1."""
    axes = axis if isinstance(axis, int) else tuple(axis)
    return K.sqrt(K.sum(w * w, axes, keepdims=True))


@dataclass(frozen=True)
class FunctionConstraint(Constraint):
    """A function of the user."""

    function: CustomFunction

    def constrained(self, K: Backend, w: Tensor) -> Tensor:
        return self.function.run(K, w)


CONSTRAINTS = Registry(
    "constraint",
    Constraint,
    {cls.__name__: cls for cls in (MaxNorm, NonNeg, UnitNorm, MinMaxNorm)},
    wrap=lambda function: FunctionConstraint(of_user(function)),
)

max_norm = maxnorm = MaxNorm
non_neg = nonneg = NonNeg
unit_norm = unitnorm = UnitNorm
min_max_norm = MinMaxNorm


def get(spec: Any) -> Any:
    """The constraint that `spec` describes: see `Registry.get`. A function takes (w) or (K, w).

    >>> get({"class_name": "max_norm", "config": {"max_value": 3}})
    MaxNorm(max_value=3, axis=0)
    >>> get("maxnorm") == get("MaxNorm") == MaxNorm()
    True
    """
    return CONSTRAINTS.get(spec)


found_by(get, "_constraint")
deserialize = CONSTRAINTS.deserialize
