"""Carrying another data format through a graph: axes, Dense rows, and Permutes where nothing else is exact.

Every tensor of the new model is the old one with its axes in another order, or with its last axis's
features in another order, or the same: its `Layout`. A rule for each family of layers says which layouts
the layer takes, what becomes of its configuration and its weights, and which layout it gives. Where a
layer cannot take what it is given, a Permute back to the old order is inserted before it; where features
were flattened in an order that no weight can absorb, it is inserted before the Flatten (rulebook A6).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import singledispatch
from math import prod
from typing import Any

from ... import layers as L
from ...conventions.backends import CHANNELS_FIRST, CHANNELS_LAST, DATA_FORMATS
from ...errors import KconvertError
from ...kernels import Block, Chain, Rows, Transpose, unchanged_block
from ...layers.base import Layer, Shape
from ...network.nested import as_list
from ...network.network import LayerPath, Network, Node, Ref
from ...network.sequential import Sequential
from .layouts import Call, Layout, Moved, Restore, identity, moved

# ------------------------------------------------------------------- rules ----


@singledispatch
def rule(layer: Layer, call: Call) -> Moved:
    """What becomes of `layer`; by default it needs the old order."""
    return call.unchanged()


def _rules(*classes: type[Layer]) -> Callable[[Callable[[Any, Call], Moved]], Callable[[Any, Call], Moved]]:
    def register(function: Callable[[Any, Call], Moved]) -> Callable[[Any, Call], Moved]:
        for cls in classes:
            rule.register(cls, function)
        return function

    return register


@_rules(
    L.Dropout, L.GaussianNoise, L.GaussianDropout, L.AlphaDropout, L.ActivityRegularization,
    L.LeakyReLU, L.ELU, L.ThresholdedReLU, L.ThresholdedLinear, L.ReLU, L.SpatialDropout1D,
)  # fmt: skip
def _elementwise(layer: Layer, call: Call) -> Moved:
    return call.passed(call.first)


@_rules(L.SpatialDropout2D, L.SpatialDropout3D)
def _spatial_dropout(layer: Any, call: Call) -> Moved:
    return call.passed(call.first, call.changed(data_format=call.data_format))


@_rules(L.Activation)
def _activation(layer: Any, call: Call) -> Moved:
    return call.unchanged() if _mixes_features(layer) and not call.first.keeps_axes else call.passed(call.first)


def _mixes_features(layer: Any) -> bool:
    """Whether the activation looks at the whole last axis."""
    return getattr(layer, "activation", None) == "softmax"


SPATIAL_LAYERS = (
    L.Conv2D, L.Conv3D, L.Conv2DTranspose, L.Conv3DTranspose, L.DepthwiseConv2D, L.SeparableConv2D,
    L.MaxPooling2D, L.MaxPooling3D, L.AveragePooling2D, L.AveragePooling3D,
    L.ZeroPadding2D, L.ZeroPadding3D, L.Cropping2D, L.Cropping3D, L.UpSampling2D, L.UpSampling3D,
)  # fmt: skip
GLOBAL_POOLING = (L.GlobalMaxPooling2D, L.GlobalMaxPooling3D, L.GlobalAveragePooling2D, L.GlobalAveragePooling3D)


@_rules(L.Conv2DTranspose)
def _transposed(layer: Any, call: Call) -> Moved:
    """As for every image layer; what Keras 1 states of the output's shape goes over too."""
    result, stated = _spatial(layer, call), layer.keras1_output_shape
    if stated is None or result.layer is layer:
        return result
    new = replace(call, layer=result.layer).changed(keras1_output_shape=list(result.outputs[0].shape(tuple(stated))))
    return replace(result, layer=new)


@_rules(*(cls for cls in SPATIAL_LAYERS if cls is not L.Conv2DTranspose))
def _spatial(layer: Any, call: Call) -> Moved:
    """Images go over to the new data format with their layer; kernels do not depend on it."""
    if layer.data_format == call.data_format or _mixes_features(layer):
        return call.unchanged()
    return call.passed(moved(call.data_format, call.rank), call.changed(data_format=call.data_format))


@_rules(*GLOBAL_POOLING)
def _global_pooling(layer: Any, call: Call) -> Moved:
    if layer.data_format == call.data_format:
        return call.unchanged()
    taken = moved(call.data_format, call.rank)
    return Moved([taken], call.changed(data_format=call.data_format), [identity(2)])


@_rules(L.BatchNormalization)
def _normalization(layer: Any, call: Call) -> Moved:
    layout = call.first
    if layer.mode and not layout.is_identity:
        return call.unchanged()
    axis = layer.axis % call.rank
    weights: dict[LayerPath, Chain] = {}
    if layout.features and axis == call.rank - 1:
        weights = {(weight.name,): _rows("o", "o", layout) for weight in layer.weight_specs(call.shapes[0])}
    return call.passed(layout, call.changed(axis=_like(layer.axis, layout.axis(axis), call.rank)), weights)


@_rules(L.Softmax)
def _softmax(layer: Any, call: Call) -> Moved:
    return call.passed(call.first, call.changed(axis=_like(layer.axis, call.first.axis(layer.axis), call.rank)))


def _like(old: int, new: int, rank: int) -> int:
    """Axis `new` as the last axis is usually written: -1, or where `old` was written so."""
    return -1 if new == rank - 1 and (old < 0 or old != new) else new


@_rules(L.PReLU, L.SReLU, L.ParametricSoftplus)
def _map_parameters(layer: Any, call: Call) -> Moved:
    """Parameters as large as the feature map: their axes go the same way."""
    layout, names = call.first, "abcdefg"[: call.rank - 1]
    shared = sorted(layout.axis(axis) for axis in as_list(layer.shared_axes or []))
    if not layout.features:
        chain = Chain((Transpose(names, "".join(names[a - 1] for a in layout.axes[1:])),))
    else:
        chain = Chain() if call.rank - 1 in shared else _rows(names[-1], names, layout)
    weights: dict[LayerPath, Chain] = {(weight.name,): chain for weight in layer.weight_specs(call.shapes[0])}
    return call.passed(layout, call.changed(shared_axes=shared or None), weights)


@_rules(L.Dense, L.TimeDistributedDense)
def _dense(layer: Any, call: Call) -> Moved:
    return _reordered_kernel(call, {"kernel": "io"})


@_rules(L.MaxoutDense)
def _maxout(layer: Any, call: Call) -> Moved:
    return _reordered_kernel(call, {"kernel": "fio"})


@_rules(L.SimpleRNN, L.GRU, L.LSTM, L.CuDNNGRU, L.CuDNNLSTM)
def _recurrent(layer: Any, call: Call) -> Moved:
    return _reordered_kernel(call, {"kernel": "io"})


def _reordered_kernel(call: Call, kernels: dict[str, str]) -> Moved:
    """A layer whose kernels (axes by name) take the features of the last axis in any order."""
    layout = call.first
    kept = call.unchanged()
    if not layout.features:
        return kept
    weights: dict[LayerPath, Chain] = {(name,): _rows("i", axes, layout) for name, axes in kernels.items()}
    return Moved([layout, *kept.inputs[1:]], call.layer, kept.outputs, weights)


def _rows(axis: str, of: str, layout: Layout) -> Chain:
    return Chain((Rows(axis, of, layout.features or ()),))


@_rules(L.Flatten)
def _flatten(layer: Any, call: Call) -> Moved:
    """A Flatten that can state a data format (Keras 2.2+) may keep the order by itself; else weights absorb it."""
    if not layer.data_format:
        return _flattened(call, layer, False, False)
    first = layer.data_format == CHANNELS_FIRST
    ways = {
        form: _flattened(call, call.changed(data_format=form), first, form == CHANNELS_FIRST) for form in DATA_FORMATS
    }
    keeping = [form for form in (call.data_format, *DATA_FORMATS) if ways[form].outputs[0].is_identity]
    return ways[keeping[0] if keeping and call.path not in call.reordered else layer.data_format]


@_rules(L.Reshape)
def _reshape(layer: Any, call: Call) -> Moved:
    return _flattened(call, layer, False, False) if len(layer.target_shape) == 1 else call.unchanged()


def _flattened(call: Call, layer: Layer, old_first: bool, new_first: bool) -> Moved:
    """The features come out in another order, which the next weights absorb.

    old_first, new_first: whether the old and the new layer move axis 1 last before they flatten
    (Keras 2.2+, channels_first).
    """
    layout, sizes = call.first, call.shapes[0][1:]
    if layout.is_identity or call.path in call.restored or None in sizes:
        return call.unchanged()
    if layout.features:
        return Moved([layout], call.layer, [replace(layout, axes=(0, 1), features=_repeated(layout, sizes, old_first))])
    names = _axis_names(layout)
    by_name = dict(zip(names, sizes, strict=True))
    old = _read_order(names, old_first)
    new = _read_order("".join(names[axis - 1] for axis in layout.axes[1:]), new_first)
    block = Block(old, new, tuple(by_name[name] for name in old))  # type: ignore[misc]
    if block.is_identity:
        return Moved([layout], layer, [identity(2)])
    return Moved([layout], layer, [Layout((0, 1), (block,), frozenset({call.path}))])


def _read_order(names: str, moves_first_last: bool) -> str:
    return names[1:] + names[0] if moves_first_last else names


def _repeated(layout: Layout, sizes: Sequence[int | None], moves_first_last: bool) -> tuple[Block, ...]:
    """The features of a sequence of vectors, flattened: step by step, or every feature's steps together."""
    blocks, steps = layout.features or (), [size or 1 for size in sizes[:-1]]
    if moves_first_last and steps:
        first = steps.pop(0)
        blocks = tuple(_with_last_axis(block, first) for block in blocks)
    return blocks * prod(steps)


def _with_last_axis(block: Block, size: int) -> Block:
    """Every feature of `block` as `size` features, which stay together."""
    name = next(letter for letter in "xyzabc" if letter not in block.source)
    return Block(block.source + name, block.target + name, (*block.shape, size))


def _axis_names(layout: Layout) -> str:
    """Names for the old axes without the batch's: t c h w (d before h in volumes) for images."""
    rank = len(layout.axes)
    for time, names in ((0, {4: "chw", 5: "cdhw"}), (1, {5: "tchw", 6: "tcdhw"})):
        if rank in names and layout == moved(CHANNELS_LAST, rank, time):
            return names[rank]
        if rank in names and layout == moved(CHANNELS_FIRST, rank, time):
            return names[rank].replace("c", "") + "c"
    return "abcdefg"[: rank - 1]


@_rules(L.Permute)
def _permute(layer: Any, call: Call) -> Moved:
    """Takes the axes from where they went to where the old layer put them."""
    if not call.first.keeps_axes:
        dims = tuple(call.first.axis(old) for old in layer.dims)
        return Moved([call.first], call.changed(dims=dims), [identity(call.rank)])
    return call.unchanged()


@_rules(L.RepeatVector)
def _repeat_vector(layer: Any, call: Call) -> Moved:
    return Moved([call.first], layer, [replace(call.first, axes=(0, 1, 2))])


@_rules(L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum)
def _merge(layer: Any, call: Call) -> Moved:
    """All inputs in one layout; in the old order where some have fewer axes than others."""
    ranks = {len(shape) for shape in call.shapes}
    return call.passed(_common(call)) if len(ranks) == 1 else call.unchanged()


def _common(call: Call) -> Layout:
    """The layout that all inputs of a merge are brought to: the first new one, if all can take it."""
    new = [layout for layout in call.given if not layout.is_identity]
    if not new:
        return identity(call.rank)
    if new[0].features and any(layout != new[0] for layout in call.given):
        return identity(call.rank)
    return new[0]


@_rules(L.Concatenate)
def _concatenate(layer: Any, call: Call) -> Moved:
    return _concatenated(call, "axis")


@_rules(L.Merge)
def _old_merge(layer: Any, call: Call) -> Moved:
    if layer.mode == "concat":
        return _concatenated(call, "concat_axis")
    return _merge(layer, call) if layer.mode in ("sum", "mul", "ave", "max") else call.unchanged()


def _concatenated(call: Call, key: str) -> Moved:
    """Flattened branches join block by block; maps join along the axis where it went."""
    axis = getattr(call.layer, key)
    features = [layout.features for layout in call.given]
    if any(features) and all(layout.keeps_axes for layout in call.given) and axis % call.rank == call.rank - 1:
        blocks: list[Block] = []
        for shape, layout in zip(call.shapes, call.given, strict=True):
            blocks += layout.features or (unchanged_block(call.layer.known(shape, -1)),)
        origins = frozenset().union(*(layout.origins for layout in call.given))
        return Moved(call.given, call.layer, [replace(identity(call.rank), features=tuple(blocks), origins=origins)])
    layout = _common(call)
    return call.passed(layout, call.changed(**{key: _like(axis, layout.axis(axis), call.rank)}))


@_rules(L.TimeDistributed)
def _time_distributed(layer: Any, call: Call) -> Moved:
    """What becomes of the inner layer, one axis later."""
    shape = call.shapes[0]
    given = call.first if call.first.axes[1] == 1 else identity(call.rank)
    inner = replace(
        call,
        layer=layer.layer,
        shapes=[(shape[0], *shape[2:])],
        given=[given.inner()],
        path=f"{call.path}/{layer.layer.name}",
    )
    result = rule(layer.layer, inner)
    weights = {(layer.layer.name, *path): chain for path, chain in result.weights.items()}
    return Moved(
        [layout.outer() for layout in result.inputs],
        call.changed(layer=result.layer),
        [layout.outer() for layout in result.outputs],
        weights,
        reordered=result.reordered,
        notes=result.notes,
    )


@_rules(L.Bidirectional)
def _bidirectional(layer: Any, call: Call) -> Moved:
    """Both directions take the same features; their outputs keep the old order."""
    results = [rule(inner, replace(call, layer=inner)) for inner in layer.sublayers]
    kept = call.unchanged()
    weights = {
        (inner.name, *path): chain
        for inner, result in zip(layer.sublayers, results, strict=True)
        for path, chain in result.weights.items()
    }
    if not all(output.is_identity for output in results[0].outputs):
        return kept
    return Moved(results[0].inputs[:1] + kept.inputs[1:], layer, kept.outputs, weights)


@_rules(Network)
def _nested(model: Network, call: Call) -> Moved:
    """A nested model is carried over by itself, from the layouts its own layers want."""
    result = _Walk(model, call.data_format, call.path + "/", call.restored, call.reordered).run()
    return Moved(
        result.inputs, result.model, result.outputs, result.weights, result.layouts, result.reordered, result.notes
    )


# ------------------------------------------------------------------- graph ----


@dataclass(frozen=True)
class Relayout:
    """A model carried over to another data format.

    inputs, outputs: layouts of the model's inputs and outputs; layouts: of the tensors, by the names
    of `Model.activations` (as it was where there is none); weights: ops on canonical weights, by path;
    reordered: the Flattens whose features weights took in a new order; notes: what was inserted and why.
    """

    model: Network
    inputs: list[Layout]
    outputs: list[Layout]
    layouts: dict[str, Layout]
    weights: dict[LayerPath, Chain]
    reordered: frozenset[str]
    notes: list[str]


def relayout(model: Network, data_format: str | None, reordered: frozenset[str] = frozenset()) -> Relayout:
    """`model` with every image layer in `data_format`; None keeps all as it is.

    reordered: Flattens (by path) that should leave a new order of features to the weights even where
    they could keep it by a data format of their own, so that a converted model comes back as it was.
    The outputs of the new model are those of the old one for inputs brought to `inputs`, brought to
    `outputs`. Kernels never change; Dense rows, map-shaped parameters and vectors do (`weights`).
    """
    if data_format is None:
        kept = [identity(len(shape)) for shape in model.input_shapes]
        outputs = [identity(len(model.shapes()[ref])) for ref in model.output_refs]
        return Relayout(model, kept, outputs, {}, {}, frozenset(), [])
    restored: frozenset[str] = frozenset()
    while True:
        try:
            result = _Walk(model, data_format, "", restored, reordered).run()
            late = frozenset().union(*(layout.origins for layout in result.outputs))
            if not late:
                return result
            raise Restore(late)
        except Restore as found:
            if found.origins <= restored:
                raise KconvertError(
                    f"the order of the features that {', '.join(sorted(found.origins))} makes cannot be kept",
                    where=model.name,
                    fix="use --data-format keep",
                ) from None
            restored = restored | found.origins


class _Walk:
    """One pass over a graph, from the inputs to the outputs."""

    def __init__(
        self, model: Network, data_format: str, prefix: str, restored: frozenset[str], reordered: frozenset[str]
    ) -> None:
        self.model, self.data_format, self.prefix = model, data_format, prefix
        self.restored, self.reordered = restored, reordered
        self.origins: set[str] = set()
        self.shapes = model.shapes()
        self.layouts: dict[Ref, Layout] = {}
        self.inner: dict[str, Layout] = {}  # of tensors in nested models
        self.done: dict[str, Moved] = {}
        self.weights: dict[LayerPath, Chain] = {}
        self.inserted: list[tuple[Layer, Node]] = []
        self.nodes: list[Node] = []
        self.notes: list[str] = []
        self.permuted: dict[tuple[Ref, Layout], Ref] = {}

    def run(self) -> Relayout:
        wanted = [wants(self.model, ref, self.data_format) for ref in self.model.input_refs]
        self.layouts.update(zip(self.model.input_refs, wanted, strict=True))
        for node in self.model.nodes:
            if node.inputs:
                self._call(node)
            else:
                self.nodes.append(node)
        model = self._model()
        outputs = [self.layouts[ref] for ref in self.model.output_refs]
        layouts = {ref.key: layout for ref, layout in self.layouts.items()} | self.inner
        return Relayout(model, wanted, outputs, layouts, self.weights, frozenset(self.origins), self.notes)

    def _call(self, node: Node) -> None:
        layer = self.model.by_name[node.layer]
        shapes = [self.shapes[ref] for ref in node.inputs]
        given = [self.layouts[ref] for ref in node.inputs]
        path = self.prefix + layer.name
        call = Call(layer, shapes, given, self.data_format, path, self.restored, self.reordered)
        result = self._agreed(layer, call.unchanged() if path in self.restored else rule(layer, call), path)
        inputs = tuple(
            self._brought(ref, have, want, layer)
            for ref, have, want in zip(node.inputs, given, result.inputs, strict=True)
        )
        self.nodes.append(replace(node, inputs=inputs))
        self.layouts.update((Ref(node.layer, node.index, i), layout) for i, layout in enumerate(result.outputs))
        self.origins.update(*(layout.origins for layout in result.outputs))
        self.inner.update((f"{node.output.key}/{name}", layout) for name, layout in result.layouts.items())
        self.weights.update(((layer.name, *path), chain) for path, chain in result.weights.items())

    def _agreed(self, layer: Layer, result: Moved, path: str) -> Moved:
        """What becomes of a layer at this call: as at its first call, if it would become something else."""
        first = self.done.setdefault(layer.name, result)
        if first is result:
            self.notes += result.notes
            self.origins |= result.reordered
        elif first.weights != result.weights or first.layer.get_config() != result.layer.get_config():
            if [len(layout.axes) for layout in first.inputs] != [len(layout.axes) for layout in result.inputs]:
                raise Restore({path})
            return first
        return result

    def _brought(self, ref: Ref, have: Layout, want: Layout, layer: Layer) -> Ref:
        """The tensor `ref` in the layout `want`, through a Permute where it is not."""
        if have == want:
            return ref
        if have.features or want.features:
            raise Restore(have.origins | want.origins)
        if (ref, want) not in self.permuted:
            dims = tuple(have.axes.index(axis) for axis in want.axes[1:])
            name = self._fresh(f"permute_{ref.layer}")
            permute = L.Permute(dims, name=name)
            self.inserted.append((permute, Node(name, 0, (ref,))))
            self.nodes.append(Node(name, 0, (ref,)))
            self.permuted[ref, want] = Ref(name)
            order = "the old order" if want.is_identity else self.data_format
            self.notes.append(f"{self.prefix}{name}: a Permute{dims} brings {ref.key} to {order} for {layer.name}")
        return self.permuted[ref, want]

    def _fresh(self, name: str) -> str:
        taken = set(self.model.by_name) | {layer.name for layer, _ in self.inserted}
        return next(n for n in (name, *(f"{name}_{i}" for i in range(2, 1000))) if n not in taken)

    def _model(self) -> Network:
        """The new graph; a chain stays a chain."""
        layers = {
            name: self.done[name].layer if name in self.done else layer for name, layer in self.model.by_name.items()
        }
        for ref, layout in self.layouts.items():
            layer = layers[ref.layer]
            if ref in self.model.input_refs and layer.batch_input_shape is not None:
                layers[ref.layer] = copy(layer)
                layers[ref.layer].batch_input_shape = layout.shape(tuple(layer.batch_input_shape))
        layers.update((layer.name, layer) for layer, _ in self.inserted)
        if isinstance(self.model, Sequential):
            return self._chain(layers)
        return Network(
            layers=_in_order(self.nodes, layers),
            nodes=self.nodes,
            input_refs=self.model.input_refs,
            output_refs=self.model.output_refs,
            name=self.model.name,
            trainable=self.model.trainable,
        )

    def _chain(self, layers: dict[str, Layer]) -> Sequential:
        chain = [layers[node.layer] for node in self.nodes]
        first = copy(chain[1])
        first.batch_input_shape = chain[0].batch_input_shape
        first.dtype = first.dtype or chain[0].dtype
        chain[1] = first
        return Sequential(chain[1:], name=self.model.name, trainable=self.model.trainable)


def _in_order(nodes: list[Node], layers: dict[str, Layer]) -> list[Layer]:
    """Layers in their old order; an inserted one stands before the first layer that uses it."""
    order = list(layers)
    for node in nodes:
        for ref in node.inputs:
            if order.index(ref.layer) > order.index(node.layer):
                order.remove(ref.layer)
                order.insert(order.index(node.layer), ref.layer)
    return [layers[name] for name in order]


def image_data_format(model: Network) -> str | None:
    """The data format that all image layers of `model` state, None where there are none or they differ."""
    images = (*SPATIAL_LAYERS, *GLOBAL_POOLING)
    stated = {layer.data_format for _, layer in model.leaves() if isinstance(layer, images)}
    return stated.pop() if len(stated) == 1 else None


# ------------------------------------------------------------ what is wanted ----


def wants(model: Network, ref: Ref, data_format: str) -> Layout:
    """The layout in which the layers that use tensor `ref` want it: that of the first image layer reached."""
    shapes = model.shapes()
    todo, seen = [ref], {ref}
    while todo:
        tensor = todo.pop(0)
        for node in model.nodes:
            if tensor not in node.inputs:
                continue
            layer = model.by_name[node.layer]
            found = _wanted(layer, [shapes[r] for r in node.inputs], data_format, node.inputs.index(tensor))
            if found is not None:
                return found if len(found.axes) == len(shapes[ref]) else identity(len(shapes[ref]))
            if _passes(layer) and node.output not in seen:
                seen.add(node.output)
                todo.append(node.output)
    return identity(len(shapes[ref]))


def _wanted(layer: Layer, shapes: list[Shape], data_format: str, position: int) -> Layout | None:
    """The layout that this very layer wants of its input; None where it takes any or has no wish."""
    if isinstance(layer, Network):
        return wants(layer, layer.input_refs[position], data_format)
    if isinstance(layer, L.TimeDistributed):
        shape = shapes[0]
        inner = _wanted(layer.layer, [(shape[0], *shape[2:])], data_format, 0)
        return inner.outer() if inner else None
    if isinstance(layer, (*SPATIAL_LAYERS, *GLOBAL_POOLING)):
        shape = shapes[0]
        (taken,) = rule(layer, Call(layer, [shape], [identity(len(shape))], data_format, "")).inputs
        return taken
    return None


def _passes(layer: Layer) -> bool:
    """Whether the layer gives the layout it takes."""
    return rule.dispatch(type(layer)) in (
        _elementwise,
        _spatial_dropout,
        _activation,
        _normalization,
        _merge,
        _map_parameters,
    )
