"""SelfTest: the results of a self-test, which plants errors in a copy of a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..lazy_dataclasses import dataclass
from .value import finite

LOCATED = "located"  # the report names the layer of the error as the first cause
CAUGHT = "caught"  # the report differs, and names another layer
MISSED = "missed"  # the report is equal
REFUSED = "refused"  # the file does not run
HARMLESS = "harmless"  # the error changes nothing: the model is the same with and without it


@dataclass(frozen=True)
class Planted:
    """One planted error."""

    layer: str  # where it was planted
    words: str  # what is wrong
    outcome: str  # LOCATED, CAUGHT, MISSED, REFUSED or HARMLESS
    cause: str = ""  # the first cause in the report, or why the file does not run
    error: float | None = None  # the error of that layer run alone, as a fraction of its scale

    def to_json(self) -> dict[str, Any]:
        return {
            "layer": self.layer,
            "words": self.words,
            "outcome": self.outcome,
            "said": self.cause,
            "error": self.error,
        }


@dataclass(frozen=True)
class SelfTest:
    """All planted errors."""

    planted: Sequence[Planted]

    def count(self, outcome: str) -> int:
        """The number of errors with this outcome."""
        return sum(planted.outcome == outcome for planted in self.planted)

    @property
    def passed(self) -> bool:
        """Whether there were errors to find, and each was located."""
        found = [planted for planted in self.planted if planted.outcome not in (HARMLESS, REFUSED)]
        return bool(found) and all(planted.outcome == LOCATED for planted in found)

    def to_json(self) -> dict[str, Any]:
        counts = {outcome: self.count(outcome) for outcome in (LOCATED, CAUGHT, MISSED, REFUSED, HARMLESS)}
        planted = [planted.to_json() for planted in self.planted]
        return finite({"passed": self.passed, **counts, "planted": planted})
