"""Runners: where each side of a verification runs.

`Here` is this process, `Process` one of its own: a framework that hangs, crashes or takes all memory there
takes nothing else down. `RealKeras` runs a file in a real Keras of another interpreter; `open_runner` chooses.
"""

from .base import Job, Ran, Runner
from .choice import open_runner
from .here import Here
from .process import Process
from .real_keras import RealKeras

__all__ = ["Here", "Job", "Process", "Ran", "RealKeras", "Runner", "open_runner"]
