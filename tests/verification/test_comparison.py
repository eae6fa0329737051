"""Two tensors compared: what counts as equal, what would have been enough, where and how they differ."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kconvert.drawing.words import at_least
from kconvert.verification.comparison import BINS, MAP_SIDE, compare, details
from kconvert.verification.tolerance import DEFAULT_TOLERANCE, Tolerance

EXACT = Tolerance(0.0, 0.0)


def compared(x, y, tolerance=DEFAULT_TOLERANCE):
    return compare("conv1", "Conv2D", np.asarray(x, "float32"), np.asarray(y, "float32"), tolerance)


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


@given(pairs, st.floats(0, 1e-2))
def test_an_rtol_that_is_printed_as_enough_is_enough(xy, atol):
    found = compared(*xy, Tolerance(atol, 0.0))
    assert found.scale == 0 or np.isfinite(found.needed)
    if np.isfinite(found.needed):
        assert compared(*xy, Tolerance(atol, float(at_least(found.needed)))).equal


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


def test_no_elements_prove_nothing():
    found = compared(np.zeros((0, 3)), np.zeros((0, 3)))
    assert (found.state, found.mean_error, found.needed) == ("unproved", 0.0, np.inf)
    assert found.problem == "it has no elements: there is nothing to compare"


def test_zeros_against_something_needs_an_infinite_rtol():
    found = compared([0.0, 0.0], [0.0, 1e-3])
    assert not found.equal and found.needed == np.inf
    assert compared([0.0], [1e-6]).equal


def test_the_worst_element_and_its_values():
    x = np.zeros((2, 3, 4), "float32")
    y = x.copy()
    y[1, 2, 0], y[0, 0, 0] = -7.0, 3.0
    found = compared(x, y)
    assert found.worst == (1, 2, 0) and found.values == (0.0, -7.0)
    y[0, 1, 1] = np.nan
    assert compared(x, y).worst == (0, 1, 1)


def test_the_cosine_tells_a_scaled_tensor_from_another():
    x = np.random.default_rng(0).standard_normal(50)
    assert compared(x, 3 * x).cosine == pytest.approx(1)
    assert compared(x, -x).cosine == pytest.approx(-1)
    assert abs(compared(x, np.roll(x, 1)).cosine) < 0.7
    assert compared(np.zeros(3), np.zeros(3)).cosine == 1 and compared(np.zeros(3), np.ones(3)).cosine == 0


def test_a_tolerance_of_ones_own_for_a_layer():
    x, y = [1.0, 2.0], [1.0, 2.01]
    assert not compared(x, y).equal
    found = compared(x, y, Tolerance(layers={"conv1": 0.1}))
    assert found.equal and found.allowed == pytest.approx(0.2 + 1e-5)
    assert not compared(x, y, Tolerance(layers={"conv2": 0.1})).equal


# ------------------------------------------------------------------ classifiers ----


def classes(x, y):
    return compare("softmax", "Dense", np.asarray(x, "float64"), np.asarray(y, "float64"), DEFAULT_TOLERANCE, True)


def test_agreement_of_classes():
    x = np.eye(8)[[0, 1, 2, 3]] + np.linspace(0, 0.5, 8)
    y = x.copy()
    y[0] = -x[0]
    found = classes(x, y)
    assert (found.top1, found.top5) == (0.75, 0.75)
    assert (classes(x, x).top1, classes(x, x).top5) == (1.0, 1.0)
    assert classes(x[:, :5], y[:, :5]).top5 is None
    assert compared(x, y).top1 is None


def test_ties_are_no_disagreement():
    """Two classes as good as each other: rounding decides which of them is the best."""
    x = [[0.5, 0.5 + 1e-9, 0.0]]
    y = [[0.5 + 1e-9, 0.5, 0.0]]
    assert np.argmax(x) != np.argmax(y)
    assert classes(x, y).top1 == 1.0


@given(st.integers(0, 2**32 - 1), st.integers(6, 12))
def test_the_best_five_hold_the_best(seed, n):
    random = np.random.default_rng(seed)
    found = classes(random.random((5, n)), random.random((5, n)))
    assert 0 <= found.top1 <= found.top5 <= 1


# ---------------------------------------------------------------------- details ----


@given(st.lists(st.sampled_from([1, 2, 3, 33, 50]), min_size=1, max_size=3), st.integers(0, 100))
def test_details_count_every_element_once_and_keep_the_largest_error(shape, seed):
    random = np.random.default_rng(seed)
    x = random.standard_normal(shape)
    y = x + random.standard_normal(shape) * 10.0 ** random.integers(-9, 1)
    found = details("a", x, y)
    assert sum(found.histogram) == x.size and len(found.histogram) == BINS
    heat = np.array(found.heat)
    assert heat.ndim == 2 and max(heat.shape) <= MAP_SIDE
    assert heat.max() == np.abs(x - y).max()
    assert all(axis > 0 for axis in found.axes) or x.ndim == 1


def test_details_show_where_the_error_is():
    x = np.zeros((2, 40, 3, 40))
    y = x.copy()
    y[1, 39, 0, 0] = 1.0
    found = details("a", x, y)
    heat = np.array(found.heat)
    assert found.axes == (1, 3) and np.argwhere(heat).tolist() == [[31, 0]]
    assert details("a", x, np.zeros(3)) is None
