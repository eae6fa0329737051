"""The graph of a network as data: its tensors, its nodes and their order, and the weights of its layers.

A node is one call of a layer. Keras numbers the calls of each layer from 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from ..conventions.roles import Weight
from ..errors import KconvertError, Problem
from ..layers.base import Layer
from ..lazy_dataclasses import dataclass

LayerPath = tuple[str, ...]
"""The names of layers, from the outermost network in."""

CallId = tuple[str, int]
"""A call: the name of the layer and the number of the call."""


class Ref(NamedTuple):
    """A tensor of the graph: an output of a call."""

    # The name of the layer.
    layer: str
    # The number of the call.
    node: int = 0
    # The number of the output.
    tensor: int = 0

    @property
    def key(self) -> str:
        """The name of the tensor in reports: `dense_1`, `dense_1#1` (second call), `lstm_1:2` (third output)."""
        call = f"#{self.node}" if self.node else ""
        output = f":{self.tensor}" if self.tensor else ""
        return f"{self.layer}{call}{output}"

    @property
    def call(self) -> CallId:
        """The call that computes the tensor."""
        return self.layer, self.node


def by_call(refs: Iterable[Ref]) -> dict[CallId, list[Ref]]:
    """Tensors by the call that computes them."""
    found: dict[CallId, list[Ref]] = {}
    for ref in refs:
        found.setdefault(ref.call, []).append(ref)
    return found


class Producer(NamedTuple):
    """The layer that computes a tensor."""

    # The names of the networks around the layer, and its own.
    path: LayerPath
    layer: Layer


@dataclass(frozen=True)
class Node:
    """One call of a layer in a graph."""

    # The name of the layer.
    layer: str
    # The number of the call.
    index: int
    # None for an InputLayer.
    inputs: tuple[Ref, ...]
    # Further arguments of the call. They are stored, and written back.
    kwargs: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def output(self) -> Ref:
        """The first output."""
        return Ref(self.layer, self.index)


def first_call(layer: Layer) -> int:
    """The number of a layer's first call: 0, or 1 for a nested model (keras-facts: first-call-of-a-model)."""
    return int(layer.is_network)


# ------------------------------------------------------------------- orders ----


def in_order(nodes: Iterable[Node], where: str) -> list[Node]:
    """`nodes` in an order in which every tensor is computed before it is used.

    where: the name of the network, for errors. Raises KconvertError where there is no such order.
    """
    listed = list(nodes)
    positions = {(node.layer, node.index): position for position, node in enumerate(listed)}
    sorter: TopologicalSorter[int] = TopologicalSorter()
    for position, node in enumerate(listed):
        if unknown := [ref for ref in node.inputs if ref.call not in positions]:
            what = f"the graph has no call that computes the tensor {unknown[0].key!r}, which layer {node.layer} takes"
            raise KconvertError(what, where, problem=Problem.UNREADABLE)
        sorter.add(position, *(positions[ref.call] for ref in node.inputs))
    try:
        sorter.prepare()
    except CycleError as error:
        what = f"the graph has a cycle at layer {listed[error.args[1][0]].layer}"
        raise KconvertError(what, where, problem=Problem.UNREADABLE) from None
    order = list[Node]()
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += [listed[position] for position in ready]
        sorter.done(*ready)
    return order


def reachable(nodes: Sequence[Node], outputs: Sequence[Ref]) -> list[Node]:
    """The nodes that the outputs depend on, and those of the inputs.

    A configuration of Keras also lists the calls of a layer in other models.
    """
    by_call = {(node.layer, node.index): node for node in nodes}
    needed, todo = set[CallId](), [ref.call for ref in outputs]
    while todo:
        call = todo.pop()
        if call not in needed and call in by_call:
            needed.add(call)
            todo += [ref.call for ref in by_call[call].inputs]
    return [node for node in nodes if (node.layer, node.index) in needed or not node.inputs]


def renumbered(nodes: Sequence[Node], outputs: Sequence[Ref], layers: Iterable[Layer]) -> tuple[list[Node], list[Ref]]:
    """The nodes and the outputs, with the calls of each layer numbered without gaps, as a configuration lists them."""
    following = {layer.name: first_call(layer) for layer in layers}
    numbers: dict[CallId, int] = {}
    for node in sorted(nodes, key=lambda node: node.index):
        numbers[node.layer, node.index] = following[node.layer]
        following[node.layer] += 1

    def new(ref: Ref) -> Ref:
        return ref._replace(node=numbers.get(ref.call, ref.node))

    made = [replace(node, index=numbers[node.layer, node.index], inputs=tuple(map(new, node.inputs))) for node in nodes]
    return made, [new(ref) for ref in outputs]


def layers_in_keras_order(
    layers: Sequence[Layer], nodes: Sequence[Node], outputs: Sequence[Ref], by_name: bool = False, early: bool = False
) -> list[Layer]:
    """The layers in the order of Keras, which is that of the groups of a file (keras-facts: order-of-layers).

    The deepest layers come first; layers of one depth are in the order in which a walk from the outputs meets them, or
    by_name: in that of their names (keras-facts: order-by-names). early: the depths are those of Keras 1
    (keras-facts: depths-of-keras1).
    """
    by_call = {(node.layer, node.index): node for node in nodes}
    walk = _walk(by_call, outputs)
    shared = len({name for name, _ in by_call}) < len(by_call)  # else both rules give the same depths
    depths = _early_depths(by_call, outputs) if early and shared else _depths(walk)
    if by_name:
        return sorted(layers, key=lambda layer: (-depths.get(layer.name, 0), layer.name))
    visits = {node.layer: position for position, (node, ends) in reversed(list(enumerate(walk))) if not ends}
    return sorted(layers, key=lambda layer: (-depths.get(layer.name, 0), visits.get(layer.name, len(walk))))


def _walk(by_call: Mapping[CallId, Node], outputs: Sequence[Ref]) -> list[tuple[Node, bool]]:
    """A depth-first walk from the outputs to the inputs: each node twice, where it begins and (True) where it ends."""
    found: list[tuple[Node, bool]] = []
    todo, begun = [(ref.call, False) for ref in reversed(outputs)], set[CallId]()
    while todo:
        call, ends = todo.pop()
        if call in by_call and (ends or call not in begun):
            begun.add(call)
            found.append((by_call[call], ends))
            if not ends:
                todo.append((call, True))
                todo += [(ref.call, False) for ref in reversed(by_call[call].inputs or ())]
    return found


def _depths(walk: Sequence[tuple[Node, bool]]) -> dict[str, int]:
    """The depth of each layer by its name: the greatest distance of its calls from an output.

    A later call of a layer is as deep as the deepest that was met before it, and the calls after it are deeper.
    """
    depths: dict[str, int] = {}
    by_call: dict[CallId, int] = {}
    for node in [node for node, ends in reversed(walk) if ends]:
        depth = max(by_call.get((node.layer, node.index), 0), depths.get(node.layer, 0))
        depths[node.layer] = depth
        for ref in node.inputs or ():
            by_call[ref.call] = max(by_call.get(ref.call, 0), depth + 1)
    return depths


def _early_depths(by_call: Mapping[CallId, Node], outputs: Sequence[Ref]) -> dict[str, int]:
    """The depth of each layer as Keras 1 finds it, from the outputs on (keras-facts: depths-of-keras1)."""
    depths: dict[str, int] = {}
    for output in outputs:
        todo, seen = [(output.call, 0)], set[tuple[CallId, int]]()
        while todo:
            call, depth = todo.pop()
            if call not in by_call or (call, depth) in seen:
                continue
            seen.add((call, depth))
            depths[call[0]] = depth = max(depth, depths.get(call[0], 0))
            todo += [(ref.call, depth + 1) for ref in reversed(by_call[call].inputs or ())]
    return depths


def count_calls(network: Any, known: dict[Any, int] | None = None) -> int:
    """The calls of layers in a network.

    Each call of a nested network counts its own calls, and a call with several inputs counts them.
    """
    known = {} if known is None else known
    if network not in known:
        calls = [(network.by_name[node.layer], len(node.inputs)) for node in network.nodes]
        known[network] = sum(
            count_calls(layer, known) if layer.is_network else max(1, inputs) for layer, inputs in calls
        )
    return known[network]


# ------------------------------------------------------------------ weights ----


@dataclass(frozen=True)
class LeafWeights:
    """A layer that has weights itself, and not in layers inside it."""

    # The names of the layers around it, and its own.
    path: LayerPath
    layer: Layer
    weights: list[Weight]
    # Whether training changes the layer: it and all layers around it are trainable.
    trainable: bool


def leaf_weights(layer: Layer, shape: Any, outer: LayerPath = (), trainable: bool = True) -> list[LeafWeights]:
    """The weights of `layer` and of every layer inside it, for inputs of `shape`.

    outer: the names of the layers around it. trainable: whether those are all trainable. Raises KconvertError, which
    names the layer, where the shape does not fit.
    """
    path, trainable = (*outer, layer.name), trainable and layer.trainable
    try:
        weights = [] if layer.sublayers else layer.as_called.weight_specs(shape)
        inner_shapes = layer.sublayer_shapes(shape)
    except (KconvertError, TypeError, ValueError, LookupError, ArithmeticError) as error:
        raise at_layer(error, layer, shape) from error
    table = [LeafWeights(path, layer, weights, trainable)] if weights else []
    for inner, inner_shape in zip(layer.sublayers, inner_shapes, strict=True):
        table += leaf_weights(inner, inner_shape, path, trainable)
    return table


def at_layer(error: Exception, layer: Layer, shape: Any) -> KconvertError:
    """A KconvertError that names the layer. Errors of other classes mean that the layer does not accept `shape`."""
    if isinstance(error, KconvertError):
        return error if error.where and layer.name in error.where else error.within(f"layer {layer.name}")
    return KconvertError(
        f"a {layer.class_name} layer does not accept an input of shape {shape}",
        where=f"layer {layer.name}",
        problem=Problem.UNREADABLE,
    )
