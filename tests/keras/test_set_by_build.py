"""What `build` and `call` of layers of users set as attributes. The numbers are those of real Keras 2.3.1."""

import copy

import numpy as np
import pytest
from kconvert.keras.layers import Dense, Input, Layer
from kconvert.keras.models import Model, Sequential

import kconvert.keras as keras
from kconvert.conventions.backends import BACKENDS
from kconvert.keras import backend as K

X, Y = np.arange(6.0).reshape(2, 3) / 6, np.ones((2, 2))


class Outer(Layer):
    """A Dense layer that `build` makes as an attribute."""

    def build(self, shape):
        self.dense = Dense(2, kernel_initializer="ones")
        self.dense.build(shape)
        super().build(shape)

    def call(self, x):
        return self.dense(x)

    def compute_output_shape(self, shape):
        return (*shape[:-1], 2)


class MadeInCall(Outer):
    def build(self, shape):
        self.built = True

    def call(self, x):
        self.dense = Dense(2, kernel_initializer="ones")
        return self.dense(x)


class Untracked(Outer):
    """Keras neither trains nor saves the weights of layers that are no attributes."""

    def build(self, shape):
        self.both = {"dense": Dense(2, kernel_initializer="ones")}

    def call(self, x):
        return self.both["dense"](x)


class UntrackedInCall(Untracked):
    def build(self, shape):
        self.built = True

    def call(self, x):
        return Dense(2, kernel_initializer="ones")(x)


def model_with(layer):
    model = Sequential([Dense(3, kernel_initializer="ones", input_shape=(3,)), layer])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("kind", [Outer, MadeInCall])
def test_a_layer_that_is_made_is_an_attribute(on, kind):
    layer = kind()
    model = model_with(layer)
    assert [one.shape for one in layer.get_weights()] == [(3, 2), (2,)]
    assert layer.dense is layer.dense and layer.dense.built
    assert [a is b for a, b in zip(layer.dense.weights, layer.weights, strict=True)] == [True, True]
    losses = [model.train_on_batch(X, Y) for _ in range(3)]
    np.testing.assert_allclose(losses, [12.625, 9.2842, 7.1517], rtol=1e-4)
    np.testing.assert_allclose(model.predict(X)[:, 0], [0.7684, 4.3716], rtol=1e-4)
    np.testing.assert_allclose(K.get_value(layer.dense.kernel), np.full((3, 2), 0.8746), rtol=1e-4)
    layer.dense.set_weights([2 * np.ones((3, 2)), np.zeros(2)])
    np.testing.assert_allclose(model.predict(X)[:, 0], [1.9141, 10.1536], rtol=1e-4)


@pytest.mark.parametrize("kind", [Untracked, UntrackedInCall])
def test_weights_of_layers_that_are_no_attributes_stay(on, kind):
    layer = kind()
    model = model_with(layer)
    assert layer.weights == [] and len(model.weights) == 2
    losses = [model.train_on_batch(X, Y) for _ in range(3)]
    np.testing.assert_allclose(losses, [12.625, 10.7137, 9.1543], rtol=1e-4)
    np.testing.assert_allclose(model.predict(X)[:, 0], [0.8919, 4.9686], rtol=1e-4)


class Scale(Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.w = None
        self.early = self.add_weight("early", shape=(1,), initializer="ones")

    def build(self, shape):
        self.w = self.add_weight("w", shape=(shape[-1],), initializer="ones")
        self.v = self.add_weight("v", shape=(shape[-1],), initializer="zeros", trainable=False)
        self.both, self.size, self.constant = [self.w, {"v": self.v}], shape[-1], K.constant([1.0, 2.0, 3.0])
        self.input_spec = keras.layers.InputSpec(ndim=2, axes={-1: shape[-1]})

    def call(self, x):
        self.seen, self.twice = 5, x * 2 * self.w
        return x * self.w * self.early


def test_what_build_and_call_set_is_shown(on):
    layer = Scale()
    assert layer.w is None and not hasattr(layer, "v")
    x = Input((3,))
    model = Model(x, layer(x))
    assert layer.w is layer.trainable_weights[1] and layer.both[1]["v"] is layer.v
    assert (layer.size, layer.seen, K.eval(layer.constant).tolist()) == (3, 5, [1, 2, 3])
    K.set_value(layer.w, [2.0, 3.0, 4.0])
    np.testing.assert_allclose(model.predict(np.ones((1, 3))), [[2, 3, 4]])
    np.testing.assert_allclose(K.get_value(layer.both[0]), [2, 3, 4])
    np.testing.assert_allclose(K.get_value(layer.early), [1])
    np.testing.assert_allclose(K.function([x], [layer.twice])([np.ones((1, 3))])[0], [[4, 6, 8]])
    with pytest.raises(ValueError, match="axis -1 has the size 3"):
        layer(Input((4,)))
    assert copy.copy(layer).w is None


def test_build_outside_of_a_model(on):
    layer = Scale()
    layer.build((None, 3))
    assert K.get_value(layer.w).tolist() == [1, 1, 1] and len(layer.weights) == 3


class Moved(Layer):
    def build(self, shape):
        self.shift = K.variable([0.0, 1.0, 2.0])

    def call(self, x):
        return x + self.shift


def test_variables_as_attributes(on):
    layer = Moved(input_shape=(3,))
    model = Sequential([layer])
    model.compile("sgd", "mse")
    assert len(layer.weights) == 1
    assert len(layer.trainable_weights) == BACKENDS[K.backend()].trains_variables
    assert K.get_value(layer.shift).tolist() == [0, 1, 2]
    np.testing.assert_allclose(model.predict(np.ones((1, 3))), [[1, 2, 3]])
