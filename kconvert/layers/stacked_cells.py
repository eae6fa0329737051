"""Several cells of recurrent layers as one."""

from __future__ import annotations

from typing import Any

from ..backend.base import Backend, Tensor
from ..lazy_dataclasses import dataclass
from .base import Layer, Shape, Weights
from .cells import GateInputs, Noise, _Cell, gate_inputs
from .lists import items_of
from .phase import Phase
from .registry import layer_from_config
from .shapes import Sizes
from .user_cells import checked_cell, in_loop


@dataclass(eq=False)
class StackedRNNCells(_Cell):
    """Several cells as one: within a time step, each cell reads the output of the cell before it."""

    cells: list[Any]

    def __post_init__(self) -> None:
        self.cells = [checked_cell(layer_from_config(cell)) for cell in self.cells]
        for i, cell in enumerate(self.cells, start=1):
            cell.name = cell.name or f"cell_{i}"
        # The cells in the form in which a loop takes them.
        self._steps = [in_loop(cell) for cell in self.cells]

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states, of one cell after the other."""
        sizes = [cell.state_size for cell in self.cells]
        return [size for own in sizes for size in items_of(own)]

    @property
    def sublayers(self) -> list[Layer]:
        return list(self.cells)

    def sublayer_shapes(self, shape: Any) -> list[Any]:
        shapes = [shape]
        for cell in self._steps[:-1]:
            shapes.append(cell.compute_output_shape(shapes[-1]))
        return shapes

    @property
    def states(self) -> int:  # type: ignore[override]
        return sum(cell.states for cell in self._steps)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return self._steps[-1].compute_output_shape(self.sublayer_shapes(shape)[-1])

    def state_shapes(self, shape: Sizes) -> list[Sizes]:
        pairs = zip(self._steps, self.sublayer_shapes(shape), strict=True)
        return [state for cell, inputs in pairs for state in cell.state_shapes(inputs)]

    def project(self, K: Backend, w: Weights, x: GateInputs) -> Tensor:
        return self._steps[0].project(K, w[self.cells[0].name], x)

    def noise(self, K: Backend, shape: Sizes, phase: Phase | None) -> list[Noise]:
        pairs = zip(self._steps, self.sublayer_shapes(shape), strict=True)
        return [noise for cell, inputs in pairs for noise in cell.noise(K, inputs, phase)]

    def noisy_step(
        self, K: Backend, w: Weights, x: Tensor, states: list[Tensor], noise: list[Noise]
    ) -> tuple[Tensor, list[Tensor]]:
        remaining, new_states = list(states), []
        for i, (cell, cell_noise) in enumerate(zip(self._steps, noise, strict=True)):
            weights = w[self.cells[i].name]
            cell_states, remaining = remaining[: cell.states], remaining[cell.states :]
            projected = cell.project(K, weights, gate_inputs(x, cell_noise.inputs)) if i else x
            x, new = cell.noisy_step(K, weights, projected, cell_states, [cell_noise])
            new_states += new
        return x, new_states
