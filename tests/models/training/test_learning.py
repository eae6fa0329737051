"""Networks that learn real tasks, on each backend."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import kconvert as kc
from kconvert.layers import GRU, LSTM, Conv2D, Dense, Dropout, Flatten, MaxPooling2D

BACKENDS = [pytest.param(name, marks=pytest.mark.needs(name)) for name in ("theano", "tensorflow")]


@pytest.mark.parametrize("name", BACKENDS)
def test_a_small_cnn_classifies_97_percent_of_unseen_digits(name):
    images, digits = load_digits(return_X_y=True)
    images = (images / 16).reshape(-1, 8, 8, 1)
    x, x_test, y, y_test = train_test_split(images, digits, test_size=0.25, random_state=0, stratify=digits)
    model = kc.Sequential(
        [
            Conv2D(32, (3, 3), padding="same", activation="relu", input_shape=(8, 8, 1)),
            Conv2D(32, (3, 3), activation="relu"),
            MaxPooling2D((2, 2)),
            Dropout(0.25),
            Flatten(),
            Dense(64, activation="relu"),
            Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], backend=name, seed=1)
    model.fit(x, y, epochs=15, verbose=0)
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    assert accuracy >= 0.97


def adding(n: int, steps: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sequences (n, steps, 2) of numbers and marks, one mark in each half; and the sum of the two marked numbers."""
    random = np.random.default_rng(seed)
    numbers, marks, rows = random.random((n, steps)), np.zeros((n, steps)), np.arange(n)
    for half in (0, 1):
        marks[rows, random.integers(0, steps // 2, n) + half * (steps // 2)] = 1
    return np.stack([numbers, marks], axis=-1), (numbers * marks).sum(1, keepdims=True)


@pytest.mark.long
@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("layer", [LSTM, GRU])
def test_a_recurrent_layer_solves_the_adding_problem(layer, name):
    """Without memory the best prediction is 1, with an error of 1/6; the error must be below a twentieth of that."""
    model = kc.Sequential([layer(32, input_shape=(20, 2)), Dense(1)])
    optimizer = kc.optimizers.Adam(learning_rate=0.01, clipnorm=1.0)
    model.compile(optimizer, "mse", backend=name, seed=1)
    model.fit(*adding(6400, 20, seed=0), batch_size=64, epochs=5, verbose=0)
    assert model.evaluate(*adding(500, 20, seed=1), verbose=0) < 1 / 6 / 20
