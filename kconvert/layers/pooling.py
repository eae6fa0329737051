"""Pooling over windows and over all positions. The layers have no weights, and their output has no mask.

With padding='same', the windows start where the backend starts them (keras-facts: same-padding-of-pooling).
"""

from __future__ import annotations

from typing import Any, ClassVar

from ..backend.base import Backend
from ..backend.float_settings import floatx
from ..lazy_dataclasses import dataclass
from .base import Layer, Shape, Weights
from .input_spec import InputSpec
from .options import integers, later_option
from .phase import Phase
from .shapes import channel_axis, check_axes, conv_length, data_format_of, image, one_of, space, space_axes


@dataclass(eq=False)
class _Pooling(Layer):
    """The maximum or the mean of windows.

    x: (batch, spatial..., channels) in channels_last, (batch, channels, spatial...) in channels_first. pool_size: the
    size of a window. strides: the distance of the windows, by default `pool_size`.
    """

    pool_size: Any = 2
    strides: Any = None
    padding: str = "valid"
    data_format: Any = None

    # The number of spatial axes.
    rank: ClassVar[int]
    # "max" or "average".
    mode: ClassVar[str]

    def __post_init__(self) -> None:
        self.pool_size = integers(self.pool_size, self.rank, "pool_size")
        self.strides = self.pool_size if self.strides is None else integers(self.strides, self.rank, "strides")
        self.padding = one_of(self.padding, ("valid", "same"), "padding")
        self.data_format = data_format_of(self.data_format)

    def spec_of(self, shape: Any) -> InputSpec:
        return InputSpec(ndim=self.rank + 2)

    def compute_output_shape(self, shape: Shape) -> Shape:
        windows = zip(space(shape, self.data_format), self.pool_size, self.strides, strict=True)
        lengths = [conv_length(n, window, self.padding, stride) for n, window, stride in windows]
        return image(shape[0], lengths, shape[channel_axis(len(shape), self.data_format)], self.data_format)

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        return K.pool(x, self.pool_size, self.strides, self.padding, self.data_format, self.mode)


@dataclass(eq=False)
class MaxPooling1D(_Pooling):
    """The maximum of each window of time.

    >>> MaxPooling1D(3, strides=2, padding="same").compute_output_shape((None, 9, 4))
    (None, 5, 4)
    """

    rank, mode = 1, "max"


@dataclass(eq=False)
class MaxPooling2D(_Pooling):
    """The maximum of each window of an image."""

    rank, mode = 2, "max"


@dataclass(eq=False)
class MaxPooling3D(_Pooling):
    """The maximum of each window of a volume."""

    rank, mode = 3, "max"


@dataclass(eq=False)
class AveragePooling1D(_Pooling):
    """The mean of each window of time, without the padding (keras-facts: average-leaves-padding-out)."""

    rank, mode = 1, "average"


@dataclass(eq=False)
class AveragePooling2D(_Pooling):
    """The mean of each window of an image, without the padding (keras-facts: average-leaves-padding-out)."""

    rank, mode = 2, "average"


@dataclass(eq=False)
class AveragePooling3D(_Pooling):
    """The mean of each window of a volume, without the padding (keras-facts: average-leaves-padding-out)."""

    rank, mode = 3, "average"


# ------------------------------------------------------------------ global ----


@dataclass(eq=False)
class _GlobalPooling(Layer):
    """One number for each channel: the output is (batch, channels).

    With `keepdims`, the axes of time or space stay, with size 1.
    """

    # The number of spatial axes.
    rank: ClassVar[int]
    data_format: Any = None
    keepdims: bool = later_option(False)

    def __post_init__(self) -> None:
        self.data_format = data_format_of(self.data_format)

    def spec_of(self, shape: Any) -> InputSpec:
        return InputSpec(ndim=self.rank + 2)

    def compute_output_shape(self, shape: Shape) -> Shape:
        check_axes(shape, self.rank + 2)
        if self.keepdims:
            axes = space_axes(len(shape), self.data_format)
            return tuple(1 if axis in axes else n for axis, n in enumerate(shape))
        return shape[0], shape[channel_axis(len(shape), self.data_format)]


@dataclass(eq=False)
class _GlobalMaxPooling(_GlobalPooling):
    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        return K.max(x, space_axes(K.ndim(x), self.data_format), self.keepdims)


@dataclass(eq=False)
class _GlobalAveragePooling(_GlobalPooling):
    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        return K.mean(x, space_axes(K.ndim(x), self.data_format), self.keepdims)


@dataclass(eq=False)
class GlobalMaxPooling1D(_GlobalMaxPooling):
    """The maximum of each channel over time."""

    rank = 1


@dataclass(eq=False)
class GlobalMaxPooling2D(_GlobalMaxPooling):
    """The maximum of each channel of an image."""

    rank = 2


@dataclass(eq=False)
class GlobalMaxPooling3D(_GlobalMaxPooling):
    """The maximum of each channel of a volume."""

    rank = 3


@dataclass(eq=False)
class GlobalAveragePooling1D(_GlobalAveragePooling):
    """The mean of each channel over time.

    With a mask (batch, time), it is the mean over the unmasked steps (keras-facts: masked-mean).
    """

    rank = 1
    drops_mask = True

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        if mask is None:
            return super().call(K, w, x)
        (time,) = space_axes(3, self.data_format)
        unmasked = K.expand_dims(K.cast(mask, floatx()), channel_axis(3, self.data_format))
        return K.sum(x * unmasked, time, self.keepdims) / K.sum(unmasked, time, self.keepdims)


@dataclass(eq=False)
class GlobalAveragePooling2D(_GlobalAveragePooling):
    """The mean of each channel of an image."""

    rank = 2


@dataclass(eq=False)
class GlobalAveragePooling3D(_GlobalAveragePooling):
    """The mean of each channel of a volume."""

    rank = 3
