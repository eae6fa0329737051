"""Optimizers of the user: classes that inherit from `Optimizer` and have `get_updates(loss, params)`, as in Keras.

`get_updates` runs once on NumPy, to find the variables that it makes, and then on the backend, for each compiled step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

import numpy as np

from ...backend import get_backend
from ...backend.base import Backend, Tensor
from ...backend.computing import GRADIENTS, computing, making_variables
from ...backend.context import assigned
from ...backend.float_settings import floatx
from ...errors import KconvertError, Problem
from ...layers.deferred import STANDING, Deferred, Variable
from ...lazy_dataclasses import dataclass
from .optimizer import Numbers, Optimizer, Scalars, Slots


@dataclass(kw_only=True)
class OfUser(Optimizer):
    """An optimizer of the user in the form in which an executor takes optimizers. It has no slots.

    Its state is what `get_updates` of the user sets as `weights`.
    """

    own: Any
    # The initial values of the variables that `get_updates` makes, by name.
    made: dict[str, np.ndarray] = field(default_factory=dict)
    # The variables of the object that it updates, by name.
    held: dict[str, Variable] = field(default_factory=dict)
    # The names of the variables in `weights`, in their order.
    order: tuple[str, ...] = ()

    def prepare(self, shapes: Sequence[Sequence[int]]) -> None:
        made: list[np.ndarray] = []

        def make(value: Any, name: str | None) -> Tensor:
            array = np.asarray(value)
            made.append(array.astype(floatx()) if array.dtype.kind == "f" else array)
            return made[-1]

        weights = [np.zeros(shape, floatx()) for shape in shapes]
        updates = self._updates(get_backend("numpy"), weights, [0.0 * one for one in weights], make)
        self.made = {f"made_{i}": value for i, value in enumerate(made)}
        listed = vars(self.own).get("_weights") or []
        targets = [one for one in (*(target for target, _ in updates), *listed) if isinstance(one, Variable)]
        self.held = {f"held_{i}": one for i, one in enumerate(dict.fromkeys(targets))}
        names = {id(one): f"made_{i}" for i, one in enumerate(made)} | {id(v): n for n, v in self.held.items()}
        self.order = tuple(names[id(one)] for one in listed if id(one) in names)

    def variables(self, K: Backend) -> dict[str, Any]:
        return {name: variable.native(K) for name, variable in self.held.items()}

    def scalars(self) -> dict[str, np.ndarray]:
        return dict(self.made)

    def slots(self, shape: Sequence[int]) -> dict[str, np.ndarray]:
        return {}

    def attach(self, executor: Any) -> None:
        super().attach(executor)
        self.own.attach(executor)

    def state(self, scalars: Mapping[str, Any], slots: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {name: scalars[name] for name in self.order}

    def from_state(
        self, arrays: Sequence[np.ndarray], shapes: Sequence[Sequence[int]]
    ) -> tuple[dict[str, np.ndarray], list[dict[str, np.ndarray]]]:
        first = {**self.made, **{name: one.value for name, one in self.held.items()}}
        expected = [np.shape(first[name]) for name in self.order]
        if [np.shape(array) for array in arrays] != expected:
            what = f"{len(arrays)} arrays are not the state of the optimizer, which has {len(expected)}"
            fix = "give what get_weights returns, in its order and shapes"
            raise KconvertError(what, type(self.own).__name__, fix, Problem.USAGE)
        values = {name: np.asarray(x, first[name].dtype) for name, x in zip(self.order, arrays, strict=True)}
        return values, [{} for _ in shapes]

    def step(
        self,
        K: Backend,
        weights: Sequence[Tensor],
        gradients: Sequence[Tensor],
        slots: Sequence[Slots],
        scalars: Scalars,
        numbers: Numbers,
    ) -> tuple[list[Tensor], list[dict[str, Tensor]], dict[str, Tensor]]:
        names = iter(self.made)

        def make(value: Any, name: str | None) -> Tensor:
            return scalars[next(names)]

        standing = {id(variable): scalars[name] for name, variable in self.held.items()}
        with assigned(STANDING, {**STANDING.get(), **standing}):
            updates = self._updates(K, weights, gradients, make)
        new = {id(target): value for target, value in updates}
        tensors = {**{name: id(scalars[name]) for name in self.made}, **{n: id(v) for n, v in self.held.items()}}
        known = {*map(id, weights), *tensors.values()}
        if set(new) - known:
            what = "an update changes what is neither a weight nor a variable of the optimizer"
            raise KconvertError(what, type(self.own).__name__, "make it with K.variable or K.zeros", Problem.USAGE)
        after = [new.get(id(weight), weight) for weight in weights]
        return after, [{} for _ in weights], {n: new[at] for n, at in tensors.items() if at in new}

    def _updates(
        self, K: Backend, weights: Sequence[Tensor], gradients: Sequence[Tensor], make: Callable[..., Tensor]
    ) -> list[tuple[Any, Any]]:
        """The pairs of targets and new values that `get_updates` returns; make: makes the tensor of a variable."""
        by_weight: Mapping[int, Tensor] = {id(w): g for w, g in zip(weights, gradients, strict=True)}

        def of_loss(loss: Any, params: Sequence[Tensor]) -> list[Tensor]:
            return [by_weight[id(one)] for one in params]

        with computing(K), making_variables(make), assigned(GRADIENTS, of_loss):
            found = self.own.call_updates(None, list(weights))
            return [(target, new.tensor(K) if isinstance(new, Deferred) else new) for target, new in found]
