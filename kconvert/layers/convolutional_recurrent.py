"""ConvLSTM: an LSTM with convolutions in place of matrix products, of steps with 1, 2 or 3 spatial axes.

    x                 (batch, time, spatial..., channels) in channels_last,
                      (batch, time, channels, spatial...) in channels_first
    kernel            (spatial..., channels, 4 * filters), gates ifco
    recurrent_kernel  (spatial..., filters, 4 * filters)
    bias              (4 * filters,)

The recurrent convolution always has padding 'same' and stride 1 (keras-facts: convlstm-recurrent-padding).
"""

from __future__ import annotations

from dataclasses import KW_ONLY, field
from typing import Any, ClassVar

from ..backend.base import Backend, Tensor
from ..conventions.roles import LSTM_GATES, VECTOR, Weight, conv_kernel
from ..errors import AlsoTypeError, Problem
from ..lazy_dataclasses import dataclass
from .activations import activation
from .base import Shape, Weights
from .cells import STORED_LSTM_GATES, GateInputs, RecurrentFields, _Cell, gated, lstm_step, unit_forget_bias
from .component_names import are_checked, stated
from .options import integers
from .recurrent import LoopFields, _LoopOfOptions
from .shapes import Sizes, bias_add, channel_axis, conv_length, data_format_of, image, one_of, space


@dataclass(eq=False)
class ConvLSTMFields(RecurrentFields):
    """Options of a ConvLSTM and its cell."""

    # The number of spatial axes of a step.
    rank: ClassVar[int]

    filters: int
    kernel_size: Any
    strides: Any = 1
    padding: str = "valid"
    data_format: Any = None
    dilation_rate: Any = 1
    activation: Any = "tanh"
    recurrent_activation: Any = "hard_sigmoid"
    use_bias: bool = True
    unit_forget_bias: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        self.kernel_size = integers(self.kernel_size, self.rank, "kernel_size")
        self.strides = integers(self.strides, self.rank, "strides")
        self.padding = one_of(self.padding, ("valid", "same"), "padding")
        self.data_format = data_format_of(self.data_format)
        self.dilation_rate = integers(self.dilation_rate, self.rank, "dilation_rate")


@dataclass(eq=False)
class _ConvLSTMCell(_Cell, ConvLSTMFields):
    """One time step of a ConvLSTM. The states are h and c."""

    states = 2
    masks_of_dropout = 4
    size_field = "filters"

    @property
    def channels(self) -> int:
        """The axis of the channels in a time step."""
        return channel_axis(self.rank + 2, self.data_format)

    def weight_specs(self, shape: Shape) -> list[Weight]:
        n, width = self.known(shape, self.channels), 4 * self.filters
        kernel, vector = (role.with_gates(LSTM_GATES, STORED_LSTM_GATES) for role in (conv_kernel(self.rank), VECTOR))
        start = (
            unit_forget_bias(stated(self, "bias_initializer"))
            if self.unit_forget_bias
            else stated(self, "bias_initializer")
        )
        recurrent_shape = (*self.kernel_size, self.filters, width)
        weights = [
            Weight("kernel", (*self.kernel_size, n, width), kernel, initializer=stated(self, "kernel_initializer")),
            Weight("recurrent_kernel", recurrent_shape, kernel, initializer=stated(self, "recurrent_initializer")),
            Weight("bias", (width,), vector, initializer=start),
        ]
        return weights if self.use_bias else weights[:2]

    def compute_output_shape(self, shape: Sizes) -> Sizes:
        windows = zip(space(shape, self.data_format), self.kernel_size, self.strides, self.dilation_rate, strict=True)
        lengths = [conv_length(n, kernel, self.padding, stride, rate) for n, kernel, stride, rate in windows]
        return image(shape[0], lengths, self.filters, self.data_format)

    def state_shapes(self, shape: Sizes) -> list[Sizes]:
        return [self.compute_output_shape(shape)] * self.states

    @property
    def masks(self) -> int:
        return 4

    def project(self, K: Backend, w: Weights, x: GateInputs) -> Tensor:
        def product(images: Tensor, kernel: Tensor) -> Tensor:
            return K.conv(images, kernel, self.strides, self.padding, self.data_format, self.dilation_rate)

        projected = gated(K, product, x, w["kernel"], self.channels)
        return bias_add(K, projected, w["bias"], self.data_format) if self.use_bias else projected

    def step(
        self, K: Backend, w: Weights, x: Tensor, states: list[Tensor], h: GateInputs
    ) -> tuple[Tensor, list[Tensor]]:
        ones = (1,) * self.rank

        def product(images: Tensor, kernel: Tensor) -> Tensor:
            return K.conv(images, kernel, ones, "same", self.data_format, ones)

        sums = x + gated(K, product, h, w["recurrent_kernel"], self.channels)
        activate, gate = activation(stated(self, "activation")), activation(stated(self, "recurrent_activation"))
        return lstm_step(K, self.gates(sums), states[1], activate, gate)

    def gates(self, x: Tensor) -> list[Tensor]:
        """The four parts of `x` along its channels, one for each gate."""
        before = [slice(None)] * self.channels
        parts = [(*before, slice(i * self.filters, (i + 1) * self.filters)) for i in range(4)]
        return [x[part] for part in parts]


class _ConvLSTM1DCell(_ConvLSTMCell):
    rank = 1


class ConvLSTM2DCell(_ConvLSTMCell):
    """One time step of ConvLSTM2D."""

    rank = 2


class _ConvLSTM3DCell(_ConvLSTMCell):
    rank = 3


@dataclass(eq=False)
class _ConvLSTM(_LoopOfOptions, ConvLSTMFields, LoopFields):
    """Base class of convolutional LSTMs."""

    _: KW_ONLY
    activity_regularizer: Any = None

    def check_arguments(self) -> None:
        """Raises KconvertError also for a loop that is to be unrolled, which Keras does not have here."""
        super().check_arguments()
        if self.unroll and are_checked():
            raise AlsoTypeError(f"a {self.class_name} layer cannot be unrolled", problem=Problem.USAGE)


class ConvLSTM1D(_ConvLSTM):
    """Convolutional LSTM over a sequence of sequences (keras-facts: convlstm-of-other-ranks)."""

    rank = 1
    cell_class = _ConvLSTM1DCell
    of_tf_keras = True


@dataclass(eq=False)  # with a constructor of its own, which knows the default data format
class ConvLSTM2D(_ConvLSTM):
    """Convolutional LSTM over a sequence of images.

    >>> ConvLSTM2D(4, 3, return_sequences=True).compute_output_shape((None, None, 7, 9, 2))
    (None, None, 5, 7, 4)
    """

    rank = 2
    cell_class = ConvLSTM2DCell


class ConvLSTM3D(_ConvLSTM):
    """Convolutional LSTM over a sequence of volumes (keras-facts: convlstm-of-other-ranks)."""

    rank = 3
    cell_class = _ConvLSTM3DCell
    of_tf_keras = True
