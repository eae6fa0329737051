"""Hazards: layers that two backends compute differently with any weights.

Theano and TensorFlow pad 'same' windows differently (keras-facts: same-padding-of-convolutions,
same-padding-of-pooling). A layer is a hazard exactly where the two formulas give different padding for its sizes, or
where one of the backends does not have it at all. The formulas are in `conventions`; this module applies them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import singledispatch
from typing import Any

from ... import layers as L
from ...conventions.backends import BACKENDS, CHANNELS_FIRST, BackendFacts, same_padding
from ...formats.limits import check_limit
from ...layers.base import Layer, Shape
from ...layers.lists import as_list, one_or_list
from ...lazy_dataclasses import dataclass
from ...network.known_shapes import known_shapes
from ...network.network import Network
from ...network.rewritten import Hazard

Rule = Callable[[BackendFacts, int, int, int], int | None]


@dataclass(frozen=True)
class Window:
    """The windows of one layer on one spatial axis."""

    rule: Rule
    """The padding before the first element, by backend and sizes."""
    size: int | None
    """How many elements the axis has, where that is known."""
    kernel: int
    stride: int

    @property
    def sizes(self) -> tuple[int, int, int]:
        """(size, kernel, stride), where the size is known."""
        return self.size or 0, self.kernel, self.stride

    @property
    def sizes_to_try(self) -> range:
        """Sizes among which there is one for each padding that the window can have."""
        count = 4 * self.stride + self.kernel
        check_limit("arrays", count, "the sizes that an axis of unknown size may have", None)
        return range(1, count)

    def paddings(self, first: BackendFacts, second: BackendFacts) -> tuple[int | None, int | None] | None:
        """The padding before the first element on both backends, where it differs."""
        for size in self.sizes_to_try if self.size is None else [self.size]:
            pair = (self.rule(first, size, self.kernel, self.stride), self.rule(second, size, self.kernel, self.stride))
            if pair[0] != pair[1]:
                return pair
        return None

    def added(self, facts: BackendFacts) -> tuple[int | None, int | None]:
        """The padding before the first element and after the last on one backend; None where it is not known."""
        before = self.rule(facts, *self.sizes)
        if self.size is None or before is None:
            return None, None
        return same_padding(before, *self.sizes)


def _conv_rule(facts: BackendFacts, size: int, kernel: int, stride: int) -> int:
    return facts.conv_padding(size, kernel, stride)


def _even_rule(facts: BackendFacts, size: int, kernel: int, stride: int) -> int | None:
    return facts.conv_padding(size, kernel, stride) if facts.even else None


def _full_rule(facts: BackendFacts, size: int, kernel: int, stride: int) -> int | None:
    """(keras-facts: full-padding)"""
    return kernel - 1 if facts.full else None


def _pool_rule(facts: BackendFacts, size: int, kernel: int, stride: int) -> int:
    return facts.pool_padding(size, kernel, stride)


def hazards(model: Network, source: str, target: str) -> list[Hazard]:
    """The layers of `model` that backends `source` and `target` compute differently."""
    return hazards_of(calls(model), source, target)


def hazards_of(calls: Iterable[tuple[str, Layer, Any]], source: str, target: str) -> list[Hazard]:
    """The same for calls: (path, layer, input shape)."""
    first, second = BACKENDS[source], BACKENDS[target]
    found: dict[str, Hazard] = {}
    with known_shapes():
        for path, layer, shape in calls:
            why = differs(layer, shape, first, second)
            if why:
                found.setdefault(path, Hazard(path, layer.class_name, why))
    return list(found.values())


def differs(layer: Layer, shape: Any, first: BackendFacts, second: BackendFacts) -> str | None:
    """Why two backends compute a layer differently; None where they do not."""
    for facts in (first, second):
        lack = lacking(layer, facts)
        if lack and first != second:
            return lack
    for window in windows(layer, shape):
        pair = window.paddings(first, second)
        if pair:
            ours, theirs = map(_said, pair)
            return (
                f"padding={_padding(layer)!r} puts {ours} before the first element on {first.name}, {theirs} on "
                f"{second.name} (size {window.size or 'unknown'}, window {window.kernel}, stride {window.stride})"
            )
    return None


@singledispatch
def lacking(layer: Layer, facts: BackendFacts) -> str | None:
    """What of the layer a backend does not have; None for most. `explicit` in repair.py rewrites such a layer."""
    return None


@lacking.register(L.UpSampling2D)
def _bilinear(layer: L.UpSampling2D, facts: BackendFacts) -> str | None:
    """(keras-facts: bilinear-factors)"""
    if layer.interpolation != "bilinear" or facts.bilinear in (None, tuple(layer.size)):
        return None
    return f"{facts.name} enlarges bilinearly by {facts.bilinear} only, not by {tuple(layer.size)}"


@lacking.register(L.Conv1D)
def _causal(layer: L.Conv1D, facts: BackendFacts) -> str | None:
    """(keras-facts: causal-channels-last)"""
    if layer.padding != "causal" or layer.data_format != CHANNELS_FIRST:
        return None
    return "Keras has padding='causal' in channels_last alone"


def _padding(layer: Any) -> str:
    """The padding option; the recurrent convolution of a ConvLSTM is always 'same'."""
    return "full" if layer.padding == "full" else "same"


def _said(padding: int | None) -> str:
    return "nothing (it does not exist)" if padding is None else str(padding)


def calls(layer: Layer, prefix: str = "", shape: Any = None) -> Iterator[tuple[str, Layer, Any]]:
    """(path, layer, input shape) of every call of every layer inside `layer`, except layers that stay unchanged."""
    if isinstance(layer, Network):
        shapes = layer.shapes(shape)
        for node in layer.nodes:
            if node.inputs:
                inner = layer.by_name[node.layer]
                given = [shapes[ref] for ref in node.inputs]
                yield from _inside(inner, prefix, given)
    else:
        yield prefix, layer, shape


def _inside(layer: Layer, prefix: str, shapes: list[Shape]) -> Iterator[tuple[str, Layer, Any]]:
    path = f"{prefix}{layer.name}"
    if layer.fixed:
        return
    if isinstance(layer, Network):
        yield from calls(layer, f"{path}/", shapes)
    elif layer.sublayers:
        given = one_or_list(shapes)
        for inner, shape in zip(layer.sublayers, layer.sublayer_shapes(given), strict=True):
            yield from _inside(inner, f"{path}/", shape if isinstance(shape, list) else [shape])
    else:
        yield path, layer, one_or_list(shapes)


# ----------------------------------------------------------------- windows ----


@singledispatch
def windows(layer: Layer, shape: Any) -> list[Window]:
    """The windows of a layer that pads 'same' or 'full', one for each spatial axis; none for most layers.

    `explicit` in repair.py rewrites a layer whose windows two backends pad differently.
    """
    return []


def spatial_sizes(layer: Any, shape: Shape) -> Shape:
    """The spatial sizes of an image or sequence that `layer` takes or gives."""
    rank = len(getattr(layer, "kernel_size", None) or layer.pool_size)
    return shape[-rank:] if layer.data_format == CHANNELS_FIRST else shape[-rank - 1 : -1]


@windows.register(L.Conv1D)
@windows.register(L.Conv2D)
@windows.register(L.Conv3D)
@windows.register(L.DepthwiseConv1D)
@windows.register(L.DepthwiseConv2D)
@windows.register(L.SeparableConv1D)
@windows.register(L.SeparableConv2D)
def _convolution(layer: Any, shape: Shape) -> list[Window]:
    rule = {"same": _conv_rule, "full": _full_rule}.get(layer.padding)
    if rule is None:
        return []
    sizes = spatial_sizes(layer, shape)
    spread = [(k - 1) * d + 1 for k, d in zip(layer.kernel_size, layer.dilation_rate, strict=True)]
    return [Window(rule, n, k, s) for n, k, s in zip(sizes, spread, layer.strides, strict=True)]


@windows.register(L.MaxPooling1D)
@windows.register(L.MaxPooling2D)
@windows.register(L.MaxPooling3D)
@windows.register(L.AveragePooling1D)
@windows.register(L.AveragePooling2D)
@windows.register(L.AveragePooling3D)
def _pooling(layer: Any, shape: Shape) -> list[Window]:
    if layer.padding != "same":
        return []
    sizes = spatial_sizes(layer, shape)
    return [Window(_pool_rule, n, k, s) for n, k, s in zip(sizes, layer.pool_size, layer.strides, strict=True)]


@windows.register(L.Conv2DTranspose)
@windows.register(L.Conv3DTranspose)
def _transposed(layer: Any, shape: Shape) -> list[Window]:
    """The padding of the convolution whose gradient this is, for the size of the output.

    (keras-facts: same-padding-of-transposed)
    """
    if layer.padding == "valid":
        return []
    found = []
    sizes = spatial_sizes(layer, layer.compute_output_shape(shape))
    for n, k, d, s in zip(sizes, layer.kernel_size, layer.dilation_rate, layer.strides, strict=True):
        same = _conv_rule if k % 2 else _even_rule
        found.append(Window(_full_rule if layer.padding == "full" else same, n, (k - 1) * d + 1, s))
    return found


@windows.register(L.ConvLSTM1D)
@windows.register(L.ConvLSTM2D)
@windows.register(L.ConvLSTM3D)
def _convolutional_recurrent(layer: Any, shape: Shape) -> list[Window]:
    """The recurrent convolution is always 'same' with stride 1; that of the input is as the layer says.

    (keras-facts: convlstm-recurrent-padding)
    """
    sequence = as_list(shape)[0]  # initial states may follow
    step = (sequence[0], *sequence[2:])
    output = spatial_sizes(layer, as_list(layer.compute_output_shape(shape))[0])
    found = [Window(_conv_rule, n, k, 1) for n, k in zip(output, layer.kernel_size, strict=True)]
    return found + (_convolution(layer, step) if layer.padding == "same" else [])
