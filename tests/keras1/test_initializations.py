"""Initial weights have the distributions of Keras 1.2.2, and arguments of users mean the same."""

from __future__ import annotations

import numpy as np
import pytest

from kconvert.errors import KconvertError
from kconvert.keras1 import initializations, layers, models


def weights(layer, shape):
    """The weights of a layer by name, in canonical form: on TensorFlow."""
    model = models.Sequential([layer] if layer.batch_input_shape else [layers.Activation("linear", input_shape=shape)])
    if not layer.batch_input_shape:
        model.add(layer)
    model.start("numpy", seed=3)
    return {path[-1]: model.backend.value(variable) for path, variable in model.variables.items()}


@pytest.mark.parametrize(
    ("layer", "shape", "name", "scale"),
    [
        # measured: the largest values that Keras 1.2.2 drew of these layers come near these limits
        (lambda: layers.Dense(80), (120,), "kernel", (6 / 200) ** 0.5),
        (lambda: layers.Convolution1D(20, 3), (50, 30), "kernel", (6 / (600 + 1800)) ** 0.5),
        (lambda: layers.Convolution2D(20, 3, 3, dim_ordering="th"), (30, 9, 9), "kernel", (6 / (50 * 9)) ** 0.5),
        (lambda: layers.Convolution2D(20, 3, 3, dim_ordering="tf"), (9, 9, 30), "kernel", (6 / (50 * 9)) ** 0.5),
        (lambda: layers.Convolution3D(9, 3, 3, 3, dim_ordering="tf"), (4, 4, 4, 9), "kernel", (6 / (18 * 9)) ** 0.5),
        (lambda: layers.Convolution3D(9, 3, 3, 3, dim_ordering="th"), (9, 4, 4, 4), "kernel", (6 / (18 * 27)) ** 0.5),
        (lambda: layers.LSTM(40), (5, 60), "kernel", (6 / 100) ** 0.5),
        (lambda: layers.LSTM(40, consume_less="gpu"), (5, 60), "kernel", (6 / 220) ** 0.5),
        (lambda: layers.MaxoutDense(20, 4), (30,), "kernel", (6 / (2 * 2400**0.5)) ** 0.5),
        (lambda: layers.LocallyConnected1D(9, 3), (12, 7), "kernel", (6 / (2 * 1890**0.5)) ** 0.5),
        (lambda: layers.Dense(80, init="he_uniform"), (120,), "kernel", (6 / 120) ** 0.5),
        (lambda: layers.Dense(80, init="lecun_uniform"), (120,), "kernel", (3 / 120) ** 0.5),
        (lambda: layers.Embedding(90, 40, input_length=3), (3,), "embeddings", 0.05),
    ],
)
def test_scales_are_those_of_keras_1_2_2(layer, shape, name, scale):
    values = weights(layer(), shape)[name]
    assert 0.97 * scale < np.abs(values).max() <= scale


def test_each_gate_is_an_orthogonal_matrix_times_1_1():
    for gate in np.split(weights(layers.GRU(7), (5, 3))["recurrent_kernel"], 3, axis=1):
        assert np.allclose(gate @ gate.T, 1.21 * np.eye(7), atol=1e-5)


def test_normal_distributions_are_not_truncated():
    values = weights(layers.Dense(300, init="he_normal"), (200,))["kernel"]
    assert values.std() == pytest.approx(0.1, rel=0.02) and np.abs(values).max() > 0.3


def test_functions_of_the_user_get_the_shape_of_each_array():
    shapes = []

    def own(shape, name=None):
        shapes.append(shape)
        return initializations.identity(shape, scale=2.0, name=name)

    recurrent = weights(layers.LSTM(4, inner_init=own), (5, 3))["recurrent_kernel"]
    assert shapes == [(4, 4)] * 4 and np.array_equal(recurrent, np.tile(2 * np.eye(4), 4))


def test_one_seed_gives_the_same_weights():
    first, second = (weights(layers.Dense(3), (4,))["kernel"] for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    "call",
    [
        lambda: layers.Dense(3, init="zeros"),
        lambda: layers.Dense(3, init="lecun_normal"),
        lambda: weights(layers.Dense(3, init="identity"), (4,)),
    ],
)
def test_what_keras_1_2_2_does_not_have_is_refused(call):
    with pytest.raises(KconvertError):
        call()
