"""Optimizers of the user with `get_updates(loss, params)`, as Keras 2.3.1 documents them."""

import numpy as np
import pytest
from kconvert.keras.optimizers import SGD, Optimizer

import kconvert as kc
from kconvert.errors import KconvertError
from kconvert.keras import backend as K
from kconvert.layers import Dense

X = np.random.default_rng(0).normal(size=(20, 5)).astype("float32")
Y = X.sum(1, keepdims=True)
BOTH = pytest.mark.parametrize("on", [pytest.param(n, marks=pytest.mark.needs(n)) for n in ("theano", "tensorflow")])


class Momentum(Optimizer):
    """SGD with momentum, written as in Keras."""

    def __init__(self, lr=0.1, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        with K.name_scope("Momentum"):
            self.iterations = K.variable(0, dtype="int64", name="iterations")
            self.lr = K.variable(lr, name="lr")
        self.momentum = momentum

    def get_updates(self, loss, params):
        gradients = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        moments = [K.zeros(K.int_shape(p)) for p in params]
        self.weights = [self.iterations, *moments]
        for p, g, m in zip(params, gradients, moments):  # noqa: B905
            v = self.momentum * m - self.lr * g
            self.updates += [K.update(m, v), K.update(p, p + v)]
        return self.updates

    def get_config(self):
        return {"lr": float(K.get_value(self.lr)), "momentum": self.momentum}


def trained(optimizer, weights, on, epochs=2):
    model = kc.Sequential([Dense(4, input_shape=(5,), kernel_constraint="max_norm"), Dense(1)])
    model.compile(optimizer, "mse", backend=on)
    model.set_weights(weights)
    model.fit(X, Y, epochs=epochs, batch_size=5, verbose=0, shuffle=False)
    return model


WEIGHTS = [np.random.default_rng(1).normal(size=shape) for shape in ((5, 4), (4,), (4, 1), (1,))]


@BOTH
def test_it_trains_as_the_same_optimizer_of_keras(on):
    mine, right = (trained(one, WEIGHTS, on) for one in (Momentum(0.01), SGD(0.01, momentum=0.9)))
    for own, wanted in zip(mine.get_weights(), right.get_weights(), strict=True):
        np.testing.assert_allclose(own, wanted, rtol=1e-4, atol=1e-6)
    assert K.get_value(mine.optimizer.iterations) == 8


@BOTH
def test_its_learning_rate_is_a_variable(on):
    model = trained(Momentum(0.01), WEIGHTS, on, epochs=0)
    K.set_value(model.optimizer.lr, 0.0)
    model.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[2], WEIGHTS[2].astype("float32"))


@BOTH
def test_limits_of_gradients_hold(on):
    mine, right = (trained(one, WEIGHTS, on) for one in (Momentum(0.01, clipnorm=0.1), SGD(0.01, 0.9, clipnorm=0.1)))
    np.testing.assert_allclose(mine.get_weights()[0], right.get_weights()[0], rtol=1e-4, atol=1e-6)


def test_it_is_stored_without_its_state(tmp_path):
    model = trained(Momentum(0.01), WEIGHTS, None)
    model.save(tmp_path / "model.h5")
    loaded = kc.load_model(tmp_path / "model.h5", custom_objects={"Momentum": Momentum})
    assert isinstance(loaded.optimizer, Momentum)
    np.testing.assert_allclose(K.get_value(loaded.optimizer.lr), 0.01)


def test_an_update_of_something_else_is_refused():
    class Wrong(Momentum):
        def get_updates(self, loss, params):
            return [K.update(p * 1.0, p) for p in params]

    with pytest.raises(KconvertError, match="neither a weight nor a variable"):
        trained(Wrong(), WEIGHTS, None)


@BOTH
def test_the_learning_rate_and_the_steps_of_an_optimizer_of_keras(on):
    model = trained(SGD(0.01), WEIGHTS, on)
    assert K.get_value(model.optimizer.iterations) == 8
    K.set_value(model.optimizer.lr, 0.25)
    assert float(K.get_value(model.optimizer.learning_rate)) == model.optimizer.get_config()["learning_rate"] == 0.25
    assert [np.shape(one) for one in model.optimizer.get_weights()] == [(), (5, 4), (4,), (4, 1), (1,)]
    K.set_value(model.optimizer.lr, 0.0)
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[2], before[2])
