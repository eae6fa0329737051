"""Copies and pickles of models: they predict, and continue training, as the model itself does."""

import copy
import pickle

import numpy as np
import pytest

from kconvert import Input, Model, Sequential, layers

X = np.random.default_rng(0).normal(size=(16, 5)).astype("float32")
Y = X.sum(1, keepdims=True)

BACKENDS = [pytest.param(name, marks=pytest.mark.needs(name)) for name in ("theano", "tensorflow")]
COPIES = {"deepcopy": copy.deepcopy, "pickle": lambda model: pickle.loads(pickle.dumps(model))}


def trained(backend):
    inner = Sequential([layers.Dense(6, activation="tanh", input_shape=(5,), name="a")], name="inner")
    x = Input((5,))
    y = layers.Dense(1, name="b")(layers.Dropout(0.2)(layers.BatchNormalization()(inner(x))))
    model = Model(x, y)
    model.compile("adam", "mse", metrics=["mae"], backend=backend, seed=3)
    model.fit(X, Y, epochs=2, batch_size=8, verbose=0)
    return model


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("how", COPIES)
def test_a_copy_predicts_and_trains_as_the_model_does(how, name):
    model = trained(name)
    made = COPIES[how](model)
    assert made.backend.name == name and made.optimizer is not model.optimizer
    np.testing.assert_array_equal(made.predict(X), model.predict(X))
    inner = made.get_layer("inner")
    np.testing.assert_array_equal(inner.get_weights()[0], model.get_layer("inner").get_weights()[0])
    model.reset_metrics()  # those of `fit` go on in the first batch after it
    before = model.get_weights()
    losses = [made.train_on_batch(X, Y) for _ in range(3)]
    for array, same in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, same, "the copy has weights of its own")
    np.testing.assert_array_equal(inner.get_weights()[0], made.get_weights()[0], "nested models share them")
    assert losses == [model.train_on_batch(X, Y) for _ in range(3)]


@pytest.mark.parametrize("how", COPIES)
def test_a_model_without_weights_is_copied_too(how):
    made = COPIES[how](Sequential([layers.Dense(2, input_shape=(3,))]))
    assert made.backend is None and made.output_shape == (None, 2)


def test_a_shallow_copy_shares_the_layers_and_their_weights():
    model = Sequential([layers.Dense(2, input_shape=(5,))])
    model.start("numpy")
    made = copy.copy(model)
    assert made.layers == model.layers and made.backend is None
    made.set_weights([np.ones((5, 2)), np.ones(2)])
    assert made.backend is model.backend and model.get_weights()[1].tolist() == [1, 1]


@pytest.mark.parametrize("name", BACKENDS)
def test_a_nested_model_runs_on_the_backend_of_the_model_around_it(name):
    model = trained(name)
    inner = model.get_layer("inner")
    inner.predict(X)
    model.train_on_batch(X, Y)
    assert inner.backend is model.backend
    np.testing.assert_array_equal(inner.get_weights()[0], model.get_weights()[0])
