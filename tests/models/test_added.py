"""add_loss, add_metric and add_update: of models on symbols, of layers in `call`."""

import numpy as np
import pytest

import kconvert as kc
from kconvert.errors import KconvertError
from kconvert.keras import backend as K
from kconvert.layers import Dense, Input, Layer

X = np.random.default_rng(0).normal(size=(20, 5)).astype("float32")
Y = X.sum(1, keepdims=True)


@pytest.fixture(params=[pytest.param(n, marks=pytest.mark.needs(n)) for n in ("theano", "tensorflow")])
def on(request):
    return request.param


def dense():
    x = Input((5,))
    y = Dense(1)(x)
    return kc.Model(x, y), x, y


def test_a_loss_of_symbols_alone_trains_a_model(on):
    model, x, y = dense()
    model.add_loss(K.mean(K.square(y - K.sum(x, axis=-1, keepdims=True))))
    model.compile("sgd", backend=on)
    before = model.evaluate(X, verbose=0)
    np.testing.assert_allclose(before, np.square(model.predict(X) - Y).mean(), rtol=1e-5)
    history = model.fit(X, epochs=5, verbose=0)
    assert history.history["loss"][-1] < before
    assert len(model.losses) == 1


def test_an_added_loss_adds_to_that_of_the_outputs_also_in_an_outer_model(on):
    model, _, y = dense()
    model.add_loss(0.5 * K.mean(K.abs(y)))
    outer_input = Input((5,))
    outer = kc.Model(outer_input, model(outer_input))
    for one in (model, outer):
        one.compile("sgd", "mse", backend=on)
        outputs = one.predict(X)
        right = np.square(outputs - Y).mean() + 0.5 * np.abs(outputs).mean()
        np.testing.assert_allclose(one.evaluate(X, Y, verbose=0), right, rtol=1e-5)


def test_a_loss_uses_outputs_of_an_inner_model_that_has_the_same_input(on):
    x = Input((5,))
    features = Dense(4)(x)
    mean, spread = Dense(2)(features), Dense(2)(features)
    encoder = kc.Model(x, [mean, spread])
    outer = kc.Model(x, Dense(5)(encoder(x)[0]))
    outer.add_loss(K.mean(K.square(mean) + 3 * spread))
    outer.compile("sgd", backend=on)
    first, second = encoder.predict(X)
    np.testing.assert_allclose(outer.evaluate(X, verbose=0), np.mean(np.square(first) + 3 * second), rtol=1e-4)


def test_a_metric_of_symbols_is_the_mean_over_batches(on):
    model, _, y = dense()
    model.add_metric(K.sum(y), name="sums")
    model.compile("sgd", "mse", metrics=["mae"], backend=on)
    assert model.metrics_names == ["loss", "mae", "sums"]
    sums = model.evaluate(X, Y, batch_size=5, verbose=0)[2]
    np.testing.assert_allclose(sums, model.predict(X).sum() / 4, rtol=1e-4, atol=1e-5)


def test_what_is_not_in_the_model_is_refused():
    model, _, y = dense()
    with pytest.raises(KconvertError, match="takes a symbol"):
        model.add_loss(1.0)
    with pytest.raises(KconvertError, match="a layer with weights that is not in the model"):
        model.add_loss(Dense(1)(y))
    with pytest.raises(KconvertError, match="an input that is not in the model"):
        model.add_loss(Input((5,)))


def test_a_model_without_any_loss_is_refused():
    model, _, _ = dense()
    with pytest.raises(KconvertError, match="no output has a loss"):
        model.compile("sgd")


class Counting(Layer):
    """Counts its batches, and keeps a moving average of their means."""

    def build(self, shape):
        self.batches = self.add_weight(name="batches", shape=(1,), initializer="zeros", trainable=False)
        self.average = self.add_weight(name="average", shape=(shape[-1],), initializer="zeros", trainable=False)
        super().build(shape)

    def call(self, x):
        self.add_update(K.update_add(self.batches, K.ones((1,))), x)
        self.add_update([K.moving_average_update(self.average, K.mean(x, axis=0), 0.9)])
        self.add_metric(K.square(x), name="squares")
        return x * 1.0

    def compute_output_shape(self, shape):
        return shape


def test_updates_of_a_layer_are_done_in_training_alone(on):
    layer = Counting(input_shape=(5,))
    model = kc.Sequential([layer, Dense(1)])
    model.compile("sgd", "mse", backend=on)
    model.fit(X, Y, batch_size=10, shuffle=False, verbose=0)
    model.evaluate(X, Y, verbose=0)
    model.predict(X)
    batches, average = layer.get_weights()
    assert batches == [2]
    np.testing.assert_allclose(average, 0.1 * X[10:].mean(0) + 0.09 * X[:10].mean(0), rtol=1e-5, atol=1e-7)


def test_a_metric_of_a_layer_is_in_the_logs(on):
    model = kc.Sequential([Counting(input_shape=(5,)), Dense(1)])
    model.compile("sgd", "mse", backend=on)
    history = model.fit(X, Y, batch_size=8, verbose=0)
    np.testing.assert_allclose(history.history["squares"], [np.square(X).mean()], rtol=1e-5)


def test_an_update_of_what_is_no_weight_is_refused():
    class Wrong(Layer):
        def call(self, x):
            self.add_update(K.update(K.zeros((1,)), K.ones((1,))))
            return x * 1.0

    model = kc.Sequential([Wrong(input_shape=(5,)), Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(KconvertError, match="not a weight of the layer"):
        model.fit(X, Y, verbose=0)


@pytest.mark.parametrize(("method", "value"), [("add_update", (0.0, 1.0)), ("add_metric", 0.0)])
def test_a_layer_adds_in_call_alone(method, value):
    with pytest.raises(KconvertError, match="outside of call"):
        getattr(Dense(1), method)(value)
