"""Layers that only resize: zero padding, cropping and upsampling, of 1, 2 or 3 spatial axes.

x  (batch, spatial..., channels), or (batch, channels, spatial...) where channels_first;
   of rank 1 always (batch, time, channels)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ..backend.base import Backend
from ..conventions.backends import CHANNELS_LAST
from .base import Layer, Shape, Weights, integers
from .phase import Phase
from .shapes import data_format_of, one_of, pairs, space_axes


class _Resizing(Layer):
    """What all of them share: the axes they change, one amount each."""

    rank: ClassVar[int] = 2
    data_format: Any = CHANNELS_LAST

    @property
    def amounts(self) -> tuple[Any, ...]:
        """What is done to each spatial axis."""
        raise NotImplementedError

    @staticmethod
    def length(size: int, amount: Any) -> int:
        """The size of an axis of `size` after `amount` was done to it."""
        raise NotImplementedError

    def by_axis(self) -> dict[int, Any]:
        """The amount for each axis that changes."""
        return dict(zip(space_axes(self.rank + 2, self.data_format), self.amounts, strict=True))

    def compute_output_shape(self, shape: Shape) -> Shape:
        amounts = self.by_axis()
        return tuple(
            size if size is None or axis not in amounts else self.length(size, amounts[axis])
            for axis, size in enumerate(shape)
        )


# ------------------------------------------------------------ zero padding ----


class _ZeroPadding(_Resizing):
    """Zeros before and after each spatial axis."""

    padding: Any

    @property
    def amounts(self) -> tuple[Any, ...]:
        return self.padding

    @staticmethod
    def length(size: int, amount: Any) -> int:
        return size + sum(amount)

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        amounts = self.by_axis()
        return K.pad(x, [amounts.get(axis, (0, 0)) for axis in range(self.rank + 2)])


@dataclass(eq=False)
class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after the time: one number for both, or (before, after).

    >>> ZeroPadding1D((2, 0)).compute_output_shape((None, 5, 3))
    (None, 7, 3)
    """

    padding: Any = 1
    rank = 1

    def __post_init__(self) -> None:
        self.padding = integers(self.padding, 2, "padding")

    @property
    def amounts(self) -> tuple[Any, ...]:
        return (self.padding,)


@dataclass(eq=False)
class ZeroPadding2D(_ZeroPadding):
    """Zeros around an image: one number, (rows, columns), or ((top, bottom), (left, right))."""

    padding: Any = 1
    data_format: Any = None

    def __post_init__(self) -> None:
        self.padding = pairs(self.padding, self.rank, "padding")
        self.data_format = data_format_of(self.data_format)


@dataclass(eq=False)
class ZeroPadding3D(ZeroPadding2D):
    """Zeros around a volume."""

    rank = 3


# ---------------------------------------------------------------- cropping ----


class _Cropping(_Resizing):
    """Some elements less before and after each spatial axis."""

    cropping: Any

    @property
    def amounts(self) -> tuple[Any, ...]:
        return self.cropping

    @staticmethod
    def length(size: int, amount: Any) -> int:
        return size - sum(amount)

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        amounts = self.by_axis()
        cuts = [amounts.get(axis, (0, 0)) for axis in range(self.rank + 2)]
        return x[tuple(slice(before, -after or None) for before, after in cuts)]


@dataclass(eq=False)
class Cropping1D(_Cropping):
    """Without the first and last steps: one number for both, or (first, last)."""

    cropping: Any = (1, 1)
    rank = 1

    def __post_init__(self) -> None:
        self.cropping = integers(self.cropping, 2, "cropping")

    @property
    def amounts(self) -> tuple[Any, ...]:
        return (self.cropping,)


@dataclass(eq=False)
class Cropping2D(_Cropping):
    """An image without its borders: one number, (rows, columns), or ((top, bottom), (left, right)).

    >>> Cropping2D(((1, 0), (2, 3)), data_format="channels_first").compute_output_shape((None, 4, 9, None))
    (None, 4, 8, None)
    """

    cropping: Any = ((0, 0), (0, 0))
    data_format: Any = None

    def __post_init__(self) -> None:
        self.cropping = pairs(self.cropping, self.rank, "cropping")
        self.data_format = data_format_of(self.data_format)


@dataclass(eq=False)
class Cropping3D(Cropping2D):
    """A volume without its borders."""

    cropping: Any = ((1, 1), (1, 1), (1, 1))
    rank = 3


# -------------------------------------------------------------- upsampling ----


class _UpSampling(_Resizing):
    """Each element several times over along each spatial axis."""

    size: Any

    @property
    def amounts(self) -> tuple[Any, ...]:
        return self.size

    @staticmethod
    def length(size: int, amount: Any) -> int:
        return size * amount

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        for axis, times in self.by_axis().items():
            x = K.repeat(x, times, axis)
        return x


@dataclass(eq=False)
class UpSampling1D(_UpSampling):
    """Each step `size` times."""

    size: int = 2
    rank = 1

    @property
    def amounts(self) -> tuple[Any, ...]:
        return (self.size,)


@dataclass(eq=False)
class UpSampling2D(_UpSampling):
    """An image enlarged by whole factors, by repetition or bilinear.

    >>> UpSampling2D((2, 3)).compute_output_shape((None, 4, None, 5))
    (None, 8, None, 5)
    """

    size: Any = 2
    data_format: Any = None
    interpolation: str = "nearest"

    def __post_init__(self) -> None:
        self.size = integers(self.size, self.rank)
        self.data_format = data_format_of(self.data_format)
        self.interpolation = one_of(self.interpolation, ("nearest", "bilinear"), "interpolation")

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        if self.interpolation == "bilinear":
            return K.resize_bilinear(x, self.size, self.data_format)
        return super().call(K, w, x)


@dataclass(eq=False)
class UpSampling3D(_UpSampling):
    """A volume enlarged by whole factors, by repetition."""

    size: Any = 2
    data_format: Any = None
    rank = 3

    def __post_init__(self) -> None:
        self.size = integers(self.size, self.rank)
        self.data_format = data_format_of(self.data_format)
