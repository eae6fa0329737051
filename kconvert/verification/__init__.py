"""Running both sides and comparing every layer: the proof of a conversion.

The source runs with its own arrays on the backend that saved it, the target with its own on its own, on the same
inputs. `match` reads the files, a `Verifier` runs them, `judge` compares, `keep` and `kept` put what was
computed into a folder and take it back.
"""

from __future__ import annotations

from typing import Any

from .difference import Difference, diff
from .folders import verify_folders
from .kept import keep, kept
from .matching import FilePath, match, moved
from .runs import Pair, Runs, judge
from .selftest import SelfTest, self_test
from .tolerance import DEFAULT_TOLERANCE, Tolerance
from .value import Report
from .verifier import Running, Verifier

__all__ = [
    "Difference",
    "Pair",
    "Running",
    "Runs",
    "SelfTest",
    "Verifier",
    "diff",
    "judge",
    "keep",
    "kept",
    "match",
    "moved",
    "run",
    "self_test",
    "verify",
    "verify_folders",
]


def verify(
    source_path: FilePath,
    target_path: FilePath,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    running: Running | None = None,
    **options: Any,
) -> Report:
    """Runs both files, each on its own backend, and compares every layer; where they differ, it looks for the cause.

    running: where the sides run (default: in this process). options: `source`, `target` (backends, where the files do
    not tell), `arch`, `target_arch`, `source_data_format`, `force`; `samples`, `seed` or `inputs`; `folder`, to keep
    what was computed. Raises KconvertError where a file cannot be read or its model cannot run.
    """
    with Verifier(running) as verifier:
        return verifier.verify(source_path, target_path, tolerance, **options)


def run(source_path: FilePath, target_path: FilePath, running: Running | None = None, **options: Any) -> Runs:
    """What both sides compute, without a verdict. options: those of `verify`."""
    with Verifier(running) as verifier:
        return verifier.run(verifier.pair(source_path, target_path, **options))
