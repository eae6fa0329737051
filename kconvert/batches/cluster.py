"""Cluster: the tasks of a batch on the workers of a Dask cluster."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from .._version import install
from ..errors import KconvertError, Problem
from .work import Result, Task, failure, run

PATIENCE = "10s"  # for an answer of the scheduler
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
    """Each task with its result, as they come. The tasks of a worker that dies run on another one."""
    from distributed import as_completed

    remaining, batch = iter(tasks), secrets.token_hex(4)
    running: dict[Any, Task] = {}

    def submit(task: Task) -> Any:
        future = client.submit(run, task, key=f"kconvert-{batch}-{task.name}", pure=False)
        running[future.key] = task
        return future

    ahead = max(1, sum(client.nthreads().values())) * AHEAD
    completed = as_completed([submit(task) for task in islice(remaining, ahead)], loop=client.loop)
    try:
        for future in completed:
            task = running.pop(future.key)
            for new in islice(remaining, 1):
                completed.add(submit(new))
            yield task, _result(task, future)
    finally:
        client.cancel(list(completed.futures))


def _result(task: Task, future: Any) -> Result:
    """The result of a task, or why the cluster has none."""
    error = future.exception() if future.status == "error" else None
    if future.status == "finished":
        return future.result()
    reason = " ".join(str(error or future.status).split())
    return failure(task, f"{task.source.path}: did not run on the cluster ({reason[:300]})", Problem.UNVERIFIED)
