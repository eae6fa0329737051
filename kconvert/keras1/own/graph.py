"""Attributes of models of Keras 1.2.2 that describe their graphs (`Container` of `engine/topology.py`)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any, TypeVar

from ...layers import Layer
from ...layers.calls import Call, Symbol, call_between, mask_of
from ...layers.lists import as_list
from ...models.ends import WithEnds
from .layer_utils import node_name

_T = TypeVar("_T")


class WithGraph(WithEnds):
    """The part of a model with its layers and calls, and their depths."""

    output_layers = WithEnds._output_layers

    @property
    def input_layers_node_indices(self) -> list[int]:
        """For each input, the number of its call among those of its layer."""
        return [one.call.index for one in self.inputs]

    @property
    def input_layers_tensor_indices(self) -> list[int]:
        """For each input, its number among the outputs of its call."""
        return [one.index for one in self.inputs]

    @property
    def output_layers_node_indices(self) -> list[int]:
        """For each output, the number of its call among those of its layer."""
        return [one.call.index for one in self.outputs]

    @property
    def output_layers_tensor_indices(self) -> list[int]:
        """For each output, its number among the outputs of its call."""
        return [one.index for one in self.outputs]

    @property
    def internal_input_shapes(self) -> list[tuple[int | None, ...]]:
        """The shape of each input."""
        return [one.shape for one in self.inputs]

    @property
    def internal_output_shapes(self) -> list[tuple[int | None, ...]]:
        """The shape of each output."""
        return [one.shape for one in self.outputs]

    @property
    def container_nodes(self) -> set[str]:
        """The names of the calls of the graph: `LAYER_ib-NUMBER`."""
        return {node_name(call) for call in self._depths()}

    @property
    def nodes_by_depth(self) -> dict[int, list[Call]]:
        """The calls by their depth: the greatest distance from an output."""
        return _by_depth(self._depths())

    @property
    def layers_by_depth(self) -> dict[int, list[Layer]]:
        """The layers by their depth: that of their deepest call. Those of one depth are in the order of `layers`."""
        depths: dict[Layer, int] = {}
        for call, depth in self._depths().items():
            depths[call.layer] = max(depth, depths.get(call.layer, 0))
        return _by_depth({layer: depths[layer] for layer in self.all_layers if layer in depths})

    def _depths(self) -> dict[Call, int]:
        """The depth of each call in Keras 1.2.2: calls after one of a deeper layer are deeper than that."""
        calls: dict[Call, int] = {}
        layers: dict[Layer, int] = {}
        ends = {one.call for one in self.inputs}
        for output in self.outputs:
            todo, seen = [(output.call, 0)], set[tuple[Call, int]]()
            while todo:
                call, depth = todo.pop()
                if (call, depth) in seen:
                    continue
                seen.add((call, depth))
                calls[call] = max(depth, calls.get(call, 0))
                layers[call.layer] = depth = max(depth, layers.get(call.layer, 0))
                if call not in ends:
                    todo += [(one.call, depth + 1) for one in reversed(call.inputs)]
        return calls

    # ----------------------------------------------------------- on symbols ----

    def call_on_symbols(self, x: Any, mask: Any = None, **kwargs: Any) -> Any:
        return call_between(self, x, mask=mask, **kwargs).output

    def run_internal_graph(self, inputs: Any, masks: Any = None) -> tuple[list[Any], list[Any], list[Any]]:
        """The outputs for other inputs, their masks and their shapes; inputs, masks: symbols or lists of them."""
        outputs = as_list(self.call_on_symbols(inputs, masks))
        return outputs, as_list(self.mask_on_symbols(inputs, masks)), [one.shape for one in outputs]

    def mask_on_symbols(self, inputs: Any, mask: Any = None) -> Any:
        """The masks of the outputs for inputs with the masks `mask`, as a list."""
        own = as_list(inputs) == self.inputs
        outputs: list[Symbol] = self.outputs if own else as_list(self.call_on_symbols(inputs, mask))
        return [mask_of(one) for one in outputs]

    # ---------------------------------------------------------- of all layers ----

    @property
    def constraints(self) -> dict[Any, Any]:
        """The constraints of the weights of all layers."""
        return {weight: one for layer in self.all_layers for weight, one in layer.constraints.items()}

    @property
    def regularizers(self) -> list[Any]:
        """Nothing: Keras 1.2.2 has the penalties in `losses`."""
        return []


def _by_depth(depths: dict[_T, int]) -> dict[int, list[_T]]:
    """The keys of `depths` by their values."""
    ordered: Iterable[_T] = sorted(depths, key=lambda one: depths[one])
    return {depth: list(group) for depth, group in groupby(ordered, key=lambda one: depths[one])}
