"""Rewriting a network: layers are replaced by small graphs of layers that compute the same.

A rewriting function takes one layer and the shape of its inputs and gives `NewLayer`s, or None where the layer
stays. What used the output of the old layer uses that of the last new one. A Sequential stays a Sequential
where every layer is replaced by a sequence of layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import singledispatch
from typing import Any

from ..errors import KconvertError
from ..kernels import Chain
from ..layers import Bidirectional, InputLayer, TimeDistributed
from ..layers.base import Layer
from ..layers.lists import one_or_list
from .graph import LayerPath, Node, Ref, first_call
from .layout import Layout, identity
from .network import Network
from .sequential import Sequential


@dataclass(frozen=True)
class NewLayer:
    """One layer of the small graph that replaces a layer."""

    layer: Layer
    inputs: tuple[str, ...] = ()
    """Names of earlier layers of the small graph; none: the inputs of the replaced layer."""
    weights: Mapping[LayerPath, Chain] = field(default_factory=dict)
    """Ops on the canonical weights that it takes over, by their path inside the layer."""


Rewriter = Callable[[Layer, Any], Sequence[NewLayer] | None]


def class_names(new: Sequence[NewLayer]) -> str:
    """The classes of new layers in words: '2 ZeroPadding2D + Conv2D'."""
    classes = [one.layer.class_name for one in new]
    return " + ".join(
        f"{classes.count(name)} {name}" if classes.count(name) > 1 else name for name in dict.fromkeys(classes)
    )


def in_sequence(*layers: Layer) -> list[NewLayer]:
    """Layers one after the other."""
    return [
        NewLayer(layer, (before.name,) if before else ())
        for before, layer in zip((None, *layers), layers, strict=False)
    ]


def in_sequence_or_nested(new: Sequence[NewLayer], layer: Layer, shape: Any) -> Sequence[NewLayer]:
    """`new` where it is a sequence, else one network of the name of `layer`, which takes inputs of `shape`."""
    if _is_sequence(new):
        return new
    nested = _small_model(new, shape, layer)
    nested.name = layer.name
    return [NewLayer(nested)]


def changed(layer: Layer, /, **config: Any) -> Any:
    """A copy of `layer` with other configuration values."""
    result = copy(layer)
    for key, value in config.items():
        setattr(result, key, value)
    return result


@dataclass(frozen=True)
class Hazard:
    """A layer whose outputs differ between two backends whatever its weights are."""

    path: str
    layer: str
    """The name of its class."""
    why: str

    def __str__(self) -> str:
        return f"{self.path} ({self.layer}): {self.why}"


@dataclass(frozen=True, eq=False)
class Rewritten:
    """A network, and how it was made from another one.

    A layer that has weights keeps its path.
    """

    model: Network
    """The new network."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """The new name of each tensor whose name changed."""
    weights: Mapping[LayerPath, Chain] = field(default_factory=dict)
    """Ops on canonical weights, by path."""
    notes: Sequence[str] = ()
    """What was done and why."""
    hazards: Sequence[Hazard] = ()
    """Layers that the two backends of a conversion still compute differently."""
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    """The layouts of tensors, by their new names; a tensor that is not there has its old layout."""
    reordered: frozenset[str] = frozenset()
    """The Flattens, by path, whose features weights take in a new order."""

    @property
    def inputs(self) -> list[Layout]:
        """The layouts of the network's inputs."""
        return self._layouts(self.model.input_refs)

    @property
    def outputs(self) -> list[Layout]:
        """The layouts of the network's outputs."""
        return self._layouts(self.model.output_refs)

    def _layouts(self, refs: Sequence[Ref]) -> list[Layout]:
        shapes = self.model.shapes()
        return [self.layouts.get(ref.key) or identity(len(shapes[ref])) for ref in refs]

    def then(self, later: Rewritten) -> Rewritten:
        """This rewriting and a `later` one of its network, as one.

        Raises ValueError where both change layouts or the order of features: one rewriting alone may.
        """
        if (self.layouts or self.reordered) and (later.layouts or later.reordered):
            raise ValueError("two rewritings change layouts")
        renamed = {old: later.aliases.get(new, new) for old, new in self.aliases.items()}
        kept = {later.aliases.get(name, name): layout for name, layout in self.layouts.items()}
        none = Chain()
        paths = {**self.weights, **later.weights}
        return Rewritten(
            model=later.model,
            aliases={**later.aliases, **renamed},
            weights={path: self.weights.get(path, none) >> later.weights.get(path, none) for path in paths},
            notes=[*self.notes, *later.notes],
            hazards=[*self.hazards, *later.hazards],
            layouts={**kept, **later.layouts},
            reordered=self.reordered | later.reordered,
        )


def rewrite(model: Network, function: Rewriter, shapes: Any = None) -> Rewritten:
    """`model` with `function` applied to each of its layers, nested models' too.

    Raises KconvertError where a layer is called more than once and would become different things.
    """
    pieces: dict[str, list[NewLayer]] = {layer.name: [NewLayer(layer)] for layer in model.input_layers}
    aliases: dict[str, str] = {}
    inner: dict[str, Mapping[str, str]] = {}
    for layer, shape in zip(
        model.sublayers, model.sublayer_shapes(shapes or one_or_list(model.input_shapes)), strict=True
    ):
        if isinstance(layer, Network):
            result = rewrite(layer, function, shape)
            pieces[layer.name], inner[layer.name] = [NewLayer(result.model, (), result.weights)], result.aliases
            continue
        pieces[layer.name] = list(_replaced(layer, function, shape) or [NewLayer(layer)])
        _refuse_different_calls(model, layer, pieces[layer.name])
    nodes, ends = _nodes(model, pieces)
    for node in model.nodes:
        names = inner.get(node.layer, {})
        aliases.update((f"{node.output.key}/{old}", f"{node.output.key}/{new}") for old, new in names.items())
    aliases.update((old.key, new.key) for old, new in ends.items())
    made = [piece for name in model.by_name for piece in pieces[name]]
    weights = {(piece.layer.name, *path): ops for piece in made for path, ops in piece.weights.items()}
    new = _assembled(model, [piece.layer for piece in made], nodes, ends, pieces)
    return Rewritten(new, {**aliases, **renamed_inputs(model, new)}, weights)


def renamed_inputs(old: Network, new: Network) -> dict[str, str]:
    """The new name of each input whose name changed: the input of a Sequential is called after its first layer."""
    pairs = zip(old.input_refs, new.input_refs, strict=True)
    return {before.key: after.key for before, after in pairs if before != after}


@singledispatch
def _replaced(layer: Layer, function: Rewriter, shape: Any) -> Sequence[NewLayer] | None:
    """What `function` makes of a layer; for a wrapper, of the layer inside it."""
    return function(layer, shape)


@_replaced.register(TimeDistributed)
def _at_each_step(layer: Any, function: Rewriter, shape: Any) -> list[NewLayer] | None:
    """What becomes of a TimeDistributed: its inner layer is rewritten for one time step."""
    step, inner = (shape[0], *shape[2:]), layer.layer
    if isinstance(inner, Network):
        result = rewrite(inner, function, step)
        return [NewLayer(changed(layer, layer=result.model), (), _inside(inner, result.weights))]
    pieces = _new(function, inner, step)
    if pieces is None:
        return None
    if not _is_sequence(pieces):
        return [NewLayer(changed(layer, layer=_small_model(pieces, step, inner)))]
    names = {piece.layer.name: f"{layer.name}_{piece.layer.name}" for piece in pieces} | {inner.name: layer.name}
    wrapped = in_sequence(*(changed(layer, layer=piece.layer, name=names[piece.layer.name]) for piece in pieces))
    return [replace(w, weights=_inside(piece.layer, piece.weights)) for w, piece in zip(wrapped, pieces, strict=True)]


@_replaced.register(Bidirectional)
def _in_both_directions(layer: Any, function: Rewriter, shape: Any) -> list[NewLayer] | None:
    """What becomes of a Bidirectional: the inner layer is rewritten; what comes before it takes steps by themselves."""
    pieces = _new(function, layer.layer, shape)
    if pieces is None:
        return None
    *before, last = pieces
    if not _is_sequence(pieces) or not all(isinstance(piece.layer, TimeDistributed) for piece in before):
        raise KconvertError(f"a {layer.layer.class_name} inside cannot be rewritten", where=f"layer {layer.name}")
    both = replace(layer, layer=last.layer)
    weights = {path: ops for one in both.sublayers for path, ops in _inside(one, last.weights).items()}
    return [*before, NewLayer(both, last.inputs, weights)]


def _new(function: Rewriter, layer: Layer, shape: Any) -> Sequence[NewLayer] | None:
    """What `function` makes of the layer inside a wrapper; None where that stays."""
    pieces = function(layer, shape)
    return None if pieces is None or [piece.layer for piece in pieces] == [layer] else pieces


def _inside(layer: Layer, weights: Mapping[LayerPath, Chain]) -> dict[LayerPath, Chain]:
    """Paths as seen from a wrapper around `layer`."""
    return {(layer.name, *path): ops for path, ops in weights.items()}


def _small_model(pieces: Sequence[NewLayer], shape: Any, layer: Layer) -> Network:
    """The small graph as a model of its own."""
    entry = InputLayer(batch_input_shape=shape, name=f"{layer.name}_input")
    nodes = [Node(entry.name, 0, ())]
    for piece in pieces:
        inputs = tuple(Ref(name) for name in piece.inputs) or (nodes[0].output,)
        nodes.append(Node(piece.layer.name, 0, inputs))
    layers = [entry, *(piece.layer for piece in pieces)]
    return Network(layers, nodes, [nodes[0].output], [nodes[-1].output], name=f"{layer.name}_parts")


def _nodes(model: Network, pieces: dict[str, list[NewLayer]]) -> tuple[list[Node], dict[Ref, Ref]]:
    """The calls of the new graph, and the new end of each tensor that has another one."""
    ends: dict[Ref, Ref] = {}
    nodes: list[Node] = []
    for node in model.nodes:
        outer = tuple(ends.get(ref, ref) for ref in node.inputs)
        made: dict[str, Ref] = {}
        for piece in pieces[node.layer]:
            index = node.index - first_call(model.by_name[node.layer]) + first_call(piece.layer)
            inputs = tuple(made[name] for name in piece.inputs) or outer
            nodes.append(replace(node, layer=piece.layer.name, index=index, inputs=inputs))
            made[piece.layer.name] = nodes[-1].output
        if nodes[-1].output != node.output:
            ends[node.output] = nodes[-1].output
    return nodes, ends


def _assembled(
    model: Network, layers: list[Layer], nodes: list[Node], ends: dict[Ref, Ref], pieces: dict[str, list[NewLayer]]
) -> Network:
    if isinstance(model, Sequential) and all(_is_sequence(found) for found in pieces.values()):
        (entry,) = model.input_layers
        first, *rest = [layer for layer in layers if layer is not entry]
        if first.batch_input_shape is None:
            first = changed(first, batch_input_shape=entry.batch_input_shape, dtype=first.dtype or entry.dtype)
        return Sequential([first, *rest], name=model.name, trainable=model.trainable)
    outputs = [ends.get(ref, ref) for ref in model.output_refs]
    return Network(
        layers=layers,
        nodes=nodes,
        input_refs=model.input_refs,
        output_refs=outputs,
        name=model.name,
        trainable=model.trainable,
    )


def _is_sequence(new: Sequence[NewLayer]) -> bool:
    names = [one.layer.name for one in new]
    return [one.inputs for one in new] == [(), *((name,) for name in names[:-1])]


def _refuse_different_calls(model: Network, layer: Layer, pieces: Sequence[NewLayer]) -> None:
    """A layer that is rewritten must be called on inputs of one shape only: it becomes one thing."""
    calls = [node for node in model.nodes if node.layer == layer.name]
    if len(calls) < 2 or [piece.layer for piece in pieces] == [layer]:
        return
    shapes = model.shapes()
    if len({tuple(shapes[ref] for ref in node.inputs) for node in calls}) > 1:
        raise KconvertError(
            f"a {layer.class_name} called on inputs of different sizes would have to become different layers",
            where=f"layer {layer.name}",
        )
