"""Layers that change spatial sizes only: zero padding, cropping and upsampling, with 1, 2 or 3 spatial axes.

x  (batch, spatial..., channels) in channels_last, (batch, channels, spatial...) in channels_first;
   with one spatial axis always (batch, time, channels)
"""

from __future__ import annotations

from typing import Any, ClassVar

from ..backend.base import Backend
from ..conventions.backends import CHANNELS_LAST
from ..lazy_dataclasses import dataclass
from .base import Layer, Shape, Weights
from .input_spec import InputSpec
from .options import integers
from .phase import Phase
from .shapes import check_axes, data_format_of, one_of, pairs, space_axes


class _Resizing(Layer):
    """Base class: a layer that changes each spatial axis by an amount.

    An amount is (before, after) for padding and cropping, and a factor for upsampling.
    """

    # The number of spatial axes.
    rank: ClassVar[int] = 2
    data_format: Any = CHANNELS_LAST

    @property
    def amounts(self) -> tuple[Any, ...]:
        """The amount for each spatial axis."""
        raise NotImplementedError

    @staticmethod
    def new_size(size: int, amount: Any) -> int:
        """The size of an axis of `size` after a change by `amount`."""
        raise NotImplementedError

    def by_axis(self) -> dict[int, Any]:
        """The amount for each spatial axis, by the index of the axis."""
        return dict(zip(space_axes(self.rank + 2, self.data_format), self.amounts, strict=True))

    def compute_output_shape(self, shape: Shape) -> Shape:
        check_axes(shape, self.rank + 2)
        amounts = self.by_axis()
        return tuple(
            size if size is None or axis not in amounts else self.new_size(size, amounts[axis])
            for axis, size in enumerate(shape)
        )


# ------------------------------------------------------------ zero padding ----


class _ZeroPadding(_Resizing):
    """Adds zeros before and after each spatial axis."""

    padding: Any

    @property
    def amounts(self) -> tuple[Any, ...]:
        return self.padding

    @staticmethod
    def new_size(size: int, amount: Any) -> int:
        return size + sum(amount)

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        amounts = self.by_axis()
        return K.pad(x, [amounts.get(axis, (0, 0)) for axis in range(self.rank + 2)])


@dataclass(eq=False)
class ZeroPadding1D(_ZeroPadding):
    """Adds zeros before and after a sequence.

    padding: one number for both sides, or (before, after).

    >>> ZeroPadding1D((2, 0)).compute_output_shape((None, 5, 3))
    (None, 7, 3)
    """

    padding: Any = 1
    rank = 1

    def __post_init__(self) -> None:
        self.padding = integers(self.padding, 2, "padding", 0)

    @property
    def amounts(self) -> tuple[Any, ...]:
        return (self.padding,)


@dataclass(eq=False)
class ZeroPadding2D(_ZeroPadding):
    """Adds zeros around an image.

    padding: one number, (rows, columns), or ((top, bottom), (left, right)).
    """

    padding: Any = 1
    data_format: Any = None

    def __post_init__(self) -> None:
        self.padding = pairs(self.padding, self.rank, "padding")
        self.data_format = data_format_of(self.data_format)


@dataclass(eq=False)
class ZeroPadding3D(ZeroPadding2D):
    """Adds zeros around a volume; padding: one number, one for each axis, or (before, after) for each axis."""

    rank = 3


# ---------------------------------------------------------------- cropping ----


class _Cropping(_Resizing):
    """Removes elements at the start and at the end of each spatial axis."""

    cropping: Any

    def spec_of(self, shape: Any) -> InputSpec:
        return InputSpec(ndim=self.rank + 2)

    @property
    def amounts(self) -> tuple[Any, ...]:
        return self.cropping

    @staticmethod
    def new_size(size: int, amount: Any) -> int:
        return size - sum(amount)

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        amounts = self.by_axis()
        cuts = [amounts.get(axis, (0, 0)) for axis in range(self.rank + 2)]
        return x[tuple(slice(before, -after or None) for before, after in cuts)]


@dataclass(eq=False)
class Cropping1D(_Cropping):
    """Removes time steps at the start and at the end of a sequence.

    cropping: one number for both ends, or (start, end).
    """

    cropping: Any = (1, 1)
    rank = 1

    def __post_init__(self) -> None:
        self.cropping = integers(self.cropping, 2, "cropping", 0)

    @property
    def amounts(self) -> tuple[Any, ...]:
        return (self.cropping,)


@dataclass(eq=False)
class Cropping2D(_Cropping):
    """Removes the borders of an image.

    cropping: one number, (rows, columns), or ((top, bottom), (left, right)).

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
    """Removes the borders of a volume; cropping: one number, one for each axis, or (start, end) for each axis."""

    cropping: Any = ((1, 1), (1, 1), (1, 1))
    rank = 3


# -------------------------------------------------------------- upsampling ----


class _UpSampling(_Resizing):
    """Repeats each element along each spatial axis."""

    size: Any

    @property
    def amounts(self) -> tuple[Any, ...]:
        return self.size

    @staticmethod
    def new_size(size: int, amount: Any) -> int:
        return size * amount

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        for axis, times in self.by_axis().items():
            x = K.repeat(x, times, axis)
        return x


@dataclass(eq=False)
class UpSampling1D(_UpSampling):
    """Repeats each time step `size` times."""

    size: int = 2
    rank = 1

    def __post_init__(self) -> None:
        (self.size,) = integers(self.size, 1)

    @property
    def amounts(self) -> tuple[Any, ...]:
        return (self.size,)


@dataclass(eq=False)
class UpSampling2D(_UpSampling):
    """Enlarges an image by integer factors.

    size: one factor, or (rows, columns). interpolation: 'nearest' repeats pixels, 'bilinear' interpolates
    (keras-facts: bilinear-factors).

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
    """Enlarges a volume by integer factors, by repetition; size: one factor, or one for each axis."""

    size: Any = 2
    data_format: Any = None
    rank = 3

    def __post_init__(self) -> None:
        self.size = integers(self.size, self.rank)
        self.data_format = data_format_of(self.data_format)
