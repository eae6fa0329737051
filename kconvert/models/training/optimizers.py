"""Optimizers of Keras 2.3.1, with its formulas, its defaults and the state it stores.

A step takes the current learning rate, which callbacks may change, and two kinds of state:

- scalars, which all weights share: `iterations`, and for Nadam `m_schedule`;
- slots, which each weight has for itself: moments in the shape of the weight.

`kconvert.conventions.optimizers.STRUCTURES` states the names and the order of both, for files and for training.
Hyperparameters are rounded to float32 before they are used (keras-facts: hyperparameters-are-float32).
Source: `optimizers.py` of Keras 2.3.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from ...backend.base import Backend, Tensor
from ...backend.computing import GRADIENTS, current_backend, is_computing
from ...conventions.optimizers import STRUCTURES, Structure
from ...errors import KconvertError, Problem
from ...layers.deferred import Expression, Variable
from ...layers.slopes import gradient
from ...lazy_dataclasses import dataclass
from .hyperparameters import Hyperparameter
from .registry import EPSILON, Component, Registry
from .registry import serialize as serialize
from .variable_steps import VariableSteps

Slots = Mapping[str, Tensor]
Scalars = Mapping[str, Tensor]


@dataclass(kw_only=True)
class Optimizer(Component):
    """Base class of the optimizers: the order of a step, and the clipping of gradients."""

    learning_rate: float = 0.01
    # The greatest norm of all gradients together; None or 0: no limit.
    clipnorm: float | None = None
    # The greatest absolute value of an element of a gradient; None or 0: no limit.
    clipvalue: float | None = None

    spellings: ClassVar[Mapping[str, str]] = {"lr": "learning_rate"}
    # The fields that Keras holds in variables.
    adjustable: ClassVar[tuple[str, ...]] = ("learning_rate", "decay", "momentum", "rho", "beta_1", "beta_2")

    def __post_init__(self) -> None:
        # The pairs of a variable and its new value that `get_updates` returned.
        self.updates: list[Any] = []
        if getattr(self, "epsilon", EPSILON) is None:  # in Keras 2.1 and 2.2: the default
            vars(self)["epsilon"] = EPSILON

    def get_config(self) -> dict[str, Any]:
        """The configuration as Keras 2.3.1 writes it; limits of gradients only where they are set.

        A class of the user that only inherits from `Optimizer` states its learning rate itself.
        """
        config = super().get_config()
        rate = config.pop("learning_rate")
        if self.kind:
            config = {"learning_rate": rate, **config}
        numbers = {key: float(value) for key, value in config.items() if isinstance(value, Hyperparameter)}
        return {key: numbers.get(key, value) for key, value in config.items() if value is not None}

    def __setattr__(self, name: str, value: Any) -> None:
        """Sets an attribute; a number that is a hyperparameter becomes one that `K.set_value` can set."""
        is_field = name in self.adjustable and name in type(self).__dataclass_fields__
        adjustable = is_field and isinstance(value, (int, float))
        super().__setattr__(name, Hyperparameter.of(self, name, value) if adjustable else value)
        steps = self.__dict__.get("_executor")
        if adjustable and name == "learning_rate" and isinstance(steps, VariableSteps):
            steps.rate.value = value

    @property
    def hyperparameters(self) -> tuple[float, ...]:
        """The numbers that a compiled step depends on; the learning rate is none of them."""
        return tuple(vars(self)[name] for name in self.adjustable[1:] if name in vars(self))

    @property
    def lr(self) -> float:
        """The learning rate, under its name in Keras 2.2."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: float) -> None:
        self.learning_rate = value

    # ---------------------------------------------------------------- state ----

    # Whether files hold its state.
    stored: ClassVar[bool] = True

    def prepare(self, shapes: Sequence[Sequence[int]]) -> None:
        """Called with the shapes of the weights, before `scalars` and `slots`."""

    def variables(self, K: Backend) -> dict[str, Any]:
        """Variables of the backend that a step updates like scalars, by name."""
        held = self.held_scalars
        if not all(one.lies_on(K) for one in held.values()):
            held.update({name: Variable(one.value, one.dtype, name) for name, one in held.items()})
        return {name: one.native(K) for name, one in held.items()}

    @property
    def held_scalars(self) -> dict[str, Variable]:
        """The variables of the scalars, by name. Their values stay when another model is compiled with it."""
        made = {name: Variable(array, str(array.dtype), name) for name, array in self.scalars().items()}
        held: dict[str, Variable] = vars(self).setdefault("_scalars", made)
        return held

    @property
    def iterations(self) -> Any:
        """The variable of the number of steps that were done; of a class of the user, the one that it has."""
        stated = vars(self).get("_iterations")
        return self.held_scalars["iterations"] if stated is None else stated

    @iterations.setter
    def iterations(self, variable: Any) -> None:
        vars(self)["_iterations"] = variable

    @property
    def weights(self) -> list[Any]:
        """The variables of the state, in the order of `get_weights`; what a class of the user sets."""
        stated: list[Any] | None = vars(self).get("_weights")
        return self._held("variables_of") if stated is None else stated

    @weights.setter
    def weights(self, weights: list[Any]) -> None:
        vars(self)["_weights"] = weights

    def get_weights(self) -> list[np.ndarray]:
        """The state in the order of Keras; empty before the model is compiled."""
        return self._held("read")

    def _held(self, method: str) -> list[Any]:
        """What a method of the executor gives for scalars and slots, in the order of Keras; [] without it."""
        executor = self.__dict__.get("_executor")
        if executor is None:
            return []
        scalars = {name: one for (name,), one in getattr(executor, method)("scalar").items()}
        slots: dict[Any, dict[str, Any]] = {}
        for (*path, name), one in getattr(executor, method)("slot").items():
            slots.setdefault(tuple(path), {})[name] = one
        return list(self.state(scalars, list(slots.values())).values())

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets the state, in the order of `get_weights`.

        Raises KconvertError before the model is compiled, and where number or shapes differ.
        """
        executor = self.__dict__.get("_executor")
        if executor is None:
            fix = "compile a model with it"
            raise KconvertError("the optimizer has no state yet", self.class_name, fix, Problem.USAGE)
        shapes = [array.shape for array in executor.read_trained()]
        scalars, slots = self.from_state(weights, shapes)
        executor.write("scalar", {(name,): array for name, array in scalars.items()})
        for path, own in zip(executor.trained, slots, strict=True):
            executor.write("slot", {(*path, name): array for name, array in own.items()})

    def __getstate__(self) -> dict[str, Any]:
        return {**{key: value for key, value in vars(self).items() if key != "_executor"}, "updates": []}

    @classmethod
    def has_own_updates(cls) -> bool:
        """Whether it is a class of the user with a method `get_updates`."""
        return cls.get_updates is not Optimizer.get_updates

    def call_updates(self, loss: Any, params: Sequence[Any]) -> Any:
        """What `get_updates` of a class of the user returns, called as in its release of Keras."""
        return self.get_updates(loss, params)

    def get_updates(self, loss: Any, params: Sequence[Variable]) -> list[tuple[Variable, Any]]:
        """The pairs of a variable and its new value of one step, for the updates of `K.function`.

        loss: an expression of the variables `params`, which are constrained after the step. The state lies in variables
        of its own, which `get_weights` returns from now on.
        """
        steps = VariableSteps(self, params, [one.constraint for one in params])
        self.__dict__["_executor"] = steps
        self.updates = steps.updates(loss)
        return self.updates

    def get_gradients(self, loss: Any, params: Sequence[Tensor]) -> list[Tensor]:
        """The limited gradients, for `get_updates` of a class of the user, and for `K.function`.

        loss: a tensor, or a symbol such as `total_loss` of a model. params: tensors, or weights of layers.
        """
        if not is_computing():
            slopes = tuple(gradient(loss, one) for one in params)
            clipped = Expression(lambda *given: self.clip(current_backend(), given), slopes, {})
            return [replace(clipped, index=i) for i in range(len(slopes))]
        K, known = current_backend(), GRADIENTS.get(None)
        return self.clip(K, known(loss, params) if known else K.gradients(loss, params))

    @property
    def structure(self) -> Structure:
        """The names of the scalars and slots, in the order in which Keras stores them."""
        return STRUCTURES[self.kind or self.class_name]

    @property
    def kind(self) -> str | None:
        """The class of Keras that it is or inherits from; None for a class that only inherits from `Optimizer`."""
        return next((cls.__name__ for cls in type(self).__mro__ if cls.__name__ in STRUCTURES), None)

    @property
    def shown(self) -> Structure:
        """The scalars and slots that `get_weights` returns."""
        return self.structure

    def scalars(self) -> dict[str, np.ndarray]:
        """The scalars before the first step."""
        return {"iterations": np.array(0, "int64")}

    def slots(self, shape: Sequence[int]) -> dict[str, np.ndarray]:
        """The slots of a weight of shape `shape` before the first step."""
        return {name: np.zeros(shape, "float32") for name in self.structure.slots}

    def state(self, scalars: Mapping[str, Any], slots: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Scalars and slots, or their variables, by their names in Keras 2.3.1, in its order: slot by slot.

        scalars: by name. slots: for each weight, its slots by name.

        >>> list(Adam().state(Adam().scalars(), [Adam().slots((2,)), Adam().slots((3,))]))
        ['iterations', 'm_0', 'm_1', 'v_0', 'v_1', 'vhat_0', 'vhat_1']
        """
        named = {name: scalars[name] for name in self.shown.scalars}
        return named | {f"{name}_{i}": own[name] for name in self.shown.slots for i, own in enumerate(slots)}

    def from_state(
        self, arrays: Sequence[np.ndarray], shapes: Sequence[Sequence[int]]
    ) -> tuple[dict[str, np.ndarray], list[dict[str, np.ndarray]]]:
        """Scalars, and the slots of each weight, from `arrays` in the order of `state`.

        shapes: the shapes of the weights. Raises KconvertError where the number or the shapes of `arrays` do not match.
        """
        expected = self.state(self.scalars(), [self.slots(shape) for shape in shapes])
        if [np.shape(array) for array in arrays] != [array.shape for array in expected.values()]:
            raise KconvertError(
                f"{len(arrays)} stored arrays are not the state of {self.class_name} for {len(shapes)} weights",
                fix="load the weights alone, or compile with the optimizer that the file states",
            )
        named = {name: np.asarray(a, e.dtype) for (name, e), a in zip(expected.items(), arrays, strict=True)}
        slots = [{name: named[f"{name}_{i}"] for name in self.shown.slots} for i in range(len(shapes))]
        return {name: named[name] for name in self.shown.scalars}, slots

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
        """One step: returns the new weights (before their constraints), the new slots and the new scalars.

        weights, gradients, slots: one item for each weight. learning_rate: a float32 scalar.
        """
        rates, new_scalars = self.rates(K, scalars, learning_rate)
        updated = [
            self.update(K, weight, gradient, own, rates)
            for weight, gradient, own in zip(weights, self.clip(K, gradients), slots, strict=True)
        ]
        return [weight for weight, _ in updated], [dict(own) for _, own in updated], new_scalars

    def clip(self, K: Backend, gradients: Sequence[Tensor]) -> list[Tensor]:
        """The gradients, limited to `clipnorm`, then to `clipvalue`."""
        clipped = list(gradients)
        if self.clipnorm:
            norm = K.sqrt(sum(K.sum(g * g) for g in clipped))
            scale = K.where(K.greater(norm, self.clipnorm), self.clipnorm / norm, 1.0)
            clipped = [g * scale for g in clipped]
        if self.clipvalue:
            clipped = [K.minimum(K.maximum(g, -self.clipvalue), self.clipvalue) for g in clipped]
        return clipped

    def rates(
        self, K: Backend, scalars: Scalars, learning_rate: Tensor
    ) -> tuple[Mapping[str, Tensor], dict[str, Tensor]]:
        """The factors of this step, by name, which are the same for all weights; and the new scalars."""
        raise NotImplementedError

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Mapping[str, Tensor]
    ) -> tuple[Tensor, Slots]:
        """The new value of one weight, and its new slots; all arrays have the shape of the weight."""
        raise NotImplementedError


@dataclass(kw_only=True)
class _Decaying(Optimizer):
    """An optimizer whose learning rate falls as 1 / (1 + decay * iterations)."""

    decay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        # The decay of the constructor: where it is 0, later values have no effect.
        self.initial_decay = float(self.decay)

    def rates(
        self, K: Backend, scalars: Scalars, learning_rate: Tensor
    ) -> tuple[Mapping[str, Tensor], dict[str, Tensor]]:
        iterations = scalars["iterations"]
        done = K.cast(iterations, "float32")
        lr = learning_rate * (1.0 / (1.0 + self.decay * done)) if self.initial_decay else learning_rate
        return self.rates_at(K, lr, done + 1.0), {"iterations": iterations + 1}

    def rates_at(self, K: Backend, lr: Tensor, t: Tensor) -> Mapping[str, Tensor]:
        """The factors of step `t`, counted from 1."""
        return {"lr": lr}


@dataclass
class SGD(_Decaying):
    """Stochastic gradient descent, with momentum or with Nesterov momentum."""

    learning_rate: float = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Mapping[str, Tensor]
    ) -> tuple[Tensor, Slots]:
        descent = rates["lr"] * gradient
        velocity = self.momentum * slots["moment"] - descent
        change = self.momentum * velocity - descent if self.nesterov else velocity
        return weight + change, {"moment": velocity}


@dataclass
class RMSprop(_Decaying):
    """Divides each gradient by the root of a moving average of its square."""

    learning_rate: float = 0.001
    rho: float = 0.9
    epsilon: float = EPSILON

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Mapping[str, Tensor]
    ) -> tuple[Tensor, Slots]:
        mean_square = _moving_average(K, self.rho, slots["accumulator"], gradient * gradient)
        step = rates["lr"] * gradient / (K.sqrt(mean_square) + self.epsilon)
        return weight - step, {"accumulator": mean_square}


@dataclass
class Adagrad(_Decaying):
    """Divides each gradient by the root of the sum of all its squares so far."""

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
    """RMSprop, with each step multiplied by the root of a moving average of the squared steps."""

    learning_rate: float = 1.0
    rho: float = 0.95
    epsilon: float = EPSILON

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Mapping[str, Tensor]
    ) -> tuple[Tensor, Slots]:
        before = slots["delta_accumulator"]
        mean_square = _moving_average(K, self.rho, slots["accumulator"], gradient * gradient)
        step = gradient * K.sqrt(before + self.epsilon) / K.sqrt(mean_square + self.epsilon)
        after = {"accumulator": mean_square, "delta_accumulator": _moving_average(K, self.rho, before, step * step)}
        return weight - rates["lr"] * step, after


@dataclass
class Adam(_Decaying):
    """Divides the first moment by the root of the second; with `amsgrad`, of the greatest second moment so far."""

    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    amsgrad: bool = False
    epsilon: float = EPSILON

    def slots(self, shape: Sequence[int]) -> dict[str, np.ndarray]:
        """m, v and vhat; without amsgrad, vhat is one unused element (keras-facts: empty-vhat)."""
        slots = super().slots(shape)
        return slots if self.amsgrad else {**slots, "vhat": np.zeros(1, "float32")}

    def rates_at(self, K: Backend, lr: Tensor, t: Tensor) -> Mapping[str, Tensor]:
        return {"lr": lr * K.sqrt(_bias_correction(K, self.beta_2, t)) / _bias_correction(K, self.beta_1, t)}

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Mapping[str, Tensor]
    ) -> tuple[Tensor, Slots]:
        m = _moving_average(K, self.beta_1, slots["m"], gradient)
        v = _moving_average(K, self.beta_2, slots["v"], gradient * gradient)
        vhat = K.maximum(slots["vhat"], v) if self.amsgrad else slots["vhat"]
        step = rates["lr"] * m / (K.sqrt(vhat if self.amsgrad else v) + self.epsilon)
        return weight - step, {"m": m, "v": v, "vhat": vhat}


@dataclass
class Adamax(_Decaying):
    """Adam with a decaying maximum of the absolute gradients in place of the root of the second moment."""

    learning_rate: float = 0.002
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = EPSILON

    def rates_at(self, K: Backend, lr: Tensor, t: Tensor) -> Mapping[str, Tensor]:
        return {"lr": lr / _bias_correction(K, self.beta_1, t)}

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Mapping[str, Tensor]
    ) -> tuple[Tensor, Slots]:
        m = _moving_average(K, self.beta_1, slots["m"], gradient)
        u = K.maximum(self.beta_2 * slots["u"], K.abs(gradient))
        return weight - rates["lr"] * m / (u + self.epsilon), {"m": m, "u": u}


@dataclass
class Nadam(Optimizer):
    """Adam with Nesterov momentum; the momentum grows with the steps, by `schedule_decay`."""

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
            "v": 1.0 / _bias_correction(K, self.beta_2, t),
        }
        return rates, {"iterations": iterations + 1, "m_schedule": product}

    def _momentum(self, K: Backend, t: Tensor) -> Tensor:
        return self.beta_1 * (1.0 - 0.5 * K.constant(0.96) ** (t * self.schedule_decay))

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Mapping[str, Tensor]
    ) -> tuple[Tensor, Slots]:
        m = _moving_average(K, self.beta_1, slots["m"], gradient)
        v = _moving_average(K, self.beta_2, slots["v"], gradient * gradient)
        ahead = rates["gradient"] * gradient + rates["m"] * m
        step = rates["lr"] * ahead / (K.sqrt(rates["v"] * v) + self.epsilon)
        return weight - step, {"m": m, "v": v}


def _moving_average(K: Backend, rho: float, average: Tensor, value: Tensor) -> Tensor:
    """A moving average with decay `rho`, after one more value."""
    decay = K.constant(rho)
    return decay * average + (1.0 - decay) * value


def _bias_correction(K: Backend, beta: float, t: Tensor) -> Tensor:
    """The sum of the weights in a moving average that started at 0, after `t` steps: 1 - beta**t."""
    return 1.0 - K.constant(beta) ** t


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
