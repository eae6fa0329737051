"""Process: a model run in a process of its own, which can hang, crash or run out of memory alone."""

from __future__ import annotations

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

from ...errors import KconvertError, Problem
from .base import Job, Ran, Runner, save
from .pipes import Ended, Late, Worker

log = logging.getLogger(__name__)

_MAIN = "from kconvert.verification.runners.worker import main; main()"
_LIKE_HERE = f"import sys; sys.path[:] = {{path!r}}; {_MAIN}"
_ELSEWHERE = f"import sys; sys.path.pop(0); {_MAIN}"  # without the working directory, which may hold anything


class Process(Runner):
    """Runs jobs in a process of its own, started with the first one and asked again for the next.

    python: the interpreter, which has this release of kconvert. timeout: seconds for an answer, the start of the
    process included; None waits. A process that does not answer in time, or that this one leaves, is ended with all
    it started; so it is when this process dies. Threads may share it: it runs one job at a time.
    """

    def __init__(self, python: str = sys.executable, timeout: float | None = None) -> None:
        self.python, self.timeout = python, timeout
        self._worker: Worker | None = None
        self._one_at_a_time = threading.Lock()

    def run(
        self, job: Job, inputs: Sequence[np.ndarray], out: Path, given: Mapping[str, np.ndarray] | None = None
    ) -> Ran:
        with self._one_at_a_time:
            return self._run(job, inputs, out, given)

    def _run(self, job: Job, inputs: Sequence[np.ndarray], out: Path, given: Mapping[str, np.ndarray] | None) -> Ran:
        log.info("running %s on %s", Path(job.path).name, self._side(job))
        worker = self._started()
        with tempfile.TemporaryDirectory(dir=worker.folder) as name:
            taken = save({str(i): x for i, x in enumerate(inputs)}, Path(name, "inputs"))
            instead = save(given or {}, Path(name, "given"))
            request = {
                **self._described(job, worker.folder),
                "path": os.path.abspath(job.path),
                "inputs": [str(path) for path in taken.values()],
                "given": {name: str(path) for name, path in instead.items()},
                "out": os.path.abspath(out),
            }
            answer = self._asked(job, worker, request)
        if "error" in answer:
            what, where, fix, problem = answer["error"]
            raise KconvertError(what, where, fix, Problem(problem))
        if "failure" in answer:
            raise self._unverified(job, f"cannot run it ({answer['failure']})")
        tensors, ran_on, version, reference = answer["ran"]
        return Ran({name: Path(path) for name, path in tensors.items()}, ran_on, version, reference)

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
                    f"cannot be started ({error.strerror})", self.python, "give a Python interpreter", Problem.USAGE
                ) from error
        return self._worker

    def _asked(self, job: Job, worker: Worker, request: dict[str, Any]) -> dict[str, Any]:
        """The answer; after anything else the process is no more."""
        try:
            return worker.ask(request, self.timeout)
        except Late:
            self.close()
            what = f"gave no answer within {self.timeout:g} seconds and was stopped"
            raise self._unverified(job, what, "allow it more with --timeout") from None
        except Ended as error:
            self.close()
            raise self._unverified(job, f"could not finish: its process {error}") from None
        except BaseException:
            self.close()
            raise

    def _unverified(self, job: Job, what: str, fix: str | None = None) -> KconvertError:
        return KconvertError(f"{self._side(job)} {what}", job.path, fix, Problem.UNVERIFIED)

    # ----------------------------------------------- what the worker is told ----

    def _side(self, job: Job) -> str:
        """What runs the job, for messages."""
        return job.convention.backend + ("" if self.python == sys.executable else f" in {self.python}")

    def _command(self) -> list[str]:
        code = _LIKE_HERE.format(path=sys.path) if self.python == sys.executable else _ELSEWHERE
        return [self.python, "-c", code]

    def _environment(self) -> Mapping[str, str]:
        return os.environ

    def _described(self, job: Job, folder: Path) -> dict[str, Any]:
        """The job as JSON values; its model in a file, the same one for the same architecture."""
        try:
            pickled = pickle.dumps(job.model)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            fix = "define its layers in a module, and give that with --custom"
            raise self._unverified(job, f"cannot be sent the model ({error})", fix) from error
        model = folder / f"{hashlib.sha256(pickled).hexdigest()}.pickle"
        model.write_bytes(pickled)
        convention = [job.convention.format, job.convention.backend]
        return {"model": str(model), "convention": convention, "required": job.required, "custom": list(job.custom)}
