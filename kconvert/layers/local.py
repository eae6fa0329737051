"""Locally connected layers: a convolution with a different kernel at every position.

They multiply patches of the input by matrices, which is a correlation on every backend. Their kernels are never
reversed (keras-facts: local-not-reversed).
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any, ClassVar

from ..backend.base import Backend, Tensor
from ..conventions.backends import CHANNELS_FIRST, CHANNELS_LAST
from ..conventions.roles import LOCAL_KERNEL, Weight, local_bias
from ..lazy_dataclasses import dataclass
from .activations import activation
from .base import Layer, Shape, Weights
from .component_names import stated
from .fields import KernelFields
from .input_spec import InputSpec
from .options import integers
from .phase import Phase
from .shapes import channel_axis, conv_length, data_format_of, image, one_of, space, space_axes


class _LocallyConnected(Layer):
    """Base class of locally connected layers.

    x       (batch, spatial..., channels) in channels_last, (batch, channels, spatial...) in channels_first
    kernel  (positions, patch, filters); a patch has the order of the data format (keras-facts: local-patch-order)
    bias    (spatial..., filters)
    """

    # The number of spatial axes.
    rank: ClassVar[int]
    filters: int
    kernel_size: Any
    strides: Any
    padding: str
    data_format: Any = CHANNELS_LAST
    activation: Any
    use_bias: bool
    kernel_initializer: Any
    bias_initializer: Any

    def spec_of(self, shape: Any) -> InputSpec:
        axis = channel_axis(self.rank + 2, self.data_format)
        return InputSpec(ndim=self.rank + 2, axes={axis: shape[axis]} if shape else None)

    def __post_init__(self) -> None:
        self.kernel_size = integers(self.kernel_size, self.rank, "kernel_size")
        self.strides = integers(self.strides, self.rank, "strides")
        self.padding = one_of(self.padding, ("valid",), "padding")

    def weight_specs(self, shape: Shape) -> list[Weight]:
        for axis in space_axes(len(shape), self.data_format):
            self.known(shape, axis)
        sizes = self.lengths(space(shape, self.data_format))
        patch = prod(self.kernel_size) * self.known(shape, channel_axis(len(shape), self.data_format))
        kernel_shape = (prod(sizes), patch, self.filters)
        kernel = Weight("kernel", kernel_shape, LOCAL_KERNEL, initializer=stated(self, "kernel_initializer"))
        bias = Weight(
            "bias", (*sizes, self.filters), local_bias(self.rank), initializer=stated(self, "bias_initializer")
        )
        return [kernel, bias] if self.use_bias else [kernel]

    def lengths(self, sizes: tuple[Any, ...]) -> tuple[Any, ...]:
        """The spatial sizes of the output for an input with the spatial sizes `sizes`."""
        windows = zip(sizes, self.kernel_size, self.strides, strict=True)
        return tuple(conv_length(n, kernel, self.padding, stride) for n, kernel, stride in windows)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return image(shape[0], self.lengths(space(shape, self.data_format)), self.filters, self.data_format)

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        sizes = self.lengths(space(K.shape(x), self.data_format))
        # (positions, batch, patch) . (positions, patch, filters) -> (positions, batch, filters)
        y = K.batch_dot(self.patches(K, x, sizes), w["kernel"], (2, 1))
        y = K.transpose(y, (1, 2, 0) if self.data_format == CHANNELS_FIRST else (1, 0, 2))
        y = K.reshape(y, image(-1, sizes, self.filters, self.data_format))
        if self.use_bias:
            # In channels_first, Keras reshapes the bias to (filters, spatial...) and does not transpose it
            # (keras-facts: local-bias-is-reshaped).
            y = y + K.reshape(w["bias"], image(1, sizes, self.filters, self.data_format))
        return activation(stated(self, "activation"))(K, y)

    def patches(self, K: Backend, x: Tensor, sizes: tuple[Any, ...]) -> Tensor:
        """The patches of the input, (positions, batch, patch); sizes: the spatial sizes of the output."""
        axes = space_axes(self.rank + 2, self.data_format)
        shifted = []
        for starts in product(*map(range, self.kernel_size)):
            index = [slice(None)] * (self.rank + 2)
            for axis, start, size, stride in zip(axes, starts, sizes, self.strides, strict=True):
                index[axis] = slice(start, start + (size - 1) * stride + 1, stride)
            shifted.append(x[tuple(index)])
        # A patch is (channels, spatial...) in channels_first, (spatial..., channels) in channels_last.
        first = self.data_format == CHANNELS_FIRST
        stacked = K.stack(shifted, axis=2 if first else self.rank + 1)
        order = (
            (*range(3, self.rank + 3), 0, 1, 2)
            if first
            else (*range(1, self.rank + 1), 0, self.rank + 1, self.rank + 2)
        )
        batch, n = K.shape(x)[0], K.shape(x)[channel_axis(self.rank + 2, self.data_format)]
        return K.reshape(K.transpose(stacked, order), (prod(sizes), batch, n * len(shifted)))


@dataclass(eq=False)
class LocallyConnected1D(_LocallyConnected, KernelFields):
    """Locally connected layer over time. Its input is (batch, time, channels); it has no data format.

    >>> LocallyConnected1D(4, 3).compute_output_shape((None, 10, 5))
    (None, 8, 4)
    """

    rank = 1
    over_steps = True
    without_effect = frozenset({"data_format"})

    filters: int
    kernel_size: Any
    strides: Any = 1
    padding: str = "valid"
    activation: Any = None
    use_bias: bool = True


@dataclass(eq=False)
class LocallyConnected2D(_LocallyConnected, KernelFields):
    """Locally connected layer over images."""

    rank = 2

    filters: int
    kernel_size: Any
    strides: Any = 1
    padding: str = "valid"
    data_format: Any = None
    activation: Any = None
    use_bias: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.data_format = data_format_of(self.data_format)
