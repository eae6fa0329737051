"""Runs the tasks of a batch on the workers of a Dask cluster."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sized
from itertools import chain, islice
from queue import Empty, SimpleQueue
from typing import Any

from .._version import install
from ..errors import KconvertError, Problem
from .work import Result, Task, failure, run

PATIENCE = "10s"  # for an answer of the scheduler
GONE = "the scheduler does not answer any longer"
POLL = 1.0  # seconds between checks that the scheduler still runs
AHEAD = 4  # tasks for each thread of the cluster that wait for it


def connected(address: str) -> Any:
    """A client of the scheduler at an address such as tcp://10.0.0.1:8786."""
    try:
        from distributed import Client
    except ImportError as error:
        raise KconvertError("distributed is not installed", address, install("cluster"), Problem.USAGE) from error
    try:
        return Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise KconvertError(f"no scheduler answers ({reason})", address, problem=Problem.USAGE) from None


def on_cluster(tasks: Iterable[Task], client: Any) -> Iterator[tuple[Task, Result]]:
    """Each task with its result, as they come. The tasks of a worker that dies run on another one.

    If the scheduler does not answer any longer, the tasks that are left fail.
    """
    remaining, batch = iter(tasks), secrets.token_hex(4)
    running: dict[str, tuple[Task, Any]] = {}
    completed: SimpleQueue[Any] = SimpleQueue()

    def submit(task: Task) -> None:
        future = client.submit(run, task, key=f"kconvert-{batch}-{task.target}", pure=False)
        running[future.key] = task, future
        future.add_done_callback(completed.put)

    for task in islice(remaining, max(1, sum(client.nthreads().values())) * AHEAD):
        submit(task)
    try:
        for future in _while_connected(completed, client, running):
            task, _ = running.pop(future.key)
            ended = future.status in ("finished", "error") or _is_connected(client)
            yield task, _result(task, future) if ended else _lost(task, GONE)
            for new in islice(remaining, int(_is_connected(client))):
                submit(new)
        for task in chain([task for task, _ in running.values()], () if _is_connected(client) else remaining):
            yield task, _lost(task, GONE)
    finally:
        if _is_connected(client):
            client.cancel([future for _, future in running.values()])


def _is_connected(client: Any) -> bool:
    return client.status == "running"


def _while_connected(completed: SimpleQueue[Any], client: Any, running: Sized) -> Iterator[Any]:
    """The futures as they end, as long as some run; distributed ends none after it has given up its scheduler."""
    while running:
        try:
            yield completed.get(timeout=POLL)
        except Empty:
            if client.status in ("closing", "closed"):
                return


def _result(task: Task, future: Any) -> Result:
    """The result of a task, or why the cluster has none."""
    error = future.exception() if future.status == "error" else None
    if future.status == "finished":
        return future.result()
    reason = " ".join(str(error or future.status).split())
    return _lost(task, reason[:300])


def _lost(task: Task, reason: str) -> Result:
    """The result of a task for which the cluster has none."""
    return failure(task, f"{task.source.path}: did not run on the cluster ({reason})", Problem.UNVERIFIED)
