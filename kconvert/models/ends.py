"""The inputs, outputs, masks and states of a model, under the names of Keras 2.3.1.

Source: `engine/network.py` and `engine/training.py`; scripts read the names that begin with `_feed` too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import KconvertError, Problem
from ..layers import Layer
from ..layers.calls import Call, Symbol, mask_of
from ..layers.lists import one_or_list
from ..lazy_dataclasses import dataclass
from ..network.graph import Ref
from .runtime import Runtime
from .subclassing import BuiltByCall
from .training.objective import output_names


@dataclass(frozen=True, eq=False, repr=False)
class GraphCall(Call):
    """The first call of a network, as Keras counts them: that between its own inputs and outputs."""

    ends: tuple[Sequence[Symbol], Sequence[Symbol]] = ((), ())

    @property
    def input_tensors(self) -> list[Symbol]:
        return list(self.ends[0])

    @property
    def outputs(self) -> list[Symbol]:
        return list(self.ends[1])

    @property
    def input_masks(self) -> list[Any]:
        return [None for _ in self.ends[0]]


class WithEnds(BuiltByCall):
    """The part of a model with the attributes of its inputs and outputs."""

    # The weights and compiled functions of this graph.
    runtime: Runtime
    # For each tensor of the graph, its symbol.
    _symbols: Mapping[Ref, Symbol]

    @property
    def _layers(self) -> list[Layer]:
        """All layers, with those of the inputs; a class of the user with `call` has none of these."""
        return self.layers if self.calls_layers else list(self.all_layers)

    @property
    def _is_graph_network(self) -> bool:
        """Whether the inputs and outputs are known, and not made by a method `call` of the user."""
        return self.calls_layers is None and bool(self.nodes)

    @property
    def inputs(self) -> list[Symbol]:
        """The symbols of the inputs."""
        return [self._symbols[ref] for ref in self.input_refs]

    @property
    def outputs(self) -> list[Symbol]:
        """The symbols of the outputs."""
        return [self._symbols[ref] for ref in self.output_refs]

    @outputs.setter
    def outputs(self, symbols: Any) -> None:
        if list(symbols) == self.outputs:
            return
        what = "the outputs of a model cannot be set"
        raise KconvertError(what, self.name, "Model(model.inputs, outputs) has others", Problem.UNSUPPORTED)

    @property
    def inbound_nodes(self) -> list[Call]:
        if not self.output_refs:
            return self.inbound
        shapes = tuple(one.shape for one in self.outputs)
        return [GraphCall(self, shapes=shapes, ends=(self.inputs, self.outputs)), *self.inbound]

    @property
    def input(self) -> Any:
        """The symbol of the input; for several inputs, the list of symbols."""
        return one_or_list(self.inputs)

    @property
    def output(self) -> Any:
        """The symbol of the output; for several outputs, the list of symbols."""
        return one_or_list(self.outputs)

    @property
    def input_names(self) -> list[str]:
        """The names of the input layers."""
        return [ref.layer for ref in self.input_refs]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs, as losses and labels are named."""
        return output_names(self)

    @property
    def _input_layers(self) -> list[Layer]:
        return [one.call.layer for one in self.inputs]

    @property
    def _output_layers(self) -> list[Layer]:
        return [one.call.layer for one in self.outputs]

    @property
    def input_mask(self) -> Any:
        """The mask of the input, for several inputs a list: None for each, because inputs have no masks."""
        return one_or_list([None for _ in self.inputs])

    @property
    def output_mask(self) -> Any:
        """The mask of the output, for several outputs the list of masks; None where there is none."""
        return one_or_list([mask_of(one) for one in self.outputs])

    @property
    def uses_learning_phase(self) -> bool:
        """Whether an output is computed differently in training."""
        return any(one._uses_learning_phase for one in self.outputs)

    @property
    def stateful(self) -> bool:
        """Whether a layer keeps states from batch to batch."""
        return any(getattr(layer, "stateful", False) for layer in self.sublayers)

    @property
    def state_updates(self) -> list[Any]:
        """The variables of the states that stateful layers keep from batch to batch."""
        if self.stateful:
            self.runtime.start()
        return list(self.runtime.keep_states().values())

    @property
    def _feed_inputs(self) -> list[Symbol]:
        """The inputs for which data is given: those without a tensor of the user."""
        return [one for one in self.inputs if one.tensor is None]

    @property
    def _feed_input_names(self) -> list[str]:
        return [one.call.layer.name for one in self._feed_inputs]

    @property
    def _feed_input_shapes(self) -> list[tuple[int | None, ...]]:
        return [one.shape for one in self._feed_inputs]
