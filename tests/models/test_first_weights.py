"""The argument `weights` of the constructors of layers: the arrays that a layer gets in place of initial ones."""

from copy import deepcopy

import numpy as np
import pytest

import kconvert as kc
from kconvert.errors import KconvertError
from kconvert.layers import GRU, LSTM, Bidirectional, Conv2D, Dense, Embedding, Input, Layer, TimeDistributed

RANDOM = np.random.default_rng(0)
KERNEL, BIAS = RANDOM.normal(size=(3, 2)).astype("float32"), np.array([1.0, -1.0], "float32")
ON = ["numpy", *(pytest.param(n, marks=pytest.mark.needs(n)) for n in ("theano", "tensorflow"))]


@pytest.mark.parametrize("on", ON)
def test_they_are_those_of_get_weights(on):
    table, image = RANDOM.normal(size=(5, 3)), RANDOM.normal(size=(2, 2, 1, 1))
    model = kc.Sequential([Embedding(5, 3, weights=[table], input_length=4, trainable=False)])
    model.start(on)
    np.testing.assert_allclose(model.predict(np.array([[0, 1, 4, 2]]))[0], table[[0, 1, 4, 2]], rtol=1e-6)
    model = kc.Sequential([Conv2D(1, 2, weights=[image, np.zeros(1)], input_shape=(4, 4, 1))])
    model.start(on)
    np.testing.assert_allclose(model.get_weights()[0], image, rtol=1e-6)


def test_layers_inside_others_and_whole_wrappers():
    inner = kc.Sequential([TimeDistributed(Dense(2, weights=[KERNEL, BIAS]), input_shape=(4, 3))])
    arrays = [RANDOM.normal(size=shape) for shape in 2 * ((2, 9), (3, 9), (9,))]
    model = kc.Sequential([inner, Bidirectional(GRU(3), weights=arrays)])
    for found, given in zip(model.get_weights(), [KERNEL, BIAS, *arrays], strict=True):
        np.testing.assert_allclose(found, given, rtol=1e-6)


def test_a_layer_that_was_called_has_them():
    x = Input((3,))
    layer = Dense(2, weights=[KERNEL, BIAS])
    layer(x)
    np.testing.assert_array_equal(layer.get_weights()[0], KERNEL)
    layer.set_weights([KERNEL * 2, BIAS])
    np.testing.assert_array_equal(kc.Model(x, layer(x)).get_weights()[0], KERNEL * 2)


def test_weights_that_are_loaded_stay(tmp_path):
    layer = Dense(2, weights=[KERNEL, BIAS], input_shape=(3,))
    model = kc.Sequential([layer])
    other = kc.Sequential([Dense(2, weights=[KERNEL * 3, BIAS], input_shape=(3,), name=layer.name)])
    other.save_weights(tmp_path / "w.h5")
    model.load_weights(tmp_path / "w.h5")
    np.testing.assert_array_equal(kc.Sequential([layer, Dense(1)]).get_weights()[0], KERNEL * 3)


def test_copies_have_them_and_configurations_do_not():
    layer = Dense(2, weights=[KERNEL, BIAS], input_shape=(3,))
    assert "weights" not in layer.get_config()
    np.testing.assert_array_equal(kc.Sequential([deepcopy(layer)]).get_weights()[0], KERNEL)


def test_a_class_of_the_user_takes_them():
    class Scale(Layer):
        def build(self, input_shape):
            self.scale = self.add_weight(name="scale", shape=input_shape[1:], initializer="zeros")

        def call(self, x):
            return x * self.scale

    model = kc.Sequential([Scale(weights=[np.arange(3.0)], input_shape=(3,))])
    assert model.predict(np.ones((1, 3))).tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("weights", [[KERNEL], [KERNEL.T, BIAS], [KERNEL, BIAS, BIAS]])
def test_wrong_numbers_and_shapes_are_refused(weights):
    with pytest.raises(KconvertError, match="do not match") as refused:
        kc.Sequential([Dense(2, weights=weights, input_shape=(3,), name="d")]).get_weights()
    assert refused.value.where == "weights of layer d"


def test_a_network_takes_none():
    with pytest.raises((KconvertError, TypeError)):
        kc.Sequential([LSTM(2, input_shape=(3, 4))], weights=[KERNEL])
