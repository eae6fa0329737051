"""Layers, models and losses that take variables and expressions of `keras.backend` in place of arrays."""

import json

import numpy as np
import pytest
from kconvert.keras.layers import GRU, LSTM, BatchNormalization, Dense, Input, Lambda, add
from kconvert.keras.models import Model, Sequential, clone_model

import kconvert.keras as keras
from kconvert.errors import KconvertError
from kconvert.keras import backend as K

X, Y = np.arange(6.0).reshape(2, 3), np.ones((2, 1))


def ones(units=1, **options):
    """A layer whose outputs are the sums of its inputs."""
    return Dense(units, kernel_initializer="ones", **options)


pytestmark = pytest.mark.usefixtures("on")


def test_a_layer_is_called_on_a_variable():
    v = K.variable(X)
    layer = ones(activity_regularizer="l1")
    y = layer(v)
    assert K.eval(y).tolist() == [[3], [12]] and K.eval(y * 2.0).tolist() == [[6], [24]]
    assert len(layer.get_losses_for(v)) == 1
    K.set_value(v, 2 * X)
    assert K.eval(y).tolist() == [[6], [24]]
    assert K.eval(add([v, v])).tolist() == (4 * X).tolist()
    assert K.eval(BatchNormalization()(v)).shape == (2, 3)


def test_a_symbol_of_an_input_has_no_value():
    with pytest.raises(KconvertError, match="no value without the values of the inputs"):
        K.eval(ones()(Input((3,))))


def test_initial_states_are_variables():
    x = Input((2, 3))
    y = GRU(2, kernel_initializer="zeros", recurrent_initializer="zeros")(x, initial_state=K.variable([[4.0, 8.0]]))
    np.testing.assert_allclose(Model(x, y).predict(np.zeros((1, 2, 3))), [[1, 2]])  # half of it in each step
    states = LSTM(2).get_initial_state(x)
    assert [K.function([x], [one])([np.ones((3, 2, 3))])[0].tolist() for one in states] == [[[0, 0]] * 3] * 2


def test_an_input_is_a_variable():
    v = K.variable(X)
    x = Input(tensor=v)
    model = Model(x, ones()(x))
    assert model.predict(None).tolist() == [[3], [12]]
    model.compile("sgd", "mse")
    assert model.train_on_batch(None, Y) == pytest.approx((4 + 121) / 2)
    given = Input((3,))
    both = Model([x, given], ones()(add([x, given])))
    assert both.predict(X).tolist() == [[6], [24]]
    with pytest.raises(KconvertError, match="the model has 1 inputs, 0 were given"):
        both.predict(None)
    assert K.function([given], [both.output])([X])[0].tolist() == [[6], [24]]


def test_a_clone_is_called_on_a_variable():
    clone = clone_model(Sequential([ones(input_shape=(3,))]), input_tensors=K.variable(X))
    assert clone.predict(None).tolist() == [[3], [12]]


def test_labels_are_variables_or_placeholders():
    model = Sequential([ones(input_shape=(3,))])
    loss = (4 + 121) / 2
    for target in (K.placeholder((None, 1)), [K.placeholder((None, 1))]):
        model.compile("sgd", "mse", target_tensors=target)
        assert model.test_on_batch(X, Y) == pytest.approx(loss)
    model.compile("sgd", "mse", target_tensors={model.output_names[0]: K.variable(Y)})
    assert model.test_on_batch(X) == model.evaluate(X, verbose=0) == pytest.approx(loss)
    assert model.fit(X, verbose=0).history["loss"] == pytest.approx([loss])


@pytest.mark.parametrize(
    ("kind", "target", "words"),
    [
        (ValueError, lambda: [K.placeholder((None, 1))] * 2, "2 values were given for 1 outputs"),
        (ValueError, lambda: {"other": K.placeholder((None, 1))}, "there is no output 'other'"),
        (TypeError, lambda: "labels", "str is neither a placeholder nor a variable"),
        (TypeError, lambda: ones()(Input((3,))), "Symbol is neither a placeholder nor a variable"),
    ],
)
def test_other_labels_are_refused(kind, target, words):
    with pytest.raises(kind, match=words):
        Sequential([ones(input_shape=(3,))]).compile("sgd", "mse", target_tensors=target())


def test_a_lambda_is_made_of_its_configuration():
    model = Sequential([Lambda(lambda x, by: x * by, arguments={"by": 3}, input_shape=(3,))])
    again = Sequential.from_config(model.get_config())
    assert again.predict(X).tolist() == (3 * X).tolist()
    config = json.loads(model.to_json())
    assert keras.models.model_from_config(config).predict(X).tolist() == (3 * X).tolist()
    stored = config["config"]["layers"][0]["config"]["function"]
    stored[0] = stored[0].replace("4", "5", 1)  # bytecode that this process did not write is never loaded
    with pytest.raises(KconvertError, match="holds a Python function"):
        keras.models.model_from_config(config).predict(X)


def test_the_calls_of_layers_have_the_names_of_keras():
    a, b = Input((2,), name="a"), Input((2,), name="b")
    merged = add([a, b])
    layer, call, output = merged._keras_history
    node = layer._inbound_nodes[call]
    assert output == 0 and node.outbound_layer is layer and node.output_shapes == [(None, 2)]
    assert [one.name for one in node.inbound_layers] == ["a", "b"] and node.input_tensors == [a, b]
    assert node.output_tensors == [merged] and node.input_shapes == [a._keras_shape, b._keras_shape]


def test_trainable_that_changes_after_compile_is_warned_of():
    model = Sequential([ones(input_shape=(3,))])
    model.trainable = False
    model.compile("sgd", "mse")
    model.train_on_batch(X, Y)
    model.trainable = True
    for train in (model.train_on_batch, lambda x, y: model.fit(x, y, verbose=0)):
        with pytest.warns(UserWarning, match="Discrepancy"):
            train(X, Y)
    assert model.get_weights()[0].tolist() == [[1], [1], [1]]
