"""How each backend and each file format writes weights down: facts as tables.

A layer says what each of its weights *is* (`Weight` with a `Role`); a `Convention` says who wrote the
file; `storage` puts the two together: which stored arrays make up the weight, and the chain of ops
from the stored form to the canonical one. Canonical is Keras 2 on TensorFlow: correlation kernels,
axes (spatial..., in, out), fused gates `ifco` / `zrh`, features flattened in channels_last order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..kernels import Chain, Fold, Fuse, Order, Power, Scale, Shape, Split, Variance
from .backends import BACKENDS, CHANNELS_FIRST, CHANNELS_LAST

SPATIAL = {1: "w", 2: "hw", 3: "dhw"}
LSTM_GATES = "ifco"
GRU_GATES = "zrh"


# ------------------------------------------------------------------- roles ----


@dataclass(frozen=True)
class Role:
    """What a weight is: canonical axis names, and where formats and backends differ.

    reversed: the spatial axes that a convolving backend reverses. stored: axis names by format and
    data format, where they are not the canonical ones. gates, stored_gates: the letters of the gates
    along the last axis, canonical and in the order of separately stored arrays. values: by format and
    backend, what makes the canonical values of the stored ones where those are another quantity. packed: what
    makes the weight of one that cuDNN packed, where the layer keeps it so. otherwise: the same for a file of the
    layer's counterpart, which is with cuDNN where the layer is without; None where it has none.
    """

    name: str
    axes: str
    reversed: str = ""
    stored: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)
    gates: str = ""
    stored_gates: str = ""
    values: Mapping[tuple[str, str], Chain] = field(default_factory=dict, hash=False)
    packed: Chain = field(default_factory=Chain)
    otherwise: Chain | None = None

    def stored_axes(self, form: str, data_format: str | None) -> str:
        by_data_format = self.stored.get(form, {})
        return by_data_format.get(data_format or CHANNELS_LAST, self.axes)

    def gated(self, gates: str, stored_gates: str) -> Role:
        """The same weight for every gate of a recurrent layer, along the last axis."""
        return replace(self, gates=gates, stored_gates=stored_gates)

    def cudnn(self, rows: Chain, packed: bool) -> Role:
        """The same weight where cuDNN has it too: a gate's matrix (out, in), both rows of a bias in one (rulebook A5).

        rows: what makes the bias of two rows. packed: whether the layer itself is one of cuDNN.
        """
        matrix = self.axes == "io"
        unpacked = Split(self.gates) >> Order("oi", "io", "io") >> Fuse(self.gates) if matrix else Chain((Fold(2),))
        rows = Chain() if matrix else rows
        if packed:
            return replace(self, packed=unpacked, otherwise=rows.inverse)
        return replace(self, otherwise=unpacked >> rows)


def _same_in(forms: str, first: str, last: str) -> dict[str, dict[str, str]]:
    return {form: {CHANNELS_FIRST: first, CHANNELS_LAST: last} for form in forms.split()}


_UP_TO_1_0 = "keras0 keras1.0.5 keras1.0.6 keras1.0.7 keras1.0"
_FROM_1_1 = "keras1.1 keras1"
_OLD = f"{_UP_TO_1_0} {_FROM_1_1}"


def conv_kernel(rank: int) -> Role:
    """Kernel of Conv1D/2D/3D: reversed on Theano (rulebook A2, A5)."""
    space = SPATIAL[rank]
    stored = _same_in(_OLD, "oi" + space, space + "io")
    if rank == 1:
        stored = {**_same_in(_UP_TO_1_0, "oiw1", "oiw1"), **_same_in(_FROM_1_1, "w1io", "w1io")}
    return Role("conv_kernel", space + "io", space, stored)


def transposed_conv_kernel(rank: int) -> Role:
    """Kernel of Conv2DTranspose/Conv3DTranspose, (spatial..., out, in): reversed on Theano."""
    space = SPATIAL[rank]
    return Role("transposed_conv_kernel", space + "oi", space, _same_in(_OLD, "oi" + space, space + "io"))


def depthwise_kernel(rank: int) -> Role:
    """Kernel (spatial..., in, multiplier): Keras on Theano reverses it before convolving, so it is stored alike."""
    space = SPATIAL[rank]
    return Role("depthwise_kernel", space + "im", "", _same_in(_OLD, "mi" + space, space + "im"))


def pointwise_kernel(rank: int) -> Role:
    """The 1x1 kernel of a separable convolution: nothing to reverse."""
    space = SPATIAL[rank]
    return Role("pointwise_kernel", space + "io", "", _same_in(_OLD, "oi" + space, space + "io"))


DENSE_KERNEL = Role("dense_kernel", "io")
VECTOR = Role("vector", "o")
MAXOUT_KERNEL = Role("maxout_kernel", "fio")
MAXOUT_BIAS = Role("maxout_bias", "fo")
LOCAL_KERNEL = Role("local_kernel", "pko")


def embeddings(dropout: float = 0.0) -> Role:
    """A table of vectors; Keras 0.2 and 0.3 scale it by 1 - dropout whenever they do not train."""
    kept = Chain((Scale(1.0 - dropout),)).simplified
    return Role("embeddings", "vo", values={("keras0", backend): kept for backend in BACKENDS})


def variance(epsilon: float) -> Role:
    """The moving variance that is divided by as sqrt(variance + epsilon).

    Up to Keras 1.0.6 a standard deviation is stored in its place, divided by as deviation + epsilon (1.0.6:
    on Theano alone), and Keras 1.0.7 on Theano divides by sqrt(variance) + epsilon (rulebook A7).
    """
    deviation = Chain((Variance(epsilon),))
    values = {(form, backend): deviation for form in ("keras0", "keras1.0.5") for backend in BACKENDS}
    values["keras1.0.6", "theano"] = deviation
    values["keras1.0.7", "theano"] = Power(2, root=True) >> deviation
    return Role("variance", "o", values=values)


def local_bias(rank: int) -> Role:
    """Bias of a locally connected layer, (spatial..., out): reshaped where channels_first (rulebook A6)."""
    return Role("local_bias", SPATIAL[rank] + "o")


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
