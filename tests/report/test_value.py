"""The verdict as a value: what counts as equal, what would have been enough, what JSON says."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kconvert.report.value import DEFAULT_TOLERANCE, Comparison, Report, Side, Tolerance, compare

SIDES = (
    Side("in.h5", "keras1/theano", "theano", "1.0.5"),
    Side("out.h5", "keras2/tensorflow", "numpy", "1.26.4", reference=True),
)
EXACT = Tolerance(0.0, 0.0)


def compared(x, y, tolerance=DEFAULT_TOLERANCE):
    return compare("conv1", "Conv2D", np.asarray(x, "float32"), np.asarray(y, "float32"), tolerance)


def report(layers=(), outputs=(), tolerance=DEFAULT_TOLERANCE, **options):
    return Report(*SIDES, tolerance=tolerance, layers=layers, outputs=outputs, **options)


numbers = st.floats(-1e3, 1e3, width=32)
pairs = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20).map(lambda rows: np.array(rows, "float32").T)


# -------------------------------------------------------------------- laws ----


@given(pairs, st.floats(0, 1), st.floats(0, 1))
def test_equal_means_within_atol_and_rtol_of_the_largest_value(xy, atol, rtol):
    x, y = (side.astype("float64") for side in xy)
    found = compare("a", "Dense", x, y, Tolerance(atol, rtol))
    assert found.equal == (np.abs(x - y).max() <= atol + rtol * np.abs(x).max())
    assert found.max_error == np.abs(x - y).max() and found.scale == np.abs(x).max()
    assert found.mean_error <= found.max_error * (1 + 1e-9)


@given(pairs)
def test_the_tolerance_that_is_needed_is_enough(xy):
    """And anything less is not."""
    found = compared(*xy)
    if np.isfinite(found.needed):
        assert compared(*xy, Tolerance(DEFAULT_TOLERANCE.atol, found.needed * (1 + 1e-6) + 1e-12)).equal
        less = Tolerance(DEFAULT_TOLERANCE.atol, found.needed * (1 - 1e-6))
        assert found.needed == 0 or not compared(*xy, less).equal
    else:
        assert found.scale == 0 and not found.equal


@given(pairs)
def test_a_tensor_equals_itself(xy):
    found = compared(xy[0], xy[0].copy(), EXACT)
    assert found.equal and found.max_error == found.needed == 0.0 and not found.problem


# --------------------------------------------------------------------- cases ----


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_agrees_only_with_itself(value):
    same = compared([1.0, value], [1.0, value])
    assert same.equal and same.scale == 1.0 and same.max_error == 0.0
    for other in {0.0, np.inf, -np.inf, 1e30} - {value}:
        for x, y in (([1.0, value], [1.0, other]), ([1.0, other], [1.0, value])):
            found = compared(x, y)
            assert not found.equal
            assert found.problem == "1 elements are NaN or infinite on one side only"


def test_nothing_but_nan_proves_nothing():
    found = compared([np.nan] * 3, [np.nan] * 3)
    assert (found.equal, found.problem) == (False, "no element is finite: there is nothing to compare")


def test_shapes_that_differ_are_a_failure_and_no_crash():
    found = compared(np.ones((2, 3)), np.ones((3, 2)))
    assert not found.equal and found.problem == "shapes differ: (2, 3) and (3, 2)"
    assert found.needed == np.inf
    assert not compared(np.ones((2, 3)), np.ones((2, 4))).equal


def test_axes_of_one_element_do_not_count():
    """A cosine of Keras 1 has one more than that of Keras 2."""
    assert compared(np.ones((3, 1)), np.ones((3, 1, 1))).equal
    assert not compared(np.ones((3, 1)), np.zeros((3, 1, 1))).equal


def test_no_elements_are_equal():
    found = compared(np.zeros((0, 3)), np.zeros((0, 3)))
    assert found.equal and found.mean_error == 0.0


def test_zeros_against_something_needs_an_infinite_rtol():
    found = compared([0.0, 0.0], [0.0, 1e-3])
    assert not found.equal and found.needed == np.inf
    assert compared([0.0], [1e-6]).equal


# -------------------------------------------------------------------- report ----

GOOD = compared([1.0, 2.0], [1.0, 2.0])
BAD = Comparison("conv2", "Conv2D", (2,), 0.5, 0.25, 2.0, 0.25, False)
WORSE = Comparison("dense", "Dense", (2,), 1.5, 0.25, 2.0, 0.75, False)


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


def test_tolerance():
    assert Tolerance().is_default and not Tolerance(1e-5, 1e-3).is_default
    assert Tolerance(1.0, 0.5).allowed(4.0) == 3.0


def test_sides_say_what_ran_them():
    assert [str(side) for side in SIDES] == ["theano 1.0.5", "the NumPy reference in tensorflow's part"]


def test_json_has_everything_and_no_infinity():
    crooked = compared(np.ones(2), np.ones(3))
    made = report([GOOD, crooked], [BAD], weights=["conv1/kernel"], notes=["a note"], arrays=3, samples=4, seed=7)
    value = json.loads(json.dumps(made.to_json(), allow_nan=False))
    assert value["equal"] is False and value["first_divergence"] == "conv1"
    assert value["needed_rtol"] is None and value["layers"][1]["max_error"] is None
    assert value["layers"][1]["problem"] == "shapes differ: (2,) and (3,)"
    assert value["tolerance"] == {"atol": 1e-5, "rtol": 1e-4}
    assert value["source"]["convention"] == "keras1/theano" and value["target"]["reference"] is True
    assert (value["weights"], value["notes"], value["arrays"]) == (["conv1/kernel"], ["a note"], 3)
    assert (value["samples"], value["seed"], value["schema"]) == (4, 7, made.schema)
    assert value["outputs"][0]["needed"] == 0.25
