"""Locally connected layers against real Keras."""

from __future__ import annotations

import numpy as np
import pytest

from kconvert.backend.numpy_backend import NumpyBackend
from kconvert.errors import KconvertError
from kconvert.layers.convolutional import Conv1D, Conv2D
from kconvert.layers.local import LocallyConnected1D, LocallyConnected2D
from tests.layers.saved import Saved, check_round_trip, stored_shapes


@pytest.mark.parametrize("release", ["2.3.1-theano", "2.3.1-tensorflow"])
@pytest.mark.parametrize("convention", ["theano", "tensorflow"])
def test_computes_what_keras_computed_whatever_the_backend(release, convention):
    saved = Saved(f"{release}/locally_connected2d_th")
    saved.check(NumpyBackend(convention))
    (layer,) = saved.layers.values()
    check_round_trip(layer, saved.configs[0]["config"])
    assert stored_shapes(layer, saved.inputs[0].shape) == [array.shape for array in saved.arrays(layer.name)]


@pytest.mark.parametrize(
    ("local", "conv", "shape"),
    [
        (LocallyConnected1D(4, 3, strides=2), Conv1D(4, 3, strides=2), (2, 9, 3)),
        (LocallyConnected2D(4, (2, 3), strides=(1, 2)), Conv2D(4, (2, 3), strides=(1, 2)), (2, 5, 8, 3)),
        (
            LocallyConnected2D(4, (2, 3), data_format="channels_first"),
            Conv2D(4, (2, 3), data_format="channels_first"),
            (2, 3, 5, 8),
        ),
    ],
    ids=["1d", "2d", "2d channels_first"],
)
def test_the_same_kernel_everywhere_is_a_correlation(local, conv, shape):
    rng, K = np.random.default_rng(0), NumpyBackend("tensorflow")
    x = rng.normal(size=shape).astype("float32")
    kernel, bias = (rng.normal(size=w.shape).astype("float32") for w in conv.weight_specs(shape))
    first = local.data_format == "channels_first"
    patch = (np.moveaxis(kernel, -2, 0) if first else kernel).reshape(-1, 4)
    (positions, _, _), bias_shape = (w.shape for w in local.weight_specs(shape))
    y = local.call(K, {"kernel": np.stack([patch] * positions), "bias": np.zeros(bias_shape, "float32")}, x)
    np.testing.assert_allclose(y, conv.call(K, {"kernel": kernel, "bias": 0 * bias}, x), rtol=1e-4, atol=1e-5)
    assert local.compute_output_shape(shape) == y.shape


def test_needs_to_know_the_size_of_its_input():
    with pytest.raises(KconvertError, match="needs to know axis 1"):
        LocallyConnected1D(4, 3).weight_specs((None, None, 3))
    assert LocallyConnected1D(4, 3).compute_output_shape((None, None, 3)) == (None, None, 4)
