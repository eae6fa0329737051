"""Commands as child processes: how long each took, and the most memory it had."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

MB = 10**6

# A child's peak counts what its parent had when it started the child. So this bare Python stands between:
# peaks up to its own size, about 10 MB, cannot be told apart.
WATCH = """
import json, os, sys, time
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
start = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(child, 0)
took = time.perf_counter() - start
print(json.dumps([os.waitstatus_to_exitcode(status), took, usage.ru_maxrss]))
"""


@dataclass(frozen=True)
class Run:
    """One run of a command: seconds on the wall clock, peak resident bytes."""

    seconds: float
    peak: int


def run(command: Sequence[str | os.PathLike[str]]) -> Run:
    """Runs `command` to its end. Raises CalledProcessError where it fails."""
    watched = [sys.executable, "-I", "-S", "-c", WATCH, *command]
    answer = subprocess.run(watched, stdout=subprocess.PIPE, check=True)
    code, seconds, peak = json.loads(answer.stdout)
    if code:
        raise subprocess.CalledProcessError(code, list(command))
    return Run(seconds, peak * (1 if sys.platform == "darwin" else 1024))


def rounds(acts: Mapping[str, Callable[[], Run]], times: int) -> dict[str, Run]:
    """Each act `times` times, taking turns, so that a busy moment hits all alike: median time, highest peak."""
    runs: dict[str, list[Run]] = {name: [] for name in acts}
    for _ in range(times):
        for name, act in acts.items():
            runs[name].append(act())
    return {
        name: Run(median(run.seconds for run in done), max(run.peak for run in done)) for name, done in runs.items()
    }


def show(title: str, table: Table, verdict: str, good: bool) -> None:
    """The table, the machine it was measured on, and the verdict, on the terminal."""
    console = Console()
    table.title = title
    table.caption = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    console.print(table)
    console.print(verdict, style="green" if good else "bold red", highlight=False)
