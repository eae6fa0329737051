"""Two weight files held against each other without running them, whatever their conventions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .matching import FilePath, match
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


def diff(source_path: FilePath, target_path: FilePath, **files: Any) -> Difference:
    """Compares two weight files modulo convention: is it the same model, and which arrays differ?

    files: the options of `match`. Raises KconvertError where the two cannot be of one model.
    """
    found = match(source_path, target_path, **files)
    return Difference(
        files=((found.source, str(found.made.source)), (found.target, str(found.goal))),
        weights=found.arrays,
        odd=[Odd(name, off) for name, off in found.odd.items()],
        layers=[
            ("/".join(path), finding.words, finding.remedy)
            for path, findings in found.findings.items()
            for finding in findings
        ],
    )
