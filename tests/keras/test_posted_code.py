"""Code as people posted it for Keras 2: layers that use what `build` sets, symbols from outside, and the like."""

import numpy as np
import pytest
from kconvert.keras.layers import Dense, Input, Lambda, Layer
from kconvert.keras.models import Model

import kconvert.keras as keras
from kconvert.errors import KconvertError
from kconvert.keras import backend as K

X = np.random.default_rng(0).random((6, 4)).astype("float32")


class Features(Layer):
    """A layer whose output shape is what its `build` found."""

    def __init__(self, **kwargs):
        self.features = 0
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.features = input_shape[-1]
        self.w = self.add_weight((self.features,), initializer="ones", name=f"{self.name}_w")
        self.built = True

    def call(self, x, mask=None):
        return x * self.w

    def compute_output_shape(self, input_shape):
        return input_shape[0], self.features


class Loss(Layer):
    """A layer that adds a loss of its inputs and of a symbol from outside."""

    def __init__(self, other, **kwargs):
        self.other = other
        super().__init__(**kwargs)

    def call(self, inputs):
        x, y = inputs
        self.add_loss(K.mean(K.square(x - y)) + K.mean(1 + K.abs(self.other)), inputs=inputs)
        return x


def test_an_output_shape_may_use_what_build_sets(on):
    x = Input((4,))
    model = Model(x, Dense(2)(Features()(x)))
    assert model.output_shape == (None, 2) and model.layers[1].output_shape == (None, 4)
    assert model.predict(X).shape == (6, 2)


def test_a_layer_may_use_a_symbol_from_outside(on):
    x = Input((4,))
    code = Dense(2)(x)
    model = Model(x, Loss(code)([x, Dense(4)(code)]))
    model.compile("sgd", loss=None)
    wanted = np.mean((X - Model(x, model.layers[2].output).predict(X)) ** 2) + np.mean(
        1 + np.abs(Model(x, code).predict(X))
    )
    assert model.evaluate(X, verbose=0) == pytest.approx(wanted, rel=1e-5)
    model.fit(X, epochs=1, verbose=0)
    scaled = Model(x, Lambda(lambda one: one * K.sum(x, axis=-1, keepdims=True))(code))
    assert np.allclose(scaled.predict(X), Model(x, code).predict(X) * X.sum(-1, keepdims=True), atol=1e-5)


def test_a_symbol_that_the_model_does_not_have_is_refused():
    other = Dense(2)(Input((3,)))
    x = Input((4,))
    with pytest.raises(KconvertError, match="that is not in the model"):
        Model(x, Loss(other)([x, Dense(4)(x)])).predict(X)


def test_a_network_on_an_operation_takes_weights_of_a_file(on, tmp_path):
    """As neural style transfer does: three pictures in one symbol."""
    one, two = K.placeholder((1, 32, 32, 3)), K.variable(np.ones((1, 32, 32, 3)))
    options = {"include_top": False, "weights": None, "alpha": 0.25}
    made = keras.applications.MobileNet(input_shape=(32, 32, 3), **options)
    made.save_weights(tmp_path / "weights.h5")
    options["weights"] = str(tmp_path / "weights.h5")
    model = keras.applications.MobileNet(input_tensor=K.concatenate([one, two], axis=0), **options)
    images = np.random.default_rng(1).random((1, 32, 32, 3)).astype("float32")
    (value,) = K.function([one], [model.output])([images])
    both = np.concatenate([images, np.ones_like(images)])
    assert np.allclose(value, made.predict(both), atol=1e-4)
