"""Checks of many cases whose outcomes are lines of JSON in a file, so that a run that was stopped goes on."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from .cases import Case, Result

GROUPS = ("1.2.2-theano", "2.3.1-tensorflow")


def parser(name: str, description: str, groups: tuple[str, ...] = GROUPS) -> argparse.ArgumentParser:
    """The options of such a command."""
    made = argparse.ArgumentParser(prog=f"python -m conformance.{name}", description=description)
    made.add_argument("corpus", type=Path)
    made.add_argument("results", type=Path, help="the file of the outcomes, which is added to")
    made.add_argument("--group", action="append", help=f"RELEASE-BACKEND (repeatable; default {' '.join(groups)})")
    made.add_argument("--every", type=int, default=1, metavar="K", help="only each K-th case of a group")
    made.set_defaults(groups=groups)
    return made


def run(options: argparse.Namespace, forms: tuple[str, ...], check: Callable[[Case, str], Result]) -> int:
    """Checks every case in every form that has no outcome yet, and prints what came of all.

    A case that ended the process is tried once.
    """
    done = _done(options.results)
    with options.results.open("a", encoding="utf-8") as results:
        for case, form in _todo(options, forms):
            key = f"{case.release}-{case.backend}/{case.name}/{form}"
            if key not in done:
                for result in (Result(False, reason="the process ended"), check(case, form)):
                    print(json.dumps({"case": key, **asdict(result)}), file=results, flush=True)
    _summarize(_done(options.results), forms)
    return 0


def _todo(options: argparse.Namespace, forms: tuple[str, ...]) -> Iterator[tuple[Case, str]]:
    for group in options.group or options.groups:
        folders = sorted(path for path in (options.corpus / group).iterdir() if path.is_dir())
        yield from ((Case(folder), form) for folder in folders[:: options.every] for form in forms)


def _done(path: Path) -> dict[str, Result]:
    """The last outcome of each case."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = (json.loads(line) for line in lines)
    return {one.pop("case"): Result(**one) for one in found}


def _summarize(outcomes: dict[str, Result], forms: tuple[str, ...]) -> None:
    for form in forms:
        own = {key: result for key, result in outcomes.items() if key.endswith(f"/{form}")}
        counts: Counter[str] = Counter(_state(result) for result in own.values())
        print(f"{form}: {counts['right']} right, {counts['wrong']} wrong, {counts['refused']} refused of {len(own)}")
    for key, result in outcomes.items():
        if not result.passed:
            print(f"  {_state(result):8} {key}: {result.reason}")


def _state(result: Result) -> str:
    return {True: "right", False: "wrong", None: "refused"}[result.passed]
