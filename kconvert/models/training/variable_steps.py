"""The steps of an optimizer on variables outside of a model, for `get_updates`: what `Executor` is for models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...backend import functions as F
from ...backend.base import Tensor
from ...backend.computing import GRADIENTS, current_backend
from ...layers.deferred import Variable, WeightValue
from ...layers.operations import record
from ...layers.slopes import gradient

Path = tuple[Any, ...]


class VariableSteps:
    """The state of an optimizer that changes the variables `params`: its scalars, slots and hyperparameters.

    params: variables, and weights of layers. constraints: for each variable, what is applied to its new value, or None.
    """

    def __init__(self, optimizer: Any, params: Sequence[Any], constraints: Sequence[Any]) -> None:
        self.optimizer, self.constraints = optimizer, constraints
        self.params: list[Any] = [WeightValue.of(one) for one in params]
        self.trained: list[Path] = [(i,) for i in range(len(self.params))]
        self.numbers = numbers_of(optimizer)
        self.variables: dict[str, dict[Path, Variable]] = {"scalar": {}, "slot": {}}
        optimizer.prepare([one.shape for one in self.params])
        self.variables["scalar"].update(((name,), one) for name, one in optimizer.held_scalars.items())
        for i, one in enumerate(self.params):
            for name, array in optimizer.slots(one.shape).items():
                self.variables["slot"][i, name] = Variable(array, str(array.dtype), name)

    def read_trained(self) -> list[np.ndarray]:
        """The values of the variables that steps change."""
        return [np.asarray(one.value) for one in self.params]

    def variables_of(self, kind: str) -> dict[Path, Variable]:
        """The variables of one kind, 'scalar' or 'slot', by their names."""
        return dict(self.variables[kind])

    def read(self, kind: str) -> dict[Path, np.ndarray]:
        """The values of the variables of one kind."""
        return {path: one.value for path, one in self.variables_of(kind).items()}

    def write(self, kind: str, arrays: Mapping[Path, np.ndarray]) -> None:
        """Sets variables of one kind, by their names."""
        for path, array in arrays.items():
            self.variables[kind][path].value = array

    def set_number(self, name: str, value: float) -> None:
        """Sets a hyperparameter from the next step on."""
        self.numbers[name].value = value

    def updates(self, loss: Any) -> list[tuple[Variable, Any]]:
        """The pairs of a variable and its new value of a step that lowers `loss`."""
        held = {**self.variables["scalar"], **self.variables["slot"]}
        slopes = [gradient(loss, one) for one in self.params]
        arguments = self.params, slopes, list(held.values()), list(self.numbers.values())

        def step(
            params: list[Tensor], gradients: list[Tensor], values: list[Tensor], numbers: list[Tensor]
        ) -> list[Tensor]:
            named = dict(zip(self.numbers, numbers, strict=True))
            return self._step(params, gradients, dict(zip(held, values, strict=True)), named)

        targets, made = [*held.values(), *self.params], record(step, *arguments)
        found = made if isinstance(made, list) else [replace(made, index=i) for i in range(len(targets))]
        return list(zip(targets, found, strict=True))

    def _step(
        self,
        params: list[Tensor],
        gradients: list[Tensor],
        values: Mapping[Path, Tensor],
        numbers: Mapping[str, Tensor],
    ) -> list[Tensor]:
        """The new values of scalars, slots and variables, in this order."""
        K = current_backend()
        scalars = {name: values[name,] for (name,) in self.variables["scalar"]}
        slots: list[dict[str, Tensor]] = [{} for _ in params]
        for i, name in self.variables["slot"]:
            slots[i][name] = values[i, name]
        after, new_slots, new_scalars = self.optimizer.step(K, params, gradients, slots, scalars, numbers)
        constrained = [
            new if constraint is None else constraint(new)
            for constraint, new in zip(self.constraints, after, strict=True)
        ]
        return [*new_scalars.values(), *(new_slots[i][name] for i, name in self.variables["slot"]), *constrained]


def tensor_updates(optimizer: Any, loss: Any, params: Sequence[Tensor]) -> list[tuple[Any, Tensor]]:
    """The pairs of a target and its new value of a step, for a class of the user that extends them.

    It runs while a backend computes that step: slots are what `variable` makes there. Targets are the tensors `params`,
    slots, and the variables of the scalars. The caller applies constraints.
    """
    K, known = current_backend(), GRADIENTS.get(None)
    gradients = known(loss, params) if known else K.gradients(loss, params)
    slots = [
        {name: F.variable(array, name=name) for name, array in optimizer.slots(F.int_shape(one)).items()}
        for one in params
    ]
    held = optimizer.held_scalars
    optimizer.weights = list(optimizer.state(held, slots).values())
    scalars = {name: one.tensor(K) for name, one in held.items()}
    numbers = {name: one.tensor(K) for name, one in numbers_of(optimizer).items()}
    after, new_slots, new_scalars = optimizer.step(K, params, gradients, slots, scalars, numbers)
    return [
        *((held[name], value) for name, value in new_scalars.items()),
        *((slot[name], value) for slot, new in zip(slots, new_slots, strict=True) for name, value in new.items()),
        *zip(params, after, strict=True),
    ]


def numbers_of(optimizer: Any) -> dict[str, Variable]:
    """The variables of the hyperparameters; those of a class of the user are its own."""
    held = {name: one for name in optimizer.adjustable if (one := getattr(optimizer, name, None)) is not None}
    return {name: one if isinstance(one, Variable) else Variable(one, name=name) for name, one in held.items()}
