"""Regularizers of Keras 2.3.1: what weights or outputs cost beside the loss. (Source: `regularizers.py` there.)"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

from ...backend.base import Backend, Tensor
from .registry import Component, Registry


class Regularizer(Component):
    """A cost of a tensor."""

    @abstractmethod
    def __call__(self, K: Backend, w: Tensor) -> Tensor:
        """The cost, a scalar."""


@dataclass(frozen=True)
class L1L2(Regularizer):
    """`l1` times the sum of absolute values, and `l2` times that of squares.

    >>> import numpy as np
    >>> from kconvert.backend import get_backend
    >>> float(L1L2(l1=0.5, l2=1.0)(get_backend("numpy"), np.array([[2.0, -4.0]])))
    23.0
    """

    l1: float = 0.0
    l2: float = 0.0

    def __call__(self, K: Backend, w: Tensor) -> Tensor:
        costs = [self.l1 * K.sum(K.abs(w))] if self.l1 else []
        costs += [self.l2 * K.sum(w * w)] if self.l2 else []
        return sum(costs) if costs else K.constant(0.0)


def l1(l: float = 0.01) -> L1L2:  # noqa: E741 (the name Keras gives it in configurations)
    return L1L2(l1=l)


def l2(l: float = 0.01) -> L1L2:  # noqa: E741
    return L1L2(l2=l)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    return L1L2(l1, l2)


REGULARIZERS = Registry(
    "regularizer",
    Regularizer,
    {
        "l1": l1,
        "l2": l2,
        "l1_l2": l1_l2,
        "L1L2": L1L2,
        "activity_l1": l1,
        "activity_l2": l2,
        "activity_l1l2": l1_l2,
    },
)


def get(spec: Any) -> Any:
    """The regularizer that `spec` names: see `Registry.get`; a function takes (K, w).

    >>> get("l2")
    L1L2(l1=0.0, l2=0.01)
    """
    return REGULARIZERS.get(spec)
