"""CuDNN layers, which Keras 2 has on TensorFlow alone, as the LSTM and GRU that compute the same.

Source: `_convert_rnn_weights` of Keras 2.3.1 (rulebook A5). What a file packs is unpacked with the weights'
roles; here the bias of an LSTM loses its second row. A GRU keeps both: reset_after=True has them too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import singledispatch
from typing import Any

from . import layers as L
from .kernels import AddHalves, Chain
from .layers.base import Layer
from .model import Model
from .rewrite import Piece, Rewritten, rewrite


@singledispatch
def native(layer: Layer) -> Piece | None:
    """The layer that computes the same without cuDNN; None for those that do not need it."""
    return None


@native.register(L.CuDNNLSTM)
def _lstm(layer: L.CuDNNLSTM) -> Piece:
    return Piece(L.LSTM(**_shared(layer, L.LSTM)), weights={("bias",): Chain((AddHalves(),))})


@native.register(L.CuDNNGRU)
def _gru(layer: L.CuDNNGRU) -> Piece:
    return Piece(L.GRU(**_shared(layer, L.GRU)))


def _shared(layer: Layer, other: type[Layer]) -> dict[str, Any]:
    """What `layer` says of the fields of another class."""
    return {f.name: getattr(layer, f.name) for f in fields(other) if hasattr(layer, f.name)}


def without_cudnn(model: Model) -> Rewritten:
    """`model` without layers of CuDNN."""
    notes: list[str] = []

    def turned(layer: Layer, shape: Any) -> Sequence[Piece] | None:
        piece = native(layer)
        if piece is None:
            return None
        new = piece.layer.class_name
        notes.append(f"{layer.name}: {layer.class_name} becomes {new}, only TensorFlow has CuDNN layers")
        return [piece]

    return replace(rewrite(model, turned), notes=notes)
