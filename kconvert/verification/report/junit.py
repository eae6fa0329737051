"""JUnit XML for the viewers of CI servers: a suite for each pair of files, a test for each layer and each output."""

from __future__ import annotations

from collections.abc import Mapping

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from ...drawing.words import at_least
from ...errors import Problem, printable
from ..comparison import Comparison
from ..value import COPIED, UNPROVED, Entry, Report, Summary
from .words import CONVERTED, cause_of, difference, element, entries, outcome, reason, reasons, verdict

INHERITED, LEFT_OUT = "inherited", "not compared"
RUN = "both sides run"  # the test that has the time of a pair, because all layers run at once


def render(done: Report | Summary) -> str:
    document = JUnitXml("kconvert")
    for entry in entries(done):
        document.add_testsuite(_suite(entry))
    document.update_statistics()
    return document.tostring().decode() + "\n"


def _suite(entry: Entry) -> TestSuite:
    """One pair of files. XML cannot contain control characters, so they are escaped."""
    suite = TestSuite(printable(entry.name))
    report = entry.report
    if report is None:
        suite.add_testcase(_whole(entry))
        return suite
    for name, value in _properties(report).items():
        suite.add_property(printable(name), printable(value))
    owner = f"{entry.name} {report.source.convention} -> {report.target.convention}"
    owner = ", ".join([owner, *report.qualifiers])
    if entry.seconds:
        suite.add_testcase(_test(owner, RUN, seconds=entry.seconds))
    for found in report.comparisons:
        suite.add_testcase(_case(owner, report, found))
    for one in report.left_out:
        suite.add_testcase(_test(owner, one.name, Skipped(one.reason, LEFT_OUT)))
    if report.word == UNPROVED and not report.comparisons:  # nothing failed, and nothing was compared
        suite.add_testcase(_test(owner, "outputs", Failure(verdict(report), UNPROVED)))
    return suite


def _properties(report: Report) -> Mapping[str, str]:
    sides = {"source": report.source, "target": report.target}
    return {
        "verdict": verdict(report),
        **{f"{role}.path": side.path for role, side in sides.items()},
        **{f"{role}.convention": side.convention for role, side in sides.items()},
        **{f"{role}.ran_on": str(side) for role, side in sides.items()},
        "tolerance": str(report.tolerance),
        "tolerance.loosened": str(report.tolerance.loosened).lower(),
        "needed_rtol": at_least(report.needed),
        "samples": str(report.samples),
        "inputs": report.inputs,
        **{f"environment.{name}": value for name, value in report.environment.items()},
    }


def _test(
    owner: str, name: str, result: Failure | Error | Skipped | None = None, text: str = "", seconds: float = 0
) -> TestCase:
    """seconds: some viewers demand a time of every test."""
    test = TestCase(printable(name), classname=printable(owner), time=round(seconds, 6))
    if result is not None:
        result.message = printable(result.message or "")
        result.text = "\n".join(map(printable, text.splitlines()))
        test.result = [result]
    return test


def _whole(entry: Entry) -> TestCase:
    """One test for a pair of files without a report."""
    kind = next((problem.name.lower() for problem in Problem if problem == entry.code), "error")
    result: Failure | Error | Skipped | None = None
    if entry.state == "error":
        result = Error(entry.error, kind)
    elif entry.state in (CONVERTED.lower(), COPIED):
        result = Skipped(outcome(entry), entry.state)
    elif entry.state in ("differs", "unproved"):
        result = Failure(outcome(entry), entry.state)
    return _test(entry.name, "verification", result, "\n".join(reasons(entry)), entry.seconds)


def _case(owner: str, report: Report, found: Comparison) -> TestCase:
    if found.equal:
        return _test(owner, found.name)
    if not found.compared:
        return _test(owner, found.name, Failure(found.problem, UNPROVED))
    cause, first = cause_of(report, found.name), report.first_divergence
    message = reason(cause) if cause else difference(found)
    if not cause and first is not found:
        message += f"; the first layer that differs is {first.name if first else ''}"
    facts = {
        "class": found.layer,
        "difference": difference(found),
        "needed rtol": at_least(found.needed),
        "cosine": f"{found.cosine:.6g}",
        "largest error at": element(found),
    }
    lines = "\n".join(f"{name}: {value}" for name, value in facts.items() if value)
    return _test(owner, found.name, Failure(message, cause.kind if cause else INHERITED), lines)
