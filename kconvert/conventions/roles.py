"""Roles of weights, and how they differ between generations and backends, as tables.

A layer states the role of each of its weights (`Weight` with a `Role`). A `Convention` states who wrote the file.
`storage` combines the two. A weight has three forms:

    stored      the arrays of a file
    canonical   that of Keras 2 on TensorFlow: correlation kernels, axes (spatial..., in, out) or, in transposed
                convolutions, (spatial..., out, in), fused gates `ifco` / `zrh`, features flattened in
                channels_last order
    run         what a layer takes on a backend: canonical, but with the kernels of that backend
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from functools import cache
from typing import Any

from ..kernels import Chain, Fold, Fuse, Order, Power, Scale, Shape, Split, Variance
from ..lazy_dataclasses import dataclass
from .backends import BACKENDS, CHANNELS_FIRST, CHANNELS_LAST

SPATIAL = {1: "w", 2: "hw", 3: "dhw"}
LSTM_GATES = "ifco"
GRU_GATES = "zrh"


# ------------------------------------------------------------------- roles ----


@dataclass(frozen=True)
class Role:
    """What a weight is."""

    name: str
    # canonical names of its axes
    axes: str
    # the spatial axes that a convolving backend reverses; empty: the weight is the same on all backends
    reversed: str = ""
    # names of its axes by generation and data format, where they are not the canonical ones
    stored: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)
    # the letters of the gates along the last axis
    gates: str = ""
    # the same letters in the order of arrays that are stored one a gate
    stored_gates: str = ""
    # by generation and backend: from stored values to canonical ones, if the stored quantity is another one
    values: Mapping[tuple[str, str], Chain] = field(default_factory=dict, hash=False)
    # from the array of a file in which the weight is packed; empty where it is not
    unpack: Chain = field(default_factory=Chain)
    # the same weight in a file of the layer's counterpart (CuDNNLSTM for LSTM, and the reverse); None: there is none
    counterpart: Role | None = None

    def stored_axes(self, generation: str, data_format: str | None) -> str:
        by_data_format = self.stored.get(generation, {})
        return by_data_format.get(data_format or CHANNELS_LAST, self.axes)

    def with_gates(self, gates: str, stored_gates: str) -> Role:
        """The same weight for each gate of a recurrent layer (GRU, LSTM), one after the other along the last axis."""
        return replace(self, gates=gates, stored_gates=stored_gates)

    def cudnn(self, bias_rows: Chain, packed: bool) -> Role:
        """The same weight where cuDNN has it too (keras-facts: cudnn-packed-weights).

        Packed are a matrix, gate by gate (out, in), and the two rows of a bias, one after the other.
        bias_rows: from the two rows of a bias in cuDNN to the bias of the layer without. packed: whether this
        layer is the one of cuDNN.
        """
        matrix = self.axes == "io"
        unpack = Split(self.gates) >> Order("oi", "io", "io") >> Fuse(self.gates) if matrix else Chain((Fold(2),))
        rows = Chain() if matrix else bias_rows
        if packed:
            return replace(self, unpack=unpack, counterpart=replace(self, unpack=rows.inverse))
        return replace(self, counterpart=replace(self, unpack=unpack >> rows))


def _same_in(generations: str, first: str, last: str) -> dict[str, dict[str, str]]:
    return {name: {CHANNELS_FIRST: first, CHANNELS_LAST: last} for name in generations.split()}


_UP_TO_1_0 = "keras0 keras1.0.5 keras1.0.6 keras1.0.7 keras1.0"
_FROM_1_1 = "keras1.1 keras1"
_OLD = f"{_UP_TO_1_0} {_FROM_1_1}"


@cache
def conv_kernel(rank: int) -> Role:
    """Kernel (spatial..., in, out) of Conv1D, Conv2D and Conv3D, reversed on Theano.

    (keras-facts: reversed-kernels, conv-kernel-axes, conv1d-kernel-axes)
    """
    space = SPATIAL[rank]
    stored = _same_in(_OLD, "oi" + space, space + "io")
    if rank == 1:
        stored = {**_same_in(_UP_TO_1_0, "oiw1", "oiw1"), **_same_in(_FROM_1_1, "w1io", "w1io")}
    return Role("conv_kernel", space + "io", space, stored)


@cache
def transposed_conv_kernel(rank: int) -> Role:
    """Kernel (spatial..., out, in) of Conv2DTranspose and Conv3DTranspose, reversed on Theano.

    (keras-facts: reversed-kernels, transposed-kernel-axes)
    """
    space = SPATIAL[rank]
    return Role("transposed_conv_kernel", space + "oi", space, _same_in(_OLD, "oi" + space, space + "io"))


@cache
def depthwise_kernel(rank: int) -> Role:
    """Kernel (spatial..., in, multiplier); Keras on Theano reverses it before it convolves, so it is stored alike.

    (keras-facts: depthwise-not-reversed, separable-kernel-axes)
    """
    space = SPATIAL[rank]
    return Role("depthwise_kernel", space + "im", "", _same_in(_OLD, "mi" + space, space + "im"))


@cache
def pointwise_kernel(rank: int) -> Role:
    """The 1x1 kernel of a separable convolution: there is nothing to reverse (keras-facts: separable-kernel-axes)."""
    space = SPATIAL[rank]
    return Role("pointwise_kernel", space + "io", "", _same_in(_OLD, "oi" + space, space + "io"))


# Matrices and vectors have no spatial axes: they are reversed on no backend (keras-facts: never-reversed).
# A matrix (in, out): the kernel of Dense, and the kernels of Highway and of SimpleRNN, GRU and LSTM.
DENSE_KERNEL = Role("dense_kernel", "io")
# Any weight with one number for each output: a bias, the scale of a normalization.
VECTOR = Role("vector", "o")
# A scalar that no output depends on: the number of elements that a Normalization has seen.
COUNT = Role("count", "")
# Kernel (feature, in, out) and bias (feature, out) of MaxoutDense.
MAXOUT_KERNEL = Role("maxout_kernel", "fio")
MAXOUT_BIAS = Role("maxout_bias", "fo")
# Kernel (position, patch, out) of a locally connected layer: a matrix for each position, never reversed either
# (keras-facts: local-not-reversed)
LOCAL_KERNEL = Role("local_kernel", "pko")


def embeddings(dropout: float = 0.0) -> Role:
    """A table of vectors; Keras 0.2 and 0.3 scale it by 1 - dropout outside of training.

    (keras-facts: embedding-dropout-scales)
    """
    kept = Chain((Scale(1.0 - dropout),)).simplified
    return Role("embeddings", "vo", values={("keras0", backend): kept for backend in BACKENDS})


def variance(epsilon: float) -> Role:
    """The moving variance that is divided by as sqrt(variance + epsilon).

    Up to Keras 1.0.6 a standard deviation is stored in its place, divided by as deviation + epsilon (1.0.6:
    on Theano alone), and Keras 1.0.7 on Theano divides by sqrt(variance) + epsilon (keras-facts: running-std).
    """
    deviation = Chain((Variance(epsilon),))
    values = {(name, backend): deviation for name in ("keras0", "keras1.0.5") for backend in BACKENDS}
    values["keras1.0.6", "theano"] = deviation
    values["keras1.0.7", "theano"] = Power(2, root=True) >> deviation
    return Role("variance", "o", values=values)


@cache
def local_bias(rank: int) -> Role:
    """Bias (spatial..., out) of a locally connected layer, reshaped to channels_first in the layer.

    (keras-facts: local-bias-is-reshaped)
    """
    return Role("local_bias", SPATIAL[rank] + "o")


@cache
def map_parameter(rank: int) -> Role:
    """A parameter as large as the feature map (PReLU): axes in the order of the map."""
    return Role("map_parameter", "abcdefg"[:rank])


@dataclass(frozen=True)
class Weight:
    """One weight of a layer: its Keras 2 name, its canonical shape, and what it is."""

    name: str
    shape: Shape
    role: Role = VECTOR
    trainable: bool = True
    initializer: Any = field(default="zeros", hash=False)
    # The regularizer and the constraint that `add_weight` of a layer of the user stated.
    regularizer: Any = field(default=None, hash=False)
    constraint: Any = field(default=None, hash=False)
