"""Report: what a verification found, as one value that every form of report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..conventions.backends import BACKENDS
from .comparison import Comparison, Details
from .tolerance import Tolerance

SCHEMA = 1

WEIGHTS, ARCHITECTURE, PRECISION = "weights", "architecture", "precision"


@dataclass(frozen=True)
class Side:
    """One of the two files, and what ran it."""

    path: str
    convention: str
    ran_on: str  # the backend, or the package of a real Keras
    version: str  # of it
    emulates: str | None = None  # the backend that NumPy emulated

    @property
    def reference(self) -> bool:
        """Whether NumPy ran the file, as the reference of a backend that is not installed."""
        return self.emulates is not None

    @property
    def emulated(self) -> str:
        """The title of the backend that NumPy emulated; '' where the backend itself ran."""
        name = self.emulates or ""
        return BACKENDS[name].title if name in BACKENDS else name  # a stored run may state any name

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "convention": self.convention,
            "ran_on": self.ran_on,
            "version": self.version,
            "reference": self.reference,
        }

    def __str__(self) -> str:
        return f"NumPy, emulating {self.emulated}" if self.reference else f"{self.ran_on} {self.version}"


@dataclass(frozen=True)
class Cause:
    """Why a layer of the target differs from the source's even when it is given the source's inputs."""

    name: str  # the tensor
    layer: str  # class of the layer that makes it
    kind: str  # WEIGHTS, ARCHITECTURE or PRECISION
    alone: float  # the largest error of the layer run alone, as a fraction of its scale
    words: str  # one clause that says what is wrong
    weights: Sequence[str] = ()  # the wrong weights
    remedy: str = ""  # the op that would repair them; '' where none is known

    def __str__(self) -> str:
        return f"{self.name} ({self.layer}): {self.words}"


@dataclass(frozen=True)
class Report:
    """A verification: both sides, every tensor compared, why they differ, and the verdict."""

    source: Side
    target: Side
    tolerance: Tolerance
    layers: Sequence[Comparison]
    outputs: Sequence[Comparison]
    causes: Sequence[Cause] = ()  # the layers that cause a difference, without those that inherit it
    arrays: int = 0  # how many weights were compared
    weights: Sequence[str] = ()  # those of the target that differ from the converted source, bit for bit
    details: Sequence[Details] = ()  # how the errors of the worst layers are spread
    plan: Mapping[str, Any] = field(default_factory=dict)  # the conversion to the target's convention: `Plan.to_json`
    notes: Sequence[str] = ()
    samples: int = 0
    inputs: str = ""  # where the inputs came from
    environment: Mapping[str, str] = field(default_factory=dict)  # versions
    schema: int = field(default=SCHEMA)

    @property
    def comparisons(self) -> Sequence[Comparison]:
        """Those of the layers, then those of the outputs."""
        return (*self.layers, *self.outputs)

    @property
    def equal(self) -> bool:
        """Whether there are outputs, and they and every layer are equal."""
        return bool(self.outputs) and all(comparison.equal for comparison in self.comparisons)

    @property
    def code(self) -> int:
        """The exit code: 0 equal, 1 differs."""
        return int(not self.equal)

    @property
    def first_divergence(self) -> Comparison | None:
        """The first layer, in the order of the graph, whose outputs differ."""
        return next((comparison for comparison in self.comparisons if not comparison.equal), None)

    @property
    def worst(self) -> Comparison | None:
        """The tensor with the largest error as a fraction of its scale."""
        return max(self.comparisons, key=lambda comparison: comparison.relative, default=None)

    @property
    def needed(self) -> float:
        """The rtol that would be enough for all."""
        return max((comparison.needed for comparison in self.comparisons), default=0.0)

    def to_json(self) -> dict[str, Any]:
        """JSON values; `docs/report.schema.json` describes them."""
        first = self.first_divergence
        return {
            **finite(asdict(self)),
            "source": self.source.to_json(),
            "target": self.target.to_json(),
            "equal": self.equal,
            "first_divergence": first.name if first else None,
            "needed_rtol": finite(self.needed),
        }


@dataclass(frozen=True)
class Entry:
    """One pair of files of two directories."""

    name: str
    report: Report | None = None
    error: str = ""  # why there is no report
    code: int = 0  # the exit code of that error (`errors.Problem`)

    @property
    def equal(self) -> bool:
        return self.report is not None and self.report.equal

    @property
    def state(self) -> str:
        """'equal', 'differs' or 'error'."""
        if self.report is None:
            return "error"
        return "equal" if self.report.equal else "differs"


@dataclass(frozen=True)
class Summary:
    """The verification of many pairs of files."""

    entries: Sequence[Entry]
    schema: int = field(default=SCHEMA)

    @property
    def equal(self) -> bool:
        """Whether there are files, and all are equal."""
        return bool(self.entries) and all(entry.equal for entry in self.entries)

    @property
    def code(self) -> int:
        """The exit code: 0 where all are equal, 1 where some differ, else that of the first error."""
        errors = (entry.code for entry in self.entries if entry.report is None)
        return 0 if self.equal else 1 if self.count("differs") else next(errors, 1)

    def count(self, state: str) -> int:
        """How many entries are 'equal', 'differs' or 'error'."""
        return sum(entry.state == state for entry in self.entries)

    def to_json(self) -> dict[str, Any]:
        """JSON values; `docs/report.schema.json` describes them."""
        return {
            "schema": self.schema,
            "equal": self.equal,
            "files": [
                {
                    "name": entry.name,
                    "state": entry.state,
                    "error": entry.error,
                    "code": entry.code,
                    "report": entry.report.to_json() if entry.report else None,
                }
                for entry in self.entries
            ],
        }


def finite(value: Any) -> Any:
    """JSON has no infinity: null stands for it. NumPy's numbers become Python's."""
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
