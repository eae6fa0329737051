"""Optimizer: the base class of the optimizers of Keras 2.3.1, with the state of a step and how files store it.

A step takes the hyperparameters that callbacks may change, such as the learning rate, and two kinds of state:

- scalars, which all weights share: `iterations`, and for Nadam `m_schedule`;
- slots, which each weight has for itself: moments in the shape of the weight.

`kconvert.conventions.optimizers.STRUCTURES` states the names and the order of both, for files and for training.
Hyperparameters are rounded to `floatx` before they are used (keras-facts: hyperparameters-are-float32).
Source: `optimizers.py` of Keras 2.3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from ...backend.base import Backend, Tensor
from ...backend.computing import GRADIENTS, current_backend, is_computing
from ...backend.float_settings import epsilon, floatx
from ...conventions.optimizers import STRUCTURES, Structure
from ...errors import KconvertError, Problem
from ...layers.deferred import Variable
from ...layers.operations import record
from ...layers.slopes import gradient
from ...lazy_dataclasses import dataclass
from .hyperparameters import Hyperparameter, number_of
from .registry import Component
from .variable_steps import VariableSteps, tensor_updates

Slots = Mapping[str, Tensor]
Scalars = Mapping[str, Tensor]
Numbers = Mapping[str, Tensor]
"""Hyperparameters and what is computed from them in a step, by name."""


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
        if getattr(self, "epsilon", 0.0) is None:
            vars(self)["epsilon"] = epsilon()

    def get_config(self) -> dict[str, Any]:
        """The configuration as Keras 2.3.1 writes it; limits of gradients only where they are set.

        A class of the user that only inherits from `Optimizer` states its learning rate itself.
        """
        config = super().get_config()
        rate = config.pop("learning_rate")
        if self.kind:
            config = {"learning_rate": rate, **config}
        numbers = {key: number_of(config[key]) for key in self.adjustable if key in config}
        return {key: numbers.get(key, value) for key, value in config.items() if value is not None}

    def __setattr__(self, name: str, value: Any) -> None:
        """Sets an attribute; a number that is a hyperparameter becomes one that `K.set_value` can set.

        In a class with `get_updates` of its own, hyperparameters are variables, which its updates compute with.
        """
        is_field = name in self.adjustable and name in type(self).__dataclass_fields__
        if not is_field or not isinstance(value, (int, float)):
            super().__setattr__(name, value)
        elif isinstance(held := vars(self).get(name), Variable):
            held.value = value
        else:
            makes_variable = self.has_own_updates()
            made = Variable(value, name=name) if makes_variable else Hyperparameter.of(self, name, value)
            super().__setattr__(name, made)
            steps = self.__dict__.get("_executor")
            if isinstance(steps, VariableSteps):
                steps.set_number(name, value)

    @property
    def numbers(self) -> dict[str, float]:
        """The present hyperparameters that callbacks may change, by name."""
        return {name: number_of(vars(self)[name]) for name in self.adjustable if name in vars(self)}

    @property
    def lr(self) -> float:
        """The learning rate, under its name in Keras 2.2."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: float) -> None:
        self.learning_rate = value

    # ---------------------------------------------------------------- state ----

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
        if stated is not None and (is_computing() or self.__dict__.get("_executor") is None):
            return stated
        return self._held("variables_of")

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
        return list(executor.optimizer.state(scalars, list(slots.values())).values())

    def attach(self, executor: Any) -> None:
        """Notes what holds the state, for `weights`, `get_weights` and `set_weights`."""
        self.__dict__["_executor"] = executor

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets the state, in the order of `get_weights`.

        Raises KconvertError before the model is compiled, and where number or shapes differ.
        """
        executor = self.__dict__.get("_executor")
        if executor is None:
            fix = "compile a model with it"
            raise KconvertError("the optimizer has no state yet", self.class_name, fix, Problem.USAGE)
        shapes = [array.shape for array in executor.read_trained()]
        scalars, slots = executor.optimizer.from_state(weights, shapes)
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
        return self._updated(loss, params, lambda one: getattr(one, "constraint", None))

    def _updated(self, loss: Any, params: Sequence[Any], constraint_of: Callable[[Any], Any]) -> list[tuple[Any, Any]]:
        """What `get_updates` returns; constraint_of: gives the constraint of one of `params`, or None."""
        if is_computing():
            self.updates = tensor_updates(self, loss, params)
        else:
            steps = VariableSteps(self, params, [constraint_of(one) for one in params])
            self.attach(steps)
            self.updates = steps.updates(loss)
        return self.updates

    def get_gradients(self, loss: Any, params: Sequence[Tensor]) -> list[Tensor]:
        """The limited gradients, for `get_updates` of a class of the user, and for `K.function`.

        loss: a tensor, or a symbol such as `total_loss` of a model. params: tensors, or weights of layers.
        """
        if not is_computing():
            slopes = [gradient(loss, one) for one in params]
            if None in slopes:
                what, fix = "the loss does not depend on one of the weights", "leave it out of params"
                raise KconvertError(what, "get_gradients", fix, Problem.USAGE)
            return [record(self._clipped, i, *slopes) for i in range(len(slopes))]
        K, known = current_backend(), GRADIENTS.get(None)
        return self.clip(K, known(loss, params) if known else K.gradients(loss, params))

    def _clipped(self, i: int, *gradients: Tensor) -> Tensor:
        """Gradient number `i` of those that `clip` limits together."""
        return self.clip(current_backend(), gradients)[i]

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
        return {name: np.zeros(shape, floatx()) for name in self.structure.slots}

    def state(self, scalars: Mapping[str, Any], slots: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Scalars and slots, or their variables, by their names in Keras 2.3.1, in its order: slot by slot.

        scalars: by name. slots: for each weight, its slots by name.

        >>> from kconvert.models.training.optimizers import Adam
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
        numbers: Numbers,
    ) -> tuple[list[Tensor], list[dict[str, Tensor]], dict[str, Tensor]]:
        """One step: returns the new weights (before their constraints), the new slots and the new scalars.

        weights, gradients, slots: one item for each weight. numbers: a float32 scalar for each hyperparameter.
        """
        rates, new_scalars = self.rates(K, scalars, numbers)
        updated = [
            self.update(K, weight, gradient, own, {**numbers, **rates})
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

    def rates(self, K: Backend, scalars: Scalars, numbers: Numbers) -> tuple[Numbers, dict[str, Tensor]]:
        """The factors of this step, by name, which are the same for all weights; and the new scalars."""
        raise NotImplementedError

    def update(
        self, K: Backend, weight: Tensor, gradient: Tensor, slots: Slots, rates: Numbers
    ) -> tuple[Tensor, Slots]:
        """The new value of one weight, and its new slots; all arrays have the shape of the weight.

        rates: the hyperparameters, and the factors of this step.
        """
        raise NotImplementedError
