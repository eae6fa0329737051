"""All checks on one case; a refusal by name and a crash become results."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from kconvert.errors import KconvertError

from . import loading
from .cases import Case, Outcome, Result, both_backends, detection, own_backend, there_and_back


def check(case: Case, folder: Path, letters: Collection[str]) -> Outcome:
    """The checks `letters` on one case, but for C; converted files go to `folder`."""
    outcome = Outcome(case.name, case.release, case.backend)
    if {"A", "B"} & set(letters):
        both = _guarded(lambda: both_backends(case, folder))
        if isinstance(both, Result):
            both = result_of(lambda: own_backend(case)), both
        outcome.checks["A"], outcome.checks["B"] = both
    others = {
        "D": lambda: detection(case, folder),
        "E": lambda: there_and_back(case, folder),
        "L": lambda: loading.load(case),
        "W": lambda: loading.load_weights(case),
        **({} if case.arch else {"V": lambda: loading.alone(case)}),
    }
    for letter, function in others.items():
        if letter in letters:
            outcome.checks[letter] = result_of(function)
    converts = outcome.checks.get("B")
    for letter in {"L", "W"} & outcome.checks.keys():
        if converts is not None:
            outcome.checks[letter] = _as_right_as(converts, outcome.checks[letter])
    return outcome


def _as_right_as(converts: Result, loads: Result) -> Result:
    """A refusal to load a file that is converted is a failure."""
    return replace(loads, passed=False) if loads.passed is None and converts.passed else loads


def _guarded(function: Callable[[], Any]) -> Any:
    """What `function` gives, or the Result of its failing: a refusal by name does not count as a failure."""
    try:
        return function()
    except KconvertError as error:
        return Result(None, reason=f"refused: {error.what}")
    except Exception as error:  # a crash is the worst of failures: it is counted, not passed on
        return Result(False, reason=f"{type(error).__name__}: {error}")


def result_of(function: Callable[[], Result]) -> Result:
    found: Result = _guarded(function)
    return found
