"""Layers that act in training only: dropout, noise, and a regularization of activations."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..backend.base import Backend, Size, Tensor
from ..lazy_dataclasses import dataclass
from .activations import SELU_ALPHA, SELU_SCALE
from .base import Layer, Shape, Weights
from .input_spec import InputSpec
from .phase import Phase
from .shapes import channel_axis, check_axes, data_format_of


@dataclass(eq=False, kw_only=True)
class Transparent(Layer):
    """A layer whose output is its input, except in training."""

    supports_masking: ClassVar[bool] = True

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        return self.in_training(K, x, training) if training else x

    def in_training(self, K: Backend, x: Tensor, phase: Phase) -> Tensor:
        """The output in training."""
        return x


# ------------------------------------------------------------------ dropout ----


@dataclass(eq=False, kw_only=True)
class _Dropping(Transparent):
    """Base class of layers that drop a fraction `rate` of their inputs.

    noise_shape: the shape of the mask; None means the size of the input, and the mask broadcasts along axes of
    size 1.
    """

    rate: float
    noise_shape: Any = None
    seed: int | None = None

    def in_training(self, K: Backend, x: Tensor, phase: Phase) -> Tensor:
        return self.drop(K, x, phase, self.mask_shape(K.shape(x))) if 0.0 < self.rate < 1.0 else x

    def drop(self, K: Backend, x: Tensor, phase: Phase, shape: tuple[Size, ...]) -> Tensor:
        """The output in training, by a random mask of `shape`."""
        return x * phase.dropout_factors(shape, self.rate, self.seed)

    def mask_shape(self, shape: tuple[Size, ...]) -> tuple[Size, ...]:
        """The shape of the mask for inputs of `shape`."""
        sizes = self.noise_shape or (None,) * len(shape)
        return tuple(n if size is None else size for n, size in zip(shape, sizes, strict=True))


@dataclass(eq=False)
class Dropout(_Dropping):
    """In training, sets a fraction `rate` of the inputs to 0 and divides the others by 1 - rate."""

    rate: float
    noise_shape: Any = None
    seed: int | None = None


@dataclass(eq=False, kw_only=True)
class _SpatialDropout(_Dropping):
    """Dropout of whole channels, configured like Dropout."""

    # The number of spatial axes.
    rank: ClassVar[int]

    def __post_init__(self) -> None:
        data_format_of(getattr(self, "data_format", None))

    def spec_of(self, shape: Any) -> InputSpec:
        return InputSpec(ndim=self.rank + 2)

    def compute_output_shape(self, shape: Shape) -> Shape:
        check_axes(shape, self.rank + 2)
        return shape

    def mask_shape(self, shape: tuple[Size, ...]) -> tuple[Size, ...]:
        axes = (0, channel_axis(len(shape), data_format_of(getattr(self, "data_format", None))))
        return tuple(n if axis in axes else 1 for axis, n in enumerate(shape))


@dataclass(eq=False)
class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of a sequence."""

    rank = 1
    rate: float


@dataclass(eq=False)
class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of an image."""

    rank = 2
    rate: float
    data_format: str | None = None


@dataclass(eq=False)
class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole channels of a volume."""

    rank = 3
    rate: float
    data_format: str | None = None


@dataclass(eq=False)
class AlphaDropout(_Dropping):
    """Dropout that preserves mean and variance of SELU activations (Keras 2.0.6 and later)."""

    rate: float
    noise_shape: Any = None
    seed: int | None = None

    def drop(self, K: Backend, x: Tensor, phase: Phase, shape: tuple[Size, ...]) -> Tensor:
        # Dropped elements become `floor`, the limit of SELU for large negative inputs.
        floor = -SELU_ALPHA * SELU_SCALE
        scale = ((1.0 - self.rate) * (1.0 + self.rate * floor**2)) ** -0.5
        keep = phase.keep_mask(shape, self.rate, self.seed)
        return scale * (x * keep + floor * (1.0 - keep)) - scale * floor * self.rate


# -------------------------------------------------------------------- noise ----


@dataclass(eq=False)
class GaussianNoise(Transparent):
    """In training, adds normal noise with mean 0 and standard deviation `stddev`."""

    stddev: float

    def in_training(self, K: Backend, x: Tensor, phase: Phase) -> Tensor:
        return x + self.stddev * phase.normal(K.shape(x))


@dataclass(eq=False)
class GaussianDropout(Transparent):
    """In training, multiplies by normal noise with mean 1 and standard deviation sqrt(rate / (1 - rate))."""

    rate: float

    def in_training(self, K: Backend, x: Tensor, phase: Phase) -> Tensor:
        if not 0.0 < self.rate < 1.0:
            return x
        return x * (1.0 + math.sqrt(self.rate / (1.0 - self.rate)) * phase.normal(K.shape(x)))


# --------------------------------------------------------------------- cost ----


@dataclass(eq=False)
class ActivityRegularization(Transparent):
    """Adds `l1` times the sum of |x| and `l2` times the sum of x^2 to the loss."""

    l1: float = 0.0
    l2: float = 0.0

    @property
    def activity_regularizer(self) -> Any:
        """The regularizer, as the layers with an option of this name state it."""
        return {"class_name": "L1L2", "config": {"l1": self.l1, "l2": self.l2}}
