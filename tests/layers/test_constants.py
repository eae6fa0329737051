"""The constants of an RNN: tensors that a cell of the user gets in every step."""

import json

import numpy as np
import pytest

import kconvert as kc
from kconvert.errors import KconvertError
from kconvert.keras import backend as K
from kconvert.layers import GRU, RNN, Dense, GRUCell, Input, Layer

RANDOM = np.random.default_rng(0)
ON = ["numpy", *(pytest.param(n, marks=pytest.mark.needs(n)) for n in ("theano", "tensorflow"))]


class CellWithConstants(Layer):
    """A cell as Keras's documentation writes it: its input shape is a list, that of the step and of the constant."""

    def __init__(self, units, **kwargs):
        self.units, self.state_size = units, units
        super().__init__(**kwargs)

    def build(self, input_shape):
        assert isinstance(input_shape, list)
        step, constant = input_shape
        self.kernel = self.add_weight(name="kernel", shape=(step[-1], self.units), initializer="uniform")
        self.recurrent = self.add_weight(name="recurrent", shape=(self.units, self.units), initializer="uniform")
        self.constant = self.add_weight(name="constant", shape=(constant[-1], self.units), initializer="uniform")
        self.built = True

    def call(self, inputs, states, constants):
        (before,), (constant,) = states, constants
        output = K.dot(inputs, self.kernel) + K.dot(before, self.recurrent) + K.dot(constant, self.constant)
        return output, [output]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


X, C, S = RANDOM.normal(size=(2, 5, 3)), RANDOM.normal(size=(2, 4)), RANDOM.normal(size=(2, 6))


def expected(arrays, state):
    kernel, recurrent, constant = arrays
    for t in range(5):
        state = X[:, t] @ kernel + state @ recurrent + C @ constant
    return state


def model_of(with_state=False, **options):
    x, c, s = Input((5, 3)), Input((4,)), Input((6,))
    rnn = RNN(CellWithConstants(6), **options)
    inputs = [x, s, c] if with_state else [x, c]
    return kc.Model(inputs, rnn(x, initial_state=s, constants=c) if with_state else rnn(x, constants=[c])), rnn


@pytest.mark.parametrize("on", ON)
@pytest.mark.parametrize("with_state", [False, True])
def test_every_step_gets_them(on, with_state):
    model, _ = model_of(with_state)
    model.start(on)
    y = model.predict([X, S, C] if with_state else [X, C])
    np.testing.assert_allclose(y, expected(model.get_weights(), S if with_state else S * 0), rtol=1e-4, atol=1e-5)


def test_they_may_be_the_last_of_a_list_of_inputs():
    model, rnn = model_of(True)
    again = kc.Model(model.inputs, rnn(model.inputs))
    np.testing.assert_array_equal(again.predict([X, S, C]), model.predict([X, S, C]))


@pytest.mark.needs("tensorflow")
def test_training_reaches_their_weights():
    model, _ = model_of()
    model.compile("sgd", "mse", backend="tensorflow")
    before = model.get_weights()
    model.train_on_batch([X, C], S)
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


def test_a_file_states_their_number(tmp_path):
    model, _ = model_of(True)
    model.save(tmp_path / "m.h5")
    config = json.loads(model.to_json())["config"]["layers"]
    assert [layer["config"].get("num_constants") for layer in config] == [None, None, None, 1]
    read = kc.load_model(tmp_path / "m.h5", "numpy", custom_objects={"CellWithConstants": CellWithConstants})
    np.testing.assert_allclose(read.predict([X, S, C]), model.predict([X, S, C]), rtol=1e-5)
    assert "num_constants" not in RNN(GRUCell(2)).stored_config()


def test_layers_and_cells_without_constants_refuse_them():
    x, c = Input((5, 3)), Input((4,))
    for layer in (Dense(2), GRU(2)):
        with pytest.raises(KconvertError, match="takes no constants"):
            layer(x, constants=c)
    with pytest.raises(KconvertError, match="cell GRUCell takes no constants"):
        RNN(GRUCell(2))(x, constants=c)
    rnn = model_of()[1]
    with pytest.raises(KconvertError, match="takes a sequence and 1 constants"):
        rnn(x)
