"""A pytest plugin: tests that assert that files agree, and one report on all of them.

Two fixtures, `kconvert_agree` and `kconvert_converts`, and the option `--kconvert-report PATH`. What they need is
imported when they are used: a test run that does not pays nothing.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from .errors import KconvertError

if TYPE_CHECKING:
    from .verification.value import Entry, Report, Summary

FilePath: TypeAlias = str | PathLike[str]
Options: TypeAlias = Mapping[str, Any]
ENTRIES = pytest.StashKey[list["Entry"]]()
OUTPUT = "kconvert"  # what a worker of pytest-xdist hands over


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
    for path in _paths(config):
        from .verification.report.writing import check

        try:
            check(path)
        except KconvertError as error:
            raise pytest.UsageError(str(error)) from None


@pytest.fixture
def kconvert_agree(request: pytest.FixtureRequest) -> Callable[..., Report]:
    """Asserts that two files agree: `kconvert_agree(a, b, **options)`, the options of `kconvert.verify`."""

    def agree(a: FilePath, b: FilePath, **options: Any) -> Report:
        __tracebackhide__ = True
        return _agreed(request, f"{Path(a).name} -> {Path(b).name}", lambda: _verify(a, b, **options))

    return agree


@pytest.fixture
def kconvert_converts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Report]:
    """Asserts that a file, converted, computes the same on another backend.

    `kconvert_converts(file, target="tensorflow", **options)`: the options of `kconvert.verify`. conversion: options of
    `kconvert.convert`, as a dict.
    """

    def converts(file: FilePath, target: str, conversion: Options | None = None, **options: Any) -> Report:
        __tracebackhide__ = True
        folder = tmp_path_factory.mktemp("kconvert")
        name = f"{Path(file).name} -> {target}"
        return _agreed(request, name, lambda: _convert(file, target, folder, conversion or {}, options))

    return converts


def _verify(a: FilePath, b: FilePath, **options: Any) -> Report:
    from .verification import verify

    return verify(a, b, **options)


def _convert(file: FilePath, target: str, folder: Path, conversion: Options, options: Options) -> Report:
    from .conversion.files import convert, default_target

    shared = {key: options[key] for key in ("source", "arch", "source_data_format", "force") if key in options}
    made = convert(file, folder / default_target(Path(file), target).name, target=target, **shared, **conversion)
    return _verify(file, made.target, target=target, **{"target_arch": made.architecture, **options})


def _agreed(request: pytest.FixtureRequest, name: str, run: Callable[[], Report]) -> Report:
    """The report, if both sides agree; either way it is collected under the name of the test and of the files."""
    __tracebackhide__ = True
    from .verification.report.words import reason, verdict
    from .verification.value import Entry

    entries = request.config.stash[ENTRIES]
    full = f"{request.node.nodeid}: {name}"
    try:
        report = run()
    except KconvertError as error:
        entries.append(Entry(full, error=str(error), code=error.problem))
        pytest.fail(str(error), pytrace=False)
    entries.append(Entry(full, report))
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
    """Takes over what a worker of pytest-xdist has collected."""
    node.config.stash[ENTRIES] += pickle.loads(getattr(node, "workeroutput", {}).get(OUTPUT, pickle.dumps([])))


def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput[OUTPUT] = pickle.dumps(config.stash[ENTRIES])
    for path in _paths(config):
        from .verification.report.writing import write

        write(path, _summary(config))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for path in _paths(config):
        from .verification.report.words import tally

        terminalreporter.write_sep("-", f"kconvert report: {path}")
        terminalreporter.write_line(tally(_summary(config)))
