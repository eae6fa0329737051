"""Runners: where each side of a verification runs.

`Here` is this process, `Process` one of its own: a framework that hangs, crashes or takes all memory there
takes nothing else down.
"""

from .base import Job, Ran, Runner
from .here import Here
from .process import Process

__all__ = ["Here", "Job", "Process", "Ran", "Runner"]
