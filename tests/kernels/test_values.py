"""Ops that compute values: an op and its inverse cancel exactly in a chain, and round only where they are applied."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kconvert import kernels
from kconvert.conventions.generations import Convention
from kconvert.conventions.roles import Weight, variance
from kconvert.conventions.storage import storage
from kconvert.kernels import Chain, Deviation, Op, Power, Scale, Variance
from tests.kernels.strategies import cases, numbered, same

factors = st.floats(0.01, 10)
value_ops = st.one_of(
    st.builds(Scale, factors, st.booleans()),
    st.builds(Power, st.integers(2, 3), st.booleans()),
    st.builds(Variance, factors),
    st.builds(Deviation, factors),
)


@given(value_ops, st.sampled_from(["<f4", "<f8"]))
def test_the_inverse_undoes_it_up_to_rounding(op, dtype):
    x = np.random.default_rng(0).uniform(0.5, 2, (3, 4)).astype(dtype)
    (y,) = op.apply((x,))
    assert (y.shape, y.dtype) == (x.shape, x.dtype)
    np.testing.assert_allclose(op.inverse.apply((y,))[0], x, rtol=1e-4 if dtype == "<f4" else 1e-11)
    assert op.inverse.inverse == op


@given(value_ops, cases())
def test_it_cancels_across_any_rearrangement(op, case):
    chain, _ = case
    there = (op >> chain >> op.inverse).simplified
    assert there == (chain >> op >> op.inverse).simplified == chain.simplified
    assert (op >> chain >> chain.inverse >> op.inverse).simplified == Chain()


@given(value_ops, cases(most_arrays=1))
def test_it_may_stand_before_or_behind_a_rearrangement(op, case):
    chain, shapes = case
    arrays = tuple(array.astype("float64") + 1 for array in numbered(shapes))
    assert same((op >> chain).simplified.apply(*arrays), (op >> chain).apply(*arrays))


@given(value_ops)
def test_json_and_repr_take_it_back(op):
    assert Op.from_json(json.loads(json.dumps(op.to_json()))) == op
    assert eval(repr(op), {name: getattr(kernels, name) for name in kernels.__all__}) == op


def test_a_region_needs_no_other():
    wanted = np.array([2, 0]), np.array([1])
    assert Chain((Scale(2),)).for_region(wanted, (3, 2)) == (wanted, Chain((Scale(2),)))


@pytest.mark.parametrize("epsilon", [1e-6, 1e-3])
def test_a_stored_deviation_normalizes_as_its_variance_does(epsilon):
    deviation = np.array([1e-3, 0.1, 1.0, 30.0])
    (found,) = Variance(epsilon).apply((deviation,))
    np.testing.assert_allclose(np.sqrt(found + epsilon), deviation + epsilon, rtol=1e-9)


@pytest.mark.parametrize(
    ("form", "saved_under", "formula"),
    [
        ("keras0", "theano", lambda stored, e: stored + e),
        ("keras0", "tensorflow", lambda stored, e: stored + e),
        ("keras1.0.5", "tensorflow", lambda stored, e: stored + e),
        ("keras1.0.6", "theano", lambda stored, e: stored + e),
        ("keras1.0.6", "tensorflow", lambda stored, e: np.sqrt(stored + e)),
        ("keras1.0.7", "theano", lambda stored, e: np.sqrt(stored) + e),
        ("keras1.0.7", "tensorflow", lambda stored, e: np.sqrt(stored + e)),
        ("keras1.0", "theano", lambda stored, e: np.sqrt(stored + e)),
        ("keras2", "theano", lambda stored, e: np.sqrt(stored + e)),
    ],
)
def test_what_each_release_divides_by(form, saved_under, formula):
    stored = np.array([0.2, 1.0, 5.0])
    (found,) = storage([Weight("moving_variance", (3,), variance(0.01), False)], Convention(form, saved_under))
    (canonical,) = found.chain.apply(stored)
    np.testing.assert_allclose(np.sqrt(canonical + 0.01), formula(stored, 0.01))
