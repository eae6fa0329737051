"""Regularizers of Keras 2.3.1: penalties on weights or outputs, which are added to the loss.

Source: `regularizers.py` of Keras 2.3.1.
"""

from __future__ import annotations

from typing import Any

from ...backend.base import Backend, Tensor
from ...backend.computing import current_backend
from ...layers.component_names import found_by
from ...layers.custom import CustomFunction
from ...layers.operations import record
from ...lazy_dataclasses import dataclass
from .registry import Component, Registry, of_user
from .registry import serialize as serialize


class Regularizer(Component):
    """Base class of the regularizers, without a penalty."""

    def penalty(self, K: Backend, w: Tensor) -> Tensor:
        """The penalty on the tensor `w`, a scalar."""
        return K.constant(0.0)

    def __call__(self, x: Any) -> Any:
        """The penalty, as in Keras: `x` is a tensor, or what stands for one."""
        return record(lambda x: self.penalty(current_backend(), x), x)


@dataclass(frozen=True)
class L1L2(Regularizer):
    """`l1` times the sum of the absolute values, plus `l2` times the sum of the squares.

    >>> import numpy as np
    >>> from kconvert.backend import get_backend
    >>> float(L1L2(l1=0.5, l2=1.0).penalty(get_backend("numpy"), np.array([[2.0, -4.0]])))
    23.0
    """

    l1: float = 0.0
    l2: float = 0.0

    def penalty(self, K: Backend, w: Tensor) -> Tensor:
        terms = [self.l1 * K.sum(K.abs(w))] if self.l1 else []
        terms += [self.l2 * K.sum(w * w)] if self.l2 else []
        return sum(terms) if terms else K.constant(0.0)


@dataclass(frozen=True)
class FunctionRegularizer(Regularizer):
    """A function of the user."""

    function: CustomFunction

    def penalty(self, K: Backend, w: Tensor) -> Tensor:
        return self.function.run(K, w)


def l1(l: float = 0.01) -> L1L2:  # noqa: E741 (Keras writes this name into configurations)
    """A penalty on absolute values alone."""
    return L1L2(l1=l)


def l2(l: float = 0.01) -> L1L2:  # noqa: E741
    """A penalty on squares alone."""
    return L1L2(l2=l)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """A penalty on absolute values and on squares; the defaults differ from those of `L1L2`."""
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
    wrap=lambda function: FunctionRegularizer(of_user(function)),
)


def get(spec: Any) -> Any:
    """The regularizer that `spec` describes: see `Registry.get`. A function takes (w) or (K, w) and returns a scalar.

    >>> get("l2")
    L1L2(l1=0.0, l2=0.01)
    """
    return REGULARIZERS.get(spec)


found_by(get, "_regularizer")
deserialize = REGULARIZERS.deserialize
