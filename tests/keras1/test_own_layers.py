"""Layer classes that users wrote for Keras 1.2.2."""

from __future__ import annotations

import json
import runpy

import numpy as np
import pytest

from kconvert import keras1
from kconvert.errors import KconvertError
from kconvert.keras1 import backend as K
from kconvert.keras1 import engine, layers, models
from tests.fixtures import FOLDER

HERE = FOLDER / "keras1_users"
TOOLS = runpy.run_path(str(HERE / "layers.py"))
KNOWN = {path.stem: json.loads(path.read_text()) for path in sorted(HERE.glob("*.json"))}


@pytest.mark.parametrize(
    ("on", "name"),
    [pytest.param(on, name, marks=pytest.mark.needs(on)) for on, found in KNOWN.items() for name in found],
    indirect=["on"],
)
def test_layers_of_users_compute_and_train_as_in_keras_1_2_2(on, name):
    found = TOOLS["flat"](TOOLS["cases"](keras1)[name]())
    np.testing.assert_allclose(found, KNOWN[on][name], rtol=1e-3, atol=1e-5)


class Scale(engine.Layer):
    """Computes 2 x + 5 with variables that `build` lists as weights."""

    def build(self, shape):
        self.factor = K.variable(np.full(shape[-1:], 2.0))
        self.offset = K.variable(np.full(shape[-1:], 5.0))
        self.trainable_weights, self.non_trainable_weights = [self.factor], [self.offset]

    def call(self, x, mask=None):
        return x * self.factor + self.offset


@pytest.mark.parametrize(
    "on", [pytest.param(on, marks=pytest.mark.needs(on)) for on in ("theano", "tensorflow")], indirect=True
)
def test_variables_of_build_keep_their_values_and_the_list_that_they_are_in(on):
    model = models.Sequential([Scale(input_shape=(3,))])
    np.testing.assert_allclose(model.predict(np.ones((1, 3), "float32")), [[7, 7, 7]])
    np.testing.assert_allclose(model.get_weights(), [[2, 2, 2], [5, 5, 5]])
    assert [len(model.trainable_weights), len(model.non_trainable_weights)] == [1, 1]


def test_a_model_with_a_layer_of_the_user_is_saved(tmp_path):
    path, x = tmp_path / "model.h5", np.ones((1, 3), "float32")
    model = models.Sequential([Scale(input_shape=(3,))])
    model.set_weights([[3, 4, 5], [1, 1, 1]])
    model.save(path)
    loaded = models.load_model(path, custom_objects={"Scale": Scale})
    np.testing.assert_allclose(loaded.predict(x), [[4, 5, 6]])


class Weighted(engine.Layer):
    """Computes x * W, with the argument `weights` of the layers of Keras 1."""

    def __init__(self, weights=None, **options):
        self.initial_weights = weights
        super().__init__(**options)

    def build(self, shape):
        self.offset = self.add_weight((1,), initializer="zero", name="offset", trainable=False)
        self.W = self.add_weight((shape[1],), initializer="one", name="W")
        if self.initial_weights is not None:
            self.set_weights(self.initial_weights)
            del self.initial_weights

    def call(self, x, mask=None):
        return x * self.W + self.offset


def test_set_weights_in_build_gives_initial_values_in_the_order_of_get_weights():
    model = models.Sequential([Weighted([np.array([1, 2, 3]), np.array([9])], input_shape=(3,))])
    np.testing.assert_allclose(model.predict(np.ones((1, 3), "float32")), [[10, 11, 12]])
    assert [array.tolist() for array in model.get_weights()] == [[1, 2, 3], [9]]
    with pytest.raises(KconvertError, match=r"shapes \[\(3,\), \(1,\)\], not \[\(2,\), \(1,\)\]"):
        models.Sequential([Weighted([np.ones(2), np.ones(1)], input_shape=(3,))]).get_weights()


def test_weights_are_attributes_of_a_layer_that_was_called():
    conv = layers.Convolution2D(2, 3, 3, dim_ordering="th", input_shape=(1, 4, 4))
    lstm, dense = layers.LSTM(3, input_shape=(4, 2)), layers.Dense(2, input_dim=3)
    with pytest.raises(AttributeError):
        _ = dense.W
    for layer in (conv, lstm, dense):
        models.Sequential([layer])
    kernel, bias = dense.get_weights()
    np.testing.assert_array_equal(K.get_value(dense.W), kernel)
    K.set_value(dense.b, bias + 1)
    np.testing.assert_array_equal(dense.get_weights()[1], bias + 1)
    np.testing.assert_array_equal(K.eval(conv.W), conv.get_weights()[0])
    assert K.eval(conv.W).shape == conv.W_shape == (2, 1, 3, 3)
    named = {f"{name}_{gate}": None for gate in "icfo" for name in "WUb"}
    for name, array in zip(named, lstm.get_weights(), strict=True):
        np.testing.assert_array_equal(K.eval(getattr(lstm, name)), array)


class Grows(engine.Layer):
    """A layer that uses what its `build` sets."""

    def build(self, shape):
        self.size = shape[1] + 2
        self.W = self.add_weight((shape[1], self.size), "one", name="W")

    def call(self, x, mask=None):
        return K.dot(x, self.W)

    def get_output_shape_for(self, shape):
        return shape[0], self.size


def test_what_build_sets_is_an_attribute_of_a_layer_that_was_called():
    layer = Grows(input_shape=(3,))
    assert not hasattr(layer, "size")
    model = models.Sequential([layer])
    assert layer.size == 5 and model.output_shape == (None, 5)
    np.testing.assert_array_equal(K.get_value(layer.W), np.ones((3, 5)))


def test_layers_and_models_tell_whether_they_use_the_phase():
    uses = [layers.Dropout(0.5), layers.GaussianNoise(0.1), layers.BatchNormalization(), layers.LSTM(2, dropout_U=0.1)]
    uses += [layers.TimeDistributed(layers.Dropout(0.1))]
    does_not = [layers.Dropout(0.0), layers.BatchNormalization(mode=1), layers.LSTM(2), layers.Dense(1)]
    assert all(layer.uses_learning_phase for layer in uses)
    assert not any(layer.uses_learning_phase for layer in does_not)
    assert models.Sequential([layers.Dense(1, input_dim=2), layers.Dropout(0.5)]).uses_learning_phase
    assert not models.Sequential([layers.Dense(1, input_dim=2)]).uses_learning_phase


def test_a_model_inside_a_layer(on):
    """A spatial transformer calls a model that finds the transformation. The numbers are those of Keras 1.2.2."""

    class Scaled(engine.Layer):
        def __init__(self, model, **kwargs):
            self.model = model
            super().__init__(**kwargs)

        def build(self, input_shape):
            self.model.build(input_shape)
            self.trainable_weights = self.model.trainable_weights

        def call(self, x, mask=None):
            return K.reshape(x, (-1, 16)) * self.model.call(x)

        def get_output_shape_for(self, input_shape):
            return None, 16

    inner = models.Sequential([layers.Flatten(input_shape=(4, 4, 1)), layers.Dense(16, init="one")])
    model = models.Sequential([Scaled(inner, input_shape=(4, 4, 1))])
    model.compile("sgd", "mse")
    x = np.arange(32).reshape((2, 4, 4, 1)) / 32
    np.testing.assert_allclose(model.predict(x).sum(1), [14.0625, 138.0625], rtol=1e-5)
    assert model.train_on_batch(x, np.zeros((2, 16))) == pytest.approx(39.193695, rel=1e-5)
    np.testing.assert_allclose(model.predict(x).sum(1), [13.982571, 137.53543], rtol=1e-5)
