"""Rewriting a graph: layers become small graphs of layers that compute the same.

A rewriting function looks at one layer and the shape of its inputs and gives `Piece`s, or None where
the layer stays. Calls go on from the last piece; a chain that only grows stays a chain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import KconvertError
from ..kernels import Chain
from ..layers import Bidirectional, InputLayer, TimeDistributed
from ..layers.base import Layer
from .nested import one_or_list
from .network import LayerPath, Network, Node, Ref, first_call
from .sequential import Sequential


@dataclass(frozen=True)
class Piece:
    """One layer of the small graph; inputs: names of earlier pieces, none for the inputs of the whole.

    weights: ops on the canonical weights it takes over, by path inside the layer.
    """

    layer: Layer
    inputs: tuple[str, ...] = ()
    weights: Mapping[LayerPath, Chain] = field(default_factory=dict)


Rewriter = Callable[[Layer, Any], Sequence[Piece] | None]


def names(pieces: Sequence[Piece]) -> str:
    """The classes of the pieces, with their number where there are several."""
    classes = [piece.layer.class_name for piece in pieces]
    return " + ".join(
        f"{classes.count(name)} {name}" if classes.count(name) > 1 else name for name in dict.fromkeys(classes)
    )


def chain(*layers: Layer) -> list[Piece]:
    """Layers one after the other."""
    return [
        Piece(layer, (before.name,) if before else ()) for before, layer in zip((None, *layers), layers, strict=False)
    ]


def changed(layer: Layer, /, **config: Any) -> Any:
    """A copy of `layer` with other configuration values."""
    result = copy(layer)
    for key, value in config.items():
        setattr(result, key, value)
    return result


@dataclass(frozen=True)
class Rewritten:
    """The new graph.

    aliases: the new name of each tensor that has another one now. weights: ops on canonical weights, by
    path. notes: what was done and why.
    """

    model: Network
    aliases: dict[str, str] = field(default_factory=dict)
    weights: dict[LayerPath, Chain] = field(default_factory=dict)
    notes: Sequence[str] = ()


def rewrite(model: Network, function: Rewriter, shapes: Any = None) -> Rewritten:
    """`model` with `function` applied to each of its layers, nested models' too.

    Raises KconvertError where a layer is called more than once and would become different things.
    """
    pieces: dict[str, list[Piece]] = {layer.name: [Piece(layer)] for layer in model.input_layers}
    aliases: dict[str, str] = {}
    inner: dict[str, dict[str, str]] = {}
    for layer, shape in zip(
        model.sublayers, model.sublayer_shapes(shapes or one_or_list(model.input_shapes)), strict=True
    ):
        if isinstance(layer, Network):
            result = rewrite(layer, function, shape)
            pieces[layer.name], inner[layer.name] = [Piece(result.model, (), result.weights)], result.aliases
            continue
        apply = _WRAPPERS.get(type(layer), _plainly)
        pieces[layer.name] = list(apply(function, layer, shape) or [Piece(layer)])
        _refuse_different_calls(model, layer, pieces[layer.name])
    nodes, ends = _nodes(model, pieces)
    for node in model.nodes:
        names = inner.get(node.layer, {})
        aliases.update((f"{node.output.key}/{old}", f"{node.output.key}/{new}") for old, new in names.items())
    aliases.update((old.key, new.key) for old, new in ends.items())
    made = [piece for name in model.by_name for piece in pieces[name]]
    weights = {(piece.layer.name, *path): ops for piece in made for path, ops in piece.weights.items()}
    return Rewritten(_assembled(model, [piece.layer for piece in made], nodes, ends, pieces), aliases, weights)


def _plainly(function: Rewriter, layer: Layer, shape: Any) -> Sequence[Piece] | None:
    return function(layer, shape)


def _at_each_step(function: Rewriter, layer: Any, shape: Any) -> list[Piece] | None:
    """What becomes of a TimeDistributed: its inner layer is rewritten for one time step."""
    step, inner = (shape[0], *shape[2:]), layer.layer
    if isinstance(inner, Network):
        result = rewrite(inner, function, step)
        return [Piece(changed(layer, layer=result.model), (), _inside(inner, result.weights))]
    pieces = _new(function, inner, step)
    if pieces is None:
        return None
    if not _is_chain(pieces):
        return [Piece(changed(layer, layer=_small_model(pieces, step, inner)))]
    names = {piece.layer.name: f"{layer.name}_{piece.layer.name}" for piece in pieces} | {inner.name: layer.name}
    wrapped = chain(*(changed(layer, layer=piece.layer, name=names[piece.layer.name]) for piece in pieces))
    return [replace(w, weights=_inside(piece.layer, piece.weights)) for w, piece in zip(wrapped, pieces, strict=True)]


def _in_both_directions(function: Rewriter, layer: Any, shape: Any) -> list[Piece] | None:
    """What becomes of a Bidirectional: the inner layer is rewritten; what comes before it takes steps by themselves."""
    pieces = _new(function, layer.layer, shape)
    if pieces is None:
        return None
    *before, last = pieces
    if not _is_chain(pieces) or not all(isinstance(piece.layer, TimeDistributed) for piece in before):
        raise KconvertError(f"a {layer.layer.class_name} inside cannot be rewritten", where=f"layer {layer.name}")
    both = replace(layer, layer=last.layer)
    weights = {path: ops for one in both.sublayers for path, ops in _inside(one, last.weights).items()}
    return [*before, Piece(both, last.inputs, weights)]


_WRAPPERS = {TimeDistributed: _at_each_step, Bidirectional: _in_both_directions}


def _new(function: Rewriter, layer: Layer, shape: Any) -> Sequence[Piece] | None:
    """What `function` makes of the layer inside a wrapper; None where that stays."""
    pieces = function(layer, shape)
    return None if pieces is None or [piece.layer for piece in pieces] == [layer] else pieces


def _inside(layer: Layer, weights: Mapping[LayerPath, Chain]) -> dict[LayerPath, Chain]:
    """Paths as seen from a wrapper around `layer`."""
    return {(layer.name, *path): ops for path, ops in weights.items()}


def _small_model(pieces: Sequence[Piece], shape: Any, layer: Layer) -> Network:
    """The small graph as a model of its own."""
    entry = InputLayer(batch_input_shape=shape, name=f"{layer.name}_input")
    nodes = [Node(entry.name, 0, ())]
    for piece in pieces:
        inputs = tuple(Ref(name) for name in piece.inputs) or (nodes[0].output,)
        nodes.append(Node(piece.layer.name, 0, inputs))
    layers = [entry, *(piece.layer for piece in pieces)]
    return Network(layers, nodes, [nodes[0].output], [nodes[-1].output], name=f"{layer.name}_parts")


def _nodes(model: Network, pieces: dict[str, list[Piece]]) -> tuple[list[Node], dict[Ref, Ref]]:
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
    model: Network, layers: list[Layer], nodes: list[Node], ends: dict[Ref, Ref], pieces: dict[str, list[Piece]]
) -> Network:
    if isinstance(model, Sequential) and all(_is_chain(found) for found in pieces.values()):
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


def _is_chain(pieces: Sequence[Piece]) -> bool:
    names = [piece.layer.name for piece in pieces]
    return [piece.inputs for piece in pieces] == [(), *((name,) for name in names[:-1])]


def _refuse_different_calls(model: Network, layer: Layer, pieces: Sequence[Piece]) -> None:
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
