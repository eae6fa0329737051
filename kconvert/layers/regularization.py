"""Layers that act in training only: noise on what passes through, and a cost for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from ..backend.base import Backend, Size, Tensor
from .activations import SELU_ALPHA, SELU_SCALE
from .base import Layer, Weights
from .phase import Phase
from .shapes import channel_axis, data_format_of


@dataclass(eq=False, kw_only=True)
class _Transparent(Layer):
    """A layer whose output outside training is its input."""

    supports_masking: ClassVar[bool] = True

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        return self.noised(K, x, training) if training else x

    def noised(self, K: Backend, x: Tensor, phase: Phase) -> Tensor:
        """The output in training."""
        return x


# ------------------------------------------------------------------ dropout ----


@dataclass(eq=False, kw_only=True)
class _Dropping(_Transparent):
    """What the layers share that zero a fraction `rate` of their inputs.

    noise_shape: sizes of the mask, None where it is as large as the input; it broadcasts along axes of size 1.
    """

    rate: float
    noise_shape: Any = None
    seed: int | None = None

    def noised(self, K: Backend, x: Tensor, phase: Phase) -> Tensor:
        return self.dropped(K, x, phase, self.mask_shape(K.shape(x))) if 0.0 < self.rate < 1.0 else x

    def dropped(self, K: Backend, x: Tensor, phase: Phase, shape: tuple[Size, ...]) -> Tensor:
        """The output, by a mask of `shape`."""
        return x * phase.scaled(shape, self.rate, self.seed)

    def mask_shape(self, shape: tuple[Size, ...]) -> tuple[Size, ...]:
        """Shape of the mask for inputs of `shape`."""
        sizes = self.noise_shape or (None,) * len(shape)
        return tuple(own if size is None else size for own, size in zip(shape, sizes, strict=True))


@dataclass(eq=False)
class Dropout(_Dropping):
    """Zeroes a fraction `rate` of the inputs in training and scales up the others."""

    rate: float
    noise_shape: Any = None
    seed: int | None = None


@dataclass(eq=False, kw_only=True)
class _SpatialDropout(_Dropping):
    """Dropout of whole channels, configured like Dropout."""

    def mask_shape(self, shape: tuple[Size, ...]) -> tuple[Size, ...]:
        kept = (0, channel_axis(len(shape), data_format_of(getattr(self, "data_format", None))))
        return tuple(n if axis in kept else 1 for axis, n in enumerate(shape))


@dataclass(eq=False)
class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of a sequence."""

    rate: float


@dataclass(eq=False)
class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of an image."""

    rate: float
    data_format: str | None = None


@dataclass(eq=False)
class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole channels of a volume."""

    rate: float
    data_format: str | None = None


@dataclass(eq=False)
class AlphaDropout(_Dropping):
    """Dropout that keeps mean and variance of SELU activations (Keras 2.0.6)."""

    rate: float
    noise_shape: Any = None
    seed: int | None = None

    def dropped(self, K: Backend, x: Tensor, phase: Phase, shape: tuple[Size, ...]) -> Tensor:
        floor = -SELU_ALPHA * SELU_SCALE
        scale = ((1.0 - self.rate) * (1.0 + self.rate * floor**2)) ** -0.5
        kept = phase.kept(shape, self.rate, self.seed)
        return scale * (x * kept + floor * (1.0 - kept)) - scale * floor * self.rate


# -------------------------------------------------------------------- noise ----


@dataclass(eq=False)
class GaussianNoise(_Transparent):
    """Adds noise of standard deviation `stddev` in training."""

    stddev: float

    def noised(self, K: Backend, x: Tensor, phase: Phase) -> Tensor:
        return x + self.stddev * phase.normal(K.shape(x))


@dataclass(eq=False)
class GaussianDropout(_Transparent):
    """Multiplies by noise of mean 1 and standard deviation sqrt(rate / (1 - rate)) in training."""

    rate: float

    def noised(self, K: Backend, x: Tensor, phase: Phase) -> Tensor:
        if not 0.0 < self.rate < 1.0:
            return x
        return x * (1.0 + math.sqrt(self.rate / (1.0 - self.rate)) * phase.normal(K.shape(x)))


# --------------------------------------------------------------------- cost ----


@dataclass(eq=False)
class ActivityRegularization(_Transparent):
    """Adds a cost for large activations to the loss."""

    l1: float = 0.0
    l2: float = 0.0

    @property
    def activity_regularizer(self) -> Any:
        """The cost, as the layers state it that have one as an option."""
        return {"class_name": "L1L2", "config": {"l1": self.l1, "l2": self.l2}}
