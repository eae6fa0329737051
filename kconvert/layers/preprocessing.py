"""Normalization and Rescaling of tf.keras: layers that prepare the inputs of a model."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..backend.base import Backend, Tensor
from ..backend.float_settings import floatx
from ..conventions.roles import COUNT, Weight, map_parameter
from ..errors import KconvertError
from ..lazy_dataclasses import dataclass
from .base import Layer, Shape, Weights
from .phase import Phase
from .shapes import axes_of

SMALLEST_DEVIATION = 1e-7
"""The epsilon of tf.keras: the least that Normalization divides by."""


@dataclass(eq=False)
class Normalization(Layer):
    """(x - mean) / sqrt(variance), for each index of `axis` (keras-facts: normalization-of-inputs).

    axis: one or more; None or an empty list: one mean and one variance for all elements. mean, variance: numbers or
    arrays that broadcast to the sizes of `axis`. Without them they are stored, with the number of elements that `adapt`
    counted. invert: the opposite way, mean + x * sqrt(variance).
    """

    axis: Any = -1
    mean: Any = None
    variance: Any = None
    invert: bool = False

    of_tf_keras: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if (self.mean is None) != (self.variance is None):
            raise KconvertError("Normalization takes both a mean and a variance, or none of them")

    def sizes(self, shape: Shape) -> tuple[int, ...]:
        """The shape of mean and variance for inputs of `shape`."""
        return tuple(self.known(shape, axis) for axis in sorted(axes_of(self.axis, len(shape))))

    def weight_specs(self, shape: Shape) -> list[Weight]:
        sizes = self.sizes(shape)
        if self.mean is not None:
            return []
        role = map_parameter(len(sizes))
        return [
            Weight("mean", sizes, role, False, "zeros"),
            Weight("variance", sizes, role, False, "ones"),
            Weight("count", (), COUNT, False, "zeros"),
        ]

    @property
    def unread(self) -> frozenset[str]:
        return frozenset({"count"})

    def compute_output_shape(self, shape: Shape) -> Shape:
        """The shape of the input. Raises KconvertError where `mean` or `variance` does not broadcast to the axes."""
        if self.mean is not None:
            for key in ("mean", "variance"):
                _check_broadcast(key, np.shape(getattr(self, key)), self.sizes(shape))
        return shape

    def stated(self, key: str, sizes: tuple[int, ...]) -> np.ndarray:
        """`mean` or `variance` of the configuration, as an array with the sizes of the axes."""
        return np.broadcast_to(np.asarray(getattr(self, key), floatx()), sizes)

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        axes = axes_of(self.axis, K.ndim(x))
        sizes = [n if axis in axes else 1 for axis, n in enumerate(K.shape(x))]
        if self.mean is None:
            mean, variance = (K.reshape(w[key], sizes) for key in ("mean", "variance"))
        else:
            kept = self.sizes(K.shape(x))
            mean, variance = (K.reshape(K.constant(self.stated(key, kept)), sizes) for key in ("mean", "variance"))
        deviation = K.maximum(K.sqrt(variance), SMALLEST_DEVIATION)
        x = _floats(K, x)
        return mean + x * deviation if self.invert else (x - mean) / deviation


@dataclass(eq=False)
class Rescaling(Layer):
    """x * scale + offset, each a number or an array that broadcasts to the last axes of the input."""

    scale: Any
    offset: Any = 0.0

    of_tf_keras: ClassVar[bool] = True

    def compute_output_shape(self, shape: Shape) -> Shape:
        """The shape of the input. Raises KconvertError where an array does not broadcast to it."""
        for key in ("scale", "offset"):
            _check_broadcast(key, np.shape(getattr(self, key)), shape)
        return shape

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        return _floats(K, x) * K.constant(self.scale) + K.constant(self.offset)


def _floats(K: Backend, x: Tensor) -> Tensor:
    """`x`, where it holds integers as float32."""
    return x if "float" in str(x.dtype) else K.cast(x, floatx())


def _check_broadcast(key: str, sizes: tuple[int, ...], shape: Shape) -> None:
    """Raises KconvertError where an array with `sizes` does not broadcast to `shape`; it names the option `key`."""
    fits = len(sizes) <= len(shape) and all(
        n == 1 or m in (n, None) for n, m in zip(reversed(sizes), reversed(shape), strict=False)
    )
    if not fits:
        raise KconvertError(f"{key} of shape {sizes} does not broadcast to {shape}")
