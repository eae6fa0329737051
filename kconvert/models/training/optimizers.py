"""The optimizers of Keras 2.3.1, with its formulas and its defaults. `Optimizer` says what their state is.

Source: `optimizers.py` of Keras 2.3.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...backend.base import Backend, Tensor
from ...backend.float_settings import floatx
from ...errors import KconvertError, Problem
from ...lazy_dataclasses import dataclass
from .hyperparameters import number_of
from .optimizer import Numbers, Scalars, Slots
from .optimizer import Optimizer as Optimizer
from .registry import Registry
from .registry import serialize as serialize


@dataclass(kw_only=True)
class _Decaying(Optimizer):
    """An optimizer whose learning rate falls as 1 / (1 + decay * iterations)."""

    decay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        # The decay of the constructor: where it is 0, later values have no effect.
        self.initial_decay = number_of(self.decay)

    def rates(self, K: Backend, scalars: Scalars, numbers: Numbers) -> tuple[Numbers, dict[str, Tensor]]:
        iterations = scalars["iterations"]
        done = K.cast(iterations, floatx())
        lr = numbers["learning_rate"]
        if self.initial_decay:
            lr = lr * (1.0 / (1.0 + numbers["decay"] * done))
        return self.rates_at(K, lr, done + 1.0, numbers), {"iterations": iterations + 1}

    def rates_at(self, K: Backend, lr: Tensor, t: Tensor, numbers: Numbers) -> Numbers:
        """The factors of step `t`, counted from 1."""
        return {"lr": lr}


@dataclass
class SGD(_Decaying):
    """Stochastic gradient descent, with momentum or with Nesterov momentum."""

    learning_rate: float = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Numbers
    ) -> tuple[Tensor, Slots]:
        descent = rates["lr"] * gradient
        velocity = rates["momentum"] * slots["moment"] - descent
        change = rates["momentum"] * velocity - descent if self.nesterov else velocity
        return weight + change, {"moment": velocity}


@dataclass
class RMSprop(_Decaying):
    """Divides each gradient by the root of a moving average of its square."""

    learning_rate: float = 0.001
    rho: float = 0.9
    epsilon: float | None = None

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Numbers
    ) -> tuple[Tensor, Slots]:
        mean_square = _moving_average(rates["rho"], slots["accumulator"], gradient * gradient)
        step = rates["lr"] * gradient / (K.sqrt(mean_square) + self.epsilon)
        return weight - step, {"accumulator": mean_square}


@dataclass
class Adagrad(_Decaying):
    """Divides each gradient by the root of the sum of all its squares so far."""

    learning_rate: float = 0.01
    epsilon: float | None = None

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Numbers
    ) -> tuple[Tensor, Slots]:
        total = slots["accumulator"] + gradient * gradient
        step = rates["lr"] * gradient / (K.sqrt(total) + self.epsilon)
        return weight - step, {"accumulator": total}


@dataclass
class Adadelta(_Decaying):
    """RMSprop, with each step multiplied by the root of a moving average of the squared steps."""

    learning_rate: float = 1.0
    rho: float = 0.95
    epsilon: float | None = None

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Numbers
    ) -> tuple[Tensor, Slots]:
        before = slots["delta_accumulator"]
        mean_square = _moving_average(rates["rho"], slots["accumulator"], gradient * gradient)
        step = gradient * K.sqrt(before + self.epsilon) / K.sqrt(mean_square + self.epsilon)
        after = {"accumulator": mean_square, "delta_accumulator": _moving_average(rates["rho"], before, step * step)}
        return weight - rates["lr"] * step, after


@dataclass
class Adam(_Decaying):
    """Divides the first moment by the root of the second; with `amsgrad`, of the greatest second moment so far."""

    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    amsgrad: bool = False
    epsilon: float | None = None

    def slots(self, shape: Sequence[int]) -> dict[str, np.ndarray]:
        """m, v and vhat; without amsgrad, vhat is one unused element (keras-facts: empty-vhat)."""
        slots = super().slots(shape)
        return slots if self.amsgrad else {**slots, "vhat": np.zeros(1, floatx())}

    def rates_at(self, K: Backend, lr: Tensor, t: Tensor, numbers: Numbers) -> Numbers:
        return {"lr": lr * K.sqrt(_bias_correction(numbers["beta_2"], t)) / _bias_correction(numbers["beta_1"], t)}

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Numbers
    ) -> tuple[Tensor, Slots]:
        m = _moving_average(rates["beta_1"], slots["m"], gradient)
        v = _moving_average(rates["beta_2"], slots["v"], gradient * gradient)
        vhat = K.maximum(slots["vhat"], v) if self.amsgrad else slots["vhat"]
        step = rates["lr"] * m / (K.sqrt(vhat if self.amsgrad else v) + self.epsilon)
        return weight - step, {"m": m, "v": v, "vhat": vhat}


@dataclass
class Adamax(_Decaying):
    """Adam with a decaying maximum of the absolute gradients in place of the root of the second moment."""

    learning_rate: float = 0.002
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float | None = None

    def rates_at(self, K: Backend, lr: Tensor, t: Tensor, numbers: Numbers) -> Numbers:
        return {"lr": lr / _bias_correction(numbers["beta_1"], t)}

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Numbers
    ) -> tuple[Tensor, Slots]:
        m = _moving_average(rates["beta_1"], slots["m"], gradient)
        u = K.maximum(rates["beta_2"] * slots["u"], K.abs(gradient))
        return weight - rates["lr"] * m / (u + self.epsilon), {"m": m, "u": u}


@dataclass
class Nadam(Optimizer):
    """Adam with Nesterov momentum; the momentum grows with the steps, by `schedule_decay`."""

    learning_rate: float = 0.002
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float | None = None
    schedule_decay: float = 0.004

    def scalars(self) -> dict[str, np.ndarray]:
        return {**super().scalars(), "m_schedule": np.array(1.0, floatx())}

    def rates(self, K: Backend, scalars: Scalars, numbers: Numbers) -> tuple[Numbers, dict[str, Tensor]]:
        iterations, before = scalars["iterations"], scalars["m_schedule"]
        t = K.cast(iterations, floatx()) + 1.0
        now, following = (self._momentum(K, numbers["beta_1"], step) for step in (t, t + 1.0))
        product = before * now
        rates = {
            "lr": numbers["learning_rate"],
            "gradient": (1.0 - now) / (1.0 - product),
            "m": following / (1.0 - product * following),
            "v": 1.0 / _bias_correction(numbers["beta_2"], t),
        }
        return rates, {"iterations": iterations + 1, "m_schedule": product}

    def _momentum(self, K: Backend, beta: Tensor, t: Tensor) -> Tensor:
        return beta * (1.0 - 0.5 * K.constant(0.96) ** (t * self.schedule_decay))

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Numbers
    ) -> tuple[Tensor, Slots]:
        m = _moving_average(rates["beta_1"], slots["m"], gradient)
        v = _moving_average(rates["beta_2"], slots["v"], gradient * gradient)
        ahead = rates["gradient"] * gradient + rates["m"] * m
        step = rates["lr"] * ahead / (K.sqrt(rates["v"] * v) + self.epsilon)
        return weight - step, {"m": m, "v": v}


def _moving_average(decay: Tensor, average: Tensor, value: Tensor) -> Tensor:
    """A moving average after one more value."""
    return decay * average + (1.0 - decay) * value


def _bias_correction(beta: Tensor, t: Tensor) -> Tensor:
    """The sum of the weights in a moving average that started at 0, after `t` steps: 1 - beta**t."""
    return 1.0 - beta**t


OPTIMIZERS = Registry(
    "optimizer",
    Optimizer,
    {cls.__name__: cls for cls in (SGD, RMSprop, Adagrad, Adadelta, Adam, Adamax, Nadam)},
)

sgd, rmsprop, adagrad, adadelta, adam, adamax, nadam = SGD, RMSprop, Adagrad, Adadelta, Adam, Adamax, Nadam


def get(spec: Any) -> Optimizer:
    """The optimizer that `spec` describes: see `Registry.get`. Raises KconvertError for anything else, None included.

    >>> get("adam")
    Adam(learning_rate=0.001, clipnorm=None, clipvalue=None, decay=0.0, beta_1=0.9, beta_2=0.999, amsgrad=False, \
epsilon=1e-07)
    >>> get({"class_name": "SGD", "config": {"lr": 0.1}}).get_config()
    {'learning_rate': 0.1, 'decay': 0.0, 'momentum': 0.0, 'nesterov': False}
    """
    optimizer = OPTIMIZERS.get(spec)
    if not isinstance(optimizer, Optimizer):
        raise KconvertError(
            f"unknown optimizer {spec!r}", fix=f"one of: {', '.join(OPTIMIZERS.makers)}", problem=Problem.USAGE
        )
    return optimizer


deserialize = OPTIMIZERS.deserialize
