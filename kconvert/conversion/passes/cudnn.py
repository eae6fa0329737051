"""Converts CuDNN layers, which Keras 2 has only on TensorFlow, to the LSTM and GRU that compute the same, and back.

How cuDNN packs the arrays of a file is part of their storage (keras-facts: cudnn-packed-weights). Here the class of the
layer changes, and the bias of an LSTM loses its second row, or gets one (keras-facts: cudnn-bias). A GRU keeps both
rows, as one with reset_after=True has them too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import singledispatch
from typing import Any

from ... import layers as L
from ...arguments import argument
from ...conventions.generations import Convention
from ...conventions.generations import release as numbers
from ...errors import KconvertError
from ...kernels import AddHalves, Chain
from ...layers.base import Layer
from ...layers.component_names import stated
from ...network.graph import LayerPath, LeafWeights
from ...network.network import Network
from ...network.rewrite import NewLayer, changed, rewrite
from ...network.rewritten import Rewritten
from ..inference.without_graph import WithoutGraph

SINCE = (2, 0, 9)  # (keras-facts: cudnn-only-on-tensorflow)
ONLY_TENSORFLOW = "only Keras 2 on TensorFlow has CuDNN layers"

Replace = Callable[[Layer], NewLayer | None]


# -------------------------------------------------------------- without cuDNN ----


@singledispatch
def without_cudnn(layer: Layer) -> NewLayer | None:
    """The layer without cuDNN that computes the same; None for other layers."""
    return None


@without_cudnn.register(L.CuDNNLSTM)
def _lstm(layer: L.CuDNNLSTM) -> NewLayer:
    return _as(L.LSTM, layer, Chain((AddHalves(),)))


@without_cudnn.register(L.CuDNNGRU)
def _gru(layer: L.CuDNNGRU) -> NewLayer:
    return _as(L.GRU, layer)


def _as(cls: type[Layer], layer: Layer, bias: Chain | None = None) -> NewLayer:
    """The layer of class `cls` that says what `layer` says of its fields. bias: the op on its canonical bias."""
    shared = {f.name: stated(layer, f.name) for f in fields(cls) if f.init and hasattr(layer, f.name)}
    return NewLayer(cls(**shared), weights={("bias",): bias} if bias else {})


# ----------------------------------------------------------------- with cuDNN ----


@singledispatch
def with_cudnn(layer: Layer) -> NewLayer | None:
    """The layer of cuDNN that computes the same; None for layers of other kinds.

    Raises KconvertError that names the feature that cuDNN does not have.
    """
    return None


@with_cudnn.register(L.LSTM)
def _cudnn_lstm(layer: L.LSTM) -> NewLayer:
    _refuse_options(layer)
    return _as(L.CuDNNLSTM, layer, Chain((AddHalves().inverse,)))


@with_cudnn.register(L.GRU)
def _cudnn_gru(layer: L.GRU) -> NewLayer:
    _refuse_options(layer)
    return _as(L.CuDNNGRU, layer)


def _refuse_options(layer: L.LSTM | L.GRU) -> None:
    """(keras-facts: cudnn-options)"""
    if layer.not_in_cudnn:
        raise KconvertError(
            f"cuDNN has no {layer.class_name} with {', '.join(layer.not_in_cudnn)}",
            where=f"layer {layer.name}",
            fix=f"leave {argument('cudnn')} out",
        )


# ---------------------------------------------------------------- whole models ----


def for_cudnn(model: Network, target: Convention, release: str, wanted: bool | None) -> Rewritten:
    """`model` with CuDNN layers (wanted: True), without them (False), or as it is where `target` has them (None).

    release: the release that is written. Raises KconvertError where CuDNN layers are wanted and cannot be.
    """
    if wanted:
        _refuse_convention(target, release)
        done = _replaced(model, with_cudnn, "as asked")
        masking = [layer.name for _, layer in model.leaves() if layer.makes_mask]
        if masking and done.notes:
            raise KconvertError(
                "it masks time steps, which CuDNN layers do not take",
                where=f"layer {masking[0]}",
                fix=f"leave {argument('cudnn')} out",
            )
        return done
    if wanted is None and _has_cudnn_layers(target, release):
        return Rewritten(model)
    return _replaced(model, without_cudnn, ONLY_TENSORFLOW if wanted is None else "as asked")


def layers_for_cudnn(model: WithoutGraph, target: Convention, release: str) -> Rewritten:
    """Layers without a graph, those of cuDNN as what `release` of `target` has."""
    if _has_cudnn_layers(target, release):
        return Rewritten(model)
    table: list[LeafWeights] = []
    weights: dict[LayerPath, Chain] = {}
    notes: list[str] = []
    for leaf, (_, _, shape) in zip(model.table, model.calls, strict=True):
        new = without_cudnn(leaf.layer)
        if new:
            notes.append(_becomes(leaf.layer, new.layer, ONLY_TENSORFLOW))
            weights.update({(*leaf.path, *path): ops for path, ops in new.weights.items()})
            leaf = replace(leaf, layer=new.layer, weights=new.layer.weight_specs(shape))
        table.append(leaf)
    return Rewritten(changed(model, table=table), weights=weights, notes=notes)


def _has_cudnn_layers(target: Convention, release: str) -> bool:
    return target.facts.cudnn and target.generation.cudnn and not target.reader(release)


def has_cudnn(model: Network) -> bool:
    """Whether there are CuDNN layers in it."""
    return any(without_cudnn(layer) for _, layer in model.leaves())


def _replaced(model: Network, replacement: Replace, why: str) -> Rewritten:
    notes: list[str] = []

    def replaced(layer: Layer, shape: Any) -> Sequence[NewLayer] | None:
        new = replacement(layer)
        if new is None:
            return None
        notes.append(_becomes(layer, new.layer, why))
        return [new]

    return replace(rewrite(model, replaced), notes=list(dict.fromkeys(notes)))


def _becomes(layer: Layer, new: Layer, why: str) -> str:
    return f"{layer.name}: {layer.class_name} becomes {new.class_name}, {why}"


def _refuse_convention(target: Convention, release: str) -> None:
    if not _has_cudnn_layers(target, release):
        reader = target.reader(release)
        found = reader.title if reader else target.generation_name
        without = found if target.facts.cudnn else f"Keras on {target.backend}"
        raise KconvertError(f"{without} has no CuDNN layers", fix=f"leave {argument('cudnn')} out")
    if numbers(release) < SINCE:
        raise KconvertError(
            f"Keras {release} has no CuDNN layers (they came with {'.'.join(map(str, SINCE))})",
            fix=f"use {argument('format', 'keras2')}",
        )
