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
KCONVERT = (sys.executable, "-c", "from kconvert.cli import main; main()")  # what the installed command runs

# A child's peak begins with what its parent held when it started the child. So this bare Python stands
# between; peaks up to its own, about 10 MB, cannot be told apart.
WATCH = """
import json, os, sys, time
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
start = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(child, 0)
took = time.perf_counter() - start
print(json.dumps([os.waitstatus_to_exitcode(status), took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]))
"""


@dataclass(frozen=True)
class Run:
    """One run of a command: seconds on the clock and on the processors, peak resident memory in bytes."""

    seconds: float
    processor: float
    peak: int


def run(*command: str | os.PathLike[str]) -> Run:
    """Runs `command` to its end. Raises CalledProcessError where it fails."""
    watched = [sys.executable, "-I", "-S", "-c", WATCH, *command]
    compiled = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    answer = subprocess.run(watched, env=compiled, stdout=subprocess.PIPE, check=True)
    code, seconds, processor, peak = json.loads(answer.stdout)
    if code:
        raise subprocess.CalledProcessError(code, list(map(str, command)))
    return Run(seconds, processor, peak * (1 if sys.platform == "darwin" else 1024))


def rounds(acts: Mapping[str, Callable[[], Run]], count: int) -> dict[str, Run]:
    """Every act `count` times, in turns, so that a busy moment hits all alike: median times, highest peak."""
    done: dict[str, list[Run]] = {name: [] for name in acts}
    for _ in range(count):
        for name, act in acts.items():
            done[name].append(act())
    return {name: _summary(runs) for name, runs in done.items()}


def _summary(runs: Sequence[Run]) -> Run:
    return Run(
        median(run.seconds for run in runs), median(run.processor for run in runs), max(run.peak for run in runs)
    )


def show(table: Table, failures: Sequence[str]) -> int:
    """The table with the machine it was measured on, then what went wrong; gives the exit code."""
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    table.caption = machine
    console = Console(highlight=False)
    console.print(table)
    for failure in failures:
        console.print(failure, style="bold red")
    return 1 if failures else 0
