"""Transpose, Grow and Flip: the order, the length and the direction of named axes.

Axes are named by one letter each: `o` out, `i` in, `d` `h` `w` spatial; `1` is an axis of size 1.
"""

from __future__ import annotations

import numpy as np

from ..errors import KconvertError
from ..lazy_dataclasses import dataclass
from .base import Chain, EachOp, Json, Op, Region, Shape, distinct

UNIT = "1"


@dataclass(frozen=True)
class Transpose(EachOp):
    """Reorders named axes. An axis named `1` has size 1 and may be removed or inserted.

    source: the axes of the input, in order.
    target: the same axes in the order of the result.

    >>> Transpose("oihw", "hwio").shape((64, 3, 5, 7))
    (5, 7, 3, 64)
    >>> Transpose("w1io", "wio").shape((5, 1, 3, 64))
    (5, 3, 64)
    """

    source: str
    target: str
    id = "transpose"

    def __post_init__(self) -> None:
        source, target = self.source.replace(UNIT, ""), self.target.replace(UNIT, "")
        if not distinct(source) or sorted(source) != sorted(target):
            raise KconvertError(f"axes {self.source!r} cannot become {self.target!r}")

    @property
    def inverse(self) -> Transpose:
        return Transpose(self.target, self.source)

    @property
    def is_identity(self) -> bool:
        return self.source == self.target

    @property
    def keeps_last_axis(self) -> bool:
        return self.source[-1:] == self.target[-1:] != UNIT

    def shape(self, shape: Shape) -> Shape:
        sizes = self._sizes(shape)
        return tuple(1 if axis == UNIT else sizes[axis] for axis in self.target)

    def array(self, array: np.ndarray) -> np.ndarray:
        target = self.shape(array.shape)
        named = [axis for axis in self.source if axis != UNIT]
        squeezed = array.reshape([n for axis, n in zip(self.source, array.shape, strict=True) if axis != UNIT])
        return squeezed.transpose([named.index(axis) for axis in self.target if axis != UNIT]).reshape(target)

    def for_region(self, wanted: Region, shape: Shape) -> tuple[Region, Chain]:
        named = dict(zip(self.target, wanted, strict=True))
        needed = tuple(np.arange(1) if axis == UNIT else named[axis] for axis in self.source)
        return needed, Chain((self,))

    def then(self, following: Op) -> tuple[Op, ...] | None:
        if isinstance(following, Transpose) and following.source == self.target:
            return (Transpose(self.source, following.target),)
        return super().then(following)

    def fields(self) -> Json:
        return {"source": self.source, "target": self.target}

    @classmethod
    def from_fields(cls, fields: Json) -> Transpose:
        return cls(**fields)

    def _sizes(self, shape: Shape) -> dict[str, int]:
        named = list(zip(self.source, shape, strict=False))
        if len(shape) != len(self.source) or any(axis == UNIT and n != 1 for axis, n in named):
            raise KconvertError(f"an array of shape {shape} does not have the axes {self.source!r}")
        return dict(named)

    def __str__(self) -> str:
        return f"transpose {self.source}->{self.target}"

    def __repr__(self) -> str:
        return f"Transpose({self.source!r}, {self.target!r})"


@dataclass(frozen=True)
class Grow(EachOp):
    """Pads some axes with zeros, so that a kernel of even size becomes one of odd size.

    pads: (axis, number of zeros before, number of zeros after) for each axis. Negative numbers remove elements;
        the inverse of a `Grow` removes the zeros that it added.
    of: the names of all axes of the array.

    >>> Grow((("w", 0, 1),), "wio").array(np.ones((2, 1, 1))).ravel()
    array([1., 1., 0.])
    """

    pads: tuple[tuple[str, int, int], ...]
    of: str
    id = "grow"

    def __post_init__(self) -> None:
        if not {axis for axis, _, _ in self.pads} <= set(self.of):
            raise KconvertError(f"axes {[axis for axis, _, _ in self.pads]} are not all in {self.of!r}")

    @property
    def inverse(self) -> Grow:
        return Grow(tuple((axis, -before, -after) for axis, before, after in self.pads), self.of)

    @property
    def is_identity(self) -> bool:
        return all(before == after == 0 for _, before, after in self.pads)

    @property
    def keeps_last_axis(self) -> bool:
        return all(axis != self.of[-1] for axis, _, _ in self.pads)

    def shape(self, shape: Shape) -> Shape:
        if len(shape) != len(self.of):
            raise KconvertError(f"an array of shape {shape} does not have the axes {self.of!r}")
        added = {axis: before + after for axis, before, after in self.pads}
        return tuple(n + added.get(axis, 0) for n, axis in zip(shape, self.of, strict=True))

    def array(self, array: np.ndarray) -> np.ndarray:
        self.shape(array.shape)
        ends = {axis: (before, after) for axis, before, after in self.pads}
        pairs = [ends.get(axis, (0, 0)) for axis in self.of]
        cut = tuple(slice(max(-b, 0), n - max(-a, 0)) for (b, a), n in zip(pairs, array.shape, strict=True))
        return np.pad(array[cut], [(max(b, 0), max(a, 0)) for b, a in pairs])

    def then(self, following: Op) -> tuple[Op, ...] | None:
        return () if following == self.inverse and not self._cuts else super().then(following)

    @property
    def _cuts(self) -> bool:
        return any(before < 0 or after < 0 for _, before, after in self.pads)

    def fields(self) -> Json:
        return {"pads": [list(pad) for pad in self.pads], "of": self.of}

    @classmethod
    def from_fields(cls, fields: Json) -> Grow:
        return cls(tuple((axis, before, after) for axis, before, after in fields["pads"]), fields["of"])

    def __str__(self) -> str:
        return "grow " + ", ".join(f"{axis} by {before}+{after}" for axis, before, after in self.pads)

    def __repr__(self) -> str:
        return f"Grow({self.pads!r}, {self.of!r})"


@dataclass(frozen=True)
class Flip(EachOp):
    """Reverses some axes: makes the kernel of a convolution that of a correlation, and back.

    axes: the axes to reverse.
    of: the names of all axes of the array.

    >>> Flip("w", "wio").array(np.arange(3).reshape(3, 1, 1)).ravel()
    array([2, 1, 0])
    """

    axes: str
    of: str
    id = "flip"

    def __post_init__(self) -> None:
        named = self.of.replace(UNIT, "")
        if not distinct(self.axes) or not distinct(named) or not set(self.axes) <= set(named):
            raise KconvertError(f"axes {self.axes!r} are not all in {self.of!r}")

    @property
    def inverse(self) -> Flip:
        return self

    @property
    def is_identity(self) -> bool:
        return not self.axes

    @property
    def keeps_last_axis(self) -> bool:
        return self.of[-1] not in self.axes

    def shape(self, shape: Shape) -> Shape:
        if len(shape) != len(self.of):
            raise KconvertError(f"an array of shape {shape} does not have the axes {self.of!r}")
        return shape

    def array(self, array: np.ndarray) -> np.ndarray:
        self.shape(array.shape)
        return array[tuple(slice(None, None, -1) if axis in self.axes else slice(None) for axis in self.of)]

    def for_region(self, wanted: Region, shape: Shape) -> tuple[Region, Chain]:
        sides = zip(self.of, wanted, shape, strict=True)
        return tuple(n - 1 - index if axis in self.axes else index for axis, index, n in sides), Chain()

    def then(self, following: Op) -> tuple[Op, ...] | None:
        if isinstance(following, Flip) and following.of == self.of:
            once = "".join(axis for axis in self.of if (axis in self.axes) != (axis in following.axes))
            return (Flip(once, self.of),)
        if isinstance(following, Transpose) and following.source == self.of:
            return following, Flip(self.axes, following.target)
        return super().then(following)

    def fields(self) -> Json:
        return {"axes": self.axes, "of": self.of}

    @classmethod
    def from_fields(cls, fields: Json) -> Flip:
        return cls(**fields)

    def __str__(self) -> str:
        return f"flip {self.axes} of {self.of}"

    def __repr__(self) -> str:
        return f"Flip({self.axes!r}, {self.of!r})"
