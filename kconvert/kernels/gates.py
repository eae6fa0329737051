"""Gates, Fuse and Split: the gates of recurrent layers, as blocks along the last axis.

A gate is named by one letter: `i` input, `f` forget, `c` candidate, `o` output; `z` update, `r` reset, `h` candidate.
"""

from __future__ import annotations

import numpy as np

from ..errors import KconvertError
from ..lazy_dataclasses import dataclass
from .base import Arrays, Chain, EachOp, GateOp, Json, Op, Region, Shape, distinct


def _are_gates(gates: str) -> bool:
    return bool(gates) and distinct(gates)


@dataclass(frozen=True)
class Gates(EachOp):
    """Reorders the gates along the last axis.

    source: the gates of the input, in order.
    target: the same gates in the order of the result.

    >>> Gates("icfo", "ifco").array(np.arange(4))
    array([0, 2, 1, 3])
    """

    source: str
    target: str
    id = "gates"

    def __post_init__(self) -> None:
        if not _are_gates(self.source) or sorted(self.source) != sorted(self.target):
            raise KconvertError(f"gates {self.source!r} cannot become {self.target!r}")

    @property
    def inverse(self) -> Gates:
        return Gates(self.target, self.source)

    @property
    def is_identity(self) -> bool:
        return self.source == self.target

    def shape(self, shape: Shape) -> Shape:
        if not shape or shape[-1] % len(self.source):
            raise KconvertError(f"the last axis of {shape} cannot be divided into {len(self.source)} gates")
        return shape

    def array(self, array: np.ndarray) -> np.ndarray:
        return array.take(self._index(array.shape), axis=-1)

    def for_region(self, wanted: Region, shape: Shape) -> tuple[Region, Chain]:
        return (*wanted[:-1], self._index(shape)[wanted[-1]]), Chain()

    def _index(self, shape: Shape) -> np.ndarray:
        """The old position of each element of the last axis."""
        n = self.shape(shape)[-1]
        blocks = np.arange(n).reshape(len(self.source), n // len(self.source))
        return blocks[[self.source.index(gate) for gate in self.target]].ravel()

    def then(self, following: Op) -> tuple[Op, ...] | None:
        if isinstance(following, Gates) and following.source == self.target:
            return (Gates(self.source, following.target),)
        return super().then(following)

    def fields(self) -> Json:
        return {"source": self.source, "target": self.target}

    @classmethod
    def from_fields(cls, fields: Json) -> Gates:
        return cls(**fields)

    def __str__(self) -> str:
        return f"gates {self.source}->{self.target}"

    def __repr__(self) -> str:
        return f"Gates({self.source!r}, {self.target!r})"


@dataclass(frozen=True)
class Fuse(GateOp):
    """Joins one array per gate along the last axis.

    gates: the gates in the order of the arrays.

    >>> Fuse("zrh").shapes(((3, 4), (3, 4), (3, 4)))
    ((3, 12),)
    """

    gates: str
    id = "fuse"

    def __post_init__(self) -> None:
        if not _are_gates(self.gates):
            raise KconvertError(f"gates {self.gates!r} cannot be fused: one letter for each, all different")

    @property
    def inverse(self) -> Split:
        return Split(self.gates)

    def shapes(self, shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
        if len(shapes) != len(self.gates) or len(set(shapes)) != 1 or not shapes[0]:
            raise KconvertError(f"arrays of shapes {list(shapes)} are not the gates {self.gates!r} of one weight")
        return (shapes[0][:-1] + (shapes[0][-1] * len(self.gates),),)

    def apply(self, arrays: Arrays) -> Arrays:
        self.shapes(tuple(array.shape for array in arrays))
        dtypes = {array.dtype for array in arrays}
        if len(dtypes) != 1:
            raise KconvertError(
                f"arrays of {', '.join(map(str, dtypes))} are not the gates {self.gates!r} of one weight"
            )
        return (np.concatenate(arrays, axis=-1, dtype=arrays[0].dtype),)

    def then(self, following: Op) -> tuple[Op, ...] | None:
        if isinstance(following, Split) and following.gates == self.gates:
            return ()
        return None

    def fields(self) -> Json:
        return {"gates": self.gates}

    @classmethod
    def from_fields(cls, fields: Json) -> Fuse:
        return cls(**fields)

    def __str__(self) -> str:
        return f"fuse gates {self.gates}"

    def __repr__(self) -> str:
        return f"Fuse({self.gates!r})"


@dataclass(frozen=True)
class Split(GateOp):
    """Splits the last axis into one array per gate: the inverse of `Fuse`.

    gates: the gates in the order of the arrays.

    >>> Split("ifco").shapes(((3, 16),))
    ((3, 4), (3, 4), (3, 4), (3, 4))
    """

    gates: str
    id = "split"

    def __post_init__(self) -> None:
        if not _are_gates(self.gates):
            raise KconvertError(f"gates {self.gates!r} cannot be split: one letter for each, all different")

    @property
    def inverse(self) -> Fuse:
        return Fuse(self.gates)

    def shapes(self, shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
        if len(shapes) != 1:
            raise KconvertError(f"{len(shapes)} arrays cannot be split into gates {self.gates!r}, only one array can")
        (shape,) = shapes
        if not shape or shape[-1] % len(self.gates):
            raise KconvertError(f"the last axis of {shape} cannot be divided into {len(self.gates)} gates")
        return (shape[:-1] + (shape[-1] // len(self.gates),),) * len(self.gates)

    def apply(self, arrays: Arrays) -> Arrays:
        self.shapes(tuple(array.shape for array in arrays))
        return tuple(np.split(arrays[0], len(self.gates), axis=-1))

    def then(self, following: Op) -> tuple[Op, ...] | None:
        if isinstance(following, Fuse) and following.gates == self.gates:
            return ()
        return None

    def fields(self) -> Json:
        return {"gates": self.gates}

    @classmethod
    def from_fields(cls, fields: Json) -> Split:
        return cls(**fields)

    def __str__(self) -> str:
        return f"split gates {self.gates}"

    def __repr__(self) -> str:
        return f"Split({self.gates!r})"
