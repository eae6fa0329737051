"""Layers that were built without a call, what adds to their losses and updates, and the layers inside them."""

import numpy as np
import pytest

import kconvert as kc
from kconvert import Input, Model, Sequential
from kconvert.errors import KconvertError
from kconvert.layers import (
    GRU,
    LSTM,
    RNN,
    BatchNormalization,
    Bidirectional,
    Dense,
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
    TimeDistributed,
)


@pytest.mark.parametrize(
    ("layer", "shape", "count"),
    [
        (Dense(3), (None, 4), 2),
        (SimpleRNN(3), (None, None, 4), 3),
        (LSTM(3), (2, 5, 4), 3),
        (RNN([LSTMCell(3), LSTMCell(2)]), (None, None, 4), 6),
        (Bidirectional(GRU(3)), (None, 5, 4), 6),
        (TimeDistributed(BatchNormalization()), (None, 5, 4), 4),
    ],
    ids=lambda value: getattr(value, "class_name", ""),
)
def test_build_makes_the_weights(layer, shape, count):
    assert layer.weights == [] and not layer.built
    layer.build(shape)
    assert layer.built and len(layer.weights) == len(layer.get_weights()) == count
    layer.trainable = False
    assert layer.trainable_weights == [] and len(layer.non_trainable_weights) == count


def test_weights_of_a_built_layer_are_those_of_its_first_call():
    layer = Dense(2)
    layer.build((None, 3))
    layer.set_weights([np.full((3, 2), 2.0), np.ones(2)])
    x = Input((3,))
    assert Model(x, layer(x)).predict(np.ones((1, 3))).tolist() == [[7, 7]]


def test_losses_of_weights_and_of_each_call():
    layer = Dense(3, kernel_regularizer="l2", activity_regularizer="l1")
    assert layer.losses == []
    x, other = Input((4,)), Input((4,))
    layer(x)
    assert [len(layer.get_losses_for(one)) for one in (None, x, other)] == [1, 1, 0]
    layer(other)
    assert len(layer.losses) == 3


def test_losses_and_updates_of_layers_inside():
    cells = RNN([SimpleRNNCell(2, kernel_regularizer="l1"), SimpleRNNCell(1, bias_regularizer="l2")])
    cells.build((None, None, 3))
    assert len(cells.losses) == 2
    x = Input((3, 2))
    both = Bidirectional(SimpleRNN(3, kernel_regularizer="l1", bias_regularizer="l1"))
    both(x)
    assert len(both.get_losses_for(None)) == len(both.losses) == 4
    steps = TimeDistributed(BatchNormalization())
    steps(x)
    assert len(steps.updates) == len(steps.get_updates_for(x)) == 2 and steps.get_updates_for(None) == []
    steps.trainable = False
    assert steps.updates == []


def test_losses_that_are_added_outside_of_call_count_in_training(backend):
    x = Input((2,))
    layer = Dense(1, kernel_initializer="ones")
    y = layer(x)
    layer.add_loss([2.0, y], inputs=x)
    layer.add_update(0)
    assert layer.get_losses_for(x) == [2.0, y] and layer.get_updates_for(None) == [0]
    model = Model(x, y)
    for _ in range(2):  # compiling again does not add them again
        model.compile("sgd", "mse", backend=backend.name)
    assert len(model.losses) == 2
    assert model.test_on_batch(np.ones((1, 2)), np.full((1, 1), 2.0)) == pytest.approx(4)


def test_the_cell_of_a_recurrent_layer_shares_its_weights():
    layer = LSTM(3, kernel_regularizer="l2")
    layer.build((None, None, 4))
    assert layer.cell.units == 3 and len(layer.cell.losses) == 1
    np.testing.assert_array_equal(layer.cell.get_weights()[0], layer.get_weights()[0])


def test_the_directions_of_a_bidirectional_layer_share_its_weights(framework):
    x = Input((3, 2))
    both = Bidirectional(LSTM(2, return_sequences=True))
    y = both(x)
    assert both.return_sequences and not both.stateful and not both.return_state
    there, back = Model(x, both.forward_layer(x)), Model(x, both.backward_layer(x))
    model = Model(x, y)
    model.start(framework)
    values = np.random.default_rng(0).normal(size=(2, 3, 2))
    expected = np.concatenate([there.predict(values), back.predict(values)[:, ::-1]], -1)
    np.testing.assert_allclose(model.predict(values), expected, rtol=1e-5)


class WithConstants(kc.layers.Layer):
    """A cell that adds its state and a constant to its input."""

    state_size = 2

    def call(self, inputs, states, constants):
        output = inputs + states[0] + constants[0]
        return output, [output]


def test_constants_and_states_of_a_bidirectional_layer(framework):
    x, constant, there, back = Input((3, 2)), Input((2,)), Input((2,)), Input((2,))
    both = Bidirectional(RNN(WithConstants()))
    model = Model([x, there, back, constant], both(x, initial_state=[there, back], constants=constant))
    model.start(framework)
    ones = np.ones((1, 2))
    given = [np.ones((1, 3, 2)), 10 * ones, 20 * ones, 2 * ones]
    assert model.predict(given).tolist() == [[19, 19, 29, 29]]
    again = Model.from_config(model.get_config(), custom_objects={"WithConstants": WithConstants})
    assert again.predict(given).tolist() == [[19, 19, 29, 29]]
    with pytest.raises(KconvertError, match="1 initial states were given"):
        Bidirectional(LSTM(2))(x, initial_state=there)


@pytest.mark.parametrize(
    ("kind", "misuse"),
    [
        (RuntimeError, lambda: Sequential([Dense(2, input_shape=(3,))]).fit(np.ones((1, 3)), np.ones((1, 2)))),
        (TypeError, lambda: Sequential().pop()),
        (TypeError, lambda: Sequential().add(3)),
        (AttributeError, lambda: LSTM(2).reset_states()),
        (AttributeError, lambda: Dense(2).input),
        (AttributeError, lambda: Dense(2).output_shape),
    ],
)
def test_errors_have_the_classes_of_keras_too(kind, misuse):
    with pytest.raises(kind) as raised:
        misuse()
    assert isinstance(raised.value, KconvertError)


def test_the_directions_of_a_bidirectional_layer_have_cells_of_their_own():
    x, other = Input((3, 2)), Input((3, 2))
    both = Bidirectional(RNN([LSTMCell(2), LSTMCell(2)]))
    first, second = Model(x, both(x)), Model(other, both(other))
    values = np.random.default_rng(0).normal(size=(2, 3, 2))
    np.testing.assert_array_equal(first.predict(values), second.predict(values))
    assert len(first.get_weights()) == 12
    assert not np.array_equal(first.get_weights()[0], first.get_weights()[6])


def test_an_error_keeps_its_class_with_a_place_before_its_own():
    with pytest.raises(AttributeError) as raised:
        LSTM(2, name="a").reset_states()
    assert type(raised.value.within("m.h5")) is type(raised.value)
    assert str(raised.value.within("m.h5")).startswith("m.h5, layer a: the layer is not stateful")
