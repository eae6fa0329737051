"""The layers whose gradients are checked, each with the shapes of its inputs without the batch axis."""

from __future__ import annotations

from typing import Any

from kconvert import layers as L

Case = tuple[L.Layer, tuple[tuple[int, ...], ...]]

SEQUENCE, IMAGE, VOLUME = (5, 3), (7, 8, 2), (4, 5, 6, 2)
INTEGERS = {"Embedding"}
"""Cases whose inputs are integers, which have no gradient."""


def one(layer: L.Layer, *shapes: tuple[int, ...]) -> Case:
    return layer, shapes


def merged(layer: L.Layer) -> Case:
    return one(layer, (4, 3), (4, 3))


CASES: dict[str, Case] = {
    # core
    "Dense": one(L.Dense(3, "tanh"), (4, 5)),
    "TimeDistributedDense": one(L.TimeDistributedDense(3), SEQUENCE),
    "MaxoutDense": one(L.MaxoutDense(3, 4), (5,)),
    "Highway": one(L.Highway("tanh"), (5,)),
    "EinsumDense": one(L.EinsumDense("bti,tio->bto", (4, 2), "tanh", "to"), (4, 3)),
    "Flatten": one(L.Flatten(), IMAGE),
    "Reshape": one(L.Reshape((3, -1)), (6, 2)),
    "Permute": one(L.Permute((2, 1)), SEQUENCE),
    "RepeatVector": one(L.RepeatVector(3), (4,)),
    "TimeDistributedMerge": one(L.TimeDistributedMerge("mul"), SEQUENCE),
    "Masking": one(L.Masking(), SEQUENCE),
    # activations
    **{
        name: one(L.Activation(name), (6,))
        for name in ("relu", "tanh", "sigmoid", "hard_sigmoid", "softplus", "softsign")
    },
    **{name: one(L.Activation(name), (6,)) for name in ("softmax", "elu", "selu", "exponential")},
    **{name: one(L.Activation(name), (6,)) for name in ("relu6", "swish", "gelu", "mish", "leaky_relu", "log_softmax")},
    "ReLU": one(L.ReLU(1.0, 0.2, 0.3), (6,)),
    "LeakyReLU": one(L.LeakyReLU(), (6,)),
    "ELU": one(L.ELU(0.7), (6,)),
    "ThresholdedReLU": one(L.ThresholdedReLU(0.4), (6,)),
    "ThresholdedLinear": one(L.ThresholdedLinear(0.4), (6,)),
    "Softmax": one(L.Softmax(1), SEQUENCE),
    "PReLU": one(L.PReLU(), SEQUENCE),
    "ParametricSoftplus": one(L.ParametricSoftplus(), SEQUENCE),
    "SReLU": one(L.SReLU(), SEQUENCE),
    # convolutions
    "Conv1D": one(L.Conv1D(3, 3, dilation_rate=2), (9, 2)),
    "Conv1D causal": one(L.Conv1D(3, 2, padding="causal"), (6, 2)),
    "Conv2D": one(L.Conv2D(3, (3, 2), strides=(2, 1)), IMAGE),
    "Conv2D same, channels_first": one(L.Conv2D(3, 3, padding="same", data_format="channels_first"), (2, 6, 5)),
    "Conv3D": one(L.Conv3D(2, (2, 3, 2)), VOLUME),
    "Conv1D in groups": one(L.Conv1D(4, 3, groups=2), (7, 2)),
    "Conv2D in groups": one(L.Conv2D(4, 2, strides=2, groups=2), IMAGE),
    "Conv3D in groups": one(L.Conv3D(4, 2, groups=2), VOLUME),
    "DepthwiseConv1D": one(L.DepthwiseConv1D(3, depth_multiplier=2), (7, 2)),
    "Conv2DTranspose": one(L.Conv2DTranspose(3, 3, strides=2), (4, 3, 2)),
    "Conv3DTranspose": one(L.Conv3DTranspose(2, 3), (3, 3, 2, 2)),
    "DepthwiseConv2D": one(L.DepthwiseConv2D(3, depth_multiplier=2), IMAGE),
    "SeparableConv1D": one(L.SeparableConv1D(3, 3), (7, 2)),
    "SeparableConv2D": one(L.SeparableConv2D(3, 3), IMAGE),
    "LocallyConnected1D": one(L.LocallyConnected1D(3, 3), (6, 2)),
    "LocallyConnected2D": one(L.LocallyConnected2D(2, (3, 2)), (5, 4, 2)),
    # windows, sizes
    "MaxPooling1D": one(L.MaxPooling1D(2), (6, 3)),
    "MaxPooling2D": one(L.MaxPooling2D((2, 3), strides=2), IMAGE),
    "MaxPooling3D": one(L.MaxPooling3D(2), VOLUME),
    "AveragePooling1D": one(L.AveragePooling1D(2), (6, 3)),
    "AveragePooling2D": one(L.AveragePooling2D((2, 3)), IMAGE),
    "AveragePooling3D": one(L.AveragePooling3D(2), VOLUME),
    "GlobalMaxPooling1D": one(L.GlobalMaxPooling1D(), SEQUENCE),
    "GlobalMaxPooling2D": one(L.GlobalMaxPooling2D(), IMAGE),
    "GlobalMaxPooling3D": one(L.GlobalMaxPooling3D(), VOLUME),
    "GlobalAveragePooling1D": one(L.GlobalAveragePooling1D(), SEQUENCE),
    "GlobalAveragePooling2D": one(L.GlobalAveragePooling2D(), IMAGE),
    "GlobalAveragePooling3D": one(L.GlobalAveragePooling3D(), VOLUME),
    "ZeroPadding1D": one(L.ZeroPadding1D((1, 2)), SEQUENCE),
    "ZeroPadding2D": one(L.ZeroPadding2D(((1, 0), (2, 1))), IMAGE),
    "ZeroPadding3D": one(L.ZeroPadding3D(1), VOLUME),
    "Cropping1D": one(L.Cropping1D((1, 1)), SEQUENCE),
    "Cropping2D": one(L.Cropping2D(((1, 0), (2, 1))), IMAGE),
    "Cropping3D": one(L.Cropping3D(1), VOLUME),
    "UpSampling1D": one(L.UpSampling1D(2), SEQUENCE),
    "UpSampling2D": one(L.UpSampling2D((2, 3)), IMAGE),
    "UpSampling3D": one(L.UpSampling3D(2), (2, 3, 2, 2)),
    # normalization, embeddings
    "BatchNormalization": one(L.BatchNormalization(), IMAGE),
    "BatchNormalization axis 1": one(L.BatchNormalization(axis=1), (4, 3)),
    "LayerNormalization": one(L.LayerNormalization([1, 2]), SEQUENCE),
    "Normalization": one(L.Normalization(mean=[0.1, 0.2], variance=[2.0, 0.5]), (5, 2)),
    "Rescaling": one(L.Rescaling([0.5, 2.0], 0.3), (5, 2)),
    "Embedding": one(L.Embedding(7, 3), (4,)),
    # recurrent
    "SimpleRNN": one(L.SimpleRNN(4, return_sequences=True), SEQUENCE),
    "GRU": one(L.GRU(4), SEQUENCE),
    "GRU reset_after, backwards": one(L.GRU(4, reset_after=True, go_backwards=True), SEQUENCE),
    "LSTM": one(L.LSTM(4, return_sequences=True), SEQUENCE),
    "LSTM unrolled": one(L.LSTM(4, unroll=True), SEQUENCE),
    "LSTM with states": one(L.LSTM(4, return_state=True), SEQUENCE, (4,), (4,)),
    "RNN": one(L.RNN([L.LSTMCell(4), L.GRUCell(3)]), SEQUENCE),
    "ConvLSTM2D": one(L.ConvLSTM2D(2, 3, padding="same", recurrent_activation="sigmoid"), (3, 5, 4, 2)),
    "ConvLSTM1D": one(L.ConvLSTM1D(2, 3, padding="same", recurrent_activation="sigmoid"), (3, 5, 2)),
    "ConvLSTM3D": one(L.ConvLSTM3D(1, (1, 3, 1), recurrent_activation="sigmoid"), (2, 2, 3, 2, 1)),
    # wrappers
    "Bidirectional": one(L.Bidirectional(L.GRU(3, return_sequences=True, name="gru")), SEQUENCE),
    "TimeDistributed": one(L.TimeDistributed(L.Conv2D(2, 3, name="conv")), (3, 5, 4, 2)),
    # merge
    "Add": merged(L.Add()),
    "Subtract": merged(L.Subtract()),
    "Multiply": merged(L.Multiply()),
    "Average": merged(L.Average()),
    "Maximum": merged(L.Maximum()),
    "Minimum": merged(L.Minimum()),
    "Concatenate": merged(L.Concatenate(axis=1)),
    "Dot": one(L.Dot((1, 2)), (4, 3), (2, 4)),
    "Merge": one(L.Merge(mode="cos"), (5,), (5,)),
}


def named(cases: dict[str, Any]) -> dict[str, Any]:
    """The cases, after each layer got the name of its case."""
    for name, (layer, _) in cases.items():
        layer.name = name.replace(" ", "_")
    return cases


named(CASES)
