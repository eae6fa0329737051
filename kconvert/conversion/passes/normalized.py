"""Expresses BatchNormalization modes of Keras 1 by current layers (keras-facts: expressions-of-keras3)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import layers as L
from ...errors import KconvertError
from ...kernels import Chain, Transpose
from ...layers.base import Layer, Shape
from ...layers.component_names import stated
from ...network.graph import LayerPath
from ...network.rewrite import NewLayer
from ...network.rewritten import Source
from .parts import AXES, part


def normalized(layer: L.BatchNormalization, shape: Shape) -> Sequence[NewLayer]:
    """gamma * y + beta, with y from the last axis of each sample (mode 1), or from the whole batch (mode 2).

    Gamma and beta have the size of one axis: that of the layer, but the last one in mode 1.
    """
    size, axes = layer.known(shape, layer.axis), AXES[: len(shape)]
    axis = layer.axis % len(shape)
    if layer.mode == 1 and size != layer.known(shape, -1):
        raise KconvertError(f"gamma has the size of axis {layer.axis}, not of the last one", f"layer {layer.name}")
    if layer.mode == 1:
        axis, new = len(shape) - 1, _normalized_samples(layer, shape)
    else:
        new = _normalized_batch(layer, shape)
    gamma, beyond = axes[axis], AXES[len(shape)] if layer.mode == 2 and axis == len(shape) - 1 else ""
    affine = L.EinsumDense(
        equation=f"{axes}{beyond},{gamma}{beyond}->{axes}",
        declared_shape=shape[1:],
        bias_axes=gamma if layer.center else None,
        kernel_regularizer=stated(layer, "gamma_regularizer"),
        bias_regularizer=stated(layer, "beta_regularizer"),
        kernel_constraint=stated(layer, "gamma_constraint"),
        bias_constraint=stated(layer, "beta_constraint"),
        name=layer.name,
        trainable=layer.trainable,
    )
    ones = np.ones((size, *([1] if beyond else [])), "float32")
    sources: dict[LayerPath, Source] = {("kernel",): ("gamma",) if layer.scale else ones}
    weights: dict[LayerPath, Chain] = {}
    if layer.scale and beyond:
        weights["kernel",] = Chain((Transpose("c", "c1"),))
    if layer.center:
        sources["bias",] = ("beta",)
        weights["bias",] = Chain((Transpose("c", "c" + "1" * (len(shape) - axis - 1)),)).simplified
    return [*new, NewLayer(affine, (new[-1].layer.name,), weights, sources)]


def _normalized_batch(layer: L.BatchNormalization, shape: Shape) -> list[NewLayer]:
    """(x - mean) / sqrt(variance + epsilon), from all axes but that of the layer.

    Axes that follow each other to the last but one would be taken for the last ones by Keras 3 on torch: an axis of
    size 1 is added after them (keras-facts: layer-normalization-on-torch).
    """
    axis, axes = layer.axis % len(shape), AXES[: len(shape)]
    others = [i for i in range(len(shape)) if i != axis]
    if axis < len(shape) - 1:
        return [NewLayer(_scaled(layer, "normal", others, layer.epsilon))]
    beyond = AXES[len(shape)]
    spread = L.EinsumDense(
        equation=f"{axes},{beyond}->{axes}{beyond}",
        declared_shape=(*shape[1:], 1),
        name=part(layer, "spread"),
        trainable=False,
    )
    normal = _scaled(layer, "normal", [*others, len(shape)], layer.epsilon)
    ones: dict[LayerPath, Source] = {("kernel",): np.ones(1, "float32")}
    return [NewLayer(spread, sources=ones), NewLayer(normal, (spread.name,))]


def _normalized_samples(layer: L.BatchNormalization, shape: Shape) -> list[NewLayer]:
    """(x - mean) / (s + epsilon), with s = sqrt(variance + epsilon) of the last axis, of size n.

    LayerNormalization gives y = (x - mean) / s, and y / (1 + v) = y * (1 - softsign(v)) with v = epsilon / s. It gives
    1 / s, too: (x, mean + c, mean - c) have the mean of x, and c is such that their variance and an epsilon make
    s**2 * n / (n + 2).
    """
    n, epsilon = layer.known(shape, -1), layer.epsilon
    names = ("input", "mean", "up", "down", "joined", "v", "softsign", "factor", "product")
    entry, mean, up, down, joined, v, softsign, factor, product = (part(layer, name) for name in names)
    normal = _scaled(layer, "normal", -1, epsilon)
    new = [NewLayer(L.Activation("linear", name=entry)), NewLayer(normal, (entry,))]
    if not epsilon:
        return new
    c, ratio = math.sqrt(n * epsilon) / 2, math.sqrt(n / (n + 2))
    wide = _scaled(layer, "wide", -1, epsilon * ratio**2 / 2)
    to_v = np.zeros((n + 2, 1), "float32")
    to_v[n:, 0] = epsilon * ratio / (2 * c), -epsilon * ratio / (2 * c)
    return [
        *new,
        _sums(mean, (entry,), shape, np.full((n, 1), 1 / n, "float32")),
        NewLayer(L.Rescaling(1.0, c, name=up), (mean,)),
        NewLayer(L.Rescaling(1.0, -c, name=down), (mean,)),
        NewLayer(L.Concatenate(-1, name=joined), (entry, up, down)),
        NewLayer(wide, (joined,)),
        _sums(v, (wide.name,), shape, to_v),
        NewLayer(L.Activation("softsign", name=softsign), (v,)),
        NewLayer(L.Rescaling(-1.0, 1.0, name=factor), (softsign,)),
        NewLayer(L.Multiply(name=product), (normal.name, factor)),
    ]


def _scaled(layer: Layer, what: str, axis: Any, epsilon: float) -> L.LayerNormalization:
    return L.LayerNormalization(axis, epsilon, center=False, scale=False, name=part(layer, what))


def _sums(name: str, inputs: tuple[str, ...], shape: Shape, factors: np.ndarray) -> NewLayer:
    """The sum over the last axis, of which each element has a factor; the axis stays, with size 1."""
    axes = AXES[: len(shape)]
    dense = L.EinsumDense(
        equation=f"{axes},{axes[-1]}z->{axes[:-1]}z",
        declared_shape=(*shape[1:-1], 1),
        name=name,
        trainable=False,
    )
    return NewLayer(dense, inputs, sources={("kernel",): factors})
