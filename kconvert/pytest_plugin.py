"""A pytest plugin: tests that assert that files agree, and one report on all of them.

It has two fixtures, `kconvert_agree` and `kconvert_converts`, and the option `--kconvert-report PATH`. What these need
is imported when they are used: pytest loads this module at every start.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from .errors import KconvertError

if TYPE_CHECKING:
    import numpy as np

    from .conversion.source import Source
    from .network.input_shapes import InputShape
    from .verification.pairing import Inputs
    from .verification.tolerance import Tolerance
    from .verification.value import Entry, Report, Summary
    from .verification.verifier import Running

FilePath: TypeAlias = str | PathLike[str]
ENTRIES = pytest.StashKey[list["Entry"]]()
OUTPUT = "kconvert"  # the key of the entries that a worker of pytest-xdist sends


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("kconvert").addoption(
        "--kconvert-report",
        action="append",
        default=[],
        metavar="PATH",
        help="Write a report on all files that tests compare: .html, .md, .xml (JUnit), .json, .txt. May be repeated.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuses a report that could not be written, before any test runs."""
    config.stash[ENTRIES] = []
    paths = _paths(config)
    if not paths:
        return
    from .formats.atomic import refuse_collisions
    from .verification.report.writing import check_report

    try:
        for path in paths:
            check_report(path)
        refuse_collisions([("report", path) for path in paths], [])
    except KconvertError as error:
        raise pytest.UsageError(str(error)) from None


# ----------------------------------------------------------------- fixtures ----


@pytest.fixture
def kconvert_agree(request: pytest.FixtureRequest) -> Callable[..., Report]:
    """Asserts that two files agree: `kconvert_agree(a, b)`, with the other arguments of `kconvert.verify`."""

    def agree(
        a: FilePath,
        b: FilePath,
        tolerance: Tolerance | None = None,
        running: Running | None = None,
        source: str | None = None,
        target: str | None = None,
        arch: FilePath | None = None,
        target_arch: FilePath | None = None,
        source_data_format: str | None = None,
        source_release: str | None = None,
        force: bool = False,
        samples: int = 4,
        seed: int = 0,
        inputs: Sequence[np.ndarray] | FilePath | None = None,
        folder: FilePath | None = None,
        input_shape: InputShape | None = None,
    ) -> Report:
        __tracebackhide__ = True
        from .conversion.source import Source
        from .verification.pairing import Inputs

        sides = (
            Source(a, source, source_data_format, arch, (), force, source_release, input_shape=input_shape),
            Source(b, target, source_data_format, target_arch, force=force, arch_belongs=True),
        )
        given = Inputs(samples, seed, inputs)
        name = f"{Path(a).name} -> {Path(b).name}"
        return _agreed(request, name, lambda: _verify(*sides, tolerance, running, given, folder))

    return agree


@pytest.fixture
def kconvert_converts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Report]:
    """Asserts that a file, converted, computes the same on another backend: `kconvert_converts(file, "tensorflow")`.

    The other arguments are those of `kconvert.verify`. conversion: the other arguments of `kconvert.convert`.
    """

    def converts(
        file: FilePath,
        target: str,
        conversion: Mapping[str, Any] | None = None,
        tolerance: Tolerance | None = None,
        running: Running | None = None,
        source: str | None = None,
        arch: FilePath | None = None,
        source_data_format: str | None = None,
        source_release: str | None = None,
        force: bool = False,
        samples: int = 4,
        seed: int = 0,
        inputs: Sequence[np.ndarray] | FilePath | None = None,
        folder: FilePath | None = None,
        input_shape: InputShape | None = None,
    ) -> Report:
        __tracebackhide__ = True
        from .conversion.files import convert, default_target
        from .conversion.source import Source
        from .verification.pairing import Inputs

        side = Source(file, source, source_data_format, arch, (), force, source_release, input_shape=input_shape)
        out = tmp_path_factory.mktemp("kconvert") / default_target(Path(file), target).name

        def run() -> Report:
            said = {"arch": arch, "source_data_format": source_data_format, "source_release": source_release}
            options = {**said, "force": force, "input_shape": input_shape, **(conversion or {})}
            done = convert(file, out, **{"source": source, "target": target, **options})
            result = replace(side, path=done.target, backend=target, arch=done.architecture, release=None)
            result = replace(result, input_shape=None)
            return _verify(side, result, tolerance, running, Inputs(samples, seed, inputs), folder)

        return _agreed(request, f"{Path(file).name} -> {target}", run)

    return converts


def _verify(
    source: Source,
    target: Source,
    tolerance: Tolerance | None,
    running: Running | None,
    inputs: Inputs,
    folder: FilePath | None,
) -> Report:
    from .verification.tolerance import DEFAULT_TOLERANCE
    from .verification.verifier import Verifier

    with Verifier(running) as verifier:
        return verifier.verify(source, target, tolerance or DEFAULT_TOLERANCE, inputs, folder)


def _agreed(request: pytest.FixtureRequest, name: str, run: Callable[[], Report]) -> Report:
    """The report, if both sides agree. In any case it is collected, under the name of the test and the files."""
    __tracebackhide__ = True
    from .verification.report.words import reason, verdict
    from .verification.value import Entry

    entries = request.config.stash[ENTRIES]
    full = f"{request.node.nodeid}: {name}"
    start = time.monotonic()
    try:
        report = run()
    except KconvertError as error:
        entries.append(Entry(full, error=str(error), code=error.problem, seconds=time.monotonic() - start))
        pytest.fail(str(error), pytrace=False)
    entries.append(Entry(full, report, seconds=time.monotonic() - start))
    if not report.equal:
        pytest.fail("\n".join([f"{name}: {verdict(report)}", *map(reason, report.causes)]), pytrace=False)
    return report


# ------------------------------------------------------------------- report ----


def _paths(config: pytest.Config) -> list[str]:
    """The reports to write, from the folder that pytest was called in; workers of pytest-xdist write none."""
    here = config.invocation_params.dir
    return [] if hasattr(config, "workerinput") else [str(here / path) for path in config.option.kconvert_report]


def _summary(config: pytest.Config) -> Summary:
    from .verification.value import Summary

    entries = config.stash[ENTRIES]
    return Summary(entries)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Adds the entries of a worker of pytest-xdist."""
    node.config.stash[ENTRIES] += pickle.loads(getattr(node, "workeroutput", {}).get(OUTPUT, pickle.dumps([])))


def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput[OUTPUT] = pickle.dumps(config.stash[ENTRIES])
    for path in _paths(config):
        from .verification.report.writing import write_report

        write_report(path, _summary(config))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Prints the verdict of each report; without reports, that of each file whose verdict is limited."""
    for path in _paths(config):
        from .verification.report.words import tally

        terminalreporter.write_sep("-", f"kconvert report: {path}")
        terminalreporter.write_line(tally(_summary(config)))
    limited = [entry for entry in config.stash[ENTRIES] if entry.report and entry.equal and entry.report.qualifiers]
    if limited and not hasattr(config, "workerinput"):
        from .verification.report.words import outcome

        terminalreporter.write_sep("-", "kconvert: verdicts with a limit")
        for entry in limited:
            terminalreporter.write_line(f"{entry.name}: {outcome(entry)}")
