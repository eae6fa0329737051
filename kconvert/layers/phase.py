"""Phase: the side channel of layers in one run of a model.

Layers are pure. A phase gives them what they need besides inputs and weights (random numbers), and collects what they
compute besides outputs: new values of weights and states, and tensors to regularize. A phase is true in training and
false in testing and prediction, which need a phase too: stateful layers change their states in every run. Without a
phase (None) a layer computes its outputs and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from itertools import count
from typing import Any, ClassVar

from ..backend.base import Backend, Size, Tensor
from ..backend.float_settings import floatx
from ..backend.seeds import SEEDS_BELOW

FIXED: dict[str, int | None] = {"phase": None}
"""The phase of the layers that are called from now on: 1 for training, 0 for testing, None for that of each run."""

RATES = ("rate", "stddev", "dropout", "recurrent_dropout")
"""The options of layers that draw random numbers in training, where they are not 0."""


class WithPhase:
    """The part of a layer that keeps the phase that was set when it was called (see `K.set_learning_phase`)."""

    is_network: ClassVar[bool]

    @property
    def fixed_phase(self) -> int | None:
        """Whether it computes in every run as in training, 1, or as in testing, 0; None: as the run."""
        return self.__dict__.get("_fixed_phase")

    @property
    def sublayers(self) -> list[Any]:
        raise NotImplementedError

    @property
    def uses_phase(self) -> bool:
        """Whether it computes differently in training: it draws random numbers, or a layer inside it does so."""
        draws = any(getattr(self, rate, None) for rate in RATES)
        return self.fixed_phase is None and (draws or any(layer.uses_phase for layer in self.sublayers))

    @property
    def draws_of_call(self) -> list[int]:
        """The numbers that Keras draws in each call, by what they are below: for noise, and each mask of dropout."""
        rates = [getattr(self, rate, None) for rate in RATES if rate != "stddev"]
        own = sum(isinstance(rate, (int, float)) and 0 < rate < 1 for rate in rates) + hasattr(self, "stddev")
        inner = [number for layer in self.sublayers for number in layer.draws_of_call]
        return [SEEDS_BELOW] * own * self.masks_of_dropout + inner

    @property
    def masks_of_dropout(self) -> int:
        """The number of masks of each kind of dropout, as one for each gate."""
        return 1

    def take_phase(self) -> None:
        """Notes the phase that is set now; called for a model, its layers do so where one is set."""
        phase = FIXED["phase"]
        if self.is_network:
            for layer in self.sublayers if phase is not None else ():
                layer.take_phase()
        elif phase is None:
            self.__dict__.pop("_fixed_phase", None)
        else:
            self.__dict__["_fixed_phase"] = phase


class Phase:
    """One run of a model.

    training: whether it is a training step. seed: the seed of all random numbers, an int32 tensor of two elements;
    another one in every training step.
    """

    def __init__(self, K: Backend, training: bool = False, seed: Tensor = None) -> None:
        self.K = K
        self.training = training
        # Whether the moments of a batch enter moving averages.
        self.moves = training
        # The names of the layers around the current one, from the outermost in.
        self.path: tuple[str, ...] = ()
        # New values of weights and states, by path: the names of the layers, then the name of the weight.
        self.updates: dict[tuple[str, ...], Tensor] = {}
        # (regularizer as the layer's configuration states it, the tensor that it applies to)
        self.penalties: list[tuple[Any, Tensor]] = []
        # The values of metrics that layers and models compute, by the path of the layer and the name.
        self.measures: dict[tuple[str, ...], Tensor] = {}
        self._seed = seed
        self._draws = count(1)

    def __bool__(self) -> bool:
        return self.training

    def within(self, name: str) -> Phase:
        """This phase for the inside of layer `name`; both collect into the same dict and list."""
        inner = copy(self)
        inner.path = (*self.path, name)
        return inner

    def of_test(self, moves: bool = False) -> Phase:
        """This phase for a layer that computes as in prediction; both collect into the same dict and list.

        moves: whether the moments of a batch enter moving averages all the same, where they do so in this phase.
        """
        inner = copy(self)
        inner.training, inner.moves = False, self.moves and moves
        return inner

    def without_averages(self) -> Phase:
        """This phase for a layer whose moving averages stay as they are."""
        inner = copy(self)
        inner.moves = False
        return inner

    def of_training(self, stateful: bool) -> Phase:
        """This phase for a layer that computes as in training in every run.

        Outside of training its weights are not updated. stateful: whether the layer updates its states.
        """
        if self.training:
            return self
        inner = copy(self)
        inner.training, inner._seed = True, self.K.fresh_seed()
        if not stateful:
            inner.updates = {}
        return inner

    def update(self, name: str, value: Tensor) -> None:
        """Sets a new value for weight or state `name` of the current layer, from the end of the run on."""
        self.updates[self.path + (name,)] = value

    def penalize(self, regularizer: Any, x: Tensor) -> None:
        """Adds `regularizer` of `x` to the loss; None adds nothing."""
        if regularizer is not None:
            self.penalties.append((regularizer, x))

    def add(self, loss: Tensor) -> None:
        """Adds a scalar to the loss."""
        self.penalties.append((_itself, loss))

    def measure(self, name: str, value: Tensor) -> None:
        """Reports the value of the metric `name` of the current layer."""
        self.measures[self.path + (name,)] = value

    def penalize_activity(self, layer: Any, outputs: Sequence[Tensor]) -> None:
        """Adds the `activity_regularizer` of a layer, if it has one, of each of its outputs to the loss."""
        for x in outputs:
            self.penalize(getattr(layer, "activity_regularizer", None), x)

    # --------------------------------------------------------------- noise ----

    def seed(self, layer_seed: int | None = None) -> Tensor:
        """The seed of the next draw: two int32, different for each draw.

        layer_seed: the seed in the layer's configuration, where there is one.
        """
        offset = next(self._draws) * 7919 + (layer_seed or 0) * 104729
        return self._seed + self.K.constant([offset % 2**30, 0], "int32")

    def normal(self, shape: Sequence[Size], seed: int | None = None) -> Tensor:
        """Normal random numbers with mean 0 and standard deviation 1."""
        return self.K.random_normal(shape, self.seed(seed))

    def keep_mask(self, shape: Sequence[Size], rate: float, seed: int | None = None) -> Tensor:
        """Random float32 zeros and ones; the probability of a zero is `rate`."""
        draws = self.K.random_uniform(shape, self.seed(seed))
        return self.K.cast(self.K.greater(draws, rate), floatx())

    def dropout_factors(self, shape: Sequence[Size], rate: float, seed: int | None = None) -> Tensor:
        """Random factors of dropout: 0 with probability `rate`, else 1 / (1 - rate), so that their mean is 1."""
        return self.keep_mask(shape, rate, seed) * (1.0 / (1.0 - rate))


def _itself(K: Backend, loss: Tensor) -> Tensor:
    return loss


def within(phase: Phase | None, name: str) -> Phase | None:
    """`phase` for the inside of layer `name`; None where there is no phase."""
    return None if phase is None else phase.within(name)
