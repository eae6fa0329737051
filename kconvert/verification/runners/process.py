"""Process: runs a model in a separate process, which may hang, crash or run out of memory without harm to this one."""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import pickle
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...arguments import argument, naming
from ...errors import KconvertError, Problem
from ..tensors import Tensor
from .base import Job, Runner, RunResult, save
from .pipes import Worker, WorkerDied, WorkerTimeout, like_here

log = logging.getLogger(__name__)

_MAIN = "from kconvert.verification.runners.worker import main; main()"
_ELSEWHERE = f"import sys; sys.path.pop(0); {_MAIN}"  # without the working directory, which may contain any files


class Process(Runner):
    """Runs jobs in a process of its own, started with the first one and asked again for the next.

    A process that does not answer in time is killed with all that it started; so it is when the runner is closed, and
    when this process dies. Threads may share a runner: it runs one job at a time.
    """

    def __init__(self, python: str = sys.executable, timeout: float | None = None) -> None:
        self.python = python  # the interpreter, which has this release of kconvert
        self.timeout = timeout  # seconds for an answer, the start of the process included; None: any time
        self._worker: Worker | None = None
        self._one_at_a_time = threading.Lock()

    def run(
        self, job: Job, inputs: Sequence[np.ndarray], out: Path, overrides: Mapping[str, Tensor] | None = None
    ) -> RunResult:
        with self._one_at_a_time:
            return self._run(job, inputs, out, overrides)

    def _run(
        self, job: Job, inputs: Sequence[np.ndarray], out: Path, overrides: Mapping[str, Tensor] | None
    ) -> RunResult:
        log.info("running %s on %s", Path(job.path).name, self._side(job))
        worker = self._started()
        with tempfile.TemporaryDirectory(dir=worker.folder) as name:
            input_files = save({str(i): x for i, x in enumerate(inputs)}, Path(name, "inputs"))
            override_files = save(overrides or {}, Path(name, "overrides"))
            given = {
                call: [str(path) for path in save(dict(enumerate(outputs)), Path(name, f"given-{i}")).values()]
                for i, (call, outputs) in enumerate(job.given.items())
            }
            request = {
                **self._described(job, worker.folder),
                "path": os.path.abspath(job.path),
                "inputs": [str(path) for path in input_files.values()],
                "overrides": {name: str(path) for name, path in override_files.items()},
                "given": given,
                "out": os.path.abspath(out),
            }
            answer = self._answer(job, worker, request)
        if "error" in answer:
            what, where, fix, problem = answer["error"]
            raise KconvertError(what, where, fix, Problem(problem))
        if "failure" in answer:
            raise self._unverified(job, f"cannot run it ({answer['failure']})")
        return self._result(job, answer["result"])

    def close(self) -> None:
        if self._worker:
            self._worker.end()
        self._worker = None

    def _started(self) -> Worker:
        if self._worker is None:
            try:
                self._worker = Worker(self._command(), self._environment())
            except OSError as error:
                raise KconvertError(
                    f"cannot be started ({error.strerror})", self.python, "name a Python interpreter", Problem.USAGE
                ) from error
        return self._worker

    def _answer(self, job: Job, worker: Worker, request: dict[str, Any]) -> dict[str, Any]:
        """The answer of the worker, which is killed where there is none."""
        try:
            return worker.ask(request, self.timeout)
        except WorkerTimeout:
            self.close()
            what = f"did not finish within {self.timeout:g} seconds and was stopped"
            raise self._unverified(job, what, f"allow more time with {argument('timeout')}") from None
        except WorkerDied as error:
            self.close()
            raise self._unverified(job, f"did not finish: its process {error}") from None
        except BaseException:
            self.close()
            raise

    def _unverified(self, job: Job, what: str, fix: str | None = None) -> KconvertError:
        return KconvertError(f"{self._side(job)} {what}", job.path, fix, Problem.UNVERIFIED)

    # ------------------------------------------------- requests to the worker ----

    def _result(self, job: Job, answer: Sequence[Any]) -> RunResult:
        """What the worker answered."""
        tensors, *ran = answer
        return RunResult({name: Path(path) for name, path in tensors.items()}, *ran)

    def _side(self, job: Job) -> str:
        """What runs the job, for messages."""
        return job.run_on + ("" if self.python == sys.executable else f" in {self.python}")

    def _command(self) -> list[str]:
        return like_here(_MAIN) if self.python == sys.executable else [self.python, "-c", _ELSEWHERE]

    def _environment(self) -> Mapping[str, str]:
        return os.environ

    def _described(self, job: Job, folder: Path) -> dict[str, Any]:
        """The job as JSON values; its model is in a file, which is the same for the same architecture."""
        try:
            pickled = pickle.dumps(job.model)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            fix = "define its layers in a module that can be imported by its name"
            what = f"cannot run it in another process: the model cannot be pickled ({error})"
            raise self._unverified(job, what, fix) from error
        model = folder / f"{hashlib.sha256(pickled).hexdigest()}.pickle"
        model.write_bytes(pickled)
        convention = [job.convention.generation_name, job.convention.backend]
        return {
            "model": str(model),
            "convention": convention,
            "run_on": job.run_on,
            "partial": job.partial,
            "required": job.required,
            "arch": job.arch,
            "custom": list(job.custom),
            "naming": base64.b64encode(pickle.dumps(naming())).decode("ascii"),
        }
