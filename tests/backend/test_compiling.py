"""Compiled functions: gradients, noise by a seed, variables that are read and updated."""

import numpy as np
import pytest

from kconvert.backend import InputSpec, get_backend
from kconvert.errors import KconvertError


def test_a_step_gives_outputs_of_the_old_values_and_updates_all_at_once(backend):
    K = backend
    a, b = K.variable(np.float32([1, 2])), K.variable(np.int32(3))

    def build(values, inputs):
        return [values[0] * inputs[0]], {0: values[0] + K.cast(values[1], "float32"), 1: values[1] + 1}

    run = K.compile_updating(build, [InputSpec((None,))], [a, b])
    assert run([np.float32([10, 10])])[0].tolist() == [10, 20]
    assert run([np.float32([10, 10])])[0].tolist() == [40, 50]
    assert K.value(a).tolist() == [8, 9]
    assert K.value(b) == 5 and K.value(b).dtype == "int32"
    K.assign(a, [0, 0])
    assert run([np.float32([1, 1])])[0].tolist() == [0, 0]


def test_a_reader_sees_what_a_step_wrote(backend):
    K = backend
    a = K.variable(np.float32([1, 2]))
    read = K.compile_reading(lambda values, inputs: [values[0] * 2.0], [], [a])
    K.compile_updating(lambda values, inputs: ([], {0: values[0] + 1.0}), [], [a])([])
    assert read([])[0].tolist() == [4, 6]


def gradients(K, f, *arrays):
    """The gradients of sum(f) by the arrays."""

    def build(values, inputs):
        return K.gradients(K.sum(f(*values)), values), {}

    return K.compile_updating(build, [], [K.variable(np.float32(a)) for a in arrays])([])


def test_gradients_by_hand(framework):
    x, y = gradients(framework, lambda x, y: x * x * y[0], [1.0, 2.0], [3.0, 4.0])
    assert x.tolist() == [6, 12]
    assert y.tolist() == [5, 0]


def test_what_the_loss_does_not_depend_on_has_gradient_zero(framework):
    x, y = gradients(framework, lambda x, y: x + 0.0 * framework.stop_gradient(x), [1.0, 2.0], [[3.0]])
    assert x.tolist() == [1, 1]
    assert y.tolist() == [[0]]


def test_a_gradient_stops(framework):
    (x,) = gradients(framework, lambda x: x * framework.stop_gradient(x), [1.0, 2.0])
    assert x.tolist() == [1, 2]


def test_numpy_says_that_it_does_not_train():
    with pytest.raises(KconvertError, match=r"NumPy has no gradients.*train on theano or tensorflow"):
        gradients(get_backend("numpy"), lambda x: x, [1.0])


@pytest.mark.parametrize("draw", ["random_uniform", "random_normal"])
def test_noise_is_a_function_of_its_seed(backend, draw):
    K = backend
    seeds = [K.variable(np.int32(pair)) for pair in ([1, 2], [1, 3], [1, 2])]

    def build(values, inputs):
        return [getattr(K, draw)((K.shape(inputs[0])[0], 1000), seed) for seed in values], {}

    first, second, again = K.compile_updating(build, [InputSpec((None,))], seeds)([np.zeros(9)])
    assert first.shape == (9, 1000) and first.dtype == "float32"
    assert np.array_equal(first, again) and not np.array_equal(first, second)
    mean, deviation = {"random_uniform": (0.5, 12**-0.5), "random_normal": (0.0, 1.0)}[draw]
    assert abs(first.mean() - mean) < 0.05 and abs(first.std() - deviation) < 0.05


def test_theano_draws_what_numpy_draws(theano):
    seed = np.int32([5, 6])
    drawn = [
        K.compile_updating(
            lambda values, inputs, K=K: ([K.random_normal((2, 3), values[0])], {}), [], [K.variable(seed)]
        )([])
        for K in (theano, get_backend("numpy", "theano"))
    ]
    np.testing.assert_array_equal(*(one[0] for one in drawn))


@pytest.mark.parametrize("layer", ["dense", "convolution"])
def test_nan_stays_nan_after_a_bias_and_a_relu(backend, layer):
    from kconvert import layers
    from kconvert.models.sequential import Sequential

    dense = [layers.Dense(4, activation="relu", input_shape=(3,))]
    convolution = [layers.Conv2D(4, 3, activation="relu", input_shape=(5, 5, 3), data_format="channels_last")]
    model = Sequential({"dense": dense, "convolution": convolution}[layer])
    x = np.full((2, *model.input_shape[1:]), np.nan, "float32")
    model.start(backend)
    assert np.isnan(model.predict(x)).all()
