"""Layer classes that users wrote for Keras 1.2.2."""

from __future__ import annotations

import numpy as np
import pytest

from kconvert.errors import KconvertError
from kconvert.keras1 import backend as K
from kconvert.keras1 import engine, models


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
