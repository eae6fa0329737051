"""JUnit XML: read back, every layer is a test, and what is wrong stands in the failure."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from junitparser import Error, Failure, JUnitXml

from kconvert.verification.report.junit import INHERITED, RUN, render
from kconvert.verification.value import Entry, Summary
from tests.verification.report.reports import DIFFERS, EQUAL, MANY, NOTHING, RUDE_ONES, RUDELY, SHAPES


def read(done):
    return JUnitXml.fromstring(render(done).encode())


def failures(suite):
    return {case.name: case.result[0] for case in suite if case.result}


def test_a_suite_a_pair_and_a_test_a_tensor():
    (suite,) = read(EQUAL)
    assert suite.name == "in.h5 -> out.h5"
    assert [case.name for case in suite] == [c.name for c in EQUAL.comparisons]
    assert {case.classname for case in suite} == {
        "in.h5 -> out.h5 keras1/theano -> keras2/tensorflow, with NumPy emulating TensorFlow"
    }
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (5, 0, 0, 0)


def test_failures_say_the_cause_or_from_whom_they_inherit():
    (suite,) = read(DIFFERS)
    found = failures(suite)
    assert list(found) == ["conv_2", "conv_3", "output 0: conv_3"]
    assert isinstance(found["conv_2"], Failure)
    assert found["conv_2"].message == (
        "conv_2 (Conv2D): kernel is reversed along hw; to repair it: flip hw of hwio (kernel)"
    )
    assert found["conv_2"].type == "weights" and found["conv_3"].type == INHERITED
    assert found["conv_3"].message.endswith("; the first layer that differs is conv_2")
    assert "needed rtol: " in found["conv_3"].text
    assert (suite.tests, suite.failures) == (5, 3)


def test_the_properties_are_the_environment():
    (suite,) = read(DIFFERS)
    values = {item.name: item.value for item in suite.properties()}
    assert values["source.convention"] == "keras1/theano"
    assert values["target.ran_on"] == "NumPy, emulating TensorFlow"
    assert values["environment.python"] == "3.11.9"
    assert values["tolerance"] == "1e-05 + 0.0001 x scale"


def test_what_cannot_be_compared_fails():
    (suite,) = read(SHAPES)
    assert failures(suite)["dense"].message == "shapes differ: (2, 3) and (2, 4)"
    (suite,) = read(NOTHING)
    assert [case.result[0].message for case in suite] == ["NOT PROVED: no output was compared"]


def test_a_pair_without_a_report_is_an_error():
    document = read(MANY)
    assert [suite.name for suite in document] == ["good.h5", "sub/bad.h5", "broken.h5"]
    (case,) = list(document)[2]
    assert isinstance(case.result[0], Error)
    assert case.result[0].message == "broken.h5: the file is unreadable" and case.result[0].type == "unreadable"
    assert (document.tests, document.failures, document.errors) == (11, 3, 1)


@pytest.mark.parametrize("done", [EQUAL, DIFFERS, MANY, RUDELY, RUDE_ONES])
def test_every_viewer_finds_the_attributes_it_demands(done):
    root = ElementTree.fromstring(render(done))
    assert root.tag == "testsuites"
    for suite in root:
        assert {"name", "tests", "failures", "errors", "time"} <= suite.attrib.keys()
        assert suite[0].tag == "properties" or suite.get("errors") == "1"
        for case in suite.iter("testcase"):
            assert all(case.get(name) for name in ("name", "classname", "time"))
            assert all(part.get("message") and part.get("type") for part in case)


def test_the_time_of_a_pair_is_that_of_its_run():
    document = read(
        Summary([Entry("a.h5", replace(EQUAL, seconds=2.5), seconds=3.25), Entry("b.h5", error="x", seconds=1)])
    )
    assert document.time == 4.25
    good, bad = document
    assert {case.name: case.time for case in good if case.time} == {RUN: 3.25} and good.time == 3.25
    assert [case.time for case in bad] == [1]


def test_real_reports(real):
    good, bad = (next(iter(read(report))) for report in real)
    assert good.failures == 0 and good.tests == bad.tests
    assert next(iter(failures(bad))) == "conv2d_2"


def test_an_error_that_is_a_bug_is_an_error_like_others():
    """The code of the command line for a bug is none of the problems of a file."""
    (suite,) = read(Summary([Entry("a.h5", error="a bug in kconvert", code=70)]))
    assert [(type(case.result[0]), case.result[0].type) for case in suite] == [(Error, "error")]
