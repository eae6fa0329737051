"""BatchNormalization of Keras 1.2.2, which moves its averages in another way than Keras 2.3.1."""

from __future__ import annotations

from typing import ClassVar

from ... import layers
from ...backend.base import Backend, Tensor
from ...errors import KconvertError, Problem
from ...lazy_dataclasses import dataclass

_MODES = (0, 1, 2)


@dataclass(eq=False)
class BatchNormalization(layers.BatchNormalization):
    """The variance of the batch is not corrected, and a frozen layer moves its averages too.

    (keras-facts: moving-variance-of-keras1)
    """

    moves_frozen: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.mode not in _MODES:
            what = f"BatchNormalization of Keras 1.2.2 has no mode {self.mode!r}"
            raise KconvertError(what, fix=f"its modes are {', '.join(map(str, _MODES))}", problem=Problem.USAGE)

    def moved_variance(self, K: Backend, variance: Tensor, n: Tensor, image: bool) -> Tensor:
        return K.facts.batch_variance_of_keras1(variance, self.epsilon)
