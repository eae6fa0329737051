"""Small models with their data, both from fixed seeds."""

from __future__ import annotations

import numpy as np

from kconvert import Sequential
from kconvert import layers as L


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def one_hot(n: int, classes: int = 3) -> np.ndarray:
    return np.eye(classes, dtype="float32")[np.random.default_rng(1).integers(0, classes, n)]


def mlp() -> tuple[Sequential, np.ndarray, np.ndarray]:
    layers = [L.Dense(16, activation="relu", input_shape=(20,)), L.Dense(3, activation="softmax")]
    return Sequential(layers), numbers(64, 20), one_hot(64)


def cnn() -> tuple[Sequential, np.ndarray, np.ndarray]:
    layers = [
        L.Conv2D(6, (3, 2), activation="relu", input_shape=(9, 8, 2)),
        L.MaxPooling2D(2),
        L.Conv2D(4, (2, 3)),
        L.BatchNormalization(),
        L.Activation("tanh"),
        L.Flatten(),
        L.Dense(3, activation="softmax"),
    ]
    return Sequential(layers), numbers(64, 9, 8, 2), one_hot(64)


def lstm() -> tuple[Sequential, np.ndarray, np.ndarray]:
    """Sequences of words; 0 is padding."""
    words = np.random.default_rng(2).integers(0, 30, (64, 7))
    layers = [
        L.Embedding(30, 8, mask_zero=True, input_shape=(None,)),
        L.LSTM(10, recurrent_activation="hard_sigmoid"),
        L.Dense(3, activation="softmax"),
    ]
    return Sequential(layers), words, one_hot(64)


MODELS = {"mlp": mlp, "cnn": cnn, "lstm": lstm}


def dense(units: int = 1, features: int = 4, **options: object) -> Sequential:
    """A model of one layer whose weights are ones, so that its outputs are easy to compute by hand."""
    options = {"kernel_initializer": "ones", **options}
    return Sequential([L.Dense(units, input_shape=(features,), name="d", **options)], name="m")
