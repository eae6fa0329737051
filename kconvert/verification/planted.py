"""SelfTest: what became of errors that were planted to be found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .value import finite

LOCATED, CAUGHT, MISSED, REFUSED, HARMLESS = "located", "caught", "missed", "refused", "harmless"


@dataclass(frozen=True)
class Planted:
    """One error: the layer it was planted in, what it is, and what became of it.

    outcome: 'located' (the report names that layer as the cause), 'caught' (it names another), 'missed', 'refused' (the
    file does not run at all), or 'harmless' (the model is the same with and without it). said: the first cause that
    the report names; error: by how much that layer is off by itself, as a part of its scale.
    """

    layer: str
    words: str
    outcome: str
    said: str = ""
    error: float | None = None


@dataclass(frozen=True)
class SelfTest:
    """What became of every planted error."""

    planted: Sequence[Planted]

    def count(self, outcome: str) -> int:
        return sum(planted.outcome == outcome for planted in self.planted)

    @property
    def passed(self) -> bool:
        """Whether there were errors to find, and each was located."""
        found = [planted for planted in self.planted if planted.outcome not in (HARMLESS, REFUSED)]
        return bool(found) and all(planted.outcome == LOCATED for planted in found)

    def to_json(self) -> dict[str, Any]:
        counts = {outcome: self.count(outcome) for outcome in (LOCATED, CAUGHT, MISSED, REFUSED, HARMLESS)}
        return finite({"passed": self.passed, **counts, **asdict(self)})
