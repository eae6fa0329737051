"""One case of the corpus, and the checks on it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .. import hdf5
from ..conversion import KEEP, SAME, Conversion, convert
from ..errors import KconvertError
from ..kernels import Grow
from ..loading import load_model
from ..model import as_list
from ..relayout import image_data_format
from ..verification import verify

ATOL = 1e-4
OTHER = {"theano": "tensorflow", "tensorflow": "theano"}
_DATA_FORMATS = {"th": "channels_first", "tf": "channels_last"}


@dataclass(frozen=True)
class Case:
    """What real Keras `release` on `backend` saved and computed for one model."""

    folder: Path

    @cached_property
    def meta(self) -> dict[str, Any]:
        return json.loads((self.folder / "meta.json").read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def release(self) -> str:
        return self.folder.parent.name.rpartition("-")[0]

    @property
    def backend(self) -> str:
        return self.folder.parent.name.rpartition("-")[2]

    @property
    def other(self) -> str:
        return OTHER[self.backend]

    @property
    def model(self) -> Path:
        return self.folder / "model.h5"

    @property
    def data_format(self) -> str | None:
        """What the user's global setting was: Keras 1 does not store it with every layer."""
        return self.meta["data_format"] or _DATA_FORMATS.get(self.meta["dim_ordering"])

    def arrays(self, letter: str) -> list[np.ndarray]:
        """Inputs (`x`) or outputs (`y`), in order."""
        with np.load(self.folder / "io.npz") as stored:
            names = sorted((n for n in stored.files if n[0] == letter), key=lambda n: int(n[1:]))
            return [stored[n] for n in names]


@dataclass
class Result:
    """What became of one check: True, False, or None where it does not apply; the largest error; why."""

    passed: bool | None
    error: float | None = None
    reason: str = ""


@dataclass
class Outcome:
    """All checks on one case."""

    case: str
    release: str
    backend: str
    checks: dict[str, Result] = field(default_factory=dict)


def check(case: Case, folder: Path) -> Outcome:
    """Checks A, B and E on one case; converted files go to `folder`."""
    outcome = Outcome(case.name, case.release, case.backend)
    for letter, function in (("A", own_backend), ("B", other_backend), ("E", there_and_back)):
        try:
            outcome.checks[letter] = function(case, folder)
        except KconvertError as error:
            refused = letter == "B" or "no exchange of weights" in str(error)
            outcome.checks[letter] = Result(None if refused else False, reason=f"refused: {error.what}")
        except Exception as error:  # a crash is the worst of failures: it is counted, not passed on
            outcome.checks[letter] = Result(False, reason=f"{type(error).__name__}: {error}")
    return outcome


def own_backend(case: Case, folder: Path) -> Result:
    """A: real Keras's outputs on the backend that saved the file."""
    model = load_model(case.model, case.backend, case.backend, source_data_format=case.data_format)
    return _compared(as_list(model.predict(case.arrays("x"))), case.arrays("y"))


def other_backend(case: Case, folder: Path) -> Result:
    """B: the converted file runs on the other backend; every layer agrees with the source's run of check A."""
    done = converted(case, folder / f"{case.name}.h5", "keras2")
    report = verify(
        done.source, done.target, source=case.backend, source_data_format=case.data_format, inputs=case.arrays("x")
    )
    error = max(comparison.max_error for comparison in report.outputs)
    if report.equal and not report.weights:
        return Result(error <= ATOL, error, "" if error <= ATOL else f"outputs differ by {error:.2g}")
    first = report.first_divergence
    return Result(False, error, f"{first.name} differs by {first.max_error:.2g}" if first else str(report.weights))


def there_and_back(case: Case, folder: Path) -> Result:
    """E: every array comes back bit for bit, in the file's own generation."""
    there = converted(case, folder / f"{case.name}.there.h5", SAME)
    if any(isinstance(op, Grow) for step in there.plan.steps for op in step.chain):
        return Result(None, reason="a repair gave it a larger kernel, which stays")
    back = folder / f"{case.name}.back.h5"
    convert(
        there.target,
        back,
        case.other,
        case.backend,
        data_format=_stated(case, there),
        format=SAME,
        source_data_format=there.plan.data_format,
        force=True,
    )
    with hdf5.read(case.model) as first, hdf5.read(back) as last:
        ours = [array.read() for group in first.groups for array in group.arrays]
        theirs = [array.read() for group in last.groups for array in group.arrays]
    same = len(ours) == len(theirs) and all(
        a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        for a, b in zip(ours, theirs, strict=True)
    )
    return Result(same, reason="" if same else "arrays came back changed")


def converted(case: Case, target: Path, form: str) -> Conversion:
    """The case's file for the other backend."""
    return convert(
        case.model,
        target,
        case.backend,
        case.other,
        format=form,
        source_data_format=case.data_format,
        force=True,
    )


def _stated(case: Case, there: Conversion) -> str:
    """The data format to come back to: what the image layers of the original state."""
    return image_data_format(there.plan.model) or case.data_format or KEEP


def _compared(got: list[np.ndarray], wanted: list[np.ndarray]) -> Result:
    if [a.shape for a in got] != [b.shape for b in wanted]:
        return Result(False, reason=f"shapes {[a.shape for a in got]} where Keras gave {[b.shape for b in wanted]}")
    error = max(float(np.abs(a - b).max(initial=0)) for a, b in zip(got, wanted, strict=True))
    return Result(error <= ATOL, error, "" if error <= ATOL else f"outputs differ by {error:.2g}")
