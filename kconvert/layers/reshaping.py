"""Layers that change the shape of their input: Flatten, Reshape, Permute, RepeatVector, TimeDistributedMerge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from ..backend import default_backend
from ..backend.base import Backend, Tensor
from ..conventions.backends import BACKENDS, CHANNELS_FIRST, DATA_FORMATS
from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .base import Layer, Shape, Weights, how_to_give_the_shape
from .input_spec import InputSpec
from .phase import Phase
from .shapes import one_of


@dataclass(eq=False)
class Flatten(Layer):
    """All axes after the batch as one axis.

    data_format: with channels_first, axis 1 is moved to the end first. With channels_last, or None (releases before
    2.2), the elements keep their order (keras-facts: flatten-data-format).
    """

    accepts: ClassVar[InputSpec] = InputSpec(min_ndim=3)

    data_format: str | None = None

    @property
    def draws_of_call(self) -> list[int]:
        highest = BACKENDS[default_backend()].flatten_draws_below
        return [highest] if highest else []

    def __post_init__(self) -> None:
        one_of(self.data_format, (None, *DATA_FORMATS), "data_format")

    def check_inputs(self, shapes: Sequence[Shape]) -> None:
        super().check_inputs(shapes)
        if None in shapes[0][1:]:
            what = f"a Flatten layer needs to know all sizes of its input, which has the shape {tuple(shapes[0])}"
            raise KconvertError(what, f"layer {self.name}", how_to_give_the_shape(), Problem.USAGE)

    def compute_output_shape(self, shape: Shape) -> Shape:
        sizes = [size for size in shape[1:] if size is not None]
        return (shape[0], math.prod(sizes) if len(sizes) == len(shape) - 1 else None)

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        if self.data_format == CHANNELS_FIRST:
            x = K.transpose(x, (0, *range(2, K.ndim(x)), 1))
        return K.reshape(x, (-1, math.prod(K.shape(x)[1:])))


@dataclass(eq=False)
class Reshape(Layer):
    """The axes after the batch with new sizes. The elements keep their order.

    target_shape: the sizes without the batch axis; one of them may be -1. Raises KconvertError where the number of
    elements would change.
    """

    target_shape: tuple[int, ...]

    def __post_init__(self) -> None:
        self.target_shape = tuple(self.target_shape)

    def compute_output_shape(self, shape: Shape) -> Shape:
        sizes = [size for size in shape[1:] if size is not None]
        if len(sizes) < len(shape) - 1:
            return (shape[0], *(None if size == -1 else size for size in self.target_shape))
        total, known = math.prod(sizes), math.prod(size for size in self.target_shape if size != -1)
        free = self.target_shape.count(-1)
        if free > 1 or not known or total % known or (not free and total != known):
            raise KconvertError(f"cannot reshape {shape} to {self.target_shape}", where=f"layer {self.name}")
        return (shape[0], *(total // known if size == -1 else size for size in self.target_shape))

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        batch, *sizes = K.shape(x)
        target = self.compute_output_shape((None, *(size if isinstance(size, int) else None for size in sizes)))[1:]
        if None in target:
            return K.reshape(x, (batch, *self.target_shape))
        return K.reshape(x, (-1, *target))


@dataclass(eq=False)
class Permute(Layer):
    """The axes after the batch in another order.

    dims: for each axis of the output, the axis of the input, counted from 1.
    """

    dims: tuple[int, ...]

    def __post_init__(self) -> None:
        self.dims = tuple(self.dims)

    def spec_of(self, shape: Any) -> InputSpec:
        return InputSpec(ndim=len(self.dims) + 1)

    def compute_output_shape(self, shape: Shape) -> Shape:
        if sorted(self.dims) != list(range(1, len(shape))):
            what = f"dims={self.dims} does not name each axis of an input of shape {shape} once, counted from 1"
            raise KconvertError(what, f"layer {self.name}", problem=Problem.USAGE)
        return (shape[0], *(shape[axis] for axis in self.dims))

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        return K.transpose(x, (0, *self.dims))


@dataclass(eq=False)
class RepeatVector(Layer):
    """The input repeated along a new time axis: (batch, features) becomes (batch, n, features)."""

    accepts: ClassVar[InputSpec] = InputSpec(ndim=2)

    n: int

    def compute_output_shape(self, shape: Shape) -> Shape:
        self.needs_axes(shape, 2)
        return (shape[0], self.n, shape[1])

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        return K.repeat(K.expand_dims(x, 1), self.n, 1)


@dataclass(eq=False)
class TimeDistributedMerge(Layer):
    """Sum, mean or product over time, in Keras 0 (keras-facts: time-distributed-merge).

    mode: 'sum', 'ave' or 'mul'.
    """

    mode: str = "sum"

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (shape[0], shape[2])

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        if self.mode == "sum":
            return K.sum(x, axis=1)
        if self.mode == "ave":
            return K.mean(x, axis=1)
        if self.mode == "mul":
            return _product_over_time(K, x)
        raise KconvertError(f"unknown mode {self.mode!r}", f"layer {self.name}", "one of: sum, ave, mul")


def _product_over_time(K: Backend, x: Tensor) -> Tensor:
    """The product along axis 1, whose length may be unknown."""

    def step(x_t: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        product = states[0] * x_t
        return product, [product]

    last, _, _ = K.rnn(step, x, [K.zeros(K.shape(x[:, 0])) + 1.0])
    return last
