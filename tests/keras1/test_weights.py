"""Weights of layers as variables: names, forms, values and steps are those of Keras 1.2.2, on Theano and TensorFlow."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from kconvert.keras1 import backend as K
from kconvert.keras1 import layers, models, optimizers

GATES = {"SimpleRNN": [""], "GRU": ["_z", "_r", "_h"], "LSTM": ["_i", "_c", "_f", "_o"]}
ON_BOTH = pytest.mark.parametrize(
    "on", [pytest.param(on, marks=pytest.mark.needs(on)) for on in ("theano", "tensorflow")], indirect=True
)


def names(weights):
    """The names of variables, without the number of a tensor."""
    return [weight.name.partition(":")[0] for weight in weights]


def filled(model):
    """The model with the same weights in each Keras."""
    arrays = [np.random.RandomState(i).uniform(-0.5, 0.5, one.shape) for i, one in enumerate(model.get_weights())]
    model.set_weights(arrays)
    return model


def numbers(*shape):
    return np.random.RandomState(sum(shape)).uniform(-1, 1, shape)


def recurrent(cls, consume_less, **options):
    return models.Sequential(
        [getattr(layers, cls)(2, consume_less=consume_less, input_shape=(3, 2), name="r", **options)]
    )


@pytest.mark.parametrize("consume_less", ["cpu", "mem", "gpu"])
@pytest.mark.parametrize("cls", GATES)
def test_each_gate_has_weights_of_its_own(cls, consume_less):
    model = recurrent(cls, consume_less)
    gates = [""] if consume_less == "gpu" else GATES[cls]
    wanted = [f"r_{slot}{gate}" for gate in gates for slot in ("W", "U", "b")]
    assert names(model.weights) == names(model.layers[0].trainable_weights) == wanted
    stored = model.get_weights()
    for weight, array in zip(model.weights, stored, strict=True):
        np.testing.assert_array_equal(K.get_value(weight), array)
    for number, weight in enumerate(model.weights):
        K.set_value(weight, stored[number] + number)
    for number, array in enumerate(model.get_weights()):
        np.testing.assert_allclose(array, stored[number] + number, rtol=1e-6)


def test_weights_of_convolutions_have_the_axes_of_their_ordering():
    model = models.Sequential([layers.Convolution2D(2, 2, 3, input_shape=(4, 5, 6), dim_ordering="th", name="c")])
    kernel = np.arange(48).reshape(2, 4, 2, 3)
    K.set_value(model.layers[0].W, kernel)
    np.testing.assert_array_equal(model.get_weights()[0], kernel)
    np.testing.assert_array_equal(K.get_value(model.weights[0]), kernel)
    assert K.count_params(model.weights[0]) == 48


@ON_BOTH
def test_one_gate_is_set(on):
    layer = layers.LSTM(2, input_shape=(4, 2))
    model = filled(models.Sequential([layer]))
    K.set_value(layer.W_i, np.ones((2, 2)))
    K.set_value(layer.b_f, [1, 2])
    np.testing.assert_allclose(model.predict(numbers(1, 4, 2)), [[-0.1345892, 0.2534293]], rtol=1e-5)


STEPS = {
    "lstm": (lambda: recurrent("LSTM", "cpu"), (3, 3, 2), optimizers.RMSprop, {"lr": 0.01}),
    "gru": (
        lambda: models.Sequential([layers.GRU(2, input_shape=(3, 2)), layers.Dense(1)]),
        (3, 3, 2),
        optimizers.Adam,
        {},
    ),
    "convolution": (
        lambda: models.Sequential(
            [
                layers.Convolution2D(2, 2, 3, input_shape=(2, 4, 4), dim_ordering="th"),
                layers.Flatten(),
                layers.Dense(2),
            ]
        ),
        (2, 2, 4, 4),
        optimizers.SGD,
        {"lr": 0.1, "momentum": 0.9, "clipnorm": 0.1},
    ),
}
LOSSES = {
    "lstm": [1.006215, 0.9657771, 0.9378445],
    "gru": [0.7227882, 0.7189934, 0.7152061],
    "convolution": [1.009819, 0.977533, 0.917665],
}
"""Of real Keras 1.2.2 on Theano, which convolves."""


@ON_BOTH
@pytest.mark.parametrize("name", STEPS)
def test_steps_of_an_optimizer_on_the_weights_of_a_model(name, on):
    """`get_updates` with `trainable_weights`, as scripts of reinforcement learning train."""
    make, shape, cls, options = STEPS[name]
    model, labels = filled(make()), K.placeholder(ndim=2)
    loss = K.mean(K.square(model.output - labels))
    updates = cls(**options).get_updates(model.trainable_weights, [], loss)
    step = K.function([model.input, labels], [loss], updates=updates)
    x, y = numbers(*shape), np.ones((shape[0], model.output_shape[-1]))
    if name != "convolution" or on == "theano":
        np.testing.assert_allclose([float(step([x, y])[0]) for _ in range(3)], LOSSES[name], rtol=1e-5)


@ON_BOTH
def test_gradients_by_gate(on):
    model = filled(recurrent("LSTM", "cpu"))
    slopes = K.gradients(K.sum(K.square(model.output)), model.trainable_weights)
    found = K.function([model.input], list(slopes))([numbers(3, 3, 2)])
    assert [one.shape for one in found] == [one.shape for one in model.get_weights()]
    wanted = [[0.001006185, 0.00689659], [0.01344098, 0.001755408]]
    np.testing.assert_allclose(found[0], wanted, rtol=1e-4)


REGULARIZED = {
    ("GRU", "cpu", "W"): 0.09677046,
    ("GRU", "mem", "U"): 0.07517045,
    ("GRU", "gpu", "U"): 0.08597048,
    ("LSTM", "cpu", "W"): 0.0738573,
    ("LSTM", "cpu", "U"): 0.04505729,
    ("LSTM", "mem", "b"): 0.06905729,
    ("LSTM", "gpu", "W"): 0.05945732,
}
"""The losses of real Keras 1.2.2 (keras-facts: regularizers-of-gates)."""


@pytest.mark.parametrize(("cls", "consume_less", "slot"), REGULARIZED)
def test_regularizers_of_recurrent_layers(cls, consume_less, slot):
    option = f"{slot}_regularizer"
    model = recurrent(cls, consume_less, **{option: "l1" if slot == "b" else "l2"})
    model.set_weights([np.full(one.shape, 0.3) for one in model.get_weights()])
    model.compile("sgd", "mse")
    found = model.evaluate(np.zeros((1, 3, 2)), np.zeros((1, 2)), verbose=0)
    assert found == pytest.approx(REGULARIZED[cls, consume_less, slot], rel=1e-5)
    stated = model.layers[0].get_config()
    assert [word for word in ("W_regularizer", "U_regularizer", "b_regularizer") if stated[word]] == [option]


class OwnSimpleRNN(layers.SimpleRNN):
    """A SimpleRNN that is computed by its methods."""

    def step(self, x, states):
        return super().step(x, states)


@pytest.mark.parametrize("consume_less", ["mem", "gpu"])
@pytest.mark.parametrize("cls", [layers.SimpleRNN, OwnSimpleRNN])
def test_a_simple_rnn_drops_inputs_out_with_consume_less_cpu_alone(cls, consume_less):
    """(keras-facts: dropout-of-simple-rnn)"""
    layer = cls(3, dropout_W=0.9, consume_less=consume_less, input_shape=(4, 2))
    model = filled(models.Sequential([layer]))
    model.compile("sgd", "mse")
    data = np.ones((2, 4, 2)), np.zeros((2, 3))
    assert model.test_on_batch(*data) == pytest.approx(model.train_on_batch(*data), rel=1e-5)
    assert (layer.dropout_W, model.uses_learning_phase) == (0.9, True)


def test_regularizers_of_convlstm2d_have_no_effect():
    options = {"border_mode": "same", "dim_ordering": "tf", "input_shape": (2, 3, 3, 1), "W_regularizer": "l2"}
    assert models.Sequential([layers.ConvLSTM2D(2, 2, 2, **options)]).losses == []


@ON_BOTH
@pytest.mark.parametrize(
    ("name", "wanted"),
    [("dense", [0.0503644, 0.2146207, 0.1058638]), ("lstm", [0.04859041, 0.2143211, 0.1021958])],
)
def test_penalties_on_weights_in_a_loss_have_gradients(name, wanted, on):
    if name == "dense":
        layer, data = layers.Dense(2, input_dim=3), (numbers(2, 3), numbers(2, 2))
    else:
        layer, data = layers.LSTM(2, input_shape=(3, 2)), (numbers(2, 3, 2), numbers(2, 2))
    model = filled(models.Sequential([layer]))

    def loss(y_true, y_pred):
        of_gate = K.sum(K.square(layer.W_i)) if name == "lstm" else 0.0
        penalty = sum(K.sum(K.square(weight)) for weight in layer.trainable_weights)
        return K.mean(K.square(y_true - y_pred), axis=-1) + 0.1 * of_gate + 0.1 * penalty

    model.compile("sgd", loss)
    model.train_on_batch(*data)
    np.testing.assert_allclose(model.get_weights()[0].ravel()[:3], wanted, rtol=1e-5)


def test_weights_in_an_open_file(tmp_path):
    model = models.Sequential([layers.Dense(2, input_dim=3, name="one"), layers.Dense(2, name="two")])
    other = models.Sequential([layers.Dense(2, input_dim=3, name="first"), layers.Dense(2, name="two")])
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        model.save_weights_to_hdf5_group(file.create_group("own"))
        other.load_weights_from_hdf5_group_by_name(file["own"])
        found = [np.array_equal(*pair) for pair in zip(other.get_weights(), model.get_weights(), strict=True)]
        assert found == [False, True, True, True]  # biases are 0
        other.load_weights_from_hdf5_group(file["own"])
    assert all(np.array_equal(*pair) for pair in zip(other.get_weights(), model.get_weights(), strict=True))


def test_methods_take_their_arguments_by_the_names_of_keras(tmp_path):
    model = models.Sequential([layers.Dense(2, input_dim=3)])
    model.save_weights(filepath=tmp_path / "weights.h5", overwrite=True)
    model.load_weights(filepath=tmp_path / "weights.h5")
    dense = model.layers[0]
    assert dense.get_output_at(node_index=0) is dense.output
    assert dense._get_node_attribute_at_index(0, "input_tensors", "input") is dense.input
    again = layers.Dense(4)
    again.add_inbound_node(dense, [0], [0])
    assert again.output_shape == (None, 4) and again.input is dense.output


def test_the_forget_gate_has_the_values_of_its_initialization():
    """The other gates have zeros; so has the one array of the gates with consume_less='gpu'."""

    def start(shape, name=None):
        return K.variable(np.arange(shape[0]) + 1.0, name=name)

    for options, wanted in (
        ({}, [[0, 0], [0, 0], [1, 2], [0, 0]]),
        ({"consume_less": "gpu"}, [[0, 0, 1, 2, 0, 0, 0, 0]]),
    ):
        lstm = layers.LSTM(2, input_dim=3, forget_bias_init=start, **options)
        model = models.Sequential([lstm])
        assert [array.tolist() for array in model.get_weights() if array.ndim == 1] == wanted
        assert lstm.forget_bias_init is start and lstm.get_config()["forget_bias_init"] == "start"
    lstm = layers.LSTM(2, input_dim=3, forget_bias_init="uniform")
    drawn = models.Sequential([lstm]).get_weights()[8]
    assert 0 < np.abs(drawn).max() <= 0.05


@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize("on", ["tensorflow"], indirect=True)
@pytest.mark.parametrize("ordering", ["th", "tf"])
def test_constraints_of_a_separable_convolution_count_the_axes_of_keras_1_2_2(on, ordering):
    """Axis 0 of the stored kernels, which is that of the multiplier, or of the filters, with 'th'."""
    shape = (3, 6, 5) if ordering == "th" else (6, 5, 3)
    both = {"depthwise_constraint": "unitnorm", "pointwise_constraint": "unitnorm", "depth_multiplier": 2}
    layer = layers.SeparableConvolution2D(4, 3, 3, dim_ordering=ordering, input_shape=shape, **both)
    model = models.Sequential([layer])
    model.compile("sgd", "mse")
    x = np.random.RandomState(0).uniform(-1, 1, (2, *shape))
    model.train_on_batch(x, np.zeros((2, *layer.output_shape[1:])))
    for kernel in model.get_weights()[:2]:
        np.testing.assert_allclose(np.sqrt(np.sum(np.square(kernel), 0)), 1, atol=1e-4)
