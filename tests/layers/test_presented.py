"""The configurations of layers as Keras 2.3.1 shows them; what it showed is written here as it printed it."""

from __future__ import annotations

import pytest

from kconvert import Sequential
from kconvert import layers as L

ZEROS = {"class_name": "Zeros", "config": {}}
UNIFORM = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None},
}
DENSE = {
    "name": "d",
    "trainable": True,
    "dtype": "float32",
    "units": 3,
    "activation": "linear",
    "use_bias": True,
    "kernel_initializer": UNIFORM,
    "bias_initializer": ZEROS,
    "kernel_regularizer": None,
    "bias_regularizer": None,
    "activity_regularizer": None,
    "kernel_constraint": None,
    "bias_constraint": None,
}


def test_components_are_shown_as_configurations():
    assert L.Dense(3, name="d").get_config() == DENSE
    config = L.Dense(3, "relu", kernel_regularizer="l1", kernel_constraint="max_norm", name="d").get_config()
    assert config["activation"] == "relu"
    assert config["kernel_regularizer"] == {"class_name": "L1L2", "config": {"l1": 0.01, "l2": 0.0}}
    assert config["kernel_constraint"] == {"class_name": "MaxNorm", "config": {"max_value": 2, "axis": 0}}


def test_sizes_are_tuples():
    config = L.Conv2D(2, 3, activation=None, input_shape=(8, 8, 1), name="c").get_config()
    assert [config[key] for key in ("kernel_size", "strides", "dilation_rate")] == [(3, 3), (1, 1), (1, 1)]
    assert config["batch_input_shape"] == (None, 8, 8, 1) and config["activation"] == "linear"
    assert L.ZeroPadding2D((1, 2)).get_config()["padding"] == ((1, 1), (2, 2))


def test_layers_inside_others_are_shown_in_the_same_way():
    assert L.TimeDistributed(L.Dense(3, name="d")).get_config()["layer"] == {"class_name": "Dense", "config": DENSE}
    model = Sequential([L.Dense(3, name="d")], name="m")
    assert model.get_config() == {"name": "m", "layers": [{"class_name": "Dense", "config": DENSE}]}
    assert Sequential.from_config(model.get_config()).get_config() == model.get_config()


def test_an_input_layer_has_three_options():
    config = L.InputLayer((3,), name="i").get_config()
    assert config == {"name": "i", "batch_input_shape": (None, 3), "dtype": "float32", "sparse": False}


def test_what_a_file_does_not_state_is_shown_and_not_stored():
    layer = L.Dense.from_config({"name": "d", "units": 3})
    assert layer.get_config() == DENSE
    assert layer.stored_config() == {"name": "d", "units": 3}


def test_a_class_of_the_user_adds_its_options():
    class Scaled(L.Dense):
        def get_config(self):
            return {**super().get_config(), "factor": 2}

    layer = Scaled(3, name="d")
    assert layer.get_config() == layer.stored_config() == {**DENSE, "factor": 2}


@pytest.mark.parametrize("words", [{"padding": "SAME"}, {"data_format": "Channels_Last"}])
def test_words_may_have_capitals(words):
    ((option, word),) = words.items()
    assert L.MaxPooling2D(2, **words).get_config()[option] == word.lower()


@pytest.mark.parametrize(
    "make",
    [
        lambda: L.Conv2D(2, None),
        lambda: L.Conv2D(2, 2.0),
        lambda: L.MaxPooling2D(None),
        lambda: L.Dense(2, 3),
        lambda: L.Dense(2).count_params(),
        lambda: L.ConvLSTM2D(2, 3, unroll=True),
    ],
)
def test_what_keras_refuses(make):
    with pytest.raises((ValueError, RuntimeError)):
        make()


def test_arguments_that_keras_takes_without_effect():
    with pytest.warns(UserWarning, match="kernel_initializer of SeparableConv2D has no effect"):
        layer = L.SeparableConv2D(2, 3, kernel_initializer="ones")
    assert "kernel_initializer" not in layer.get_config()
    with pytest.warns(UserWarning, match="data_format"):
        L.LocallyConnected1D(2, 3, data_format="channels_last")


def test_a_batch_size_alone_states_the_input_of_an_embedding():
    assert L.Embedding(5, 2, batch_size=3).batch_input_shape == (3, None)
    assert L.Embedding(5, 2, batch_size=3, input_length=4).batch_input_shape == (3, 4)


def test_inputs_are_not_trainable():
    assert L.InputLayer((3,)).trainable is False
