"""Reading: runs a file in the package that it is for, or in kconvert's layers if that is not possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..tensors import Tensor
from .base import Job, Runner, RunResult
from .real_keras import RealKeras


class Reading(Runner):
    """Runs jobs in the real Keras that reads such files.

    If it is not installed, or a job cannot be given to it, `own` runs the job, and the result says so.
    """

    def __init__(self, title: str, own: Runner, real: RealKeras | None = None, why: str = "") -> None:
        self.title = title  # of the reader: 'Keras 3'
        self.own = own
        self.real = real
        self.why = why  # why it is not installed

    def run(
        self, job: Job, inputs: Sequence[np.ndarray], out: Path, overrides: Mapping[str, Tensor] | None = None
    ) -> RunResult:
        why = self.why if self.real is None else self.real.unsuited(job)
        if self.real is None or why:
            return replace(self.own.run(job, inputs, out, overrides), stands_in_for=self.title, why=why)
        return self.real.run(job, inputs, out, overrides)

    def close(self) -> None:
        self.own.close()
        if self.real is not None:
            self.real.close()
