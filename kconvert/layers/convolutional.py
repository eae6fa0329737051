"""Convolutions: plain, transposed, depthwise and separable, with 1, 2 or 3 spatial axes.

Kernels are in the convention of the backend (keras-facts: reversed-kernels): Theano reverses them itself, and no layer
flips one. Sizes and defaults are those of Keras 2.3.1. Padding 'full' exists in Keras 1 on Theano alone (keras-facts:
full-padding).

    x       (batch, spatial..., channels) in channels_last, (batch, channels, spatial...) in channels_first
    kernel  (spatial..., in, out) in both data formats; transposed: (spatial..., out, in)
    bias    (out,)
"""

from __future__ import annotations

from dataclasses import KW_ONLY, field
from typing import Any, ClassVar

from ..backend.base import Backend, Tensor
from ..conventions.backends import CHANNELS_FIRST
from ..conventions.roles import Weight, conv_kernel, depthwise_kernel, pointwise_kernel, transposed_conv_kernel
from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .activations import activation
from .base import Layer, Shape, Weights
from .component_names import WithComponents, are_checked, stated
from .fields import KernelFields
from .input_spec import InputSpec
from .options import integers, later_option
from .phase import Phase
from .shapes import bias_add, channel_axis, conv_length, data_format_of, deconv_length, image, one_of, space, space_axes


class _Convolution(Layer):
    """Base class of convolutions. Subclasses define the fields, `kernels`, `channels_out` and `convolve`."""

    # The number of spatial axes.
    rank: ClassVar[int]
    # The values that `padding` may have.
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same", "full")
    kernel_size: Any
    strides: Any
    padding: str
    data_format: str
    dilation_rate: Any
    activation: Any
    use_bias: bool
    bias_initializer: Any

    def spec_of(self, shape: Any) -> InputSpec:
        axis = 1 if self.data_format == CHANNELS_FIRST else -1
        return InputSpec(ndim=self.rank + 2, axes={axis: shape[axis]} if shape else None)

    def __post_init__(self) -> None:
        self.kernel_size = integers(self.kernel_size, self.rank, "kernel_size")
        self.strides = integers(self.strides, self.rank, "strides")
        self.padding = one_of(self.padding, self.paddings, "padding")
        self.data_format = data_format_of(self.data_format)
        self.dilation_rate = integers(self.dilation_rate, self.rank, "dilation_rate")

    def weight_specs(self, shape: Shape) -> list[Weight]:
        n = self.known(shape, channel_axis(len(shape), self.data_format))
        kernels = self.kernels(n)
        bias = Weight("bias", (self.channels_out(n),), initializer=stated(self, "bias_initializer"))
        return [*kernels, bias] if self.use_bias else kernels

    def kernels(self, n: int) -> list[Weight]:
        """The kernels for `n` input channels."""
        raise NotImplementedError

    def channels_out(self, n: int) -> int:
        """The number of output channels for `n` input channels."""
        raise NotImplementedError

    def lengths(self, sizes: tuple[Any, ...]) -> tuple[Any, ...]:
        """The spatial sizes of the output for an input with the spatial sizes `sizes`."""
        windows = zip(sizes, self.kernel_size, self.strides, self.dilation_rate, strict=True)
        return tuple(conv_length(n, kernel, self.padding, stride, rate) for n, kernel, stride, rate in windows)

    def compute_output_shape(self, shape: Shape) -> Shape:
        n = self.known(shape, channel_axis(len(shape), self.data_format))
        return image(shape[0], self.lengths(space(shape, self.data_format)), self.channels_out(n), self.data_format)

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        y = self.convolve(K, w, x)
        if self.use_bias:
            y = bias_add(K, y, w["bias"], self.data_format)
        return activation(stated(self, "activation"))(K, y)

    def convolve(self, K: Backend, w: Weights, x: Tensor) -> Tensor:
        """The convolution of `x`, without bias and activation."""
        raise NotImplementedError


# ------------------------------------------------------------------- plain ----


@dataclass(eq=False)
class _PlainConvolution(_Convolution, KernelFields):
    """Plain convolution, with a kernel (spatial..., in / groups, out) (keras-facts: conv-kernel-axes).

    groups: how many groups the channels are in; each gives as many of the filters (keras-facts: groups).
    """

    filters: int
    kernel_size: Any
    strides: Any = 1
    padding: str = "valid"
    data_format: Any = None
    dilation_rate: Any = 1
    activation: Any = None
    use_bias: bool = True
    groups: int = later_option(1)

    def __post_init__(self) -> None:
        super().__post_init__()
        (self.groups,) = integers(self.groups, 1, "groups")

    def kernels(self, n: int) -> list[Weight]:
        if self.groups < 1 or n % self.groups or self.filters % self.groups:
            what = f"{n} channels and {self.filters} filters cannot be in {self.groups} equal groups"
            raise KconvertError(what, where=f"layer {self.name}")
        shape = (*self.kernel_size, n // self.groups, self.filters)
        return [Weight("kernel", shape, conv_kernel(self.rank), initializer=stated(self, "kernel_initializer"))]

    def channels_out(self, n: int) -> int:
        return self.filters

    def convolve(self, K: Backend, w: Weights, x: Tensor) -> Tensor:
        return K.conv(x, w["kernel"], self.strides, self.padding, self.data_format, self.dilation_rate, self.groups)


@dataclass(eq=False)
class Conv1D(_PlainConvolution):
    """Convolution over time. With 'causal' padding, an output depends on no later time step.

    >>> Conv1D(4, 3, padding="causal").compute_output_shape((None, 10, 5))
    (None, 10, 4)
    """

    rank = 1
    paddings = ("valid", "same", "causal", "full")
    over_steps = True

    def check_arguments(self) -> None:
        super().check_arguments()
        if are_checked() and self.padding == "causal" and self.data_format == CHANNELS_FIRST:
            what = "padding='causal' needs data_format='channels_last'"
            raise KconvertError(what, f"layer {self.name}", problem=Problem.USAGE)

    def convolve(self, K: Backend, w: Weights, x: Tensor) -> Tensor:
        if self.padding != "causal":
            return super().convolve(K, w, x)
        (time,) = space_axes(3, self.data_format)
        before = (self.kernel_size[0] - 1) * self.dilation_rate[0]
        padded = K.pad(x, [(before, 0) if axis == time else (0, 0) for axis in range(3)])
        return K.conv(padded, w["kernel"], self.strides, "valid", self.data_format, self.dilation_rate, self.groups)


@dataclass(eq=False)
class Conv2D(_PlainConvolution):
    """Convolution over images.

    >>> Conv2D(8, (3, 5), data_format="channels_first").compute_output_shape((None, 2, 10, None))
    (None, 8, 8, None)
    """

    rank = 2


@dataclass(eq=False)
class Conv3D(_PlainConvolution):
    """Convolution over volumes."""

    rank = 3


# -------------------------------------------------------------- transposed ----


class _ConvTranspose(_Convolution):
    """Transposed convolution: the gradient of a convolution with respect to its input.

    kernel (spatial..., out, in) (keras-facts: transposed-kernel-axes)
    """

    filters: int
    # Elements added at the end of each spatial axis of the output; None: the smallest output, as Keras computes it.
    output_padding: Any
    kernel_initializer: Any
    # The whole output shape, where a configuration of Keras 1 states it.
    keras1_output_shape: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.output_padding is not None:
            self.output_padding = integers(self.output_padding, self.rank, "output_padding", 0)
            if any(extra >= stride for extra, stride in zip(self.output_padding, self.strides, strict=True)):
                what = f"output_padding {self.output_padding} must be smaller than the strides {self.strides}"
                raise KconvertError(what, f"layer {self.name}", problem=Problem.USAGE)

    def kernels(self, n: int) -> list[Weight]:
        shape = (*self.kernel_size, self.filters, n)
        return [
            Weight("kernel", shape, transposed_conv_kernel(self.rank), initializer=stated(self, "kernel_initializer"))
        ]

    def channels_out(self, n: int) -> int:
        return self.filters

    def lengths(self, sizes: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.keras1_output_shape is not None:
            return space(self.keras1_output_shape, self.data_format)
        extra = self.output_padding or (None,) * self.rank
        axes = zip(sizes, self.kernel_size, self.strides, self.dilation_rate, extra, strict=True)
        return tuple(deconv_length(n, k, self.padding, stride, rate, more) for n, k, stride, rate, more in axes)

    def convolve(self, K: Backend, w: Weights, x: Tensor) -> Tensor:
        sizes = self.lengths(space(K.shape(x), self.data_format))
        return K.conv_transpose(x, w["kernel"], sizes, self.strides, self.padding, self.data_format, self.dilation_rate)


@dataclass(eq=False)
class Conv2DTranspose(_ConvTranspose, KernelFields):
    """Transposed convolution over images.

    keras1_output_shape: the whole output shape, as a Deconvolution2D of Keras 1 states it
    (keras-facts: deconvolution-output-shape).

    >>> Conv2DTranspose(4, 3, strides=2, padding="same").compute_output_shape((None, 5, 6, 3))
    (None, 10, 12, 4)
    """

    rank = 2
    without_effect = frozenset({"output_shape"})

    filters: int
    kernel_size: Any
    strides: Any = 1
    padding: str = "valid"
    output_padding: Any = None
    data_format: Any = None
    dilation_rate: Any = 1
    activation: Any = None
    use_bias: bool = True
    keras1_output_shape: Any = field(default=None, kw_only=True, metadata={"old_option": True, "key": "output_shape"})


@dataclass(eq=False)
class Conv3DTranspose(_ConvTranspose, KernelFields):
    """Transposed convolution over volumes. Keras has no dilation for it."""

    rank = 3

    filters: int
    kernel_size: Any
    strides: Any = 1
    padding: str = "valid"
    output_padding: Any = None
    data_format: Any = None
    activation: Any = None
    use_bias: bool = True
    dilation_rate = 1


# --------------------------------------------------------------- depthwise ----


@dataclass(eq=False, kw_only=True)
class DepthwiseFields(WithComponents):
    """Options for a depthwise kernel and the bias."""

    depthwise_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    depthwise_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    depthwise_constraint: Any = None
    bias_constraint: Any = None


class _Depthwise(_Convolution):
    """Convolution of each channel with its own kernels.

    It is a correlation on every backend (keras-facts: depthwise-not-reversed). depthwise_kernel (spatial..., in,
    multiplier)
    """

    without_effect: ClassVar[frozenset[str]] = frozenset(
        {"kernel_initializer", "kernel_regularizer", "kernel_constraint"}
    )

    depth_multiplier: int
    depthwise_initializer: Any

    def kernels(self, n: int) -> list[Weight]:
        shape = (*self.kernel_size, n, self.depth_multiplier)
        return [
            Weight(
                "depthwise_kernel",
                shape,
                depthwise_kernel(self.rank),
                initializer=stated(self, "depthwise_initializer"),
            )
        ]

    def channels_out(self, n: int) -> int:
        return n * self.depth_multiplier

    def convolve(self, K: Backend, w: Weights, x: Tensor) -> Tensor:
        return K.depthwise_conv(
            x, w["depthwise_kernel"], self.strides, self.padding, self.data_format, self.dilation_rate
        )


@dataclass(eq=False)
class _DepthwiseConv(_Depthwise, DepthwiseFields):
    """A depthwise convolution alone."""

    paddings = ("valid", "same")

    kernel_size: Any
    strides: Any = 1
    padding: str = "valid"
    depth_multiplier: int = 1
    data_format: Any = None
    dilation_rate: Any = 1
    activation: Any = None
    use_bias: bool = True


@dataclass(eq=False)
class DepthwiseConv1D(_DepthwiseConv):
    """Depthwise convolution over time."""

    rank = 1
    of_tf_keras = True


@dataclass(eq=False)
class DepthwiseConv2D(_DepthwiseConv):
    """Depthwise convolution over images.

    Input channel c has the output channels c * depth_multiplier to (c + 1) * depth_multiplier - 1.

    >>> DepthwiseConv2D(3, depth_multiplier=2).compute_output_shape((None, 7, 9, 3))
    (None, 5, 7, 6)
    """

    rank = 2

    def spec_of(self, shape: Any) -> InputSpec:
        axis = channel_axis(self.rank + 2, self.data_format)
        return InputSpec(ndim=self.rank + 2, axes={axis: shape[axis]} if shape else None)


@dataclass(eq=False)
class _SeparableConv(_Depthwise, DepthwiseFields):
    """A depthwise convolution, then a plain convolution of size 1 that mixes the channels.

    depthwise_kernel (spatial..., in, multiplier), pointwise_kernel (1..., in * multiplier, out)
    (keras-facts: separable-kernel-axes)
    """

    paddings = ("valid", "same")

    filters: int
    kernel_size: Any
    strides: Any = 1
    padding: str = "valid"
    data_format: Any = None
    dilation_rate: Any = 1
    depth_multiplier: int = 1
    activation: Any = None
    use_bias: bool = True
    _: KW_ONLY
    pointwise_initializer: Any = "glorot_uniform"
    pointwise_regularizer: Any = None
    pointwise_constraint: Any = None

    def kernels(self, n: int) -> list[Weight]:
        shape = (1,) * self.rank + (n * self.depth_multiplier, self.filters)
        pointwise = Weight(
            "pointwise_kernel", shape, pointwise_kernel(self.rank), initializer=stated(self, "pointwise_initializer")
        )
        return [*super().kernels(n), pointwise]

    def channels_out(self, n: int) -> int:
        return self.filters

    def convolve(self, K: Backend, w: Weights, x: Tensor) -> Tensor:
        y, ones = super().convolve(K, w, x), (1,) * self.rank
        return K.conv(y, w["pointwise_kernel"], ones, "valid", self.data_format, ones)


@dataclass(eq=False)
class SeparableConv1D(_SeparableConv):
    """Separable convolution over time."""

    rank = 1


@dataclass(eq=False)
class SeparableConv2D(_SeparableConv):
    """Separable convolution over images."""

    rank = 2
