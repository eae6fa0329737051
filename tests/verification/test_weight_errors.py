"""The errors of weights, which are compared block by block."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from kconvert.conventions.generations import Convention
from kconvert.conventions.roles import DENSE_KERNEL, Weight
from kconvert.conventions.storage import storage
from kconvert.conversion.binding import Binding
from kconvert.conversion.steps import Step
from kconvert.formats.checkpoint import InMemory
from kconvert.formats.parts import BLOCK
from kconvert.kernels import Chain
from kconvert.verification.faults import weight_error

X = np.arange(1, 7, dtype="float32").reshape(2, 3)
LARGE = np.ones((4 * BLOCK // 4 // 512, 512), "float32")


def error(x, y):
    weight = Weight("kernel", x.shape, DENSE_KERNEL)
    (stored,) = storage([weight], Convention("keras2", "theano"))
    step = Step(("d", "kernel"), (InMemory("k", x),), Chain(), ("k",))
    return weight_error(step, Binding(("d", "kernel"), weight, stored, (InMemory("k", y),)))


def changed(x, value, at=-1):
    y = x.copy()
    y.flat[at] = value
    return y


@pytest.mark.parametrize("x", [X, LARGE], ids=["one block", "many"])
def test_error_is_the_largest_over_the_largest_value(x):
    assert error(x, x.copy()) is None
    assert error(x, changed(x, x.flat[-1] + 3)) == pytest.approx(3 / x.max())
    assert error(x, changed(x, np.nan)) == np.inf
    assert error(changed(x, np.nan), x) == np.inf
    assert error(changed(x, np.nan), changed(x, np.nan)) is None
    both = changed(x, np.nan, at=0)
    assert error(both, changed(both, 9)) == np.inf
    assert error(x, x.T.copy()) == np.inf


def test_arrays_are_not_copied_whole():
    other = changed(LARGE, 2)
    tracemalloc.start()
    error(LARGE, other)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * LARGE.nbytes  # a float64 copy of the whole would be twice as large, and its differences too


def test_a_weight_that_is_not_there():
    assert weight_error(Step(("d", "kernel"), (InMemory("k", X),), Chain(), ("k",)), None) == np.inf
