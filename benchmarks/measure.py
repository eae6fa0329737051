"""Runs commands as child processes, and measures their time and peak memory."""

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

# The peak memory of a child process begins with that of its parent. So a small Python process starts the command;
# peaks below its own, about 10 MB, cannot be measured.
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
    """The measurements of one run of a command."""

    seconds: float  # on the clock
    processor: float  # seconds on all processors
    peak: int  # of resident memory, in bytes


def run(*command: str | os.PathLike[str]) -> Run:
    """Runs `command` to its end. Raises CalledProcessError if it fails."""
    watched = [sys.executable, "-I", "-S", "-c", WATCH, *command]
    compiled = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    answer = subprocess.run(watched, env=compiled, stdout=subprocess.PIPE, check=True)
    code, seconds, processor, peak = json.loads(answer.stdout)
    if code:
        raise subprocess.CalledProcessError(code, list(map(str, command)))
    return Run(seconds, processor, peak * (1 if sys.platform == "darwin" else 1024))


def rounds(acts: Mapping[str, Callable[[], Run]], count: int) -> dict[str, Run]:
    """Runs each act `count` times, in turns, so that other load affects all equally: median times, highest peak."""
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
    """Prints the table with the machine it was measured on, then the failures; returns the exit code."""
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    table.caption = f"{table.caption}\n{machine}" if table.caption else machine
    console = Console(highlight=False)
    console.print(table)
    for failure in failures:
        console.print(failure, style="bold red")
    return 1 if failures else 0
