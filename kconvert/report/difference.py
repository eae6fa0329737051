"""Difference: what one weight file holds otherwise than another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .value import finite

ROUNDING = 1e-5  # a weight that is further off, as a part of its largest value, holds something else


@dataclass(frozen=True)
class Odd:
    """A weight that is not the same in both files: how far it is off, as a part of its largest value."""

    weight: str
    off: float

    @property
    def rounded(self) -> bool:
        return self.off <= ROUNDING


@dataclass(frozen=True)
class Difference:
    """What one file holds otherwise than another.

    files: path and convention of each. weights: how many were compared; odd: those that are not the same
    bit for bit. layers: (layer, what is wrong with it, what would mend it).
    """

    files: tuple[tuple[str, str], tuple[str, str]]
    weights: int
    odd: Sequence[Odd]
    layers: Sequence[tuple[str, str, str]]

    @property
    def equal(self) -> bool:
        """Whether both are the same model with the same weights, rounding aside."""
        return not self.layers and all(odd.rounded for odd in self.odd)

    def to_json(self) -> dict[str, Any]:
        return {"equal": self.equal, **finite(asdict(self))}
