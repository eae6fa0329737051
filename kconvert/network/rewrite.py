"""Rewriting a network: layers are replaced by small graphs of layers that compute the same.

A rewriting function takes one layer and the shape of its inputs and gives `NewLayer`s, or None where the layer
stays. Layers that used the output of the old layer use that of the last new one. A Sequential stays a Sequential
where every layer is replaced by a sequence of layers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import field, replace
from functools import singledispatch
from typing import Any

from ..errors import KconvertError
from ..kernels import Chain
from ..layers import Bidirectional, InputLayer, TimeDistributed
from ..layers.base import Layer, Shape
from ..layers.component_names import stated
from ..layers.lists import as_list, one_or_list
from ..layers.options import remade
from ..lazy_dataclasses import dataclass
from .graph import CallId, LayerPath, Node, Ref, first_call, leaf_weights
from .network import Network
from .rewritten import Rewritten, Source, renamed_inputs
from .sequential import Sequential


@dataclass(frozen=True)
class NewLayer:
    """One layer of the small graph that replaces a layer."""

    layer: Layer
    inputs: tuple[str, ...] = ()
    """Names of earlier layers of the small graph; none: the inputs of the replaced layer."""
    weights: Mapping[LayerPath, Chain] = field(default_factory=dict)
    """Ops on the canonical weights that it takes over, by their path inside the layer."""
    sources: Mapping[LayerPath, Source] = field(default_factory=dict)
    """What its weights are, by their path inside the layer: the path of a weight inside the replaced layer, or an array
    in canonical form. A weight that is not here is that of the same path, in a layer of the same name."""
    tensors: tuple[int, ...] = ()
    """The number of the output that it takes of each of `inputs`; none: the first outputs."""
    outputs: Mapping[int, int] = field(default_factory=dict)
    """The outputs of the replaced layer that this one has, by number, and their numbers here. The last layer always has
    the first one."""

    def refs(self, made: Mapping[str, Ref]) -> tuple[Ref, ...]:
        """The tensors that it takes; made: the first output of each earlier layer of the small graph."""
        tensors = self.tensors or (0,) * len(self.inputs)
        return tuple(Ref(*made[name].call, tensor) for name, tensor in zip(self.inputs, tensors, strict=True))


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


def as_first(layer: Layer, shape: Shape | None, dtype: str | None) -> Any:
    """A copy of `layer` as the first one of a Sequential, which states the shape and the dtype of the input."""
    return changed(layer, batch_input_shape=shape, dtype=stated(layer, "dtype") or dtype)


def rebuilt(network: Network, layers: Mapping[str, Layer]) -> Network:
    """The same graph with other layers of the same names."""
    if isinstance(network, Sequential):
        entry, first, *rest = (layers[node.layer] for node in network.nodes)
        first = as_first(first, entry.batch_input_shape, stated(entry, "dtype"))
        return Sequential([first, *rest], name=network.name, trainable=network.trainable)
    return Network(
        all_layers=[layers[layer.name] for layer in network.all_layers],
        nodes=network.nodes,
        input_refs=network.input_refs,
        output_refs=network.output_refs,
        name=network.name,
        trainable=network.trainable,
    )


@dataclass(frozen=True, eq=False)
class _Graph:
    """The small graph that a layer becomes where it is called on inputs of one shape."""

    pieces: Sequence[NewLayer]
    aliases: Mapping[str, str]
    """The new names of the tensors inside a nested network."""
    alone: bool = True
    """Whether all calls of the layer become this graph."""


def rewrite(model: Network, function: Rewriter, shapes: Any = None) -> Rewritten:
    """`model` with `function` applied to each of its layers, nested models' too.

    The result has `model` itself where no layer becomes another one. A layer that is called on inputs of several shapes
    becomes a small graph for each of them, around the one layer that has the weights. Raises KconvertError where that
    would have to become different layers.
    """
    pieces: dict[str, list[NewLayer]] = {layer.name: [NewLayer(layer)] for layer in model.input_layers}
    graphs: dict[CallId, _Graph] = {}
    for layer, calls in _calls_by_shape(model, shapes):
        first, *others = (_graph(layer, function, shape, alone=len(calls) == 1) for shape, _ in calls)
        each = [first, *(_beside(first, other, layer, calls[0][0], i) for i, other in enumerate(others, 2))]
        graphs.update((call, graph) for graph, (_, found) in zip(each, calls, strict=True) for call in found)
        pieces[layer.name] = list({one.layer.name: one for graph in each for one in graph.pieces}.values())
    if _stays(model, pieces) and not any(graph.aliases for graph in graphs.values()):
        return Rewritten(model)
    nodes, ends = _nodes(model, graphs)
    aliases = {
        f"{node.output.key}/{old}": f"{ends.get(node.output, node.output).key}/{new}"
        for node in model.nodes
        if node.output.call in graphs
        for old, new in graphs[node.output.call].aliases.items()
    }
    aliases.update((old.key, new.key) for old, new in ends.items())
    made = [piece for name in model.by_name for piece in pieces[name]]
    weights = {(piece.layer.name, *path): ops for piece in made for path, ops in piece.weights.items()}
    sources = {
        path: source for name in model.by_name for piece in pieces[name] for path, source in _named_sources(name, piece)
    }
    new = _assembled(model, [piece.layer for piece in made], nodes, ends, pieces)
    return Rewritten(new, {**aliases, **renamed_inputs(model, new)}, weights, sources)


def _stays(model: Network, pieces: Mapping[str, list[NewLayer]]) -> bool:
    """Whether no layer of `model` becomes another one. A Sequential that is made again states its input as well."""
    stated = not isinstance(model, Sequential) or model.layers[0].batch_input_shape is not None
    return stated and all(found == [NewLayer(model.by_name[name])] for name, found in pieces.items())


def _named_sources(old: str, new: NewLayer, inside: LayerPath = ()) -> Iterator[tuple[LayerPath, Source]]:
    """The sources of a new layer as seen from the network; old: the name of the layer that it replaces.

    inside: the names of new layers between the network and the new layer.
    """
    for path, source in new.sources.items():
        yield (*inside, new.layer.name, *path), (old, *source) if isinstance(source, tuple) else source


def _calls_by_shape(model: Network, shapes: Any) -> Iterator[tuple[Layer, list[tuple[Any, list[CallId]]]]]:
    """Each layer with the shapes of its inputs, and the calls on inputs of each shape; the first call comes first."""
    tensors = model.shapes(as_list(shapes) if shapes else None)
    calls: dict[str, dict[tuple[Shape, ...], list[CallId]]] = {layer.name: {} for layer in model.sublayers}
    for node in model.nodes:
        if node.inputs:
            given = tuple(tuple(tensors[ref]) for ref in node.inputs)
            calls[node.layer].setdefault(given, []).append(node.output.call)
    for layer in model.sublayers:
        found = [(one_or_list(given), made) for given, made in calls[layer.name].items()]
        yield layer, found or [(None, [])]


def _graph(layer: Layer, function: Rewriter, shape: Any, alone: bool) -> _Graph:
    if layer.fixed:
        return _Graph([NewLayer(layer)], {}, alone)
    if isinstance(layer, Network):
        result = rewrite(layer, function, shape)
        return _Graph([NewLayer(result.model, (), result.weights, result.sources)], result.aliases, alone)
    return _Graph(list(_replaced(layer, function, shape) or [NewLayer(layer)]), {}, alone)


def _beside(first: _Graph, other: _Graph, layer: Layer, shape: Any, number: int) -> _Graph:
    """`other`, the graph of further calls: what `first` has too is shared, the rest has names of its own.

    shape: that of the inputs of the first call. Raises KconvertError where two layers would have the weights.
    """
    shared = {one.layer.name: one for one in first.pieces}
    names: dict[str, str] = {}
    pieces = []
    for piece in other.pieces:
        name = piece.layer.name
        same = name in shared and _alike(shared[name], piece)
        if not same and name == layer.name and leaf_weights(layer, shape):
            raise KconvertError(
                f"a {layer.class_name} called on inputs of different sizes would have to become different layers",
                where=f"layer {layer.name}",
            )
        names[name] = name if same else f"{name}_call{number}"
        own = shared[name].layer if same else changed(piece.layer, name=names[name])
        pieces.append(replace(piece, layer=own, inputs=tuple(names[one] for one in piece.inputs)))
    return _Graph(pieces, other.aliases, alone=False)


def _alike(one: NewLayer, other: NewLayer) -> bool:
    """Whether two layers are the same but for what comes before them, and for the sizes that their inputs state."""
    found = [
        (new.layer.class_name, _without_sizes(new.layer.stored_config()), dict(new.weights)) for new in (one, other)
    ]
    return found[0] == found[1]


def _without_sizes(config: Any) -> Any:
    if isinstance(config, list):
        return [_without_sizes(item) for item in config]
    if not isinstance(config, dict):
        return config
    return {key: _without_sizes(item) for key, item in config.items() if key != "batch_input_shape"}


@singledispatch
def _replaced(layer: Layer, function: Rewriter, shape: Any) -> Sequence[NewLayer] | None:
    """The result of `function` for a layer; for a wrapper, that for the layer inside it."""
    return function(layer, shape)


@_replaced.register(TimeDistributed)
def _at_each_step(layer: Any, function: Rewriter, shape: Any) -> list[NewLayer] | None:
    """What becomes of a TimeDistributed: its inner layer is rewritten for one time step."""
    step, inner = (shape[0], *shape[2:]), layer.layer
    if isinstance(inner, Network):
        result = rewrite(inner, function, step)
        sources = dict(_named_sources(inner.name, NewLayer(result.model, sources=result.sources)))
        return [NewLayer(changed(layer, layer=result.model), (), _inside(inner, result.weights), sources)]
    pieces = _new(function, inner, step)
    if pieces is None:
        return None
    if not _is_sequence(pieces):
        return [_in_small_model(layer, pieces, step)]
    names = {piece.layer.name: f"{layer.name}_{piece.layer.name}" for piece in pieces} | {inner.name: layer.name}
    wrapped = in_sequence(*(changed(layer, layer=piece.layer, name=names[piece.layer.name]) for piece in pieces))
    return [
        replace(
            new,
            weights=_inside(piece.layer, piece.weights),
            sources=dict(_named_sources(inner.name, piece)),
        )
        for new, piece in zip(wrapped, pieces, strict=True)
    ]


def _in_small_model(layer: Any, pieces: Sequence[NewLayer], step: Any) -> NewLayer:
    """A TimeDistributed of the small graph `pieces`, as a network of its own."""
    inner = layer.layer
    small = _small_model(pieces, step, inner)
    sources: dict[LayerPath, Source] = {
        (small.name, *leaf.path, weight.name): (*leaf.path, weight.name)
        for leaf in small.weight_table()
        for weight in leaf.weights
    }
    weights: dict[LayerPath, Chain] = {}
    for piece in pieces:
        sources.update(_named_sources(inner.name, piece, (small.name,)))
        weights.update(((small.name, *path), ops) for path, ops in _inside(piece.layer, piece.weights).items())
    return NewLayer(changed(layer, layer=small), (), weights, sources)


@_replaced.register(Bidirectional)
def _in_both_directions(layer: Any, function: Rewriter, shape: Any) -> list[NewLayer] | None:
    """What becomes of a Bidirectional: where it is not rewritten as a whole, the inner layer is.

    What comes before the inner layer takes steps by themselves.
    """
    whole = function(layer, shape)
    if whole is not None and [piece.layer for piece in whole] != [layer]:
        return list(whole)
    pieces = _new(function, layer.layer, shape)
    if pieces is None:
        return None
    *before, last = pieces
    if not _is_sequence(pieces) or not all(isinstance(piece.layer, TimeDistributed) for piece in before):
        raise KconvertError(f"a {layer.layer.class_name} inside cannot be rewritten", where=f"layer {layer.name}")
    both = remade(layer, layer=last.layer)
    weights = {path: ops for one in both.sublayers for path, ops in _inside(one, last.weights).items()}
    return [*before, NewLayer(both, last.inputs, weights)]


def _new(function: Rewriter, layer: Layer, shape: Any) -> Sequence[NewLayer] | None:
    """What `function` makes of the layer inside a wrapper; None where that stays."""
    pieces = _replaced(layer, function, shape)
    return None if pieces is None or [piece.layer for piece in pieces] == [layer] else pieces


def _inside(layer: Layer, weights: Mapping[LayerPath, Chain]) -> dict[LayerPath, Chain]:
    """Paths as seen from a wrapper around `layer`."""
    return {(layer.name, *path): ops for path, ops in weights.items()}


def _small_model(pieces: Sequence[NewLayer], shape: Any, layer: Layer) -> Network:
    """The small graph as a model of its own."""
    entry = InputLayer(batch_input_shape=shape, name=f"{layer.name}_input")
    nodes = [Node(entry.name, 0, ())]
    refs = {piece.layer.name: Ref(piece.layer.name) for piece in pieces}
    for piece in pieces:
        nodes.append(Node(piece.layer.name, 0, piece.refs(refs) or (nodes[0].output,)))
    layers = [entry, *(piece.layer for piece in pieces)]
    return Network(layers, nodes, [nodes[0].output], [nodes[-1].output], name=f"{layer.name}_parts")


def _nodes(model: Network, graphs: Mapping[CallId, _Graph]) -> tuple[list[Node], dict[Ref, Ref]]:
    """The calls of the new graph, and the new end of each tensor that has another one."""
    ends: dict[Ref, Ref] = {}
    nodes: list[Node] = []
    counts: Counter[str] = Counter()
    for node in model.nodes:
        outer = tuple(ends.get(ref, ref) for ref in node.inputs)
        made: dict[str, Ref] = {}
        graph = graphs.get(node.output.call)
        pieces = graph.pieces if graph else [NewLayer(model.by_name[node.layer])]
        kept = any(piece.layer.name == node.layer for piece in pieces)
        for piece in pieces:
            number = node.index - first_call(model.by_name[node.layer])
            if graph and not graph.alone:
                number = counts[piece.layer.name]
                counts[piece.layer.name] += 1
            index = number + first_call(piece.layer)
            inputs = piece.refs(made) or outer
            kwargs = node.kwargs if piece.layer.name == node.layer or not kept else {}
            nodes.append(Node(piece.layer.name, index, inputs, kwargs))
            made[piece.layer.name] = nodes[-1].output
            for old, new in piece.outputs.items():
                ends[Ref(*node.output.call, old)] = Ref(*nodes[-1].output.call, new)
        ends[node.output] = nodes[-1].output
    return nodes, {old: new for old, new in ends.items() if old != new}


def _assembled(
    model: Network, layers: list[Layer], nodes: list[Node], ends: dict[Ref, Ref], pieces: dict[str, list[NewLayer]]
) -> Network:
    if isinstance(model, Sequential) and all(_is_sequence(found) for found in pieces.values()):
        (entry,) = model.input_layers
        first, *rest = [layer for layer in layers if layer is not entry]
        if first.batch_input_shape is None:
            first = as_first(first, entry.batch_input_shape, stated(entry, "dtype"))
        return Sequential([first, *rest], name=model.name, trainable=model.trainable)
    outputs = [ends.get(ref, ref) for ref in model.output_refs]
    return Network(
        all_layers=layers,
        nodes=nodes,
        input_refs=model.input_refs,
        output_refs=outputs,
        name=model.name,
        trainable=model.trainable,
    )


def _is_sequence(new: Sequence[NewLayer]) -> bool:
    names = [one.layer.name for one in new]
    return [one.inputs for one in new] == [(), *((name,) for name in names[:-1])]
