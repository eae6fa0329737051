"""Optimizers of Keras 2.3.1, with its formulas, its defaults and the state it stores.

Every step starts from the learning rate, which is a value of the moment (callbacks change it), and from
scalars that all weights share (`iterations`; Nadam: `m_schedule`). Each weight has its slots: moments in
its own shape. Names and order of both stand in `kconvert.conventions.optimizers.STRUCTURES`, for files as for training.

Hyperparameters are rounded to float32 before anything is computed of them, as in Keras: 1 - 0.999 is
0.00099998712 there. (Source: `optimizers.py` of Keras 2.3.1.)
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...backend.base import Backend, Tensor
from ...conventions.optimizers import STRUCTURES, Structure
from ...errors import KconvertError, Problem
from .registry import EPSILON, Component, Registry

Slots = Mapping[str, Tensor]
Scalars = Mapping[str, Tensor]


@dataclass(kw_only=True)
class Optimizer(Component):
    """What every optimizer shares: the order of a step, and the clipping of gradients.

    clipnorm: the greatest norm of all gradients together; clipvalue: the greatest absolute value of each
    element; None or 0 for none.
    """

    learning_rate: float = 0.01
    clipnorm: float | None = None
    clipvalue: float | None = None

    spellings: ClassVar[Mapping[str, str]] = {"lr": "learning_rate"}

    def __post_init__(self) -> None:
        if getattr(self, "epsilon", EPSILON) is None:  # how Keras 2.1 and 2.2 are asked for it
            vars(self)["epsilon"] = EPSILON

    def get_config(self) -> dict[str, Any]:
        """The configuration in Keras 2.3.1's words; clipping only where there is any."""
        config = {"learning_rate": float(self.learning_rate), **super().get_config()}
        return {key: value for key, value in config.items() if value is not None}

    @property
    def lr(self) -> float:
        """Keras 2.2's name of the learning rate."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: float) -> None:
        self.learning_rate = value

    # ---------------------------------------------------------------- state ----

    @property
    def structure(self) -> Structure:
        """Names of the scalars and slots, in the order in which Keras stores them."""
        return STRUCTURES[self.class_name]

    def scalars(self) -> dict[str, np.ndarray]:
        """The scalars before the first step."""
        return {"iterations": np.array(0, "int64")}

    def slots(self, shape: Sequence[int]) -> dict[str, np.ndarray]:
        """The slots of a weight of that shape before the first step."""
        return {name: np.zeros(shape, "float32") for name in self.structure.slots}

    def state(
        self, scalars: Mapping[str, np.ndarray], slots: Sequence[Mapping[str, np.ndarray]]
    ) -> dict[str, np.ndarray]:
        """Scalars and slots by their names in Keras 2.3.1, in its order: one slot of all weights after the other.

        >>> list(Adam().state(Adam().scalars(), [Adam().slots((2,)), Adam().slots((3,))]))
        ['iterations', 'm_0', 'm_1', 'v_0', 'v_1', 'vhat_0', 'vhat_1']
        """
        named = {name: scalars[name] for name in self.structure.scalars}
        return named | {f"{name}_{i}": own[name] for name in self.structure.slots for i, own in enumerate(slots)}

    def from_state(
        self, arrays: Sequence[np.ndarray], shapes: Sequence[Sequence[int]]
    ) -> tuple[dict[str, np.ndarray], list[dict[str, np.ndarray]]]:
        """Scalars and slots out of arrays in the order of `state`, for weights of those shapes.

        Raises KconvertError where number or shapes do not fit.
        """
        expected = self.state(self.scalars(), [self.slots(shape) for shape in shapes])
        if [np.shape(array) for array in arrays] != [array.shape for array in expected.values()]:
            raise KconvertError(
                f"{len(arrays)} stored arrays are not the state of {self.class_name} for {len(shapes)} weights",
                fix="load the weights alone, or compile with the optimizer that the file states",
            )
        named = {name: np.asarray(a, e.dtype) for (name, e), a in zip(expected.items(), arrays, strict=True)}
        slots = [{name: named[f"{name}_{i}"] for name in self.structure.slots} for i in range(len(shapes))]
        return {name: named[name] for name in self.structure.scalars}, slots

    # ----------------------------------------------------------------- step ----

    def step(
        self,
        K: Backend,
        weights: Sequence[Tensor],
        gradients: Sequence[Tensor],
        slots: Sequence[Slots],
        scalars: Scalars,
        learning_rate: Tensor,
    ) -> tuple[list[Tensor], list[dict[str, Tensor]], dict[str, Tensor]]:
        """Everything after one step: the weights (before their constraints), their slots and the scalars.

        learning_rate: a float32 scalar.
        """
        rates, new_scalars = self.rates(K, scalars, learning_rate)
        updated = [
            self.update(K, weight, gradient, own, rates)
            for weight, gradient, own in zip(weights, self.clip(K, gradients), slots, strict=True)
        ]
        return [weight for weight, _ in updated], [dict(own) for _, own in updated], new_scalars

    def clip(self, K: Backend, gradients: Sequence[Tensor]) -> list[Tensor]:
        """The gradients within `clipnorm`, then within `clipvalue`."""
        clipped = list(gradients)
        if self.clipnorm:
            norm = K.sqrt(sum(K.sum(g * g) for g in clipped))
            scale = K.where(K.greater(norm, self.clipnorm), self.clipnorm / norm, 1.0)
            clipped = [g * scale for g in clipped]
        if self.clipvalue:
            clipped = [K.minimum(K.maximum(g, -self.clipvalue), self.clipvalue) for g in clipped]
        return clipped

    @abstractmethod
    def rates(
        self, K: Backend, scalars: Scalars, learning_rate: Tensor
    ) -> tuple[Mapping[str, Tensor], dict[str, Tensor]]:
        """What this step has in common for all weights, and the scalars after it."""

    @abstractmethod
    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Mapping[str, Tensor]
    ) -> tuple[Tensor, Slots]:
        """A weight and its slots after the step."""


@dataclass(kw_only=True)
class _Decaying(Optimizer):
    """With a learning rate that falls as 1 / (1 + decay * iterations)."""

    decay: float = 0.0

    def rates(
        self, K: Backend, scalars: Scalars, learning_rate: Tensor
    ) -> tuple[Mapping[str, Tensor], dict[str, Tensor]]:
        iterations = scalars["iterations"]
        done = K.cast(iterations, "float32")
        lr = learning_rate * (1.0 / (1.0 + self.decay * done)) if self.decay else learning_rate
        return self.rates_at(K, lr, done + 1.0), {"iterations": iterations + 1}

    def rates_at(self, K: Backend, lr: Tensor, t: Tensor) -> Mapping[str, Tensor]:
        """What step `t` (from 1) has in common for all weights."""
        return {"lr": lr}


@dataclass
class SGD(_Decaying):
    """Stochastic gradient descent, with momentum, or Nesterov's."""

    learning_rate: float = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Mapping[str, Tensor]
    ) -> tuple[Tensor, Slots]:
        descent = rates["lr"] * gradient
        velocity = self.momentum * slots["moment"] - descent
        moved = self.momentum * velocity - descent if self.nesterov else velocity
        return weight + moved, {"moment": velocity}


@dataclass
class RMSprop(_Decaying):
    """Divides by a running root mean square of the gradients."""

    learning_rate: float = 0.001
    rho: float = 0.9
    epsilon: float = EPSILON

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Mapping[str, Tensor]
    ) -> tuple[Tensor, Slots]:
        mean_square = _moving(K, self.rho, slots["accumulator"], gradient * gradient)
        step = rates["lr"] * gradient / (K.sqrt(mean_square) + self.epsilon)
        return weight - step, {"accumulator": mean_square}


@dataclass
class Adagrad(_Decaying):
    """Divides by the root of all squared gradients so far."""

    learning_rate: float = 0.01
    epsilon: float = EPSILON

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Mapping[str, Tensor]
    ) -> tuple[Tensor, Slots]:
        total = slots["accumulator"] + gradient * gradient
        step = rates["lr"] * gradient / (K.sqrt(total) + self.epsilon)
        return weight - step, {"accumulator": total}


@dataclass
class Adadelta(_Decaying):
    """RMSprop in units of the weights: times a running root mean square of its own steps."""

    learning_rate: float = 1.0
    rho: float = 0.95
    epsilon: float = EPSILON

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Mapping[str, Tensor]
    ) -> tuple[Tensor, Slots]:
        before = slots["delta_accumulator"]
        mean_square = _moving(K, self.rho, slots["accumulator"], gradient * gradient)
        step = gradient * K.sqrt(before + self.epsilon) / K.sqrt(mean_square + self.epsilon)
        after = {"accumulator": mean_square, "delta_accumulator": _moving(K, self.rho, before, step * step)}
        return weight - rates["lr"] * step, after


@dataclass
class Adam(_Decaying):
    """First moment over the root of the second; `amsgrad` keeps the greatest second moment."""

    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    amsgrad: bool = False
    epsilon: float = EPSILON

    def slots(self, shape: Sequence[int]) -> dict[str, np.ndarray]:
        """m, v and vhat; without amsgrad vhat is one element that Keras stores and does not use."""
        slots = super().slots(shape)
        return slots if self.amsgrad else {**slots, "vhat": np.zeros(1, "float32")}

    def rates_at(self, K: Backend, lr: Tensor, t: Tensor) -> Mapping[str, Tensor]:
        return {"lr": lr * K.sqrt(_left(K, self.beta_2, t)) / _left(K, self.beta_1, t)}

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Mapping[str, Tensor]
    ) -> tuple[Tensor, Slots]:
        m = _moving(K, self.beta_1, slots["m"], gradient)
        v = _moving(K, self.beta_2, slots["v"], gradient * gradient)
        vhat = K.maximum(slots["vhat"], v) if self.amsgrad else slots["vhat"]
        step = rates["lr"] * m / (K.sqrt(vhat if self.amsgrad else v) + self.epsilon)
        return weight - step, {"m": m, "v": v, "vhat": vhat}


@dataclass
class Adamax(_Decaying):
    """Adam with the greatest recent gradient in place of the second moment."""

    learning_rate: float = 0.002
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = EPSILON

    def rates_at(self, K: Backend, lr: Tensor, t: Tensor) -> Mapping[str, Tensor]:
        return {"lr": lr / _left(K, self.beta_1, t)}

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Mapping[str, Tensor]
    ) -> tuple[Tensor, Slots]:
        m = _moving(K, self.beta_1, slots["m"], gradient)
        u = K.maximum(self.beta_2 * slots["u"], K.abs(gradient))
        return weight - rates["lr"] * m / (u + self.epsilon), {"m": m, "u": u}


@dataclass
class Nadam(Optimizer):
    """Adam with Nesterov's momentum, and a momentum that grows with the steps (`schedule_decay`)."""

    learning_rate: float = 0.002
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = EPSILON
    schedule_decay: float = 0.004

    def scalars(self) -> dict[str, np.ndarray]:
        return {**super().scalars(), "m_schedule": np.array(1.0, "float32")}

    def rates(
        self, K: Backend, scalars: Scalars, learning_rate: Tensor
    ) -> tuple[Mapping[str, Tensor], dict[str, Tensor]]:
        iterations, before = scalars["iterations"], scalars["m_schedule"]
        t = K.cast(iterations, "float32") + 1.0
        now, following = (self._momentum(K, step) for step in (t, t + 1.0))
        product = before * now
        rates = {
            "lr": learning_rate,
            "gradient": (1.0 - now) / (1.0 - product),
            "m": following / (1.0 - product * following),
            "v": 1.0 / _left(K, self.beta_2, t),
        }
        return rates, {"iterations": iterations + 1, "m_schedule": product}

    def _momentum(self, K: Backend, t: Tensor) -> Tensor:
        return self.beta_1 * (1.0 - 0.5 * K.constant(0.96) ** (t * self.schedule_decay))

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Mapping[str, Tensor]
    ) -> tuple[Tensor, Slots]:
        m = _moving(K, self.beta_1, slots["m"], gradient)
        v = _moving(K, self.beta_2, slots["v"], gradient * gradient)
        ahead = rates["gradient"] * gradient + rates["m"] * m
        step = rates["lr"] * ahead / (K.sqrt(rates["v"] * v) + self.epsilon)
        return weight - step, {"m": m, "v": v}


def _moving(K: Backend, rho: float, average: Tensor, value: Tensor) -> Tensor:
    """A moving average after one more value."""
    kept = K.constant(rho)
    return kept * average + (1.0 - kept) * value


def _left(K: Backend, beta: float, t: Tensor) -> Tensor:
    """How much of a moving average that began at 0 was seen after `t` steps: 1 - beta**t."""
    return 1.0 - K.constant(beta) ** t


OPTIMIZERS = Registry(
    "optimizer",
    Optimizer,
    {cls.__name__: cls for cls in (SGD, RMSprop, Adagrad, Adadelta, Adam, Adamax, Nadam)},
)


def get(spec: Any) -> Optimizer:
    """The optimizer that `spec` names: see `Registry.get`.

    >>> get("adam")
    Adam(learning_rate=0.001, clipnorm=None, clipvalue=None, decay=0.0, beta_1=0.9, beta_2=0.999, amsgrad=False, \
epsilon=1e-07)
    >>> get({"class_name": "SGD", "config": {"lr": 0.1}}).get_config()
    {'learning_rate': 0.1, 'decay': 0.0, 'momentum': 0.0, 'nesterov': False}
    """
    optimizer = OPTIMIZERS.get(spec)
    if not isinstance(optimizer, Optimizer):
        raise KconvertError(
            f"{spec!r} is no optimizer", fix=f"one of: {', '.join(OPTIMIZERS.makers)}", problem=Problem.USAGE
        )
    return optimizer
