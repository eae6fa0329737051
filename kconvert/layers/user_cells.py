"""Cells of the user: layers with `state_size` and `call(inputs, states)`, as `RNN` of Keras takes them."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any

from ..backend.base import Backend, Tensor
from ..backend.spatial import known_sizes
from ..errors import KconvertError, Problem
from .base import Weights
from .builder import is_in_keras_style
from .cells import GateInputs, Noise
from .custom import CustomFunction
from .keras_style import with_weights
from .lists import items_of
from .phase import Phase
from .shapes import Sizes


def is_user_cell(cell: Any) -> bool:
    """Whether a layer is a cell that is written as in Keras."""
    return hasattr(cell, "state_size") and is_in_keras_style(cell)


def checked_cell(cell: Any) -> Any:
    """`cell`, which is one. Raises KconvertError for a layer that is no cell."""
    if not hasattr(cell, "state_size"):
        what = f"a {cell.class_name} is no cell of a recurrent layer"
        fix = "give an LSTMCell, GRUCell or SimpleRNNCell, or a layer with state_size and call(inputs, states)"
        raise KconvertError(what, fix=fix, problem=Problem.USAGE)
    return cell


def check_constants(cell: Any) -> None:
    """Raises KconvertError for a cell that takes no constants."""
    if not is_user_cell(cell) or "constants" not in signature(type(cell).call.in_keras).parameters:
        what = f"the cell {cell.class_name} takes no constants"
        raise KconvertError(what, fix="give its method call an argument constants", problem=Problem.USAGE)


def in_loop(cell: Any, constants: Sequence[Tensor] = ()) -> Any:
    """A cell in the form in which a loop takes it; constants: what it gets in every step, beside its inputs."""
    return UserCell(cell, constants) if is_user_cell(cell) else cell


class UserCell:
    """A cell of the user in the form in which a loop takes cells. All shapes are those of one time step."""

    def __init__(self, cell: Any, constants: Sequence[Tensor] = ()) -> None:
        self._cell, self._constants = cell, list(constants)
        size = cell.state_size
        # The size of each state, without the batch.
        self._sizes = [_as_shape(one) for one in items_of(size)]
        self._output = _as_shape(getattr(cell, "output_size", None) or self._sizes[0])

    @property
    def states(self) -> int:
        """The number of states."""
        return len(self._sizes)

    def weight_specs(self, shape: Any) -> Any:
        """The weights that `build` of the cell makes."""
        return self._cell.weight_specs(shape)

    def state_shapes(self, shape: Sizes) -> list[Sizes]:
        """The shapes of the states for step inputs of `shape`."""
        return [(shape[0], *size) for size in self._sizes]

    def compute_output_shape(self, shape: Sizes) -> Sizes:
        """The shape of the output of one step."""
        return (shape[0], *self._output)

    def noise(self, K: Backend, shape: Sizes, phase: Phase | None) -> list[Noise]:
        """No dropout from outside; the cell gets `training` of the phase."""
        self._training = bool(phase)
        return [Noise()]

    def project(self, K: Backend, w: Weights, x: GateInputs) -> Tensor:
        """The inputs themselves."""
        return x[0]

    def noisy_step(
        self, K: Backend, w: Weights, x: Tensor, states: Sequence[Tensor], noise: list[Noise]
    ) -> tuple[Tensor, list[Tensor]]:
        """The output and the new states of one time step."""
        method = type(self._cell).call.in_keras
        step, *constants = (known_sizes(K, one) for one in (x, *self._constants))
        built = with_weights(self._cell, K, w, [step, *constants] if constants else step)
        stated: dict[str, Any] = {"training": self._training} if "training" in signature(method).parameters else {}
        if self._constants:
            stated["constants"] = self._constants
        function = CustomFunction(f"{self._cell.class_name}.call", method)
        output, new = function.attempt(K, built, x, list(states), **stated)
        return output, list(new)


def _as_shape(size: Any) -> tuple[int, ...]:
    return tuple(size) if isinstance(size, (list, tuple)) else (size,)
