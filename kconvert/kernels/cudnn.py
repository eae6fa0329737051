"""Order, Fold, Unfold, Halve and AddHalves: the ops between the weights of a cuDNN layer and those of an LSTM or GRU.

CuDNN stores matrices (out, in) under the shape (in, out), and two biases per gate (keras-facts: cudnn-packed-weights,
cudnn-bias).
"""

from __future__ import annotations

import numpy as np

from ..errors import KconvertError
from ..lazy_dataclasses import dataclass
from .base import EachOp, Json, Op, Shape, distinct


@dataclass(frozen=True)
class Order(EachOp):
    """Reorders the elements in memory without changing the shape.

    source: the axes in whose order the elements are stored.
    target: the axes in whose order the result stores them.
    of: the axes of the shape. CuDNN stores (out, in); Keras gives the array the shape (in, out).

    >>> Order("oi", "io", "io").array(np.arange(6).reshape(3, 2))
    array([[0, 3],
           [1, 4],
           [2, 5]])
    """

    source: str
    target: str
    of: str
    id = "order"

    def __post_init__(self) -> None:
        if not distinct(self.of) or not sorted(self.source) == sorted(self.target) == sorted(self.of):
            raise KconvertError(f"elements of {self.of!r} in the order {self.source!r} cannot become {self.target!r}")

    @property
    def inverse(self) -> Order:
        return Order(self.target, self.source, self.of)

    @property
    def is_identity(self) -> bool:
        return self.source == self.target

    def shape(self, shape: Shape) -> Shape:
        if len(shape) != len(self.of):
            raise KconvertError(f"an array of shape {shape} does not have the axes {self.of!r}")
        return shape

    def array(self, array: np.ndarray) -> np.ndarray:
        sizes = dict(zip(self.of, self.shape(array.shape), strict=True))
        named = array.reshape([sizes[axis] for axis in self.source])
        return named.transpose([self.source.index(axis) for axis in self.target]).reshape(array.shape)

    def then(self, following: Op) -> tuple[Op, ...] | None:
        if isinstance(following, Order) and (following.of, following.source) == (self.of, self.target):
            return (Order(self.source, following.target, self.of),)
        return super().then(following)

    def fields(self) -> Json:
        return {"source": self.source, "target": self.target, "of": self.of}

    @classmethod
    def from_fields(cls, fields: Json) -> Order:
        return cls(**fields)

    def __str__(self) -> str:
        return f"order {self.source}->{self.target} in {self.of}"

    def __repr__(self) -> str:
        return f"Order({self.source!r}, {self.target!r}, {self.of!r})"


@dataclass(frozen=True)
class Fold(EachOp):
    """Splits the first axis into `parts` rows of equal size.

    >>> Fold(2).shape((24,))
    (2, 12)
    """

    parts: int
    id = "fold"

    def __post_init__(self) -> None:
        _check_parts(self.parts)

    @property
    def inverse(self) -> Unfold:
        return Unfold(self.parts)

    def shape(self, shape: Shape) -> Shape:
        if not shape or shape[0] % self.parts:
            raise KconvertError(f"the first axis of {shape} cannot be divided into {self.parts} rows")
        return (self.parts, shape[0] // self.parts, *shape[1:])

    def array(self, array: np.ndarray) -> np.ndarray:
        return array.reshape(self.shape(array.shape))

    def then(self, following: Op) -> tuple[Op, ...] | None:
        return () if following == self.inverse else super().then(following)

    def fields(self) -> Json:
        return {"parts": self.parts}

    @classmethod
    def from_fields(cls, fields: Json) -> Fold:
        return cls(**fields)

    def __str__(self) -> str:
        return f"fold into {self.parts} rows"

    def __repr__(self) -> str:
        return f"Fold({self.parts!r})"


@dataclass(frozen=True)
class Unfold(EachOp):
    """Joins `parts` rows into one axis: the inverse of `Fold`.

    >>> Unfold(2).shape((2, 12))
    (24,)
    """

    parts: int
    id = "unfold"

    def __post_init__(self) -> None:
        _check_parts(self.parts)

    @property
    def inverse(self) -> Fold:
        return Fold(self.parts)

    def shape(self, shape: Shape) -> Shape:
        if len(shape) < 2 or shape[0] != self.parts:
            raise KconvertError(f"an array of shape {shape} does not have {self.parts} rows to join")
        return (shape[0] * shape[1], *shape[2:])

    def array(self, array: np.ndarray) -> np.ndarray:
        return array.reshape(self.shape(array.shape))

    def then(self, following: Op) -> tuple[Op, ...] | None:
        return () if following == self.inverse else super().then(following)

    def fields(self) -> Json:
        return {"parts": self.parts}

    @classmethod
    def from_fields(cls, fields: Json) -> Unfold:
        return cls(**fields)

    def __str__(self) -> str:
        return f"unfold {self.parts} rows"

    def __repr__(self) -> str:
        return f"Unfold({self.parts!r})"


def _check_parts(parts: int) -> None:
    if not isinstance(parts, int) or parts < 1:
        raise KconvertError(f"an axis cannot be divided into {parts!r} rows")


@dataclass(frozen=True)
class Halve(EachOp):
    """Makes two rows, each of half the values: one bias becomes the two that cuDNN adds.

    >>> Halve().array(np.array([3.0, 5.0]))
    array([[1.5, 2.5],
           [1.5, 2.5]])
    """

    id = "halve"
    rearranges = False

    @property
    def inverse(self) -> AddHalves:
        return AddHalves()

    def shape(self, shape: Shape) -> Shape:
        return (2, *shape)

    def array(self, array: np.ndarray) -> np.ndarray:
        half = (array * array.dtype.type(0.5)).astype(array.dtype)
        return np.stack([half, half]).astype(array.dtype, copy=False)

    def then(self, following: Op) -> tuple[Op, ...] | None:
        return () if following == self.inverse else super().then(following)

    def fields(self) -> Json:
        return {}

    @classmethod
    def from_fields(cls, fields: Json) -> Halve:
        return cls(**fields)

    def __str__(self) -> str:
        return "halve"


@dataclass(frozen=True)
class AddHalves(EachOp):
    """Adds two rows. The inverse gives two equal rows with that sum, not the original rows.

    >>> AddHalves().array(np.array([[1.0, 2.0], [2.0, 3.0]]))
    array([3., 5.])
    """

    id = "add_halves"
    rearranges = False

    @property
    def inverse(self) -> Halve:
        return Halve()

    def shape(self, shape: Shape) -> Shape:
        if not shape or shape[0] != 2:
            raise KconvertError(f"an array of shape {shape} does not have two rows to add")
        return shape[1:]

    def array(self, array: np.ndarray) -> np.ndarray:
        self.shape(array.shape)
        return (array[0] + array[1]).astype(array.dtype)

    def fields(self) -> Json:
        return {}

    @classmethod
    def from_fields(cls, fields: Json) -> AddHalves:
        return cls(**fields)

    def __str__(self) -> str:
        return "add halves"
