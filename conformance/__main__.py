"""The command `python -m conformance`: runs the checks, prints the table, writes the JSON."""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from kconvert.conversion.files import Conversion
from kconvert.errors import KconvertError
from kconvert.verification.matching import in_layout

from . import legacy, reader_worker
from .cases import ATOL, OTHER, Case, Outcome, Result, converted, for_keras3, for_tf_keras, saved_again
from .checks import check, result_of

LETTERS = "ABCDELWVKRT"
WIDTH = 140
"""How wide the table is where the output is no terminal."""
USUAL = "ABELWV"  # the checks that need nothing but the corpus, and little time


def main() -> int:
    options = _options()
    logging.getLogger("kconvert").setLevel(logging.ERROR)  # what loading repairs is no news here
    groups = [folder for folder in sorted(options.corpus.iterdir()) if folder.is_dir() and _wanted(folder, options)]
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    outcomes: list[Outcome] = []
    for group in groups:
        with tempfile.TemporaryDirectory() as folder:
            cases = _cases(group, options, groups.index(group))
            found = []
            for case in track(cases, group.name, console=Console(stderr=True), disable=not sys.stderr.isatty()):
                found.append(check(case, Path(folder), options.checks))
                _print_failures(console, found[-1:], "ABDELWV")
            if options.legacy:
                _add_legacy(found, cases, Path(folder), options)
            for reader in _reader_checks(options):
                _add_reader(found, cases, Path(folder), reader)
        outcomes += found
        _print_failures(console, found, "CKRT")
    console.print(_table(outcomes))
    console.print("\n".join(_errors(outcomes)))
    if options.json:
        options.json.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1), encoding="utf-8")
    return 1 if any(result.passed is False for outcome in outcomes for result in outcome.checks.values()) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m conformance", description="kconvert against real Keras")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--release", action="append", help="only these (repeatable)")
    parser.add_argument("--backend", choices=["theano", "tensorflow"], help="only files saved under this backend")
    parser.add_argument("--case", action="append", help="only these (repeatable)")
    parser.add_argument("--every", type=int, default=1, metavar="K", help="only each K-th case of a group")
    parser.add_argument("--checks", default=USUAL, metavar="LETTERS", help=f"which checks (default: {USUAL})")
    parser.add_argument("--self-test", action="store_true", help="plant every known error in each file (check D)")
    parser.add_argument("--json", type=Path, help="write every outcome to this file")
    parser.add_argument("--legacy", type=Path, help="environment with the legacy Keras releases (check C)")
    parser.add_argument("--keras-python", help="interpreter with Keras 3 (check K)")
    parser.add_argument("--keras-backend", choices=["tensorflow", "jax", "torch"], help="what that Keras 3 runs on")
    parser.add_argument("--re-save", action="store_true", help="and what that Keras 3 saves again (check R)")
    parser.add_argument("--tf-keras-python", help="interpreter with tf_keras (check T)")
    parser.add_argument("--oracle", type=Path, help="folder of oracle_common.py, for check C")
    options = parser.parse_args()
    options.checks = {*options.checks, *("D" if options.self_test else "")}
    if unknown := options.checks - {*USUAL, "D"}:
        parser.error(f"there is no check {min(unknown)} among {USUAL}D")
    if bool(options.legacy) != bool(options.oracle):
        parser.error("--legacy and --oracle go together")
    if not options.corpus.is_dir():
        parser.error(f"{options.corpus} is not a folder")
    return options


def _wanted(folder: Path, options: argparse.Namespace) -> bool:
    release, _, backend = folder.name.rpartition("-")
    asked = (not options.release or release in options.release) and options.backend in (None, backend)
    return asked and backend in OTHER


def _cases(group: Path, options: argparse.Namespace, number: int) -> list[Case]:
    """The cases of group `number` that are wanted; with --every, each group begins with another one."""
    cases = [case for case in (Case(path) for path in sorted(group.iterdir()) if path.is_dir()) if case.runs]
    cases = cases[number % options.every :: options.every]
    return [case for case in cases if not options.case or case.name in options.case]


# -------------------------------------------------------------- real Keras ----


def _add_legacy(outcomes: Sequence[Outcome], cases: Sequence[Case], folder: Path, options: argparse.Namespace) -> None:
    """Check C for all cases of one release and backend, in one legacy process."""
    by_name = {outcome.case: outcome for outcome in outcomes}
    jobs: list[dict[str, Any]] = []
    for case in cases:
        try:
            jobs.append(_job(case, folder))
        except KconvertError as error:
            by_name[case.name].checks["C"] = Result(None, reason=f"refused: {error.what}")
    if not jobs:
        return
    limits = _cannot_run(options.corpus / f"{cases[0].release}-{cases[0].other}" / "FAILED.json")
    for answer in _legacy_answers(cases[0], jobs, folder, options):
        failure = _failure(answer)
        limit = limits.get(answer["case"]) or (answer.get("limit") and " (so does its own file)") or ""
        by_name[answer["case"]].checks["C"] = Result(
            None if failure and limit else not failure, answer.get("error"), failure + limit * bool(failure)
        )


def _cannot_run(path: Path) -> dict[str, str]:
    """The cases that real Keras itself could not run on that backend, and why."""
    if not path.exists():
        return {}
    failed = json.loads(path.read_text(encoding="utf-8"))
    return {case: f" (nor its own: {failure['message'][:60]})" for case, failure in failed.items()}


@dataclass(frozen=True)
class ReaderCheck:
    """A check of converted files in a package of today."""

    letter: str
    package: str
    # the interpreter that has it
    python: str
    made: Callable[[Case, Path], Conversion]
    ending: str
    # what it runs on, where that is stated
    backend: str | None = None
    # its files are also saved again by it (check R)
    again: bool = False


def _reader_checks(options: argparse.Namespace) -> Iterator[ReaderCheck]:
    """The checks of this kind that are asked for."""
    if options.keras_python:
        backend, again = options.keras_backend, options.re_save
        yield ReaderCheck("K", "keras", options.keras_python, for_keras3, ".keras", backend, again)
    if options.tf_keras_python:
        yield ReaderCheck("T", "tf_keras", options.tf_keras_python, for_tf_keras, ".h5")


def _add_reader(outcomes: Sequence[Outcome], cases: Sequence[Case], folder: Path, check: ReaderCheck) -> None:
    """The check, and R, for all cases of one release and backend, in one process of the package."""
    by_name = {outcome.case: outcome for outcome in outcomes}
    jobs: list[dict[str, Any]] = []
    for case in cases:
        try:
            done = check.made(case, folder / f"{case.name}.{check.package}{check.ending}")
            again = str(folder / f"{case.name}.again{check.ending}") if check.again and not case.arch else None
            files = {"io": str(_io(case, done, folder)), "model": str(done.target), "again": again}
            jobs.append({"case": case.name, **files, "noted": _noted(done, check.backend)})
        except KconvertError as error:
            by_name[case.name].checks[check.letter] = Result(None, reason=f"refused: {error.what}")
    command = [check.python, reader_worker.__file__, check.package]
    environment = _without("TF_", "KERAS", "THEANO", "PYTHON")
    if check.backend:
        environment["KERAS_BACKEND"] = check.backend
    noted = {job["case"] for job in jobs if job["noted"]}
    for answer in _answers(command, environment, jobs, folder / f"{check.package}.json"):
        failure, known = _failure(answer), answer["case"] in noted
        said = failure + " (as a note of the conversion says)" * bool(failure and known)
        passed = None if failure and known else not failure
        by_name[answer["case"]].checks[check.letter] = Result(passed, answer.get("error"), said)
    for job in (job for job in jobs if job["again"] and Path(job["again"]).exists()):
        case = next(case for case in cases if case.name == job["case"])
        by_name[case.name].checks["R"] = result_of(partial(saved_again, case, Path(job["again"])))
    for job in jobs:
        missing = Result(False, reason=f"{check.python} gave no answer")
        by_name[job["case"]].checks.setdefault(check.letter, missing)


def _noted(done: Conversion, backend: str | None) -> bool:
    """Whether a note of the conversion says that Keras 3 computes the result otherwise on this backend."""
    return any(f"Keras 3 on {backend}" in note for note in done.plan.notes)


def _job(case: Case, folder: Path) -> dict[str, Any]:
    """The converted file of a case in its own generation, and its inputs and outputs in the new layout."""
    done = converted(case, folder / f"{case.name}.legacy.h5", "same")
    return {
        "case": case.name,
        "io": str(_io(case, done, folder)),
        **_files(done.target, case.arch_of(done)),
        "own": _files(case.model, case.arch),
    }


def _io(case: Case, done: Conversion, folder: Path) -> Path:
    """The file of the inputs and outputs of a case in the layout of a conversion."""
    arrays = {}
    for letter, layouts in (("x", done.plan.result.inputs), ("y", done.plan.result.outputs)):
        for i, (array, layout) in enumerate(zip(case.arrays(letter), layouts, strict=True)):
            arrays[f"{letter}{i}"] = in_layout(array, layout)
    io = folder / f"{case.name}.io.npz"
    np.savez(io, **arrays)
    return io


def _files(model: Path, arch: Path | None) -> dict[str, str]:
    return {"model": str(model), **({"arch": str(arch)} if arch else {})}


def _legacy_answers(
    case: Case, jobs: Sequence[dict[str, Any]], folder: Path, options: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    home = options.legacy / "work"
    home.mkdir(exist_ok=True)
    flags = f"base_compiledir={home / 'theano'},device=cpu,floatX=float32,optimizer_excluding=fusion" + _blas(options)
    environment = {
        **_without("TF", "KERAS", "THEANO", "PYTHON"),  # TensorFlow 2 leaves variables that TensorFlow 1 would obey
        "HOME": str(home),
        "PYTHONPATH": os.pathsep.join([str(options.legacy / f"keras-{case.release}"), str(options.oracle)]),
        "KERAS_BACKEND": case.other,
        "THEANO_FLAGS": flags,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    python = str(options.legacy / "bin" / "python")
    command = [python, "-W", "ignore", legacy.__file__, case.release, case.other]
    return _answers(command, environment, jobs, folder / "jobs.json")


def _answers(
    command: Sequence[str], environment: Mapping[str, str], jobs: Sequence[dict[str, Any]], listed: Path
) -> Iterator[dict[str, Any]]:
    """What a worker process answers to `jobs`, line by line. listed: the file of the jobs, its last argument."""
    listed.write_text(json.dumps(jobs), encoding="utf-8")
    with subprocess.Popen(
        [*command, str(listed)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        for line in process.stdout or ():
            if line.startswith("{"):
                yield json.loads(line)


def _without(*prefixes: str) -> dict[str, str]:
    """The environment without the variables that begin with one of `prefixes`."""
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


def _failure(answer: dict[str, Any]) -> str:
    """What a worker process finds wrong with a case; '' where its outputs are right."""
    off = answer.get("error")
    if off is None:
        return answer["failure"]
    return "" if off <= ATOL else f"outputs differ by {off:.2g}"


def _blas(options: argparse.Namespace) -> str:
    """The BLAS that comes with NumPy: without one Theano 1.0.5 cannot link a product of batches."""
    for library in options.legacy.glob("lib/python3*/site-packages/numpy/.libs/libopenblas*.so"):
        return f",blas.ldflags=-L{library.parent} -l{library.stem.removeprefix('lib')}"
    return ""


# ------------------------------------------------------------------ showing ----


def _table(outcomes: Sequence[Outcome]) -> Table:
    """Per release and backend: passed of those that apply, and how many were refused by name."""
    table = Table(title="kconvert against real Keras (passed / applicable; refused by name)")
    for heading in ("release", "saved under", "cases", *LETTERS, "refused"):
        table.add_column(heading, justify="left" if heading in ("release", "saved under") else "right")
    for release, backend in sorted({(outcome.release, outcome.backend) for outcome in outcomes}):
        group = [outcome for outcome in outcomes if (outcome.release, outcome.backend) == (release, backend)]
        table.add_row(
            release, backend, str(len(group)), *(_counts(group, letter) for letter in LETTERS), _refused(group)
        )
    return table


def _errors(outcomes: Sequence[Outcome]) -> list[str]:
    """How large the errors of right files are, and how small those of wrong ones: the tolerance must lie between."""
    lines = []
    for letter, what, last in (("B", "right conversions, largest", -1), ("D", "planted errors, smallest", 0)):
        found = [outcome.checks[letter] for outcome in outcomes if letter in outcome.checks]
        sizes = sorted(result.relative for result in found if result.relative is not None and result.passed)
        if sizes:
            lines.append(f"{what} error of a layer, as a part of its scale: {sizes[last]:.1e} ({len(sizes)} files)")
    return lines


def _counts(group: Sequence[Outcome], letter: str) -> str:
    results = [outcome.checks[letter].passed for outcome in group if letter in outcome.checks]
    applicable = [passed for passed in results if passed is not None]
    return f"{sum(applicable)} / {len(applicable)}" if results else "-"


def _refused(group: Sequence[Outcome]) -> str:
    return str(sum(any(result.passed is None for result in outcome.checks.values()) for outcome in group))


def _print_failures(console: Console, outcomes: Iterable[Outcome], letters: str) -> None:
    for outcome in outcomes:
        for letter, result in outcome.checks.items():
            if letter in letters and not result.passed:
                verb = "refused" if result.passed is None else "FAILED"
                console.print(
                    f"{verb} {letter} {outcome.release}-{outcome.backend}/{outcome.case}: {result.reason}",
                    highlight=False,
                )


if __name__ == "__main__":
    sys.exit(main())
