"""Sequences of any length, masks, and the merge mode `dot`, on both frameworks."""

from __future__ import annotations

import numpy as np
import pytest

from kconvert import Model, Sequential
from kconvert import layers as L
from kconvert.network.functional import Input
from tests.models.training.models import numbers


def learner(framework, layers):
    model = Sequential(layers)
    model.compile("sgd", "mse", backend=framework.name, seed=0)
    return model


@pytest.mark.parametrize("layer", [L.SimpleRNN, L.GRU, L.LSTM])
def test_rnn_without_explicit_timesteps_trains_on_batches_of_any_length(framework, layer):
    model = learner(framework, [layer(3, input_shape=(None, 2)), L.Dense(1)])
    for length in (4, 7, 1):
        assert np.isfinite(model.train_on_batch(numbers(5, length, 2), numbers(5, 1)))
        assert model.predict(numbers(5, length, 2)).shape == (5, 1)


RECURRENT = {
    "GRU": lambda: L.GRU(3),
    "LSTM": lambda: L.LSTM(3),
    "Bidirectional": lambda: L.Bidirectional(L.SimpleRNN(3)),
}


@pytest.mark.parametrize("name", RECURRENT)
def test_rnn_masking_leaves_padded_steps_out_of_gradients(framework, name):
    """The same sequences with more or less padding give the same weights after a step of the optimizer."""

    def weights(length):
        model = learner(framework, [L.Masking(input_shape=(None, 2)), RECURRENT[name](), L.Dense(1)])
        x = np.zeros((5, length, 2), "float32")
        x[:, :3] = numbers(5, 3, 2)
        x[0, 2] = 0.0
        model.train_on_batch(x, numbers(5, 1))
        return model.get_weights()

    for short, long in zip(weights(4), weights(6), strict=True):
        np.testing.assert_allclose(short, long, rtol=1e-4, atol=1e-6)


def test_dot_merge_trains(framework):
    a, b = Input((3,), name="a"), Input((4,), name="b")
    left, right = L.Dense(2, name="left")(a), L.Dense(2, name="right")(b)
    model = Model([a, b], L.Dot(1)([left, right]))
    model.compile({"class_name": "SGD", "config": {"lr": 0.05}}, "mse", backend=framework.name, seed=1)
    xs, y = [numbers(20, 3), numbers(20, 4, seed=1)], numbers(20, 1)
    losses = [model.train_on_batch(xs, y) for _ in range(40)]
    assert losses[-1] < 0.9 * losses[0]


def test_dot_merge_of_sequences_takes_any_length(framework):
    """Attention: each step of one sequence with every step of the other."""
    a, b = Input((None, 3), name="a"), Input((None, 3), name="b")
    model = Model([a, b], L.Dot((2, 2))([a, b]))
    model.compile("sgd", "mse", backend=framework.name)
    x, y = numbers(2, 4, 3), numbers(2, 5, 3, seed=1)
    np.testing.assert_allclose(model.predict([x, y]), np.einsum("bic,bjc->bij", x, y), rtol=1e-4, atol=1e-5)


def test_an_embedding_that_masks_makes_sequences_of_words_of_any_length_alike(framework):
    layers = [L.Embedding(9, 4, mask_zero=True, input_shape=(None,)), L.LSTM(3), L.Dense(1)]
    model = learner(framework, layers)
    words = np.random.default_rng(0).integers(1, 9, (6, 5))
    padded = np.pad(words, ((0, 0), (0, 3)))
    np.testing.assert_allclose(model.predict(words), model.predict(padded), rtol=1e-4, atol=1e-6)
