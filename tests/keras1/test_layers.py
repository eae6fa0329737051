"""Layers present themselves as those of Keras 1.2.2: their classes, arguments, attributes and configurations."""

from __future__ import annotations

import json
import pickle
import runpy

import numpy as np
import pytest

from kconvert.errors import KconvertError
from kconvert.keras1 import activations, constraints, initializations, layers, models, regularizers
from kconvert.keras1 import backend as K
from tests.fixtures import FOLDER

HERE = FOLDER / "keras1_layers"
TOOLS = runpy.run_path(str(HERE / "cases.py"))
KNOWN = json.loads((HERE / "configs.json").read_text())


def made(name):
    return TOOLS["cases"](layers, regularizers, constraints)[name]


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_configuration_is_that_of_keras_1_2_2(name):
    layer = made(name)
    assert [type(layer).__name__, TOOLS["shown"](layer.get_config())] == KNOWN[name]


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_configuration_makes_the_layer_again(name):
    layer = made(name)
    again = type(layer).from_config(layer.get_config())
    assert type(again) is type(layer) and again.get_config() == layer.get_config()


def test_arguments_are_attributes():
    dense = layers.Dense(3, init="normal", activation="tanh", W_constraint="nonneg", W_regularizer=regularizers.l2(0.5))
    assert (dense.output_dim, dense.bias, dense.activation) == (3, True, activations.tanh)
    assert dense.init is initializations.normal
    assert isinstance(dense.W_constraint, constraints.NonNeg) and dense.W_regularizer.l2 == 0.5
    conv = layers.Convolution2D(4, 3, 5, border_mode="same", subsample=(2, 1), dim_ordering="th")
    assert (conv.nb_filter, conv.nb_row, conv.nb_col, conv.subsample) == (4, 3, 5, (2, 1))
    assert (conv.border_mode, conv.dim_ordering) == ("same", "th")
    lstm = layers.LSTM(3, dropout_U=0.5, consume_less="gpu")
    assert (lstm.dropout_U, lstm.consume_less, lstm.inner_activation) == (0.5, "gpu", activations.hard_sigmoid)
    conv.nb_col, dense.output_dim, dense.activation = 2, 5, "relu"
    assert conv.kernel_size == (3, 2) and dense.units == 5 and dense.activation is activations.relu


def test_the_size_of_the_input_is_known_once_it_is():
    model = models.Sequential([layers.Dense(3, input_shape=(4,))])
    assert model.layers[0].input_dim == model.layers[0].get_config()["input_dim"] == 4


def test_classes_inherit_as_in_keras_1_2_2():
    assert issubclass(layers.AtrousConvolution2D, layers.Convolution2D)
    assert layers.Conv2D is layers.Convolution2D
    assert isinstance(layers.Dense(3), layers.Layer) and not isinstance(layers.Dense(3), layers.Convolution2D)


def test_layers_of_a_file_are_of_the_same_classes(tmp_path):
    model = models.Sequential([layers.Convolution2D(2, 2, 2, input_shape=(4, 4, 1), dim_ordering="tf")])
    model.add(layers.AtrousConvolution2D(2, 2, 2, atrous_rate=(2, 2), dim_ordering="tf"))
    model.add(layers.Flatten())
    model.add(layers.Dense(3, activation="softmax"))
    model.save(tmp_path / "model.h5")
    loaded = models.load_model(tmp_path / "model.h5")
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in model.layers]
    for one, other in zip(loaded.layers[:3], model.layers[:3], strict=True):
        assert one.get_config() == other.get_config()
    x = np.ones((1, 4, 4, 1))
    again = pickle.loads(pickle.dumps(loaded))
    np.testing.assert_allclose(again.predict(x), model.predict(x), rtol=1e-6)


def test_a_subclass_has_the_constructor_and_the_name_of_keras_1_2_2():
    class Half(layers.Dense):
        """A Dense layer of half the size."""

        def __init__(self, output_dim, **kwargs):
            super().__init__(output_dim // 2, **kwargs)

    layer = Half(8, init="zero", input_dim=2)
    assert layer.output_dim == 4 and layer.name.startswith("half_")
    assert models.Sequential([layer]).predict(np.ones((1, 2))).tolist() == [[0, 0, 0, 0]]


def test_a_subclass_asks_its_base_for_the_shape_of_the_output():
    class Longer(layers.Dense):
        """A Dense layer whose output has one element more."""

        def call(self, x, mask=None):
            return K.concatenate([super().call(x, mask), x[:, :1]], axis=1)

        def get_output_shape_for(self, input_shape):
            batch, size = super().get_output_shape_for(input_shape)
            return batch, size + 1

    model = models.Sequential([Longer(2, init="one", input_dim=2)])
    assert model.output_shape == (None, 3) and model.predict(np.ones((1, 2))).tolist() == [[2, 2, 1]]


class Passes(layers.Layer):
    """A layer of the user without a constructor."""


def test_layers_of_users_take_the_arguments_of_every_layer():
    layer = Passes(input_shape=(3,), input_dtype="int32", trainable=False, name="p")
    stated = {"name": "p", "trainable": False, "batch_input_shape": (None, 3), "input_dtype": "int32"}
    assert layer.get_config() == stated
    assert Passes().name.startswith("passes_")
    for wrong in ("input_dim", "batch_size"):
        with pytest.raises(TypeError, match=f"no argument '{wrong}'"):
            Passes(**{wrong: 3})


def test_merge_has_functions_as_its_mode_and_its_mask():
    a, b = layers.Input((3, 2)), layers.Input((3, 2))
    masked = [layers.Masking()(one) for one in (a, b)]
    merged = layers.merge(masked, lambda xs: xs[0] - xs[1], output_shape=(3, 2), output_mask=lambda masks: masks[0])
    model = models.Model([a, b], layers.LSTM(1)(merged))
    x = np.array([[[1, 1], [0, 0], [0, 0]]]), np.array([[[2, 3], [1, 1], [0, 0]]])
    shorter = [one[:, :1] for one in x]
    assert model.predict(list(x)).shape == (1, 1) and shorter[0].shape == (1, 1, 2)
    with pytest.raises(KconvertError, match="states no output_shape"):
        layers.merge([a, b], lambda xs: xs[0])
    with pytest.raises(TypeError):
        layers.Merge()(a)
    once = layers.Merge()
    once([a, b])
    with pytest.raises(RuntimeError, match="once"):
        once([a, b])
