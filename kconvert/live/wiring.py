"""Compares the connections of layers in a live model and in the network of a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .. import layers as L
from ..layers.base import Layer
from ..network.graph import LayerPath, Ref
from ..network.network import Network
from .description import activation_of
from .unweighted import PASSING

_ANY_ORDER = (L.Add, L.Multiply, L.Average, L.Maximum, L.Minimum)
"""Layers whose inputs may have any order."""


def connections(made: Network, live: Network) -> Iterator[str]:
    """Outputs that a live model computes of other layers or other inputs than the file.

    made: what a conversion for the live model makes of the file. Layers with weights are paired by their names where
    both networks have the same, else by their order. Others are the same if they have the same class.
    """
    names = [{leaf.path[0] for leaf in one.weight_table()} for one in (made, live)]
    known: dict[Any, int] = {}
    ours, theirs = (_Walk(one, names[0] == names[1], known).outputs() for one in (made, live))
    if len(ours) != len(theirs):
        yield f"the file has {len(ours)} outputs, and the model {len(theirs)}"
        return
    for ref, want, have in zip(live.output_refs, ours, theirs, strict=True):
        if want != have:
            yield (
                f"the output {ref.key} comes of other inputs, or of layers in another order, than in the file: the"
                " model computes something else than the file"
            )


class _Walk:
    """The expression that each tensor of a network is, as a number that equal expressions share."""

    def __init__(self, network: Network, by_name: bool, known: dict[Any, int]) -> None:
        """known: the numbers of expressions, which several walks share."""
        self.network, self.known = network, known
        self.keys: dict[LayerPath, Any] = {}
        tops = list(dict.fromkeys(leaf.path[0] for leaf in network.weight_table()))
        counts = dict.fromkeys(tops, 0)
        for leaf in network.weight_table():
            top = leaf.path[0]
            self.keys[leaf.path] = (top if by_name else tops.index(top), counts[top])
            counts[top] += 1

    def outputs(self) -> list[int]:
        return self._outputs(self.network, [self._number("input", i) for i in range(len(self.network.input_refs))], ())

    def _number(self, *expression: Any) -> int:
        return self.known.setdefault(expression, len(self.known))

    def _outputs(self, network: Network, inputs: Sequence[int], outer: LayerPath) -> list[int]:
        values = dict(zip(network.input_refs, inputs, strict=True))
        for node in network.nodes:
            if node.inputs:
                found = self._called(
                    network.by_name[node.layer], [self._value(values, ref) for ref in node.inputs], outer
                )
                values.update((Ref(*node.output.call, i), value) for i, value in enumerate(found))
        return [self._value(values, ref) for ref in network.output_refs]

    def _value(self, values: dict[Ref, int], ref: Ref) -> int:
        """A tensor; of a layer with several outputs, the first one is in `values`."""
        return values[ref] if ref in values else self._number("output", ref.tensor, values[Ref(*ref.call)])

    def _called(self, layer: Layer, inputs: Sequence[int], outer: LayerPath) -> list[int]:
        """The outputs of a layer that are known one by one: all those of a network, else the first."""
        path = (*outer, layer.name)
        if isinstance(layer, Network):
            return self._outputs(layer, inputs, path)
        weights = tuple(key for where, key in self.keys.items() if where[: len(path)] == path)
        activation = activation_of(layer)
        value = inputs[0]
        if weights or not (isinstance(layer, PASSING) or activation):
            ordered = sorted(inputs) if isinstance(layer, _ANY_ORDER) else inputs
            value = self._number(weights or layer.class_name, *ordered)
        return [value if activation in (None, "linear") else self._number("activation", str(activation), value)]
