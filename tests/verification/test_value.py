"""The verdict as a value: what counts as equal, what comes first, what JSON says."""

import json

import numpy as np

from kconvert.verification.comparison import Comparison, compare
from kconvert.verification.tolerance import DEFAULT_TOLERANCE
from kconvert.verification.value import WEIGHTS, Cause, Entry, Report, Side, Summary

SIDES = (
    Side("in.h5", "keras1/theano", "theano", "1.0.5"),
    Side("out.h5", "keras2/tensorflow", "numpy", "1.26.4", emulates="tensorflow"),
)


def compared(x, y):
    return compare("conv1", "Conv2D", np.asarray(x, "float32"), np.asarray(y, "float32"), DEFAULT_TOLERANCE)


def report(layers=(), outputs=(), tolerance=DEFAULT_TOLERANCE, **options):
    return Report(*SIDES, tolerance=tolerance, layers=layers, outputs=outputs, **options)


GOOD = compared([1.0, 2.0], [1.0, 2.0])
BAD = Comparison("conv2", "Conv2D", (2,), 0.5, 0.25, 2.0, 0.25, 1e-4, False)
WORSE = Comparison("dense", "Dense", (2,), 1.5, 0.25, 2.0, 0.75, 1e-4, False)


def test_equal_is_all_equal():
    assert report([GOOD], [GOOD]).equal
    assert not report([GOOD, BAD], [GOOD]).equal
    assert not report([GOOD], [BAD]).equal


def test_the_first_divergence_is_the_first_in_the_graph():
    assert report([GOOD, BAD, WORSE], [WORSE]).first_divergence is BAD
    assert report([GOOD], [GOOD, BAD]).first_divergence is BAD
    assert report([GOOD], [GOOD]).first_divergence is None


def test_needed_is_the_largest_of_all():
    assert report([GOOD, BAD], [WORSE]).needed == 0.75
    assert report([GOOD], [GOOD]).needed == 0.0
    assert report().needed == 0.0


def test_a_report_on_nothing_is_not_a_proof():
    """Nothing compared, nothing shown: it must not be green."""
    assert not report().equal


def test_sides_say_what_ran_them():
    assert [str(side) for side in SIDES] == ["theano 1.0.5", "NumPy, emulating TensorFlow"]


def test_json_has_everything_and_no_infinity():
    crooked = compared(np.ones(2), np.ones(3))
    made = report([GOOD, crooked], [BAD], weights=["conv1/kernel"], notes=["a note"], arrays=3, samples=4)
    value = json.loads(json.dumps(made.to_json(), allow_nan=False))
    assert value["equal"] is False and value["first_divergence"] == "conv1"
    assert value["needed_rtol"] is None and value["layers"][1]["max_error"] is None
    assert value["layers"][1]["problem"] == "shapes differ: (2,) and (3,)"
    assert value["tolerance"] == {"atol": 1e-5, "rtol": 1e-4, "layers": {}}
    assert value["source"]["convention"] == "keras1/theano" and value["target"]["reference"] is True
    assert (value["weights"], value["notes"], value["arrays"]) == (["conv1/kernel"], ["a note"], 3)
    assert (value["samples"], value["schema"]) == (4, made.schema)
    assert value["outputs"][0]["needed"] == 0.25


def test_a_cause_reads_as_a_sentence():
    cause = Cause("conv1", "Conv2D", WEIGHTS, 0.3, "kernel is not flipped", ["kernel"], "flip hw of hwio")
    assert str(cause) == "conv1 (Conv2D): kernel is not flipped"
    assert report([BAD], [BAD], causes=[cause]).to_json()["causes"][0]["remedy"] == "flip hw of hwio"


# ------------------------------------------------------------------- many files ----

FILES = [
    Entry("a.h5", report([GOOD], [GOOD])),
    Entry("b.h5", report([BAD], [BAD])),
    Entry("c.h5", error="the file is unreadable", code=4),
]


def test_a_summary_counts_its_files():
    made = Summary(FILES)
    assert [made.count(state) for state in ("equal", "differs", "error")] == [1, 1, 1]
    assert not made.equal and Summary(FILES[:1]).equal
    assert not Summary([]).equal


def test_the_json_of_a_summary():
    value = json.loads(json.dumps(Summary(FILES).to_json(), allow_nan=False))
    assert [entry["state"] for entry in value["files"]] == ["equal", "differs", "error"]
    assert value["files"][1]["report"]["first_divergence"] == "conv2"
    assert value["files"][2]["report"] is None and value["files"][2]["error"] == "the file is unreadable"
