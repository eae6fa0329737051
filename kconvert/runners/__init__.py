"""Runners: where each side of a verification runs.

`Here` is this process, `Process` one of its own: a framework that hangs, crashes or takes all memory there
takes nothing else down.
"""

import sys

from .base import Job, Ran, Runner
from .here import Here
from .process import Process

__all__ = ["Here", "Job", "Process", "Ran", "Runner", "open_runner"]


def open_runner(backend: str, python: str | None, timeout: float | None, package: str | None, here: bool) -> Runner:
    return Here() if here and not python else Process(python or sys.executable, timeout)
