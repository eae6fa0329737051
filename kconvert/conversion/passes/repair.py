"""Repairs hazards: replaces layers by ones that every backend computes as the source's backend did.

A layer with padding='same' that two backends pad differently gets padding='valid', and separate layers add the padding
of the source's backend (keras-facts: same-padding-spelled-out):

    convolution              zeros around its input (or a crop), then the convolution; zeros around sequences in
                             channels_first are added between two Permutes
    transposed convolution   the full result, then a crop
    convolutional LSTM       a kernel of even size grows by zeros to the odd one that is padded alike,
                             with zeros around the input to match
    pooling                  the windows that hang over the edge belong to smaller poolings of the edge;
                             all parts are joined again (exact for maximum and average alike)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import singledispatch
from itertools import groupby, product
from math import prod
from typing import Any

from ... import layers as L
from ...arguments import argument
from ...conventions.backends import BACKENDS, CHANNELS_FIRST, BackendFacts, same_padding
from ...conventions.generations import Convention, Generation
from ...conventions.roles import SPATIAL
from ...errors import KconvertError
from ...formats.limits import check_limit
from ...kernels import Chain, Grow
from ...layers.activations import activation_name, is_elementwise
from ...layers.base import Layer, Shape
from ...layers.component_names import stated
from ...lazy_dataclasses import dataclass
from ...network.network import Network
from ...network.rewrite import NewLayer, changed, class_names, in_sequence, in_sequence_or_nested, rewrite
from ...network.rewritten import Rewritten
from .hazards import Window, differs, hazards, spatial_sizes, windows

PADDINGS = {1: L.ZeroPadding1D, 2: L.ZeroPadding2D, 3: L.ZeroPadding3D}
CROPPINGS = {1: L.Cropping1D, 2: L.Cropping2D, 3: L.Cropping3D}

Pairs = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Context:
    """The source and the target of a repair."""

    facts: BackendFacts
    """The backend whose padding is spelled out."""
    generation: Generation
    """The generation that will read the result."""


def repair(model: Network, source: str, target: Convention, in_place: bool = False) -> Rewritten:
    """`model` without its hazards: layers that backend `source` and that of `target` compute differently.

    in_place: a layer that becomes a graph becomes a nested network of its name, so that a Sequential stays one.
    Raises KconvertError naming the layer that cannot be repaired.
    """
    if not hazards(model, source, target.backend):
        return Rewritten(model)
    context = Context(BACKENDS[source], target.generation)
    notes: list[str] = []

    def repaired(layer: Layer, shape: Any) -> Sequence[NewLayer] | None:
        if not differs(layer, shape, context.facts, target.facts):
            return None
        new = explicit(layer, shape, context)
        notes.append(f"{layer.name}: what {source} computes is spelled out ({class_names(new)})")
        return in_sequence_or_nested(new, layer, shape) if in_place else new

    return replace(rewrite(model, repaired), notes=list(dict.fromkeys(notes)))


@singledispatch
def explicit(layer: Layer, shape: Any, context: Context) -> Sequence[NewLayer]:
    """The layers that compute `layer` with the padding of `context` spelled out.

    By default a layer is refused: a class with `windows` or `lacking` in hazards.py that has no function here, neither
    for itself nor for a base class, cannot be converted where it is a hazard.
    """
    raise KconvertError(
        f"no layers around this {layer.class_name} make it the same on both backends",
        where=f"layer {layer.name}",
    )


# ------------------------------------------------------------- convolution ----


@explicit.register(L.Conv1D)
@explicit.register(L.Conv2D)
@explicit.register(L.Conv3D)
@explicit.register(L.DepthwiseConv1D)
@explicit.register(L.DepthwiseConv2D)
@explicit.register(L.SeparableConv1D)
@explicit.register(L.SeparableConv2D)
def _convolution(layer: Any, shape: Shape, context: Context) -> Sequence[NewLayer]:
    pads = []
    if layer.padding == "causal":
        pads.append(((layer.kernel_size[0] - 1) * layer.dilation_rate[0], 0))
    for window in windows(layer, shape):
        before = _before(layer, window, context)
        n, k, step = window.sizes
        even = (before, before)  # 'full' pads both ends alike, and so may 'same' where that adds no window
        adds = (n + 2 * before - k) // step != (n - 1) // step
        pads.append(same_padding(before, n, k, step) if layer.padding == "same" and adds else even)
    return in_sequence(*padded(layer, pads), changed(layer, padding="valid"))


@explicit.register(L.Conv2DTranspose)
@explicit.register(L.Conv3DTranspose)
def _transposed(layer: Any, shape: Shape, context: Context) -> Sequence[NewLayer]:
    sizes = [known(layer, n) for n in spatial_sizes(layer, layer.compute_output_shape(shape))]
    full = changed(layer, padding="valid", output_padding=None)
    if isinstance(layer, L.Conv2DTranspose) and layer.keras1_output_shape is not None:
        full.keras1_output_shape = None
    lengths = [known(layer, n) for n in spatial_sizes(layer, full.compute_output_shape(shape))]
    starts = [_before(layer, window, context) for window in windows(layer, shape)]
    crops = [(start, length - start - n) for start, length, n in zip(starts, lengths, sizes, strict=True)]
    if any(after < 0 for _, after in crops):
        extra = [max(-after, 0) for _, after in crops]
        full.output_padding = tuple(extra)
        crops = [(before, after + more) for (before, after), more in zip(crops, extra, strict=True)]
    if context.generation.states_output_shape:  # perhaps with a batch size
        batch, *_ = getattr(layer, "keras1_output_shape", None) or shape
        full.keras1_output_shape = [batch, *full.compute_output_shape(shape)[1:]]
    cropped = padded(layer, [(-before, -after) for before, after in crops])
    if is_elementwise(stated(layer, "activation")):
        return in_sequence(full, *cropped)
    full.activation = "linear"  # a softmax looks at the whole last axis, which is cropped first
    after = L.Activation(
        stated(layer, "activation"), name=f"{layer.name}_{activation_name(stated(layer, 'activation'))}"
    )
    return in_sequence(full, *cropped, after)


def _before(layer: Any, window: Window, context: Context) -> int:
    """The padding before the first element."""
    found = window.rule(context.facts, known(layer, window.size), window.kernel, window.stride)
    if found is None:
        raise KconvertError(
            f"{context.facts.name} has no {layer.class_name} with padding={layer.padding!r} and kernel_size "
            f"{layer.kernel_size}",
            where=f"layer {layer.name}",
        )
    return found


@explicit.register(L.ConvLSTM1D)
@explicit.register(L.ConvLSTM2D)
@explicit.register(L.ConvLSTM3D)
def _convolutional_recurrent(layer: Any, shape: Any, context: Context) -> Sequence[NewLayer]:
    """The recurrent convolution is 'same' whatever the layer says, so its kernel must be of odd size."""
    if isinstance(shape, list):
        raise KconvertError(
            f"a {layer.class_name} with initial states cannot be repaired: there is no place for zeros around its"
            " images alone",
            where=f"layer {layer.name}",
        )
    facts, step = context.facts, (shape[0], *shape[2:])
    space = SPATIAL[layer.rank]
    windows_per_axis = zip(
        space, spatial_sizes(layer, step), layer.kernel_size, layer.strides, layer.dilation_rate, strict=True
    )
    grown, pads = [], []
    for axis, size, k, stride, dilation in windows_per_axis:
        spread, n = (k - 1) * dilation + 1, known(layer, size)
        extra = 1 - k % 2
        before = (k + extra) // 2 - facts.conv_padding(n, k, 1)
        around = (0, 0)
        if layer.padding == "same":
            around = same_padding(facts.conv_padding(n, spread, stride), n, spread, stride)
        grown.append((axis, before, extra - before))
        pads.append((around[0] + before * dilation, around[1] + (extra - before) * dilation))
    grow = Chain((Grow(tuple(grown), f"{space}io"),))
    sizes = tuple(k + 1 - k % 2 for k in layer.kernel_size)
    frames = [L.TimeDistributed(frame, name=f"{frame.name}s") for frame in padded(layer, pads)]
    pieces = in_sequence(*frames, changed(layer, kernel_size=sizes, padding="valid"))
    return [*pieces[:-1], replace(pieces[-1], weights={("kernel",): grow, ("recurrent_kernel",): grow})]


def known(layer: Layer, size: int | None) -> int:
    if size is None:
        raise KconvertError(
            "its padding='same' depends on the size of its input, which is not known",
            where=f"layer {layer.name}",
            fix=f"give the sizes of the inputs, such as {argument('input_shape', (224, 224, 3))}",
        )
    return size


def padded(layer: Any, pads: Pairs) -> list[Layer]:
    """Zeros where a pad is positive, a crop where it is negative, one pair (before, after) a spatial axis."""
    zeros = [(max(before, 0), max(after, 0)) for before, after in pads]
    crops = [(max(-before, 0), max(-after, 0)) for before, after in pads]
    found: list[Layer] = []
    if any(map(any, zeros)):
        found.append(sized(PADDINGS[len(pads)], zeros, layer, f"{layer.name}_pad"))
    if any(map(any, crops)):
        found.append(sized(CROPPINGS[len(pads)], crops, layer, f"{layer.name}_crop"))
    return _with_time_first(layer, found) if len(pads) == 1 and layer.data_format == CHANNELS_FIRST else found


def _with_time_first(layer: Layer, found: list[Layer]) -> list[Layer]:
    """`found` between Permutes: padding and cropping of sequences have no data format (keras-facts: padding-1d)."""
    there, back = (L.Permute((2, 1), name=f"{layer.name}_{first}") for first in ("time_first", CHANNELS_FIRST))
    return [there, *found, back] if found else []


def sized(cls: Any, pairs: Pairs, layer: Any, name: str) -> Layer:
    """A padding or cropping layer in the data format of `layer`."""
    if len(pairs) == 1:
        return cls(tuple(pairs[0]), name=name)
    return cls(tuple(pairs), data_format=layer.data_format, name=name)


# --------------------------------------------------------------- upsampling ----


@explicit.register(L.UpSampling2D)
def _bilinear(layer: Any, shape: Shape, context: Context) -> Sequence[NewLayer]:
    """Upsampling by 4 is upsampling twice by 2; upsampling by 1 has no effect."""
    n, m = layer.size
    if n != m or n & (n - 1):
        raise KconvertError(
            f"no layers make the bilinear enlarging by {tuple(layer.size)} of steps by (2, 2)",
            where=f"layer {layer.name}",
        )
    steps = n.bit_length() - 1
    names = [*(f"{layer.name}_{i}" for i in range(1, steps)), layer.name]
    return (
        in_sequence(*(changed(layer, size=(2, 2), name=name) for name in names))
        if steps
        else in_sequence(L.Activation("linear", name=layer.name))
    )


# ----------------------------------------------------------------- pooling ----


@dataclass(frozen=True)
class Part:
    """Consecutive windows of one size on one axis: where they lie, the size, and how many."""

    start: int
    stop: int
    window: int


def parts(size: int, window: int, stride: int, before: int, count: int | None = None) -> list[Part]:
    """The windows of a pooling that starts `before` elements early, cut at the edges, in runs of equal size.

    count: how many; None: as many as padding='same' means. One that begins early is a run by itself: the next may be
    cut to the same elements.

    >>> parts(7, 2, 2, 1)
    [Part(start=0, stop=1, window=1), Part(start=1, stop=7, window=2)]
    """
    count = -(-size // stride) if count is None else count
    first = min(count, -(-before // stride))  # the windows from there on do not begin early
    behind = min(count, max(first, (size - window + before) // stride + 1))  # from there on they end late
    check_limit("calls", first + count - behind, "the windows at the edges need layers of their own", None)

    def cut(numbers: Iterable[int]) -> list[Part]:
        spans = [
            (max(start, 0), min(start + window, size), min(start, 0))
            for start in (i * stride - before for i in numbers)
        ]
        runs = [list(run) for _, run in groupby(spans, key=lambda span: (span[1] - span[0], span[2]))]
        return [Part(run[0][0], run[-1][1], run[0][1] - run[0][0]) for run in runs]

    whole = [Part(first * stride - before, (behind - 1) * stride - before + window, window)] if behind > first else []
    return [*cut(range(first)), *whole, *cut(range(behind, count))]


@explicit.register(L.MaxPooling1D)
@explicit.register(L.MaxPooling2D)
@explicit.register(L.MaxPooling3D)
@explicit.register(L.AveragePooling1D)
@explicit.register(L.AveragePooling2D)
@explicit.register(L.AveragePooling3D)
def _pooling(layer: Any, shape: Shape, context: Context) -> Sequence[NewLayer]:
    sizes = [known(layer, window.size) for window in windows(layer, shape)]
    axes = [
        parts(n, k, s, context.facts.pool_padding(n, k, s))
        for n, k, s in zip(sizes, layer.pool_size, layer.strides, strict=True)
    ]
    return pooled(layer, sizes, axes, len(shape), context)


def pooled(
    layer: Any, sizes: Sequence[int], axes: Sequence[Sequence[Part]], rank: int, context: Context
) -> Sequence[NewLayer]:
    """Every combination of the parts of all axes is cropped, pooled by itself and put back in its place."""
    check_limit("calls", prod(map(len, axes)), "its windows need layers of their own", f"layer {layer.name}")
    pieces: list[NewLayer] = []
    names: dict[tuple[int, ...], str] = {}
    for place in product(*(range(len(found)) for found in axes)):
        chosen = [found[i] for found, i in zip(axes, place, strict=True)]
        crops = [(part.start, n - part.stop) for part, n in zip(chosen, sizes, strict=True)]
        name = "_".join([layer.name, *map(str, place)])
        small = changed(layer, pool_size=tuple(part.window for part in chosen), padding="valid", name=name)
        around = padded(changed(layer, name=name), [(-before, -after) for before, after in crops])
        pieces += in_sequence(*around, small)
        names[place] = name
    return pieces + _joined(layer, names, rank, context)


def _joined(layer: Any, pooled: dict[tuple[int, ...], str], rank: int, context: Context) -> list[NewLayer]:
    """The parts put together along one axis after the other, the last one first."""
    pieces: list[NewLayer] = []
    first = 2 if layer.data_format == CHANNELS_FIRST else 1
    while len(next(iter(pooled), ())):
        axis = first + len(next(iter(pooled))) - 1
        outer: dict[tuple[int, ...], str] = {}
        for place, parts_of in groupby(pooled, key=lambda place: place[:-1]):
            found = tuple(pooled[part] for part in parts_of)
            outer[place] = found[0]
            if len(found) > 1:
                name = "_".join([layer.name, "join", *map(str, place)]) if place else layer.name
                pieces.append(NewLayer(_concatenate(axis, name, context), found))
                outer[place] = name
        pooled = outer
    return pieces


def _concatenate(axis: int, name: str, context: Context) -> Layer:
    if context.generation.merge_layers:
        return L.Concatenate(axis, name=name)
    return L.Merge(mode="concat", concat_axis=axis, name=name)
