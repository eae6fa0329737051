"""Op and Chain: invertible operations on weight arrays, as values.

An op maps a tuple of arrays to a tuple of arrays. Most ops treat each array separately (`EachOp`); `Fuse` joins
several arrays into one and `Split` undoes that. Every op has an inverse, computes the shapes of its result without
data and can be written as JSON. An `EachOp` can also tell which part of its input a part of its output needs, so
that an array larger than memory can be converted block by block.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass

Shape = tuple[int, ...]
Arrays = tuple[np.ndarray, ...]
Region = tuple[np.ndarray, ...]
"""A part of an array: its indices along each axis, at least one, none twice, in any order."""
Json = dict[str, Any]


def distinct(names: str) -> bool:
    """Whether no letter occurs twice."""
    return len(set(names)) == len(names)


class Op(ABC):
    """One invertible operation on arrays. Subclasses are frozen dataclasses: equal when their fields are equal."""

    registry: ClassVar[dict[str, type[Op]]] = {}  # every op class, by `id`
    id: ClassVar[str]  # name of the op in JSON
    rearranges: ClassVar[bool] = True  # whether elements only change their position; False if values are computed

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "id" in cls.__dict__:
            Op.registry[cls.id] = cls

    @property
    @abstractmethod
    def inverse(self) -> Op:
        """The op that undoes this one: bit for bit if the op only rearranges elements, else up to rounding."""

    @abstractmethod
    def shapes(self, shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
        """The shapes of the result for arrays of `shapes`. Raises KconvertError for shapes that do not fit the op."""

    @abstractmethod
    def apply(self, arrays: Arrays) -> Arrays:
        """The result for `arrays`: views of them where NumPy can give views."""

    @abstractmethod
    def fields(self) -> Json:
        """The op's arguments as JSON values; `from_fields` is the inverse."""

    @classmethod
    @abstractmethod
    def from_fields(cls, fields: Json) -> Op:
        """The op that `fields` describes."""

    def then(self, following: Op) -> tuple[Op, ...] | None:
        """Ops that are simpler than `self` followed by `following` and do the same; None if there are none.

        `Chain.simplified` calls it for each pair of neighbours.
        """
        return None

    @property
    def is_identity(self) -> bool:
        """Whether the op changes no array."""
        return False

    def to_json(self) -> Json:
        return {"op": self.id, **self.fields()}

    @staticmethod
    def from_json(value: Json) -> Op:
        """The op that `to_json` wrote. Raises KconvertError for any other value."""
        try:
            fields = dict(value)
            return Op.registry[fields.pop("op")].from_fields(fields)
        except KconvertError:
            raise
        except (AttributeError, KeyError, TypeError, ValueError):
            known = ", ".join(sorted(Op.registry))
            raise KconvertError(
                f"not an op of a plan: {value!r}", fix=f"known ops: {known}", problem=Problem.UNREADABLE
            ) from None

    def __rshift__(self, other: Op | Chain) -> Chain:
        return Chain((self,)) >> other


class GateOp(Op):
    """An op that joins several arrays along the last axis, or splits one array along it."""


class EachOp(Op):
    """An op that treats each array separately. Subclasses define `shape` and `array`."""

    @property
    def keeps_last_axis(self) -> bool:
        """Whether the last axis stays last and keeps its order, so that blocks of gates stay as they are."""
        return False

    def then(self, following: Op) -> tuple[Op, ...] | None:
        """An op that keeps the last axis moves after a `GateOp`, where its neighbours may be ops that cancel it."""
        return (following, self) if self.keeps_last_axis and isinstance(following, GateOp) else None

    def for_region(self, wanted: Region, shape: Shape) -> tuple[Region, Chain] | None:
        """What a region of the output needs of the input, and the chain that computes the one from the other.

        shape: the shape of the input.

        None if the op mixes axes, so that the whole array is needed.
        """
        return None

    @abstractmethod
    def shape(self, shape: Shape) -> Shape:
        """The shape of the result for an array of `shape`. Raises KconvertError for a shape that does not fit."""

    @abstractmethod
    def array(self, array: np.ndarray) -> np.ndarray:
        """The result for one array."""

    def shapes(self, shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return tuple(self.shape(shape) for shape in shapes)

    def apply(self, arrays: Arrays) -> Arrays:
        return tuple(self.array(array) for array in arrays)


@dataclass(frozen=True)
class Chain:
    """Ops applied one after another; the empty chain is the identity.

    >>> from kconvert.kernels import Flip, Transpose
    >>> chain = Transpose("oihw", "hwio") >> Flip("hw", "hwio")
    >>> chain.shapes(((64, 3, 5, 5),))
    ((5, 5, 3, 64),)
    >>> (chain >> chain.inverse).simplified
    Chain()
    """

    ops: tuple[Op, ...] = ()

    def __iter__(self) -> Iterator[Op]:
        return iter(self.ops)

    def __len__(self) -> int:
        return len(self.ops)

    def __rshift__(self, other: Op | Chain) -> Chain:
        return Chain(self.ops + (other.ops if isinstance(other, Chain) else (other,)))

    def __repr__(self) -> str:
        return " >> ".join(map(repr, self.ops)) if len(self.ops) > 1 else f"Chain({self.ops or ''})"

    def __str__(self) -> str:
        return " >> ".join(map(str, self.ops)) or "as is"

    @cached_property
    def inverse(self) -> Chain:
        return Chain(tuple(op.inverse for op in reversed(self.ops)))

    @property
    def simplified(self) -> Chain:
        """A chain that does the same, in which no two neighbours can be combined; an identity becomes empty."""
        done: list[Op] = []
        todo = list(reversed(self.ops))
        while todo:
            op = todo.pop()
            if op.is_identity:
                continue
            shorter = done[-1].then(op) if done else None
            if shorter is None:
                done.append(op)
            else:
                done.pop()
                todo.extend(reversed(shorter))
        return Chain(tuple(done))

    def shapes(self, shapes: Iterable[Shape]) -> tuple[Shape, ...]:
        result = tuple(tuple(shape) for shape in shapes)
        for op in self.ops:
            result = op.shapes(result)
        return result

    def apply(self, *arrays: np.ndarray) -> Arrays:
        result = arrays
        for op in self.ops:
            result = op.apply(result)
        return result

    def for_region(self, wanted: Region, shape: Shape) -> tuple[Region, Chain] | None:
        """What a region of the result needs of one array, and the chain that computes the one from the other.

        shape: the shape of the source array.

        None if an op needs the whole array.
        """
        each: list[tuple[EachOp, Shape]] = []
        for op in self.ops:
            if not isinstance(op, EachOp):
                return None
            each.append((op, shape))
            shape = op.shape(shape)
        chain = Chain()
        for op, before in reversed(each):
            needed = op.for_region(wanted, before)
            if needed is None:
                return None
            wanted, first = needed
            chain = first >> chain
        return wanted, chain

    def to_json(self) -> list[Json]:
        return [op.to_json() for op in self.ops]

    @staticmethod
    def from_json(value: list[Json]) -> Chain:
        return Chain(tuple(Op.from_json(op) for op in value))
