"""The rules that convert each class of layers to another data format.

A rule states the layouts of a layer's inputs, its new configuration and weights, and the layouts of its outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from ... import layers as L
from ...conventions.backends import CHANNELS_FIRST, CHANNELS_LAST, DATA_FORMATS
from ...kernels import Block, Chain, Rows, Transpose, unchanged_block
from ...layers.activations import is_elementwise
from ...layers.base import Layer, Shape
from ...layers.lists import as_list
from ...layers.shapes import axes_of
from ...network.graph import LayerPath
from ...network.layout import Layout, identity, image_layout
from ...network.rewrite import changed
from .relayout_tables import RuleInput, RuleResult, rule, rules, wanted_layout

# ------------------------------------------------------------- elementwise ----


@rules(
    L.Dropout, L.GaussianNoise, L.GaussianDropout, L.AlphaDropout, L.ActivityRegularization,
    L.LeakyReLU, L.ELU, L.ThresholdedReLU, L.ThresholdedLinear, L.ReLU, L.SpatialDropout1D,
    keeps=True,
)  # fmt: skip
def _elementwise(layer: Layer, call: RuleInput) -> RuleResult:
    return call.kept(call.first)


@rules(L.SpatialDropout2D, L.SpatialDropout3D, keeps=True)
def _spatial_dropout(layer: Any, call: RuleInput) -> RuleResult:
    return call.kept(call.first, changed(layer, data_format=call.data_format))


@rules(L.Activation, keeps=True)
def _activation(layer: Any, call: RuleInput) -> RuleResult:
    return call.unchanged() if _mixes_features(layer) and not call.first.keeps_axes else call.kept(call.first)


def _mixes_features(layer: Any) -> bool:
    """Whether the activation may look at more than one element; a function of the user may."""
    return not is_elementwise(vars(layer).get("activation"))


# Layers of images that state a data format. A class in this list gets the rule below, and wants images in the new data
# format.
IMAGE_LAYERS = (
    L.Conv2D, L.Conv3D, L.Conv2DTranspose, L.Conv3DTranspose, L.DepthwiseConv2D, L.SeparableConv2D,
    L.MaxPooling2D, L.MaxPooling3D, L.AveragePooling2D, L.AveragePooling3D,
    L.GlobalMaxPooling2D, L.GlobalMaxPooling3D, L.GlobalAveragePooling2D, L.GlobalAveragePooling3D,
    L.ZeroPadding2D, L.ZeroPadding3D, L.Cropping2D, L.Cropping3D, L.UpSampling2D, L.UpSampling3D,
)  # fmt: skip


@rules(L.Conv2DTranspose)
def _transposed(layer: Any, call: RuleInput) -> RuleResult:
    """As for every image layer; what Keras 1 states of the output's shape goes over too."""
    result, stated = _image_layer(layer, call), layer.keras1_output_shape
    if stated is None or result.layer is layer:
        return result
    new = changed(result.layer, keras1_output_shape=list(result.outputs[0].shape(tuple(stated))))
    return replace(result, layer=new)


@rules(*(cls for cls in IMAGE_LAYERS if cls is not L.Conv2DTranspose))
def _image_layer(layer: Any, call: RuleInput) -> RuleResult:
    """The images change to the new data format; kernels do not depend on it."""
    if layer.data_format == call.data_format or _mixes_features(layer):
        return call.unchanged()
    images = image_layout(call.data_format, call.rank)
    # global pooling gives (batch, channels), which has no data format
    outputs = [images if rank == call.rank else identity(rank) for rank in call.output_ranks()]
    return RuleResult([images], changed(layer, data_format=call.data_format), outputs)


@rules(L.BatchNormalization, keeps=True)
def _normalization(layer: Any, call: RuleInput) -> RuleResult:
    layout = call.first
    if layer.mode and not layout.is_identity:
        return call.unchanged()
    axis = layer.axis % call.rank
    weights: dict[LayerPath, Chain] = {}
    if layout.features and axis == call.rank - 1:
        weights = {(weight.name,): _rows("o", "o", layout) for weight in layer.weight_specs(call.shapes[0])}
    return call.kept(layout, changed(layer, axis=_like(layer.axis, layout.axis(axis), call.rank)), weights)


@rules(L.LayerNormalization, L.Normalization, keeps=True)
def _normalization_of_axes(layer: Any, call: RuleInput) -> RuleResult:
    """Parameters with the axes that the layer names: these go the same way.

    A LayerNormalization that does not name its axes in their order keeps the old order.
    """
    layout, old = call.first, axes_of(layer.axis, call.rank)
    ordered = sorted(old)
    if layout.is_identity or 0 in old or (isinstance(layer, L.LayerNormalization) and list(old) != ordered):
        return call.unchanged()
    new = sorted(layout.axis(axis) for axis in old)
    names = "abcdefg"[: len(old)]
    by_axis = dict(zip(ordered, names, strict=True))
    chain = Chain((Transpose(names, "".join(by_axis[layout.axes[axis]] for axis in new)),))
    if layout.features:
        chain = _rows(by_axis[call.rank - 1], names, layout) if call.rank - 1 in old else Chain()
    specs = layer.weight_specs(call.shapes[0])
    weights: dict[LayerPath, Chain] = {(w.name,): chain for w in specs if w.role.axes == names}
    axis = [_like(before, after, call.rank) for before, after in zip(as_list(layer.axis), new, strict=True)]
    words: dict[str, Any] = {"axis": axis if isinstance(layer.axis, list) else axis[0]}
    if isinstance(layer, L.Normalization) and layer.mean is not None:
        sizes = layer.sizes(call.shapes[0])
        words |= {key: chain.apply(layer.stated(key, sizes))[0].tolist() for key in ("mean", "variance")}
    return call.kept(layout, changed(layer, **words), weights)


@rules(L.Rescaling, keeps=True)
def _rescaling(layer: Any, call: RuleInput) -> RuleResult:
    """A scale or offset that is an array broadcasts to the last axes of the input."""
    words = {key: _broadcast(getattr(layer, key), call.first) for key in ("scale", "offset")}
    return call.kept(call.first, changed(layer, **words))


def _broadcast(value: Any, layout: Layout) -> Any:
    """`value`, which broadcasts to an array in the old order, for the array in the order of `layout`."""
    array = np.asarray(value)
    if not array.ndim or layout.is_identity:
        return value
    array = array.reshape((1,) * (len(layout.axes) - array.ndim) + array.shape).transpose(layout.axes)
    if layout.features and array.shape[-1] > 1:
        array = array.take(Rows("o", "o", layout.features).index, axis=-1)
    while array.ndim > 1 and len(array) == 1:  # axes that broadcasting adds
        array = array[0]
    return array.tolist()


@rules(L.Softmax)
def _softmax(layer: Any, call: RuleInput) -> RuleResult:
    if not isinstance(layer.axis, int):
        axes = [_like(axis, call.first.axis(axis), call.rank) for axis in layer.axis]
        return call.kept(call.first, changed(layer, axis=axes))
    return call.kept(call.first, changed(layer, axis=_like(layer.axis, call.first.axis(layer.axis), call.rank)))


def _like(old: int, new: int, rank: int) -> int:
    """Axis `new` as the last axis is usually written: -1, or where `old` was written so."""
    return -1 if new == rank - 1 and (old < 0 or old != new) else new


@rules(L.PReLU, L.SReLU, L.ParametricSoftplus, keeps=True)
def _map_parameters(layer: Any, call: RuleInput) -> RuleResult:
    """Parameters as large as the feature map: their axes go the same way."""
    layout, names = call.first, "abcdefg"[: call.rank - 1]
    shared = sorted(layout.axis(axis) for axis in as_list(layer.shared_axes or []))
    if not layout.features:
        chain = Chain((Transpose(names, "".join(names[a - 1] for a in layout.axes[1:])),))
    else:
        chain = Chain() if call.rank - 1 in shared else _rows(names[-1], names, layout)
    weights: dict[LayerPath, Chain] = {(weight.name,): chain for weight in layer.weight_specs(call.shapes[0])}
    return call.kept(layout, changed(layer, shared_axes=shared or None), weights)


@rules(L.Dense, L.TimeDistributedDense)
def _dense(layer: Any, call: RuleInput) -> RuleResult:
    return _reordered_kernel(call, {"kernel": "io"})


@rules(L.MaxoutDense)
def _maxout(layer: Any, call: RuleInput) -> RuleResult:
    return _reordered_kernel(call, {"kernel": "fio"})


@rules(L.SimpleRNN, L.GRU, L.LSTM, L.CuDNNGRU, L.CuDNNLSTM)
def _recurrent(layer: Any, call: RuleInput) -> RuleResult:
    return _reordered_kernel(call, {"kernel": "io"})


def _reordered_kernel(call: RuleInput, kernels: dict[str, str]) -> RuleResult:
    """A layer whose kernels (axes by name) take the features of the last axis in any order."""
    layout = call.first
    kept = call.unchanged()
    if not layout.features:
        return kept
    weights: dict[LayerPath, Chain] = {(name,): _rows("i", axes, layout) for name, axes in kernels.items()}
    return RuleResult([layout, *kept.inputs[1:]], call.layer, kept.outputs, weights)


def _rows(axis: str, of: str, layout: Layout) -> Chain:
    return Chain((Rows(axis, of, layout.features or ()),))


@rules(L.Flatten)
def _flatten(layer: Any, call: RuleInput) -> RuleResult:
    """A Flatten that can state a data format (Keras 2.2+) may keep the order by itself; otherwise weights absorb it."""
    if not layer.data_format:
        return _flattened(call, layer, False, False)
    first = layer.data_format == CHANNELS_FIRST
    ways = {
        stated: _flattened(call, changed(layer, data_format=stated), first, stated == CHANNELS_FIRST)
        for stated in DATA_FORMATS
    }
    keeping = [stated for stated in (call.data_format, *DATA_FORMATS) if ways[stated].outputs[0].is_identity]
    return ways[keeping[0] if keeping and call.path not in call.reordered else layer.data_format]


@rules(L.Reshape)
def _reshape(layer: Any, call: RuleInput) -> RuleResult:
    return _flattened(call, layer, False, False) if len(layer.target_shape) == 1 else call.unchanged()


def _flattened(call: RuleInput, layer: Layer, old_first: bool, new_first: bool) -> RuleResult:
    """The features come out in another order, which the next weights absorb.

    old_first, new_first: whether the old and the new layer move axis 1 last before they flatten
    (Keras 2.2+, channels_first).
    """
    layout, sizes = call.first, call.shapes[0][1:]
    if layout.is_identity or call.path in call.restored or None in sizes:
        return call.unchanged()
    if layout.features:
        return RuleResult(
            [layout], call.layer, [replace(layout, axes=(0, 1), features=_repeated(layout, sizes, old_first))]
        )
    names = _axis_names(layout)
    by_name = dict(zip(names, sizes, strict=True))
    old = _read_order(names, old_first)
    new = _read_order("".join(names[axis - 1] for axis in layout.axes[1:]), new_first)
    block = Block(old, new, tuple(by_name[name] for name in old))  # type: ignore[misc]
    if block.is_identity:
        return RuleResult([layout], layer, [identity(2)])
    return RuleResult([layout], layer, [Layout((0, 1), (block,), frozenset({call.path}))])


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
        if rank in names and layout == image_layout(CHANNELS_LAST, rank, time):
            return names[rank]
        if rank in names and layout == image_layout(CHANNELS_FIRST, rank, time):
            return names[rank].replace("c", "") + "c"
    return "abcdefg"[: rank - 1]


@rules(L.Permute)
def _permute(layer: Any, call: RuleInput) -> RuleResult:
    """Takes the axes from where they went to where the old layer put them."""
    if not call.first.keeps_axes:
        dims = tuple(call.first.axis(old) for old in layer.dims)
        return RuleResult([call.first], changed(layer, dims=dims), [identity(call.rank)])
    return call.unchanged()


@rules(L.RepeatVector)
def _repeat_vector(layer: Any, call: RuleInput) -> RuleResult:
    return RuleResult([call.first], layer, [replace(call.first, axes=(0, 1, 2))])


@rules(L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum, keeps=True)
def _merge(layer: Any, call: RuleInput) -> RuleResult:
    """All inputs in one layout; in the old order where some have fewer axes than others."""
    ranks = {len(shape) for shape in call.shapes}
    return call.kept(_common(call)) if len(ranks) == 1 else call.unchanged()


def _common(call: RuleInput) -> Layout:
    """The layout that all inputs of a merge are brought to: the first new one, if all can take it."""
    new = [layout for layout in call.layouts if not layout.is_identity]
    if not new:
        return identity(call.rank)
    if new[0].features and any(layout != new[0] for layout in call.layouts):
        return identity(call.rank)
    return new[0]


@rules(L.Concatenate)
def _concatenate(layer: Any, call: RuleInput) -> RuleResult:
    return _concatenated(call, "axis")


@rules(L.Merge)
def _old_merge(layer: Any, call: RuleInput) -> RuleResult:
    if layer.is_function:
        return call.unchanged()
    if layer.mode == "concat":
        return _concatenated(call, "concat_axis")
    return _merge(layer, call) if layer.mode in ("sum", "mul", "ave", "max") else call.unchanged()


def _concatenated(call: RuleInput, key: str) -> RuleResult:
    """Flattened branches join block by block; maps join along the axis where it went."""
    axis = getattr(call.layer, key)
    features = [layout.features for layout in call.layouts]
    if any(features) and all(layout.keeps_axes for layout in call.layouts) and axis % call.rank == call.rank - 1:
        blocks: list[Block] = []
        for shape, layout in zip(call.shapes, call.layouts, strict=True):
            blocks += layout.features or (unchanged_block(call.layer.known(shape, -1)),)
        origins = frozenset().union(*(layout.origins for layout in call.layouts))
        return RuleResult(
            call.layouts, call.layer, [replace(identity(call.rank), features=tuple(blocks), origins=origins)]
        )
    layout = _common(call)
    return call.kept(layout, changed(call.layer, **{key: _like(axis, layout.axis(axis), call.rank)}))


@rules(L.TimeDistributed)
def _time_distributed(layer: Any, call: RuleInput) -> RuleResult:
    """The rule of the inner layer, with one more axis."""
    shape = call.shapes[0]
    given = call.first if call.first.axes[1] == 1 else identity(call.rank)
    inner = replace(
        call,
        layer=layer.layer,
        shapes=[(shape[0], *shape[2:])],
        layouts=[given.inner()],
        path=f"{call.path}/{layer.layer.name}",
    )
    result = rule(layer.layer, inner)
    weights = {(layer.layer.name, *path): chain for path, chain in result.weights.items()}
    return RuleResult(
        [layout.outer() for layout in result.inputs],
        changed(layer, layer=result.layer),
        [layout.outer() for layout in result.outputs],
        weights,
        reordered=result.reordered,
        notes=result.notes,
    )


@rules(L.Bidirectional)
def _bidirectional(layer: Any, call: RuleInput) -> RuleResult:
    """Both directions take the same features; their outputs, and the initial states, keep the old order."""
    sequence = replace(call, shapes=call.shapes[:1], layouts=call.layouts[:1])
    results = [rule(inner, replace(sequence, layer=inner)) for inner in layer.sublayers]
    kept = call.unchanged()
    weights = {
        (inner.name, *path): chain
        for inner, result in zip(layer.sublayers, results, strict=True)
        for path, chain in result.weights.items()
    }
    if not all(output.is_identity for output in results[0].outputs):
        return kept
    return RuleResult(results[0].inputs[:1] + kept.inputs[1:], layer, kept.outputs, weights)


@wanted_layout.register(L.TimeDistributed)
def _wanted_at_each_step(layer: Any, shapes: list[Shape], data_format: str, position: int) -> Layout | None:
    batch, _, *step = shapes[0]
    inner = wanted_layout(layer.layer, [(batch, *step)], data_format, 0)
    return inner.outer() if inner else None


def _wanted_by_image_layer(layer: Any, shapes: list[Shape], data_format: str, position: int) -> Layout:
    (shape,) = shapes
    (taken,) = rule(layer, RuleInput(layer, [shape], [identity(len(shape))], data_format, "")).inputs
    return taken


for _class in IMAGE_LAYERS:
    wanted_layout.register(_class, _wanted_by_image_layer)
