"""Runs the tasks of a batch in worker processes of this machine, which live until the batch ends."""

from __future__ import annotations

import base64
import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from ..arguments import argument
from ..errors import Problem
from ..formats.atomic import remove_unlocked
from ..verification.runners.pipes import Worker, WorkerDied, WorkerTimeout, like_here
from . import places
from .work import Result, Task, failure

_MAIN = "from kconvert.batches.worker import main; main()"
AHEAD = 4  # tasks for each process that wait for it
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


def _environment(jobs: int) -> Mapping[str, str]:
    """The environment of one of `jobs` processes, which share the processors; what the user set stays."""
    threads = max(1, (os.cpu_count() or 1) // jobs)
    return {**dict.fromkeys(_THREADS, str(threads)), **os.environ}


class _Process:
    """A worker process, started with its first task, and anew after it died."""

    def __init__(self, jobs: int, timeout: float | None) -> None:
        self._jobs, self._timeout = jobs, timeout
        self._worker: Worker | None = None
        self._task: Task | None = None

    def run(self, task: Task) -> Result:
        if self._worker is None:
            self._worker = Worker(like_here(_MAIN), _environment(self._jobs))
        self._task = task
        try:
            answer = self._worker.ask({"task": base64.b64encode(pickle.dumps(task)).decode("ascii")}, self._timeout)
        except WorkerTimeout:
            self.close()
            what = f"{task.source.path}: did not finish within {self._timeout:g} seconds and was stopped"
            return failure(task, f"{what}; allow more time with {argument('timeout')}", Problem.UNVERIFIED)
        except WorkerDied as error:
            self.close()
            return failure(task, f"{task.source.path}: did not finish: its process {error}", Problem.UNVERIFIED)
        self._task = None
        if "failure" in answer:
            return failure(task, f"{task.source.path}: {answer['failure']}", Problem.UNVERIFIED)
        return Result.from_json(answer)

    def close(self) -> None:
        """Kills the process, and removes the file that it was writing."""
        worker, self._worker = self._worker, None
        if worker:
            worker.end()
        if self._task and not places.is_url(self._task.target):
            with suppress(OSError):
                remove_unlocked(Path(self._task.target).parent)


def in_processes(tasks: Iterable[Task], jobs: int, timeout: float | None = None) -> Iterator[tuple[Task, Result]]:
    """Each task with its result, as they come; a process that dies or hangs costs only its own task."""
    idle: SimpleQueue[_Process] = SimpleQueue()
    processes = [_Process(jobs, timeout) for _ in range(jobs)]
    for process in processes:
        idle.put(process)

    def run(task: Task) -> Result:
        process = idle.get()
        try:
            return process.run(task)
        finally:
            idle.put(process)

    pool = ThreadPoolExecutor(jobs)
    try:
        yield from windowed(tasks, lambda task: pool.submit(run, task), jobs * AHEAD)
    finally:
        for process in processes:
            process.close()
        pool.shutdown(cancel_futures=True)


def windowed(tasks: Iterable[Task], submit: Callable[[Task], Future[Any]], ahead: int) -> Iterator[tuple[Task, Result]]:
    """Each task with the result of its future, as they come; at most `ahead` are submitted at a time."""
    remaining = iter(tasks)
    running = {submit(task): task for task in islice(remaining, ahead)}
    while running:
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            task = running.pop(future)
            running.update({submit(new): new for new in islice(remaining, 1)})
            yield task, future.result()
