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


def test_attributes_hide_none_of_kconvert():
    assert layers.UpSampling1D(2)(layers.Input((4, 2))).shape == (None, 8, 2)
    deconv = layers.Deconvolution2D(
        3, 2, 2, (None, 8, 8, 3), subsample=(2, 2), input_shape=(4, 4, 2), dim_ordering="tf"
    )
    assert models.Sequential([deconv]).layers[0].output_shape == deconv.get_config()["output_shape"] == (None, 8, 8, 3)


def test_a_file_states_no_strides_of_a_convlstm2d_that_keras_1_2_2_cannot_read():
    layer = layers.ConvLSTM2D(2, 2, 2, input_shape=(3, 4, 4, 1), dim_ordering="tf")
    assert "subsample" not in models.Sequential([layer]).to_json()


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


def test_both_outputs_of_a_bidirectional_layer_are_there_without_a_mode():
    x = layers.Input((3, 2))
    outputs = layers.Bidirectional(layers.GRU(2, return_sequences=True), merge_mode=None)(x)
    assert [one.shape for one in outputs] == [(None, 3, 2)] * 2


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.Flatten(),
        lambda: layers.Convolution1D(2, 2),
        lambda: layers.Reshape((6,)),
        lambda: layers.Permute((2, 1)),
        lambda: layers.GlobalAveragePooling1D(),
        lambda: layers.Lambda(lambda x: x),
    ],
)
def test_layers_that_support_no_masks_refuse_them(layer):
    masked = layers.Masking()(layers.Input((3, 2)))
    with pytest.raises(ValueError, match="takes no mask"):
        layer()(masked)
    for accepts in (layers.LeakyReLU(), layers.BatchNormalization(), layers.LSTM(2), layers.SpatialDropout1D(0.1)):
        accepts(masked)


def test_merge_refuses_inputs_of_several_shapes():
    a, b = layers.Input((3,)), layers.Input((4,))
    for mode in ("sum", "mul", "ave", "cos", "max"):
        with pytest.raises(KconvertError, match="one shape"):
            layers.merge([a, b], mode)


# ------------------------------------------------------------------- models ----


def small():
    model = models.Sequential([layers.Dense(3, input_dim=4, activation="tanh", name="a")])
    model.add(layers.Dropout(0.5, name="b"))
    model.add(layers.Dense(2, name="c"))
    return model


def test_a_sequential_is_configured_by_the_list_of_its_layers():
    model = small()
    config = model.get_config()
    assert [item["class_name"] for item in config] == ["Dense", "Dropout", "Dense"]
    assert config[1]["config"] == {"name": "b", "trainable": True, "p": 0.5}
    again = models.Sequential.from_config(json.loads(json.dumps(config)))
    again.set_weights(model.get_weights())
    x = np.ones((2, 4))
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


def test_a_graph_is_configured_by_its_layers_and_their_calls():
    a, b, shared = layers.Input((3,), name="a"), layers.Input((3,), name="b"), layers.Dense(2, name="d")
    inner = models.Sequential([layers.Dense(2, input_dim=4, name="e")], name="inner")
    joined = layers.merge([shared(a), shared(b)], mode="concat", name="z")
    model = models.Model(input=[a, b], output=inner(joined), name="whole")
    config = model.get_config()
    calls = {item["name"]: item["inbound_nodes"] for item in config["layers"]}
    assert calls["d"] == [[["a", 0, 0]], [["b", 0, 0]]] and calls["z"] == [[["d", 0, 0], ["d", 1, 0]]]
    again = models.Model.from_config(json.loads(json.dumps(config)))
    again.set_weights(model.get_weights())
    x = [np.ones((2, 3)), np.zeros((2, 3))]
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert again.name == "whole" and [type(one) for one in again.layers] == [type(one) for one in model.layers]
    config["layers"][2]["inbound_nodes"] = [[["nobody", 0, 0]]]
    with pytest.raises(KconvertError, match="nobody"):
        models.Model.from_config(config)


def test_a_sequential_behind_a_merge_is_configured_with_its_branches():
    left, right = (models.Sequential([layers.Dense(3, input_dim=n)]) for n in (2, 4))
    model = models.Sequential([layers.Merge([left, right], mode="mul"), layers.Dense(1)])
    config = model.get_config()
    assert [item["class_name"] for item in config[0]["config"]["layers"]] == ["Sequential"] * 2
    again = models.Sequential.from_config(config)
    again.set_weights(model.get_weights())
    x = [np.ones((2, 2)), np.ones((2, 4))]
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert [type(one).__name__ for one in model.flattened_layers] == ["Dense"] * 3


def test_inputs_and_weights_have_the_names_of_keras_1_2_2():
    model = models.Sequential([layers.Convolution2D(2, 2, 2, input_shape=(4, 4, 1), dim_ordering="tf", name="c")])
    model.add(layers.BatchNormalization(name="n"))
    model.add(layers.PReLU(name="p"))
    (name,) = model.input_names
    assert name.startswith("convolution2d_input_")
    names = [one.name.partition(":")[0] for one in model.weights]
    assert names == ["c_W", "c_b", "n_gamma", "n_beta", "p_alphas", "n_running_mean", "n_running_std"]


def test_the_summary_is_that_of_keras_1_2_2(capsys):
    a = layers.Input((3,), name="a")
    models.Model(a, [layers.Dense(2, name="b")(a), layers.Dense(1, name="c")(a)]).summary(60)
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == SUMMARY.splitlines()


SUMMARY = """\
____________________________________________________________
Layer (type)       Output Shape  Param  Connected to
============================================================
a (InputLayer)     (None, 3)     0
____________________________________________________________
b (Dense)          (None, 2)     8      a[0][0]
____________________________________________________________
c (Dense)          (None, 1)     4      a[0][0]
============================================================
Total params: 12
Trainable params: 12
Non-trainable params: 0
____________________________________________________________
"""


def test_batch_normalization_has_three_modes():
    with pytest.raises(ValueError, match=r"BatchNormalization of Keras 1.2.2 has no mode 3; its modes are 0, 1, 2"):
        layers.BatchNormalization(mode=3)


def test_batch_input_shape_counts_before_input_dim_and_this_before_input_shape():
    """As in Keras 1.2.2, where a configuration of Dense states both."""
    dense = layers.Dense(3, input_dim=2, batch_input_shape=(None, 4, 2))
    assert dense.batch_input_shape == (None, 4, 2)
    assert layers.Dense(3, input_dim=2, input_shape=(4, 2)).batch_input_shape == (None, 2)
    assert layers.LSTM(3, input_dim=2, batch_input_shape=(1, 4, 2)).batch_input_shape == (1, 4, 2)
