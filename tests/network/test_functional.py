"""Models written in Python, as in Keras 2.3."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kconvert import Model, Sequential
from kconvert import layers as L
from kconvert.models.sequential import as_model
from kconvert.network.architecture import model_from_config
from kconvert.network.functional import Input


def names(model):
    return [layer.name for layer in model.layers]


def test_a_chain_grows_layer_by_layer_and_keeps_its_weights():
    model = Sequential()
    model.add(L.Dense(3, input_shape=(4,)))
    model.start("numpy", seed=0)
    before = model.predict(np.ones((1, 4)))
    model.add(L.Activation("linear"))
    model.add(L.Dense(2))
    model.start("numpy")
    assert names(model) == ["dense_1", "activation_1", "dense_2"]
    assert model.predict(np.ones((1, 4))).shape == (1, 2)
    model.pop()
    assert model.backend.name == "numpy"
    np.testing.assert_array_equal(model.predict(np.ones((1, 4))), before)


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        ({"input_shape": (7, 4)}, (None, 7, 4)),
        ({"input_dim": 4}, (None, 4)),
        ({"input_dim": 4, "input_length": 7}, (None, 7, 4)),
        ({"input_shape": (7, 4), "batch_size": 5}, (5, 7, 4)),
        ({"batch_input_shape": (5, 7, 4)}, (5, 7, 4)),
    ],
)
def test_the_shape_of_the_input_in_every_spelling(given, shape):
    assert L.Dense(2, **given).batch_input_shape == shape


def test_a_graph_with_a_shared_layer_and_two_outputs():
    a, b = Input((4,)), Input((4,), name="second")
    shared = L.Dense(3, activation="tanh")
    left, right = shared(a), shared(b)
    model = Model([a, b], [L.Concatenate()([left, right]), right], name="graph")
    assert names(model) == ["input_1", "second", "dense_1", "concatenate_1"]
    assert model.compute_output_shape([(None, 4)] * 2) == [(None, 6), (None, 3)]
    model.start("numpy", seed=0)
    joined, last = model.predict([np.ones((2, 4)), np.zeros((2, 4))])
    np.testing.assert_array_equal(joined[:, 3:], last)
    again = model_from_config(json.loads(model.to_json()))
    assert names(again) == names(model)
    again = as_model(again).bind(model.backend, model.arrays)
    np.testing.assert_array_equal(again.predict([np.ones((2, 4)), np.zeros((2, 4))])[0], joined)


def test_models_are_layers_and_share_their_weights():
    x = Input((4,))
    encoder = Model(x, L.Dense(2)(x), name="encoder")
    whole = Sequential([encoder, L.Dense(4)])
    whole.start("numpy", seed=0)
    encoder.start("numpy")
    hidden = encoder.predict(np.ones((1, 4)))
    whole.set_weights([2 * array for array in whole.get_weights()])
    np.testing.assert_allclose(encoder.predict(np.ones((1, 4))), 2 * hidden, rtol=1e-6)


def test_states_can_be_given_to_recurrent_layers():
    x, h, c = Input((None, 3)), Input((2,)), Input((2,))
    output, *states = L.LSTM(2, return_state=True)(x, initial_state=[h, c])
    model = Model([x, h, c], [output, *states])
    model.start("numpy", seed=0)
    ones, zeros = np.ones((1, 2)), np.zeros((1, 2))
    step = np.ones((1, 1, 3))
    _, *after = model.predict([step, ones, zeros])
    twice = model.predict([np.ones((1, 2, 3)), ones, zeros])[0]
    np.testing.assert_allclose(model.predict([step, *after])[0], twice, rtol=1e-5)


def test_one_seed_gives_one_network_on_every_backend(backend):
    """Kernels are reversed for a backend that convolves, so the outputs are the same."""

    def made(name, convention):
        layers = [L.Conv2D(3, (3, 2), input_shape=(6, 5, 2)), L.Flatten(), L.Dense(2)]
        model = Sequential(layers)
        model.start(backend if name == "here" else reference(convention), seed=7)
        return model.predict(np.random.default_rng(0).normal(size=(2, 6, 5, 2)))

    def reference(convention):
        from kconvert.backend import get_backend

        return get_backend("numpy", convention)

    np.testing.assert_allclose(made("here", None), made("there", "tensorflow"), rtol=1e-4, atol=1e-5)


def test_summary_counts_what_is_trained(capsys):
    model = Sequential([L.Dense(3, input_shape=(4,)), L.BatchNormalization(), L.Dense(2, trainable=False)])
    model.summary()
    said = capsys.readouterr().out
    assert "dense_1 (Dense)" in said and "(None, 3)" in said
    assert "Total params: 35\nTrainable params: 21\nNon-trainable params: 14\n" in said


def test_names_in_a_summary_are_shown_as_they_are(capsys):
    """A name comes from a file: it is no markup, and a terminal obeys nothing in it."""
    Sequential([L.Dense(3, input_shape=(4,), name="[red]x[/red]\x1b[2J")]).summary()
    shown = capsys.readouterr().out
    assert "[red]x[/red]" in shown and "\x1b[2J" not in shown


def test_a_layer_that_is_called_twice_has_the_shapes_that_both_calls_have():
    dense, concatenate = L.Dense(2), L.Concatenate()
    a, b, c = Input((3,)), Input((3,)), Input((4,))
    one, two = dense(a), dense(b)
    concatenate([one, two])
    assert dense.input_shape == (None, 3) and dense.output_shape == (None, 2)
    concatenate([one, c])
    with pytest.raises(AttributeError, match="called 2 times"):
        _ = concatenate.input_shape


def test_errors_of_graphs_are_of_the_classes_of_keras_1_and_2():
    """Keras 1.2.2 raises RuntimeError and TypeError. Keras 2.3.1 raises ValueError."""
    a, b = Input((3,)), Input((3,))
    y = L.Dense(2, name="same")(b)
    for error in (ValueError, RuntimeError):
        with pytest.raises(error, match="not among the inputs"):
            Model(a, y)
        with pytest.raises(error, match="two layers have the same name"):
            Model(b, L.Dense(2, name="same")(y))
    for error in (ValueError, TypeError):
        with pytest.raises(error, match="Model takes symbols"):
            Model("x", y)
