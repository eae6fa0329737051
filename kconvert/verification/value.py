"""Report: the result of a verification as one value, from which every form of report is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, field
from typing import Any, ClassVar

import numpy as np

from ..conventions.backends import BACKENDS
from ..drawing.notebook import Shown
from ..drawing.words import plural
from ..errors import Problem
from ..lazy_dataclasses import dataclass
from .comparison import Comparison, Details
from .tolerance import Tolerance

SCHEMA = 3

EQUAL, DIFFERS, UNPROVED = "EQUAL", "DIFFERS", "NOT PROVED"
QUANTIZED = "QUANTIZED"  # the outputs are within the tolerance, of weights with less precision

WEIGHTS, ARCHITECTURE, PRECISION = "weights", "architecture", "precision"


@dataclass(frozen=True)
class Side:
    """One of the two files, and the backend or package that ran it."""

    path: str
    convention: str
    ran_on: str  # the backend, or the package of a real Keras
    version: str  # its version
    emulates: str | None = None  # the backend that NumPy emulated
    stands_in_for: str | None = None  # the reader of the file, if kconvert ran in its place: 'Keras 3'
    why: str = ""  # why the reader did not run the file
    quantized: str | None = None  # the type of its quantized weights: 'float16'
    lacking: str = ""  # why the backend that NumPy emulated did not run

    @property
    def reference(self) -> bool:
        """Whether NumPy ran the file, as the reference of a backend that cannot run here."""
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
            "stands_in_for": self.stands_in_for,
            "quantized": self.quantized,
        }

    def __str__(self) -> str:
        ran = f"NumPy, emulating {self.emulated}" if self.reference else f"{self.ran_on} {self.version}"
        return f"{ran}, standing in for {self.stands_in_for}" if self.stands_in_for else ran

    @property
    def reasons(self) -> list[str]:
        """Why the file was run by something other than the backend or reader that it is for."""
        lacking = [self.lacking or f"{self.emulated} is not installed"] if self.reference else []
        return lacking + ([self.why] if self.why else [])


@dataclass(frozen=True)
class Cause:
    """Why a layer of the target differs from that of the source, although both get the same inputs."""

    name: str  # name of the tensor
    layer: str  # class of the layer that makes it
    kind: str  # WEIGHTS, ARCHITECTURE, or PRECISION where each layer alone agrees and only the whole differs
    alone: float  # the largest error of the layer run alone, as a fraction of its scale
    words: str  # one clause that says what is wrong
    weights: Sequence[str] = ()  # the wrong weights
    remedy: str = ""  # the op that would repair them; '' where none is known

    def __str__(self) -> str:
        return f"{self.name} ({self.layer}): {self.words}"


@dataclass(frozen=True)
class LeftOut:
    """A tensor that was not compared, because its layer, or one before it, cannot run."""

    name: str
    layer: str  # class of the layer that makes it
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.layer}): {self.reason}"


@dataclass(frozen=True)
class Report(Shown):
    """A verification: both sides, every tensor compared, why they differ, and the verdict.

    `equal` says whether all agree, and `title` is the verdict in words.

    source, target: the two sides: the file, its convention, and what ran it.
    tolerance: the error that was allowed.
    layers, outputs: the comparison of each layer and of each output.
    causes: the layers that cause a difference, without those that inherit it.
    arrays: how many weights were compared.
    weights: those of the target that differ from the converted source, bit for bit.
    details: the distribution of the errors of the worst layers.
    plan: the conversion to the target's convention, as `Plan.to_json` gives it.
    notes: what a user should know.
    not_compared: tensors of the source that the target does not have.
    left_out: tensors that could not be compared, because their layers cannot run.
    samples: how many inputs there were.
    inputs: where they came from.
    environment: versions.
    seconds: how long the runs took.
    schema: the number of the schema of its JSON.
    """

    source: Side
    target: Side
    tolerance: Tolerance
    layers: Sequence[Comparison]
    outputs: Sequence[Comparison]
    causes: Sequence[Cause] = ()
    arrays: int = 0
    weights: Sequence[str] = ()
    details: Sequence[Details] = ()
    plan: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    not_compared: Sequence[str] = ()
    left_out: Sequence[LeftOut] = ()
    samples: int = 0
    inputs: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    schema: int = field(default=SCHEMA)

    _page = "verification.report.html"

    def __repr__(self) -> str:
        layers = plural(len(self.layers), "layer")
        return f"<Report {self.source.path} -> {self.target.path}: {self.title}, {layers}>"

    @property
    def comparisons(self) -> Sequence[Comparison]:
        """Those of the layers, then those of the outputs."""
        return (*self.layers, *self.outputs)

    @property
    def equal(self) -> bool:
        """Whether there are outputs, all outputs and layers are equal, and nothing was left out or quantized."""
        return not self.target.quantized and bool(self.outputs) and self._all_equal and not self.left_out

    @property
    def partly(self) -> bool:
        """Whether all that was compared is equal, and something was left out because it cannot run."""
        return bool(self.left_out and self.layers) and self._all_equal

    @property
    def _all_equal(self) -> bool:
        return all(comparison.equal for comparison in self.comparisons)

    @property
    def word(self) -> str:
        """EQUAL, QUANTIZED, DIFFERS, or NOT PROVED where there was nothing to compare."""
        if self.equal or self.partly:
            return EQUAL
        if self.first_divergence:
            return DIFFERS
        return QUANTIZED if self.target.quantized and self.outputs and self._all_equal else UNPROVED

    @property
    def qualifiers(self) -> Sequence[str]:
        """The limits of the verdict, which are part of it: 'with NumPy emulating Theano'."""
        found = [f"with weights of {self.target.quantized}"] if self.target.quantized else []
        found += ["within a LOOSENED tolerance"] if self.tolerance.loosened else []
        if self.word not in (EQUAL, QUANTIZED):
            return found
        emulated = dict.fromkeys(side.emulated for side in (self.source, self.target) if side.reference)
        if emulated:
            found.append(f"with NumPy emulating {' and '.join(emulated)}")
        if self.target.stands_in_for:
            found.append(f"with kconvert standing in for {self.target.stands_in_for}")
        if not self.layers:
            found.append("in the outputs alone")
        if any(comparison.amplified for comparison in self.comparisons):
            found.append("within the rounding that the network amplifies")
        return found

    @property
    def title(self) -> str:
        """The word with what limits it: 'EQUAL with NumPy emulating Theano, 3 of 40 layers not compared'."""
        limited = " ".join([self.word, ", ".join(self.qualifiers)]).rstrip()
        return f"{limited}, {self.omission}" if self.partly else limited

    @property
    def omission(self) -> str:
        """How many layers were left out: '3 of 40 layers not compared'."""
        return f"{len(self.left_out)} of {plural(len(self.layers) + len(self.left_out), 'layer')} not compared"

    @property
    def code(self) -> int:
        """The exit code: 0 equal, 1 differs, else that of PARTLY_VERIFIED, or of UNVERIFIED where nothing is proved."""
        proved = Problem.PARTLY_VERIFIED if self.partly else 0
        return int({EQUAL: proved, QUANTIZED: 0, DIFFERS: 1}.get(self.word, Problem.UNVERIFIED))

    @property
    def first_divergence(self) -> Comparison | None:
        """The first layer, in the order of the graph, whose outputs differ."""
        return next((comparison for comparison in self.comparisons if comparison.differs), None)

    @property
    def nothing(self) -> Comparison | None:
        """The first layer, in the order of the graph, that has nothing to compare."""
        return next((comparison for comparison in self.comparisons if not comparison.compared), None)

    @property
    def worst(self) -> Comparison | None:
        """The tensor with the largest error as a fraction of its scale."""
        return max(self.comparisons, key=lambda comparison: comparison.relative, default=None)

    @property
    def needed(self) -> float:
        """The rtol that is enough for all tensors; infinite if none is."""
        return max((comparison.needed for comparison in self.comparisons), default=0.0)

    def to_json(self) -> dict[str, Any]:
        """JSON values; `docs/report.schema.json` describes them."""
        first = self.first_divergence
        return {
            **finite(asdict(self)),
            "source": self.source.to_json(),
            "target": self.target.to_json(),
            "verdict": self.title,
            "equal": self.equal,
            "first_divergence": first.name if first else None,
            "needed_rtol": finite(self.needed),
        }


COPIED = "copied"  # the state of a file that needed no conversion
_STATES = {EQUAL: "equal", DIFFERS: "differs", UNPROVED: "unproved"}


@dataclass(frozen=True)
class Verdict:
    """A report without its tensors, which is small enough to keep for thousands of files."""

    state: str  # that of its entry; COPIED where a batch had nothing to convert
    words: str  # the verdict in one sentence
    reasons: Sequence[str] = ()  # why it differs, a sentence for each cause
    qualifiers: Sequence[str] = ()  # what limits it
    code: int = 0  # the exit code
    layers: int = 0  # how many layers were compared
    relative: float = 0.0  # the largest error, as a fraction of the scale of its tensor
    needed: float = 0.0  # an rtol that is enough for all; infinite where none is


@dataclass(frozen=True)
class Entry:
    """One pair of files among many."""

    name: str
    report: Report | None = None
    error: str = ""  # why there is no report
    code: int = 0  # the exit code of that error (`errors.Problem`)
    verdict: Verdict | None = None  # in place of a report
    seconds: float = 0.0  # that all of it took

    @property
    def equal(self) -> bool:
        return self.state == "equal"

    @property
    def state(self) -> str:
        """'equal', 'partly', 'differs', 'unproved', 'error', COPIED, or 'converted' where nothing is verified."""
        if self.error:
            return "error"
        if self.report is not None:
            return "partly" if self.report.partly else _STATES[self.report.word]
        return self.verdict.state if self.verdict else "converted"

    @property
    def exit_code(self) -> int:
        """The exit code that the pair alone would have."""
        found = self.report or self.verdict
        return found.code if found else self.code

    @property
    def qualifiers(self) -> Sequence[str]:
        """What limits the verdict."""
        found = self.report or self.verdict
        return found.qualifiers if found else ()

    @property
    def limited(self) -> bool:
        """Whether the verdict is EQUAL, and something limits it, such as NumPy in the place of a backend."""
        return self.equal and bool(self.qualifiers)


@dataclass(frozen=True)
class Summary(Shown):
    """The verification of many pairs of files."""

    UNDECIDED: ClassVar = (UNPROVED, "could not be verified")
    """What is said of files without a verdict: of all in one word, and of their number."""

    entries: Sequence[Entry]
    schema: int = field(default=SCHEMA)
    not_tried: int = 0  # files that were left out, because an earlier one failed

    _page = "verification.report.html"

    def __repr__(self) -> str:
        counts = Counter(entry.state for entry in self.entries)
        states = ", ".join(f"{count} {state}" for state, count in counts.items())
        return f"<{type(self).__name__} of {plural(len(self.entries), 'file')}: {states or 'nothing'}>"

    @property
    def equal(self) -> bool:
        """Whether there are files, and all are equal."""
        return bool(self.entries) and all(entry.equal for entry in self.entries)

    @property
    def limited(self) -> bool:
        """Whether all are equal, and something limits the verdict on one of them."""
        return self.equal and any(entry.limited for entry in self.entries)

    @property
    def agrees(self) -> bool:
        """Whether there are files, and all are equal in what was compared or only converted."""
        return bool(self.entries) and all(
            entry.state in ("equal", "partly", "converted", COPIED) for entry in self.entries
        )

    @property
    def code(self) -> int:
        """The exit code: 0 where all are equal, 1 where some differ, else that of the first that is not equal.

        That of PARTLY_VERIFIED only where all others are equal.
        """
        codes = [entry.exit_code for entry in self.entries if not entry.equal]
        codes.sort(key=lambda code: code == Problem.PARTLY_VERIFIED)
        return 0 if self.equal else 1 if self.count("differs") else next(iter(codes), 1)

    def count(self, state: str) -> int:
        """How many entries have the state."""
        return sum(entry.state == state for entry in self.entries)

    def to_json(self) -> dict[str, Any]:
        """JSON values; `docs/report.schema.json` describes them."""
        return {
            "schema": self.schema,
            "equal": self.equal,
            "not_tried": self.not_tried,
            "files": [
                {
                    "name": entry.name,
                    "state": entry.state,
                    "error": entry.error,
                    "code": entry.code,
                    "seconds": entry.seconds,
                    "report": entry.report.to_json() if entry.report else None,
                    "verdict": finite(asdict(entry.verdict)) if entry.verdict else None,
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
