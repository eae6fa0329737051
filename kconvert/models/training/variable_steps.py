"""The steps of an optimizer on variables outside of a model, for `get_updates`: what `Executor` is for models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...backend.base import Tensor
from ...backend.computing import current_backend
from ...layers.deferred import Expression, Variable
from ...layers.slopes import gradient

Path = tuple[Any, ...]


class VariableSteps:
    """The state of an optimizer that changes the variables `params`: its scalars, its slots, its learning rate.

    constraints: for each variable, what is applied to its new value, or None.
    """

    def __init__(self, optimizer: Any, params: Sequence[Variable], constraints: Sequence[Any]) -> None:
        self.optimizer, self.params, self.constraints = optimizer, list(params), constraints
        self.trained: list[Path] = [(i,) for i in range(len(self.params))]
        self.rate = Variable(float(optimizer.learning_rate))
        self.variables: dict[str, dict[Path, Variable]] = {"scalar": {}, "slot": {}}
        optimizer.prepare([one.shape for one in self.params])
        self.variables["scalar"].update(((name,), one) for name, one in optimizer.held_scalars.items())
        for i, one in enumerate(self.params):
            for name, array in optimizer.slots(one.shape).items():
                self.variables["slot"][i, name] = Variable(array, str(array.dtype), name)

    def read_trained(self) -> list[np.ndarray]:
        """The values of the variables that steps change."""
        return [one.value for one in self.params]

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

    def updates(self, loss: Any) -> list[tuple[Variable, Any]]:
        """The pairs of a variable and its new value of a step that lowers `loss`."""
        held = {**self.variables["scalar"], **self.variables["slot"]}
        slopes = [gradient(loss, one) for one in self.params]
        arguments = self.params, slopes, list(held.values()), self.rate

        def step(params: list[Tensor], gradients: list[Tensor], values: list[Tensor], rate: Tensor) -> list[Tensor]:
            return self._step(params, gradients, dict(zip(held, values, strict=True)), rate)

        targets = [*held.values(), *self.params]
        return [(target, Expression(step, arguments, {}, i)) for i, target in enumerate(targets)]

    def _step(
        self, params: list[Tensor], gradients: list[Tensor], values: Mapping[Path, Tensor], rate: Tensor
    ) -> list[Tensor]:
        """The new values of scalars, slots and variables, in this order."""
        K = current_backend()
        scalars = {name: values[name,] for (name,) in self.variables["scalar"]}
        slots: list[dict[str, Tensor]] = [{} for _ in params]
        for i, name in self.variables["slot"]:
            slots[i][name] = values[i, name]
        after, new_slots, new_scalars = self.optimizer.step(K, params, gradients, slots, scalars, rate)
        constrained = [
            new if constraint is None else constraint(new)
            for constraint, new in zip(self.constraints, after, strict=True)
        ]
        return [*new_scalars.values(), *(new_slots[i][name] for i, name in self.variables["slot"]), *constrained]
