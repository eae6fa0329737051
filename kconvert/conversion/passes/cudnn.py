"""CuDNN layers, which Keras 2 has on TensorFlow alone, as the LSTM and GRU that compute the same, and back.

Source: `_convert_rnn_weights` of Keras 2.3.1 (rulebook A5). What a file packs is unpacked with the weights'
roles; here the bias of an LSTM loses its second row, or gets it. A GRU keeps both: reset_after=True has them too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import singledispatch
from typing import Any

from ... import layers as L
from ...conventions.generations import Convention, release
from ...errors import KconvertError
from ...kernels import AddHalves, Chain
from ...layers.base import Layer
from ...network.network import LayerPath, LeafWeights, Network
from ...network.rewrite import Piece, Rewritten, changed, rewrite
from ..inference.infer import Loose

SINCE = (2, 0, 9)
ONLY_TENSORFLOW = "only TensorFlow has CuDNN layers"

Turn = Callable[[Layer], Piece | None]


# -------------------------------------------------------------- without cuDNN ----


@singledispatch
def native(layer: Layer) -> Piece | None:
    """The layer that computes the same without cuDNN; None for those that do not need it."""
    return None


@native.register(L.CuDNNLSTM)
def _lstm(layer: L.CuDNNLSTM) -> Piece:
    return _as(L.LSTM, layer, Chain((AddHalves(),)))


@native.register(L.CuDNNGRU)
def _gru(layer: L.CuDNNGRU) -> Piece:
    return _as(L.GRU, layer)


def _as(cls: type[Layer], layer: Layer, bias: Chain | None = None) -> Piece:
    """The layer of class `cls` that says what `layer` says of its fields. bias: the op on its canonical bias."""
    shared = {f.name: getattr(layer, f.name) for f in fields(cls) if hasattr(layer, f.name)}
    return Piece(cls(**shared), weights={("bias",): bias} if bias else {})


# ----------------------------------------------------------------- with cuDNN ----


@singledispatch
def packed(layer: Layer) -> Piece | None:
    """The layer of cuDNN that computes the same; None for layers of other kinds.

    Raises KconvertError naming what cuDNN does not have.
    """
    return None


@packed.register(L.LSTM)
def _cudnn_lstm(layer: L.LSTM) -> Piece:
    _refuse_options(layer)
    return _as(L.CuDNNLSTM, layer, Chain((AddHalves().inverse,)))


@packed.register(L.GRU)
def _cudnn_gru(layer: L.GRU) -> Piece:
    _refuse_options(layer)
    return _as(L.CuDNNGRU, layer)


def _refuse_options(layer: L.LSTM | L.GRU) -> None:
    if layer.not_in_cudnn:
        raise KconvertError(
            f"cuDNN has no {layer.class_name} with {', '.join(layer.not_in_cudnn)}",
            where=f"layer {layer.name}",
            fix="leave --cudnn out",
        )


# ---------------------------------------------------------------- whole models ----


def for_cudnn(model: Network, goal: Convention, version: str, wanted: bool | None) -> Rewritten:
    """`model` with CuDNN layers (wanted), without them, or (None) as it is where `goal` has them.

    version: the release that is written. Raises KconvertError where CuDNN layers are wanted and cannot be.
    """
    if wanted:
        _refuse_convention(goal, version)
        done = _turned(model, packed, "as asked")
        masking = [layer.name for _, layer in model.leaves() if layer.makes_mask]
        if masking and done.notes:
            raise KconvertError(
                "it masks time steps, which CuDNN layers do not take",
                where=f"layer {masking[0]}",
                fix="leave --cudnn out",
            )
        return done
    if wanted is None and goal.facts.cudnn:
        return Rewritten(model)
    return _turned(model, native, ONLY_TENSORFLOW if wanted is None else "as asked")


def loose_for_cudnn(model: Loose, goal: Convention) -> Rewritten:
    """Layers without a graph, those of CuDNN as what `goal` has."""
    if goal.facts.cudnn:
        return Rewritten(model)
    table: list[LeafWeights] = []
    weights: dict[LayerPath, Chain] = {}
    notes: list[str] = []
    for leaf, (_, _, shape) in zip(model.table, model.calls, strict=True):
        piece = native(leaf.layer)
        if piece:
            notes.append(_becomes(leaf.layer, piece.layer, ONLY_TENSORFLOW))
            weights.update({(*leaf.path, *path): ops for path, ops in piece.weights.items()})
            leaf = replace(leaf, layer=piece.layer, weights=piece.layer.weight_specs(shape))
        table.append(leaf)
    return Rewritten(changed(model, table=table), weights=weights, notes=notes)


def has_cudnn(model: Network) -> bool:
    """Whether there are CuDNN layers in it."""
    return any(native(layer) for _, layer in model.leaves())


def _turned(model: Network, turn: Turn, why: str) -> Rewritten:
    notes: list[str] = []

    def turned(layer: Layer, shape: Any) -> Sequence[Piece] | None:
        piece = turn(layer)
        if piece is None:
            return None
        notes.append(_becomes(layer, piece.layer, why))
        return [piece]

    return replace(rewrite(model, turned), notes=notes)


def _becomes(layer: Layer, new: Layer, why: str) -> str:
    return f"{layer.name}: {layer.class_name} becomes {new.class_name}, {why}"


def _refuse_convention(goal: Convention, version: str) -> None:
    if not goal.facts.cudnn:
        raise KconvertError(f"Keras has no CuDNN layers on {goal.backend}", fix="leave --cudnn out")
    if release(version) < SINCE:
        raise KconvertError(
            f"Keras {version} has no CuDNN layers (they came with {'.'.join(map(str, SINCE))})",
            fix="use --format keras2",
        )
