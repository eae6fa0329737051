"""Phase: one pass through a model, as the layers see it.

Layers are pure. What else they need beyond their inputs and weights comes from the phase, and what they
report beyond their outputs goes there: noise, new values of weights and states, outputs to regularize. A
phase is true in training, false in testing and predicting; without one (None) a layer only computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from itertools import count
from typing import Any

from ..backend.base import Backend, Size, Tensor


class Phase:
    """One pass, training or not.

    seed: two int32, for noise; every pass of a training has another one.
    """

    def __init__(self, K: Backend, training: bool = False, seed: Tensor = None) -> None:
        self.K = K
        self.training = training
        # The names of the layers around, from the outermost in.
        self.path: tuple[str, ...] = ()
        # New values of weights and states, by path: names of layers, then that of the weight.
        self.updates: dict[tuple[str, ...], Tensor] = {}
        # (regularizer as a layer states it, the tensor it acts on)
        self.penalties: list[tuple[Any, Tensor]] = []
        self._seed = seed
        self._draws = count(1)

    def __bool__(self) -> bool:
        return self.training

    def within(self, name: str) -> Phase:
        """The same phase for what is inside layer `name`: it reports to the same place."""
        inner = copy(self)
        inner.path = (*self.path, name)
        return inner

    def update(self, name: str, value: Tensor) -> None:
        """Gives weight or state `name` of the layer another value once the pass is over."""
        self.updates[self.path + (name,)] = value

    def penalize(self, regularizer: Any, x: Tensor) -> None:
        """Adds the cost that `regularizer` sees in `x` to the loss."""
        if regularizer is not None:
            self.penalties.append((regularizer, x))

    def penalize_activity(self, layer: Any, outputs: Sequence[Tensor]) -> None:
        """What the `activity_regularizer` of a layer, if it has one, sees in its outputs."""
        for x in outputs:
            self.penalize(getattr(layer, "activity_regularizer", None), x)

    # --------------------------------------------------------------- noise ----

    def seed(self, own: int | None = None) -> Tensor:
        """A new seed for every draw; `own`: that of a layer that states one."""
        offset = next(self._draws) * 7919 + (own or 0) * 104729
        return self._seed + self.K.constant([offset % 2**30, 0], "int32")

    def normal(self, shape: Sequence[Size], seed: int | None = None) -> Tensor:
        """Numbers of mean 0 and standard deviation 1."""
        return self.K.random_normal(shape, self.seed(seed))

    def kept(self, shape: Sequence[Size], rate: float, seed: int | None = None) -> Tensor:
        """1 with the probability 1 - `rate`, else 0."""
        draws = self.K.random_uniform(shape, self.seed(seed))
        return self.K.cast(self.K.greater(draws, rate), "float32")

    def scaled(self, shape: Sequence[Size], rate: float, seed: int | None = None) -> Tensor:
        """The factors of dropout: 0 with the probability `rate`; the others make the mean 1."""
        return self.kept(shape, rate, seed) * (1.0 / (1.0 - rate))


def within(phase: Phase | None, name: str) -> Phase | None:
    """The phase for what is inside layer `name`, where there is one."""
    return None if phase is None else phase.within(name)
