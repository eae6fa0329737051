"""Scale, Shift, Power, Variance and Deviation: ops that compute new values, for releases that stored another quantity.

Unlike ops that rearrange elements, these ops round: an op and then its inverse give almost the same values. In a
simplified chain the two cancel instead, even with rearranging ops between them, so no value is rounded twice.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from ..lazy_dataclasses import dataclass
from .base import Chain, EachOp, Json, Op, Region, Shape


class ValueOp(EachOp):
    """An op that computes each element of the result from the element at the same position, in float64."""

    rearranges = False

    @property
    def keeps_last_axis(self) -> bool:
        return True

    @abstractmethod
    def values(self, x: np.ndarray) -> np.ndarray:
        """The new values for the float64 array `x`; the same shape."""

    def shape(self, shape: Shape) -> Shape:
        return shape

    def array(self, array: np.ndarray) -> np.ndarray:
        return self.values(array.astype("float64")).astype(array.dtype)

    def for_region(self, wanted: Region, shape: Shape) -> tuple[Region, Chain]:
        return wanted, Chain((self,))

    def then(self, following: Op) -> tuple[Op, ...] | None:
        """Cancels with the inverse; otherwise moves after ops that rearrange, where the inverse may follow."""
        if following == self.inverse:
            return ()
        return (following, self) if following.rearranges else None

    @classmethod
    def from_fields(cls, fields: Json) -> ValueOp:
        return cls(**fields)


@dataclass(frozen=True)
class Scale(ValueOp):
    """Multiplies by `factor`, or divides by it if `divides` is set.

    >>> Scale(0.75).array(np.array([4.0, 8.0])), (Scale(0.75) >> Scale(0.75).inverse).simplified
    (array([3., 6.]), Chain())
    """

    factor: float
    divides: bool = False
    id = "scale"

    @property
    def inverse(self) -> Scale:
        return Scale(self.factor, not self.divides)

    @property
    def is_identity(self) -> bool:
        return self.factor == 1

    def values(self, x: np.ndarray) -> np.ndarray:
        return x / self.factor if self.divides else x * self.factor

    def fields(self) -> Json:
        return {"factor": self.factor, "divides": self.divides}

    def __str__(self) -> str:
        return f"{'divide by' if self.divides else 'multiply by'} {self.factor:g}"


@dataclass(frozen=True)
class Shift(ValueOp):
    """Adds `amount`.

    >>> Shift(-0.5).array(np.array([4.0, 8.0]))
    array([3.5, 7.5])
    """

    amount: float
    id = "shift"

    @property
    def inverse(self) -> Shift:
        return Shift(-self.amount)

    @property
    def is_identity(self) -> bool:
        return self.amount == 0

    def values(self, x: np.ndarray) -> np.ndarray:
        return x + self.amount

    def fields(self) -> Json:
        return {"amount": self.amount}

    def __str__(self) -> str:
        return f"add {self.amount:g}"


@dataclass(frozen=True)
class Power(ValueOp):
    """Raises to the power `exponent`, or takes the root of that degree if `root` is set."""

    exponent: int
    root: bool = False
    id = "power"

    @property
    def inverse(self) -> Power:
        return Power(self.exponent, not self.root)

    @property
    def is_identity(self) -> bool:
        return self.exponent == 1

    def values(self, x: np.ndarray) -> np.ndarray:
        return x ** (1 / self.exponent if self.root else self.exponent)

    def fields(self) -> Json:
        return {"exponent": self.exponent, "root": self.root}

    def __str__(self) -> str:
        return f"root {self.exponent}" if self.root else f"power {self.exponent}"


@dataclass(frozen=True)
class Variance(ValueOp):
    """Computes a variance v from a standard deviation s, for a layer that divides by sqrt(v + epsilon).

    The release that stored s divided by s + epsilon, so v = (s + epsilon)^2 - epsilon.

    >>> Variance(0.01).array(np.array([1.99]))
    array([3.99])
    """

    epsilon: float
    id = "variance"

    @property
    def inverse(self) -> Deviation:
        return Deviation(self.epsilon)

    def values(self, x: np.ndarray) -> np.ndarray:
        return (x + self.epsilon) ** 2 - self.epsilon

    def fields(self) -> Json:
        return {"epsilon": self.epsilon}

    def __str__(self) -> str:
        return f"variance of deviation (epsilon {self.epsilon:g})"


@dataclass(frozen=True)
class Deviation(ValueOp):
    """Computes the standard deviation from a variance: the inverse of `Variance`."""

    epsilon: float
    id = "deviation"

    @property
    def inverse(self) -> Variance:
        return Variance(self.epsilon)

    def values(self, x: np.ndarray) -> np.ndarray:
        return np.sqrt(x + self.epsilon) - self.epsilon

    def fields(self) -> Json:
        return {"epsilon": self.epsilon}

    def __str__(self) -> str:
        return f"deviation of variance (epsilon {self.epsilon:g})"
