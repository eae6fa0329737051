"""Creates the layer of each class from its arrays, without an architecture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ... import layers as L
from ...conventions.generations import GENERATIONS
from ...conventions.roles import (
    DENSE_KERNEL,
    GRU_GATES,
    LOCAL_KERNEL,
    LSTM_GATES,
    MAXOUT_KERNEL,
    VECTOR,
    Role,
    conv_kernel,
    depthwise_kernel,
    local_bias,
    map_parameter,
    pointwise_kernel,
    transposed_conv_kernel,
)
from ...conventions.storage import slot_name
from ...kernels import Shape, Transpose
from ...layers.base import Layer
from ...layers.shapes import image
from ...lazy_dataclasses import dataclass


@dataclass(frozen=True)
class Stored:
    """The arrays of one layer: shape by stored name, read for one data format."""

    shapes: Mapping[str, Shape]
    form: str
    data_format: str

    def __contains__(self, weight: str) -> bool:
        slot = slot_name(self.form, weight)
        return any(name == slot or name.startswith(f"{slot}_") for name in self.shapes)

    def fused(self, weight: str) -> bool:
        """Whether one array has all gates."""
        return slot_name(self.form, weight) in self.shapes

    def shape(self, weight: str, role: Role) -> Shape:
        """The canonical shape of a weight. LookupError or KconvertError if the arrays do not fit."""
        slot, fused = slot_name(self.form, weight), self.fused(weight)
        shape = self.shapes[slot if fused else f"{slot}_{role.gates[0]}"]
        *size, width = Transpose(role.stored_axes(self.form, self.data_format), role.axes).shape(shape)
        return (*size, width if fused else width * len(role.gates))


Reading = tuple[Layer, Any]  # a layer and the shape of its input


def _dense(cls: Any, a: Stored) -> Reading:
    n, units = a.shape("kernel", DENSE_KERNEL)
    return cls(units, use_bias="bias" in a), (None, n)


def _maxout(cls: Any, a: Stored) -> Reading:
    features, n, units = a.shape("kernel", MAXOUT_KERNEL)
    return cls(units, features, bias="bias" in a), (None, n)


def _highway(cls: Any, a: Stored) -> Reading:
    return cls(bias="bias" in a), (None, a.shape("kernel", DENSE_KERNEL)[0])


def _embedding(cls: Any, a: Stored) -> Reading:
    return cls(*a.shapes[slot_name(a.form, "embeddings")]), (None, None)


def _normalization(cls: Any, a: Stored) -> Reading:
    return cls(scale="gamma" in a, center="beta" in a), (None, *a.shape("moving_mean", VECTOR))


def _layer_normalization(cls: Any, a: Stored) -> Reading:
    weight = "gamma" if "gamma" in a else "beta"
    size = a.shapes[slot_name(a.form, weight)]
    layer = cls([*range(1, len(size) + 1)], scale="gamma" in a, center="beta" in a)
    return layer, (None, *a.shape(weight, map_parameter(len(size))))


def _normalization_of_inputs(cls: Any, a: Stored) -> Reading:
    size = a.shapes[slot_name(a.form, "mean")]
    return cls([*range(1, len(size) + 1)]), (None, *size)


def _map_parameters(weight: str, cls: Any, a: Stored) -> Reading:
    rank = len(a.shapes[slot_name(a.form, weight)])
    return cls(), (None, *a.shape(weight, map_parameter(rank)))


def _convolution(rank: int, cls: Any, a: Stored) -> Reading:
    *size, n, filters = a.shape("kernel", conv_kernel(rank))
    return cls(filters, size, data_format=a.data_format, use_bias="bias" in a), _image(rank, n, a)


def _transposed(rank: int, cls: Any, a: Stored) -> Reading:
    *size, filters, n = a.shape("kernel", transposed_conv_kernel(rank))
    return cls(filters, size, data_format=a.data_format, use_bias="bias" in a), _image(rank, n, a)


def _depthwise(rank: int, cls: Any, a: Stored) -> Reading:
    *size, n, multiplier = a.shape("depthwise_kernel", depthwise_kernel(rank))
    layer = cls(size, depth_multiplier=multiplier, data_format=a.data_format, use_bias="bias" in a)
    return layer, _image(rank, n, a)


def _separable(rank: int, cls: Any, a: Stored) -> Reading:
    *size, n, multiplier = a.shape("depthwise_kernel", depthwise_kernel(rank))
    filters = a.shape("pointwise_kernel", pointwise_kernel(rank))[-1]
    layer = cls(filters, size, depth_multiplier=multiplier, data_format=a.data_format, use_bias="bias" in a)
    return layer, _image(rank, n, a)


def _local(rank: int, cls: Any, a: Stored) -> Reading:
    """A layer of kernel size 1, whose channels are the patches: its arrays are those of any other kernel size."""
    positions, patch, filters = a.shape("kernel", LOCAL_KERNEL)
    sizes = a.shape("bias", local_bias(rank))[:-1] if "bias" in a else (positions, 1)[:rank]
    return cls(filters, 1, use_bias="bias" in a), (None, *sizes, patch)


def _recurrent(gates: str, cls: Any, a: Stored) -> Reading:
    kernel = DENSE_KERNEL.with_gates(gates, gates)
    n, units = a.shape("kernel", kernel)[0], a.shape("recurrent_kernel", kernel)[0]
    options = {"implementation": 2 if a.fused("kernel") else 1} if gates else {}
    if gates == GRU_GATES and a.fused("bias"):
        options["reset_after"] = len(a.shapes[slot_name(a.form, "bias")]) == 2
    return cls(units, use_bias="bias" in a, **options), (None, None, n)


def _cudnn(gates: str, cls: Any, a: Stored) -> Reading:
    if not GENERATIONS[a.form].cudnn:
        raise LookupError(f"{a.form} has no CuDNN layers")
    kernel = DENSE_KERNEL.with_gates(gates, gates)
    n, units = a.shape("kernel", kernel)[0], a.shape("recurrent_kernel", kernel)[0]
    return cls(units), (None, None, n)


def _convolutional_recurrent(rank: int, cls: Any, a: Stored) -> Reading:
    kernel = conv_kernel(rank).with_gates(LSTM_GATES, LSTM_GATES)
    *size, n, _ = a.shape("kernel", kernel)
    filters = a.shape("recurrent_kernel", kernel)[-2]
    batch, *inner = _image(rank, n, a)
    return cls(filters, size, data_format=a.data_format, use_bias="bias" in a), (batch, None, *inner)


def _image(rank: int, n: int, a: Stored) -> Any:
    return image(None, (None,) * rank, n, a.data_format)


# The function that creates the layer of each class from its arrays. If several classes store the same arrays, the first
# one is used. A subclass uses the function of its nearest base class in the table.
READERS: Mapping[type[Layer], Callable[[Any, Stored], Reading]] = {
    L.Dense: _dense,
    L.TimeDistributedDense: _dense,
    L.Embedding: _embedding,
    L.MaxoutDense: _maxout,
    L.Highway: _highway,
    L.BatchNormalization: _normalization,
    L.LayerNormalization: _layer_normalization,
    L.Normalization: _normalization_of_inputs,
    L.Conv1D: partial(_convolution, 1),
    L.Conv2D: partial(_convolution, 2),
    L.Conv3D: partial(_convolution, 3),
    L.Conv2DTranspose: partial(_transposed, 2),
    L.Conv3DTranspose: partial(_transposed, 3),
    L.DepthwiseConv1D: partial(_depthwise, 1),
    L.DepthwiseConv2D: partial(_depthwise, 2),
    L.SeparableConv1D: partial(_separable, 1),
    L.SeparableConv2D: partial(_separable, 2),
    L.LocallyConnected1D: partial(_local, 1),
    L.LocallyConnected2D: partial(_local, 2),
    L.SimpleRNN: partial(_recurrent, ""),
    L.GRU: partial(_recurrent, GRU_GATES),
    L.LSTM: partial(_recurrent, LSTM_GATES),
    L.CuDNNGRU: partial(_cudnn, GRU_GATES),
    L.CuDNNLSTM: partial(_cudnn, LSTM_GATES),
    L.ConvLSTM1D: partial(_convolutional_recurrent, 1),
    L.ConvLSTM2D: partial(_convolutional_recurrent, 2),
    L.ConvLSTM3D: partial(_convolutional_recurrent, 3),
    L.PReLU: partial(_map_parameters, "alpha"),
    L.ParametricSoftplus: partial(_map_parameters, "alpha"),
    L.SReLU: partial(_map_parameters, "t_left"),
}
