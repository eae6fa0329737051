"""Random nets with losses and metrics: evaluation has the numbers of NumPy, training and validation run."""

import numpy as np
import pytest

from kconvert import Sequential, layers
from kconvert.backend import get_backend

BACKENDS = [pytest.param(name, marks=pytest.mark.needs(name)) for name in ("theano", "tensorflow")]

LOSSES = {  # loss: units, activation, metrics
    "binary_crossentropy": (1, "sigmoid", ["accuracy", "mae"]),
    "hinge": (1, "tanh", ["squared_hinge", "cosine_proximity"]),
    "categorical_crossentropy": (3, "softmax", ["accuracy", "top_k_categorical_accuracy"]),
    "sparse_categorical_crossentropy": (3, "softmax", ["accuracy"]),
    "logcosh": (2, "linear", ["mse", "kullback_leibler_divergence"]),
}

IMAGES = {
    "conv": lambda random: layers.Conv2D(3, int(random.choice([1, 3])), padding="same", activation="relu"),
    "strides": lambda random: layers.Conv2D(2, 3, strides=2, padding="same", activation="tanh"),
    "average": lambda random: layers.AveragePooling2D(2, padding=str(random.choice(["same", "valid"]))),
    "max": lambda random: layers.MaxPooling2D(2, padding=str(random.choice(["same", "valid"]))),
    "normalization": lambda random: layers.BatchNormalization(),
    "separable": lambda random: layers.SeparableConv2D(3, 3, padding="same"),
    "padding": lambda random: layers.ZeroPadding2D(1),
}


def net(seed, loss):
    random = np.random.default_rng(seed)
    units, activation, _ = LOSSES[loss]
    chosen = [IMAGES[name](random) for name in random.choice(list(IMAGES), 3)]
    end = [layers.Flatten(), layers.Dense(units, activation=activation)]
    return Sequential([layers.InputLayer((9, 8, 2)), *chosen, *end])


def labels(loss, count):
    random = np.random.default_rng(7)
    units = LOSSES[loss][0]
    if loss.startswith("sparse"):
        return random.integers(0, units, (count, 1))
    if loss.startswith("categorical"):
        return np.eye(units)[random.integers(0, units, count)]
    return random.integers(0, 2, (count, units)).astype("float32")


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize(("seed", "loss"), list(enumerate(LOSSES)))
def test_random_nets_are_trained_and_evaluated(seed, loss, name):
    x, y = np.random.default_rng(5).normal(size=(7, 9, 8, 2)).astype("float32"), labels(loss, 7)
    found = []
    for backend in (get_backend(name), get_backend("numpy", name)):
        model = net(seed, loss)
        model.start(backend, seed=1)
        model.compile("sgd", loss, metrics=LOSSES[loss][2])
        found.append(model.evaluate(x, y, batch_size=4))
        if backend.name == name:
            history = model.fit(x, y, batch_size=4, verbose=0, validation_data=(x, y)).history
            assert all(np.isfinite(values).all() for values in history.values())
            assert len(history) == 2 * len(model.metrics_names)
            assert model.predict(x).shape == (7, LOSSES[loss][0])
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-5)
