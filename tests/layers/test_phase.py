"""The phase that `K.set_learning_phase` sets, and layers that compute otherwise in training."""

from __future__ import annotations

import pytest
from kconvert.keras.layers import LSTM, BatchNormalization, Dense, Dropout, Flatten, Input, ReLU, TimeDistributed
from kconvert.keras.models import Model, Sequential

from kconvert.keras import backend as K


@pytest.fixture(autouse=True)
def clear():
    yield
    K.clear_session()


@pytest.mark.parametrize(
    ("made", "called", "expected"),
    [(None, 1, 1), (1, None, 1), (1, 0, 0), (0, 1, 1), (None, None, None)],
)
@pytest.mark.parametrize("way", ["called", "added", "nested"])
def test_the_phase_when_a_layer_is_called_counts(made, called, expected, way):
    if made is not None:
        K.set_learning_phase(made)
    layer = Dropout(0.5, input_shape=(3,))
    if called is not None:
        K.set_learning_phase(called)
    if way == "added":
        Sequential().add(layer)
    elif way == "nested":
        Model(x := Input((3,)), Sequential([layer])(x))
    else:
        layer(Input((3,)))
    assert layer.fixed_phase == expected


@pytest.mark.parametrize(
    ("layer", "uses"),
    [
        (Dropout(0.5), True),
        (Dropout(0.0), False),
        (BatchNormalization(), True),
        (Dense(2), False),
        (LSTM(2, dropout=0.1), True),
        (TimeDistributed(Dropout(0.1)), True),
    ],
)
def test_models_know_whether_training_computes_otherwise(layer, uses):
    model = Model(x := Input((4, 3)), layer(x))
    assert model.uses_learning_phase is uses and model.outputs[0]._uses_learning_phase is uses


def test_inputs_of_functions_have_the_names_of_keras():
    model = Model(x := Input((3,), name="x"), Dense(2, name="y")(x))
    model.compile("sgd", "mse", backend="numpy")
    assert model._feed_input_names == ["x"] and model._feed_input_shapes == [(None, 3)]
    assert model._feed_output_names == ["y"] and model._feed_output_shapes == [(None, 2)]
    assert model._feed_targets == model.targets and len(model._feed_sample_weights) == len(model._feed_loss_fns) == 1
    assert model.state_updates == []


def test_a_model_class_with_call_has_no_configuration():
    class Own(Model):
        def call(self, x):
            return Dense(2)(x)

    with pytest.raises(NotImplementedError):
        Own().get_config()


def test_flatten_needs_all_sizes_and_relu_a_slope():
    with pytest.raises(ValueError, match="all sizes"):
        Flatten()(Input((None, 3)))
    with pytest.raises(TypeError):
        ReLU(negative_slope=None)
