"""Pooling: outputs of real Keras, and computed output shapes."""

from __future__ import annotations

import numpy as np
import pytest

from kconvert.backend.numpy_backend import NumpyBackend
from kconvert.layers import pooling
from kconvert.layers.registry import LAYERS
from tests.layers.saved import Saved, check_round_trip

CASES = ["maxpooling2d_same_stride_th", "averagepooling2d_same_2x3_tf", "global_average_pooling1d_masked"]
RELEASES = ["2.3.1-theano", "2.3.1-tensorflow"]
SIZES = (5, 6, 7)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("release", RELEASES)
def test_computes_what_keras_computed(release, case):
    saved = Saved(f"{release}/{case}")
    saved.check(NumpyBackend(saved.backend))
    for layer, item in zip(saved.layers.values(), saved.configs, strict=True):
        check_round_trip(layer, item["config"])


def image(rank, data_format):
    shape = (2, 3, *SIZES[:rank]) if data_format == "channels_first" else (2, *SIZES[:rank], 3)
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("kind", ["Max", "Average"])
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize("options", [{}, {"pool_size": 3, "strides": 2}, {"pool_size": 3, "padding": "same"}], ids=str)
def test_output_has_the_foretold_shape(kind, rank, data_format, options):
    layer = LAYERS[f"{kind}Pooling{rank}D"](data_format=data_format, **options)
    x = image(rank, data_format)
    y = layer.call(NumpyBackend(), {}, x)
    assert layer.compute_output_shape(x.shape) == y.shape
    assert layer.compute_output_shape((None,) * x.ndim) == (None,) * x.ndim


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_global_pooling_leaves_one_number_a_channel(rank, data_format):
    x = image(rank, data_format)
    channels = x.reshape(2, 3, -1) if data_format == "channels_first" else x.reshape(2, -1, 3).swapaxes(1, 2)
    for kind, expected in (("Max", channels.max(-1)), ("Average", channels.mean(-1))):
        layer = LAYERS[f"Global{kind}Pooling{rank}D"](data_format)
        np.testing.assert_allclose(layer.call(NumpyBackend(), {}, x), expected, rtol=1e-5, atol=1e-6)
        assert layer.compute_output_shape(x.shape) == expected.shape


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_masked_steps_are_left_out_of_the_mean_and_the_mask_ends(data_format):
    x = image(1, data_format)
    mask = np.array([[1, 1, 0, 0, 0], [0, 1, 1, 1, 0]], bool)
    layer, K = pooling.GlobalAveragePooling1D(data_format), NumpyBackend()
    steps = x if data_format == "channels_last" else x.swapaxes(1, 2)
    expected = np.stack([sample[kept].mean(0) for sample, kept in zip(steps, mask, strict=True)])
    np.testing.assert_allclose(layer.call(K, {}, x, mask=mask), expected, rtol=1e-5)
    assert layer.compute_mask(K, x, mask) is None
