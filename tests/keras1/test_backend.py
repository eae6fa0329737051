"""The functions of `keras.backend` with other arguments than in Keras 2 compute what Keras 1.2.2 computed."""

from __future__ import annotations

import runpy

import numpy as np
import pytest

from kconvert.errors import KconvertError
from kconvert.keras1 import backend as K
from tests.fixtures import FOLDER

TOOLS = runpy.run_path(str(FOLDER / "keras_backend" / "cases.py"))
CASES = {
    name: (inputs, call) for name, inputs, call in runpy.run_path(str(FOLDER / "keras1_backend" / "cases.py"))["CASES"]
}
KNOWN = {on: TOOLS["read"](FOLDER / "keras1_backend" / f"{on}.npz") for on in ("theano", "tensorflow")}
COMPUTED = [pytest.param(on, name, marks=pytest.mark.needs(on)) for on, known in KNOWN.items() for name in known]
"""Each backend with the functions that Keras 1.2.2 has there."""


@pytest.mark.parametrize(("on", "name"), COMPUTED, indirect=["on"])
def test_a_function_computes_what_keras_1_2_2_computed(on, name):
    inputs, call = CASES[name]
    given = [K.variable(a, dtype=str(a.dtype)) for a in TOOLS["arrays"](name, inputs)]
    found = np.asarray(K.eval(call(K, *given)))
    wanted = KNOWN[on][name]
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found.astype("float64"), wanted, rtol=2e-4, atol=2e-5)


def test_wrong_arguments_are_refused_with_the_right_ones():
    with pytest.raises(KconvertError, match=r"K.pool2d of Keras 1.2.2: .*pool_size"):
        K.pool2d(K.variable(np.zeros((1, 4, 4, 1))))
    with pytest.raises(KconvertError, match="unknown dim_ordering 'first'"):
        K.spatial_2d_padding(K.variable(np.zeros((1, 4, 4, 1))), dim_ordering="first")


UNARY = ["abs", "cos", "exp", "log", "round", "sigmoid", "sign", "sin", "softplus", "tanh"]
BINARY = ["equal", "greater", "greater_equal", "lesser", "lesser_equal", "maximum", "minimum", "not_equal"]


@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_tensors_are_taken_by_name(name):
    tensors = dict.fromkeys(["x"] if name in UNARY else ["x", "y"], K.variable(np.ones((1, 2))))
    assert np.asarray(K.eval(getattr(K, name)(**tensors))).shape == (1, 2)


@pytest.mark.shows("backend.function", "backend.moving_average_update", "backend.batch_get_value", of="keras1")
def test_functions_take_the_arguments_of_keras_1_2_2():
    mean = K.variable(np.zeros(2))
    update = K.moving_average_update(variable=mean, value=K.variable(np.ones(2)), momentum=0.75)
    K.function([], [mean * 1.0], updates=[update], mode="FAST_RUN")([])
    np.testing.assert_allclose(K.batch_get_value(xs=[mean]), [[0.25, 0.25]])
    assert float(K.eval(K.stop_gradient(variables=mean)).sum()) == 0.5
    K.set_floatx(floatx="float32")
    with pytest.raises(KconvertError, match="options"):
        K.function([], [mean], options=3)


@pytest.mark.needs("theano")
@pytest.mark.parametrize("on", ["theano"], indirect=True)
def test_a_full_convolution_on_theano(on):
    """The numbers of `K.conv2d` of Keras 1.2.2 on Theano; TensorFlow has no padding 'full'."""
    images, kernel = K.variable(np.arange(16.0).reshape(1, 1, 4, 4)), K.variable(np.arange(6.0).reshape(1, 1, 2, 3))
    found = K.eval(K.conv2d(images, kernel, strides=(2, 2), border_mode="full", dim_ordering="th"))
    assert found[0, 0].tolist() == [[0, 1, 7], [12, 83, 89], [36, 154, 130]]
