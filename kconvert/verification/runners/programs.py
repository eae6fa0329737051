"""ProgramRunner: runs a program in its runtime, in a separate process."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..._version import install
from ...arguments import argument, raised_limit
from ...errors import KconvertError, Problem
from ...formats.endings import Runtime
from ...network.signature import input_names, output_names
from ..tensors import Tensor
from .base import Job, RunResult
from .process import Process

SECONDS = 4  # of processor time that a program from an unknown source may use
_MEMORY = re.compile("alloc|memory", re.IGNORECASE)
_WORKER = Path(__file__).parent / "foreign" / "program_worker.py"


class ProgramRunner(Process):
    """Runs programs in `runtime`. Their layers cannot be seen: the results are the outputs alone."""

    def __init__(self, runtime: Runtime, timeout: float | None = None) -> None:
        super().__init__(sys.executable, timeout)
        self.runtime = runtime

    def run(
        self, job: Job, inputs: Sequence[np.ndarray], out: Path, overrides: Mapping[str, Tensor] | None = None
    ) -> RunResult:
        if overrides or job.given:
            what = f"the layers of a program in {self.runtime.title} cannot be seen"
            raise KconvertError(what, job.path, problem=Problem.UNVERIFIED)
        if find_spec(self.runtime.package) is None:
            what = f"{self.runtime.title} is not installed ({self.runtime.package})"
            raise KconvertError(what, job.path, install(self.runtime.extra), Problem.UNVERIFIED)
        return super().run(job, inputs, out)

    def _side(self, job: Job) -> str:
        return self.runtime.title

    def _command(self) -> list[str]:
        return [self.python, str(_WORKER), self.runtime.name]

    def _environment(self) -> Mapping[str, str]:
        return {"TF_CPP_MIN_LOG_LEVEL": "2", **os.environ}

    def _described(self, job: Job, folder: Path) -> dict[str, Any]:
        """The names of inputs and outputs, in the order of the arrays, and the bounds of the program."""
        bounds = {"bytes": job.bound, "seconds": SECONDS if self.timeout is None else None}
        return {"names": input_names(job.model), "outputs": output_names(job.model), **bounds}

    def _unverified(self, job: Job, what: str, fix: str | None = None) -> KconvertError:
        """The error about a program that does not run. One that was stopped tells how to let it go on."""
        trusted = "if you trust the program, "
        if job.bound is not None and "SIGXCPU" in what:
            what, fix = "took too long and was stopped", f"{trusted}allow it more time with {argument('timeout')}"
        elif job.bound is not None and _MEMORY.search(what):
            fix = f"{trusted}allow it more memory with {raised_limit('bytes', 4 * job.bound)}"
        return super()._unverified(job, what, fix)

    def _result(self, job: Job, answer: Sequence[Any]) -> RunResult:
        tensors, version, quantized = answer
        names = zip(job.model.output_refs, output_names(job.model), strict=True)
        paths = {ref.key: Path(tensors[name]) for ref, name in names}
        return RunResult(paths, self.runtime.title, version, outputs_alone=True, quantized=quantized)
