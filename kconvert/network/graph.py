"""The graph between layers as data: its tensors, its calls, their order, and the weights of the layers in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..conventions.roles import Weight
from ..errors import KconvertError, Problem
from ..layers.base import Layer

LayerPath = tuple[str, ...]
CallKey = tuple[str, int]


class Ref(NamedTuple):
    """A tensor of the graph: output `tensor` of call `node` of the layer named `layer`."""

    layer: str
    node: int = 0
    tensor: int = 0

    @property
    def key(self) -> str:
        """How reports name it: `dense_1`, `dense_1#1` (second call), `lstm_1:2` (third output)."""
        call = f"#{self.node}" if self.node else ""
        output = f":{self.tensor}" if self.tensor else ""
        return f"{self.layer}{call}{output}"

    @property
    def call(self) -> CallKey:
        """The call that gives it."""
        return self.layer, self.node


class Producer(NamedTuple):
    """The layer that computes a tensor, and its place: the names from the outermost network in."""

    path: LayerPath
    layer: Layer


@dataclass(frozen=True)
class Node:
    """One call of a layer."""

    layer: str
    index: int
    # None for an InputLayer.
    inputs: tuple[Ref, ...]
    # Further arguments of the call, which are kept.
    kwargs: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def output(self) -> Ref:
        return Ref(self.layer, self.index)


def first_call(layer: Layer) -> int:
    """Index of a layer's first call: Keras counts the graph of a nested model as its call 0."""
    return int(layer.is_network)


# ------------------------------------------------------------------- orders ----


def in_order(nodes: Iterable[Node], where: str) -> list[Node]:
    """`nodes` in an order in which every tensor is computed before it is used. KconvertError where there is none."""
    waiting, done, order = list(nodes), set[CallKey](), list[Node]()
    while waiting:
        ready = [node for node in waiting if all(ref.call in done for ref in node.inputs)]
        if not ready:
            what = f"the graph has a cycle or an unknown tensor at layer {waiting[0].layer}"
            raise KconvertError(what, where, problem=Problem.UNREADABLE)
        order += ready
        done |= {(node.layer, node.index) for node in ready}
        waiting = [node for node in waiting if (node.layer, node.index) not in done]
    return order


def reachable(nodes: Sequence[Node], outputs: Sequence[Ref]) -> list[Node]:
    """The calls that the outputs need, and the inputs: a layer may also have been called in another model."""
    known = {(node.layer, node.index): node for node in nodes}
    wanted, todo = set[CallKey](), [ref.call for ref in outputs]
    while todo:
        key = todo.pop()
        if key not in wanted and key in known:
            wanted.add(key)
            todo += [ref.call for ref in known[key].inputs]
    return [node for node in nodes if (node.layer, node.index) in wanted or not node.inputs]


def layers_in_keras_order(layers: Sequence[Layer], nodes: Sequence[Node], outputs: Sequence[Ref]) -> list[Layer]:
    """Layers as Keras orders them, and so the groups of a file: deepest first, then as met from the outputs.

    nodes: in an order in which every tensor is computed before it is used.
    """
    deepest, met = _depths(layers, nodes), _met(nodes, outputs)
    return sorted(layers, key=lambda layer: (-deepest[layer.name], met.get(layer.name, len(met))))


def _depths(layers: Sequence[Layer], nodes: Sequence[Node]) -> dict[str, int]:
    """The longest way from a layer to an output, by the layer's name."""
    depth: dict[CallKey, int] = {}
    for node in reversed(nodes):
        for ref in node.inputs:
            below = depth.get((node.layer, node.index), 0) + 1
            depth[ref.call] = max(depth.get(ref.call, 0), below)
    deepest = {layer.name: 0 for layer in layers}
    for (name, _), level in depth.items():
        deepest[name] = max(deepest[name], level)
    return deepest


def _met(nodes: Sequence[Node], outputs: Sequence[Ref]) -> dict[str, int]:
    """When each layer is met on the way back from the outputs."""
    calls = {(node.layer, node.index): node for node in nodes}
    met: dict[str, int] = {}
    todo, seen = [ref.call for ref in reversed(outputs)], set[CallKey]()
    while todo:
        key = todo.pop()
        met.setdefault(key[0], len(met))
        if key not in seen and key in calls:
            seen.add(key)
            todo += [ref.call for ref in reversed(calls[key].inputs)]
    return met


# ------------------------------------------------------------------ weights ----


@dataclass(frozen=True)
class LeafWeights:
    """A layer that holds weights itself, and the weights that it has."""

    # The names of the layers around it and its own, from the outermost in.
    path: LayerPath
    layer: Layer
    weights: list[Weight]
    # Whether it trains: neither it nor a layer around it is frozen.
    trainable: bool


def leaf_weights(layer: Layer, shape: Any, outer: LayerPath = (), trainable: bool = True) -> list[LeafWeights]:
    """The weights of `layer` and of every layer inside it, for inputs of `shape`."""
    path, trainable = (*outer, layer.name), trainable and layer.trainable
    try:
        weights = [] if layer.sublayers else layer.weight_specs(shape)
        inner_shapes = layer.sublayer_shapes(shape)
    except (KconvertError, TypeError, ValueError, LookupError, ArithmeticError) as error:
        raise at_layer(error, layer, shape) from error
    table = [LeafWeights(path, layer, weights, trainable)] if weights else []
    for inner, inner_shape in zip(layer.sublayers, inner_shapes, strict=True):
        table += leaf_weights(inner, inner_shape, path, trainable)
    return table


def at_layer(error: Exception, layer: Layer, shape: Any) -> KconvertError:
    """`error` with the layer it came from; other exceptions mean that the shapes do not fit."""
    if isinstance(error, KconvertError):
        return error if error.where and layer.name in error.where else error.within(f"layer {layer.name}")
    return KconvertError(
        f"a {layer.class_name} cannot take an input of shape {shape}",
        where=f"layer {layer.name}",
        problem=Problem.UNREADABLE,
    )
