"""The loss of a compiled model as a symbol, for functions of `keras.backend` beside the training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any

from ...backend.base import Tensor
from ...backend.computing import current_backend
from ...layers.calls import Symbol, mask_of
from ...layers.deferred import leaves
from ...layers.inputs import Input
from ...layers.operations import Operation
from ...lazy_dataclasses import dataclass
from .objective import Objective


@dataclass(eq=False)
class LossSymbols:
    """Symbols for the labels and the sample weights of the outputs, and for the total loss."""

    objective: Objective
    outputs: Sequence[Symbol]
    # What is added to the loss: of regularizers, and of `add_loss`.
    losses: Sequence[Any]
    # For each output its labels: (batch, ...), of sizes that are free; None where it has no loss.
    targets: list[Symbol | None] = field(init=False)
    # For each output its sample weights: (batch,) or (batch, time); None where it has no loss.
    sample_weights: list[Symbol | None] = field(init=False)

    def __post_init__(self) -> None:
        names, shapes, temporal = self.objective.names, self.objective.shapes, self.objective.temporal
        labels = [((None,) * len(shape), f"{name}_target") for name, shape in zip(names, shapes, strict=True)]
        weights = [
            ((None, None) if one else (None,), f"{name}_sample_weights")
            for name, one in zip(names, temporal, strict=True)
        ]
        self.targets, self.sample_weights = self._inputs(labels), self._inputs(weights)

    def _inputs(self, described: Sequence[tuple[tuple[None, ...], str]]) -> list[Symbol | None]:
        """An input for each output with a loss. described: their shapes and names."""
        trained = set(self.objective.trained)
        return [
            Input(batch_shape=shape, name=name) if i in trained else None for i, (shape, name) in enumerate(described)
        ]

    @property
    def total(self) -> Any:
        """The symbol of the total loss, a scalar."""
        given = list(self.outputs), self.targets, self.sample_weights, [mask_of(one) for one in self.outputs]
        symbols = list(dict.fromkeys(one for one in leaves(given) if one is not None))
        total = Operation(function=self._total, arguments=given, symbols=symbols, output=())(symbols)
        return sum(self.losses, total)

    def _total(self, outputs: list[Tensor], targets: list[Any], weights: list[Any], masks: list[Any]) -> Tensor:
        return self.objective.total(current_backend(), targets, outputs, weights, masks)[0]
