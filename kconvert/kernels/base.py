"""Op and Chain: invertible rearrangements of weight arrays, as values.

An op takes a tuple of arrays to a tuple of arrays. Most ops rearrange each array by itself; `Fuse`
makes one array of several and `Split` undoes it. Every op has an exact inverse, predicts shapes
without data, can be written as JSON, and can say which rows of its input a block of its output
needs, so that an array larger than memory is converted block by block.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import KconvertError, Problem

Shape = tuple[int, ...]
Arrays = tuple[np.ndarray, ...]
Json = dict[str, Any]


def distinct(names: str) -> bool:
    """True where no letter stands twice."""
    return len(set(names)) == len(names)


class Op(ABC):
    """One invertible step. Subclasses are frozen dataclasses: equal when their fields are equal."""

    registry: ClassVar[dict[str, type[Op]]] = {}
    id: ClassVar[str]
    moves: ClassVar[bool] = True  # elements only change places; False where they are computed

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "id" in cls.__dict__:
            Op.registry[cls.id] = cls

    @property
    @abstractmethod
    def inverse(self) -> Op:
        """The op that undoes this one, bit for bit."""

    @abstractmethod
    def shapes(self, shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
        """The shapes that come out when arrays of `shapes` go in; refuses shapes it cannot take."""

    @abstractmethod
    def apply(self, arrays: Arrays) -> Arrays:
        """The rearranged arrays (views where NumPy can)."""

    @abstractmethod
    def fields(self) -> Json:
        """The op's arguments as JSON values; `from_fields` takes them back."""

    @classmethod
    @abstractmethod
    def from_fields(cls, fields: Json) -> Op:
        """The op that `fields` describes."""

    def then(self, following: Op) -> tuple[Op, ...] | None:
        """A simpler equal of `self` followed by `following`, or None where there is none."""
        return None

    @property
    def is_identity(self) -> bool:
        """True where the op changes nothing, whatever the array."""
        return False

    def to_json(self) -> Json:
        return {"op": self.id, **self.fields()}

    @staticmethod
    def from_json(value: Json) -> Op:
        """The op that `to_json` wrote. Raises KconvertError for anything else."""
        try:
            fields = dict(value)
            return Op.registry[fields.pop("op")].from_fields(fields)
        except (AttributeError, KeyError, TypeError, ValueError):
            known = ", ".join(sorted(Op.registry))
            raise KconvertError(
                f"not an op of a plan: {value!r}", fix=f"known ops: {known}", problem=Problem.UNREADABLE
            ) from None

    def __rshift__(self, other: Op | Chain) -> Chain:
        return Chain((self,)) >> other


class GateOp(Op):
    """An op that makes one array of several, or several of one, along the last axis."""


class EachOp(Op):
    """An op that rearranges each array by itself."""

    @property
    def keeps_last_axis(self) -> bool:
        """True where the last axis stays last and in order, so that gate blocks are left alone."""
        return False

    def then(self, following: Op) -> tuple[Op, ...] | None:
        """An op that leaves gate blocks alone moves behind a `GateOp`: there it meets the ops that may undo it."""
        return (following, self) if self.keeps_last_axis and isinstance(following, GateOp) else None

    def rows(self, wanted: np.ndarray, shape: Shape) -> tuple[np.ndarray, Chain] | None:
        """For a block of output rows: the input rows it needs, and what to apply to them.

        `wanted` holds indices of the leading axis of the output, `shape` is the input's. None
        where the leading axis is mixed with others, so that the whole array is needed.
        """
        return None

    @abstractmethod
    def shape(self, shape: Shape) -> Shape:
        """The shape that comes out when an array of `shape` goes in."""

    @abstractmethod
    def array(self, array: np.ndarray) -> np.ndarray:
        """The rearranged array."""

    def shapes(self, shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return tuple(self.shape(shape) for shape in shapes)

    def apply(self, arrays: Arrays) -> Arrays:
        return tuple(self.array(array) for array in arrays)


@dataclass(frozen=True)
class Chain:
    """Ops one after the other; the empty chain is the identity.

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

    @property
    def inverse(self) -> Chain:
        return Chain(tuple(op.inverse for op in reversed(self.ops)))

    @property
    def simplified(self) -> Chain:
        """An equal chain with no two neighbours that could be one; the identity becomes empty."""
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

    def block(self, wanted: np.ndarray, shape: Shape, read: Callable[[np.ndarray], np.ndarray]) -> np.ndarray | None:
        """Rows `wanted` of the result for one array of `shape`, reading only the rows they need.

        `read(rows)` gives rows of the source. None where an op needs the whole array.
        """
        each: list[tuple[EachOp, Shape]] = []
        for op in self.ops:
            if not isinstance(op, EachOp):
                return None
            each.append((op, shape))
            shape = op.shape(shape)
        partial: list[Chain] = []
        for op, before in reversed(each):
            found = op.rows(wanted, before)
            if found is None:
                return None
            wanted, rest = found
            partial.append(rest)
        array = read(wanted)
        for rest in reversed(partial):
            (array,) = rest.apply(array)
        return array

    def to_json(self) -> list[Json]:
        return [op.to_json() for op in self.ops]

    @staticmethod
    def from_json(value: list[Json]) -> Chain:
        return Chain(tuple(Op.from_json(op) for op in value))
