"""Layers in training: noise, moving averages, states, penalties, constraints, frozen layers."""

from __future__ import annotations

import numpy as np
import pytest

from kconvert import Sequential
from kconvert import layers as L
from kconvert.backend import get_backend
from kconvert.layers.phase import Phase
from tests.models.training.models import dense, numbers


def passed(K, layer, x, training=True, seed=(3, 0), **weights):
    """The output of a layer for one batch, and the new values of its weights."""
    variables = [K.variable(np.float32(x)), K.variable(np.int32(seed)), *(K.variable(a) for a in weights.values())]

    def build(values, _):
        phase = Phase(K, training, values[1])
        y = layer.call(K, dict(zip(weights, values[2:], strict=True)), values[0], training=phase)
        place = {(name,): i for i, name in enumerate(weights, start=2)}
        return [y, *phase.updates.values()], {place[path]: new for path, new in phase.updates.items()}

    y = K.compile_updating(build, [], variables)([])[0]
    return y, {name: K.value(variable) for name, variable in zip(weights, variables[2:], strict=True)}


# ------------------------------------------------------------------- noise ----

NOISE = {
    "Dropout": L.Dropout(0.25),
    "GaussianDropout": L.GaussianDropout(0.25),
    "GaussianNoise": L.GaussianNoise(0.5),
    "AlphaDropout": L.AlphaDropout(0.25),
}


@pytest.mark.parametrize("name", NOISE)
def test_noise_is_for_training_only_and_depends_on_its_seed(backend, name):
    x = numbers(20, 30)
    first, again, other = (passed(backend, NOISE[name], x, seed=seed)[0] for seed in ((3, 0), (3, 0), (3, 1)))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert np.array_equal(passed(backend, NOISE[name], x, training=False)[0], x)


def test_dropout_zeroes_a_fraction_and_scales_the_rest(backend):
    y, _ = passed(backend, L.Dropout(0.25), np.ones((200, 300)))
    assert np.allclose(np.unique(y), [0, 1 / 0.75])
    assert abs((y == 0).mean() - 0.25) < 0.01


def test_dropout_of_a_noise_shape_drops_along_whole_axes(backend):
    y, _ = passed(backend, L.Dropout(0.5, (None, 1, 30)), np.ones((20, 7, 30)))
    assert (y == y[:, :1]).all() and 0.3 < (y == 0).mean() < 0.7


@pytest.mark.parametrize(
    ("layer", "shape", "space"),
    [
        (L.SpatialDropout1D(0.5), (40, 5, 30), 1),
        (L.SpatialDropout2D(0.5), (40, 5, 4, 30), (1, 2)),
        (L.SpatialDropout2D(0.5, "channels_first"), (40, 30, 5, 4), (2, 3)),
        (L.SpatialDropout3D(0.5), (40, 3, 2, 4, 30), (1, 2, 3)),
    ],
    ids=lambda value: getattr(value, "class_name", None),
)
def test_spatial_dropout_drops_whole_channels(backend, layer, shape, space):
    y, _ = passed(backend, layer, np.ones(shape))
    assert (y.min(space) == y.max(space)).all() and 0.4 < (y == 0).mean() < 0.6


def test_gaussian_noise_has_its_deviation(backend):
    added = passed(backend, L.GaussianNoise(0.5), np.zeros((200, 300)))[0]
    factor = passed(backend, L.GaussianDropout(0.2), np.ones((200, 300)))[0]
    assert abs(added.std() - 0.5) < 0.01 and abs(added.mean()) < 0.01
    assert abs(factor.std() - 0.5) < 0.01 and abs(factor.mean() - 1) < 0.01


def test_alpha_dropout_keeps_mean_and_variance(backend):
    y, _ = passed(backend, L.AlphaDropout(0.3), numbers(300, 300))
    assert abs(y.mean()) < 0.02 and abs(y.std() - 1) < 0.02


@pytest.mark.parametrize(
    ("layer", "options", "shape"),
    [
        (L.SimpleRNN, {}, (5,)),
        (L.GRU, {}, (5,)),
        (L.GRU, {"implementation": 1, "reset_after": True}, (5,)),
        (L.LSTM, {}, (5,)),
        (L.LSTM, {"implementation": 1}, (5,)),
        (L.ConvLSTM2D, {"kernel_size": 3}, (5, 4, 3)),
        (L.ConvLSTM2D, {"kernel_size": 3, "data_format": "channels_first"}, (3, 5, 4)),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_recurrent_dropout_is_the_same_at_every_step(backend, layer, options, shape):
    """The input is the same at every step; the outputs show whether inputs and states were dropped."""
    rnn = layer(4, dropout=0.5, recurrent_dropout=0.5, return_sequences=True, name="rnn", **options)
    weights = {w.name: 0.1 * numbers(*w.shape, seed=i) for i, w in enumerate(rnn.weight_specs((None, 3, *shape)))}
    x = np.repeat(numbers(6, 1, *shape), 3, 1)
    y, _ = passed(backend, rnn, x, **weights)
    still, _ = passed(backend, rnn, x, training=False, **weights)
    assert y.shape == still.shape and not np.allclose(y, still)
    assert np.array_equal(y, passed(backend, rnn, x, **weights)[0])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_of_keras(x, h, c, w, of_x, of_h):
    """A step of Keras 2.3.1 with implementation=1: each gate has its own masks for inputs and state."""
    i, f, new, o = (
        (x * dx) @ k + (h * dh) @ u + b
        for dx, dh, k, u, b in zip(
            of_x, of_h, *(np.split(w[n], 4, -1) for n in ("kernel", "recurrent_kernel", "bias")), strict=True
        )
    )
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(new)
    return sigmoid(o) * np.tanh(c)


def gru_of_keras(x, h, _, w, of_x, of_h):
    """As above; the state that is combined with the candidate is not dropped."""
    k_z, k_r, k_h = np.split(w["kernel"], 3, -1)
    u_z, u_r, u_h = np.split(w["recurrent_kernel"], 3, -1)
    b_z, b_r, b_h = np.split(w["bias"], 3)
    z = sigmoid((x * of_x[0]) @ k_z + (h * of_h[0]) @ u_z + b_z)
    r = sigmoid((x * of_x[1]) @ k_r + (h * of_h[1]) @ u_r + b_r)
    return z * h + (1 - z) * np.tanh((x * of_x[2]) @ k_h + (r * h * of_h[2]) @ u_h + b_h)


@pytest.mark.parametrize(("cell", "step"), [(L.LSTMCell, lstm_of_keras), (L.GRUCell, gru_of_keras)])
def test_with_an_implementation_of_1_every_gate_has_masks_of_its_own(cell, step):
    K = get_backend("numpy", "tensorflow")
    cell = cell(3, implementation=1, dropout=0.5, recurrent_dropout=0.5, name="cell")
    w = {weight.name: numbers(*weight.shape, seed=i) for i, weight in enumerate(cell.weight_specs((None, 4)))}
    x, h, c = numbers(6, 4, seed=7), numbers(6, 3, seed=8), numbers(6, 3, seed=9)
    (noise,) = cell.noise(K, (6, 4), Phase(K, True, np.int32([1, 2])))
    for masks in (noise.inputs, noise.state):
        assert len(masks) == len(cell.gates) and len({mask.tobytes() for mask in masks}) == len(masks)
    projected = cell.project(K, w, [x * mask for mask in noise.inputs])
    found, _ = cell.noisy_step(K, w, projected, [h, c][: cell.states], [noise])
    np.testing.assert_allclose(found, step(x, h, c, w, noise.inputs, noise.state), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "shape", "masks"),
    [
        (L.LSTM(3, dropout=0.5, recurrent_dropout=0.5), (2, 4), 1),
        (L.GRU(3, dropout=0.5, recurrent_dropout=0.5, implementation=0), (2, 4), 3),
        (L.SimpleRNN(3, dropout=0.5, recurrent_dropout=0.5), (2, 4), 1),
        (L.ConvLSTM2D(3, 3, dropout=0.5, recurrent_dropout=0.5), (2, 6, 6, 4), 4),
        (L.LSTM(3, recurrent_dropout=0.5), (2, 4), 1),
    ],
    ids=["lstm", "gru per gate", "simple", "convolutional", "state alone"],
)
def test_masks_are_as_many_as_in_keras(layer, shape, masks):
    K = get_backend("numpy", "tensorflow")
    (noise,) = layer.step_cell.noise(K, shape, Phase(K, True, np.int32([1, 2])))
    assert (len(noise.inputs), len(noise.state)) == (masks if layer.dropout else 0, masks)


# ------------------------------------------------------------ normalization ----


def test_batch_normalization_takes_the_moments_of_the_batch_and_moves_its_averages(backend):
    x = numbers(10, 3) * 2 + 1
    start = {"moving_mean": np.zeros(3, "float32"), "moving_variance": np.ones(3, "float32")}
    layer = L.BatchNormalization(momentum=0.9, center=False, scale=False)
    y, moved = passed(backend, layer, x, **start)
    np.testing.assert_allclose(y, (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(moved["moving_mean"], 0.1 * x.mean(0), rtol=1e-4, atol=1e-6)
    extra = 1e-3 if backend.convention == "theano" else 0.0  # Keras 2.3.1 on Theano takes the variance with epsilon
    sample = (x.var(0) + extra) * 10 / (10 - 1.001)
    np.testing.assert_allclose(moved["moving_variance"], 0.9 + 0.1 * sample, rtol=1e-5)


def test_images_on_tensorflow_correct_the_variance_twice(backend):
    x = numbers(2, 3, 2, 2)
    start = {"moving_mean": np.zeros(2, "float32"), "moving_variance": np.ones(2, "float32")}
    _, moved = passed(backend, L.BatchNormalization(momentum=0.0, center=False, scale=False), x, **start)
    variance = x.var((0, 1, 2))
    wanted = {"theano": (variance + 1e-3) * 12 / (11 - 1e-3), "tensorflow": variance * 12 / 11 * 12 / (11 - 1e-3)}
    np.testing.assert_allclose(moved["moving_variance"], wanted[backend.convention], rtol=1e-5)


# ----------------------------------------------------------- whole models ----


def test_a_stateful_layer_keeps_its_state_until_it_is_reset(framework):
    def model(**options):
        rnn = L.LSTM(3, return_sequences=True, name="rnn", batch_input_shape=(2, None, 4), **options)
        made = Sequential([rnn])
        made.start(framework.name, seed=1)
        return made

    x, whole = numbers(2, 6, 4), model(stateful=False)
    wanted = whole.predict(x)
    kept = model(stateful=True)
    found = np.concatenate([kept.predict(x[:, :2]), kept.predict(x[:, 2:])], 1)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert not np.allclose(kept.predict(x), wanted)
    kept.reset_states()
    np.testing.assert_allclose(kept.predict(x), wanted, atol=1e-6)


def test_states_are_also_kept_in_training(framework):
    layers = [L.SimpleRNN(3, stateful=True, batch_input_shape=(2, 3, 4)), L.Dense(1)]
    model = Sequential(layers)
    model.compile("sgd", "mse", backend=framework.name, seed=0)
    model.optimizer.learning_rate = 0.0
    x, y = numbers(2, 3, 4), numbers(2, 1)
    first, second = model.train_on_batch(x, y), model.train_on_batch(x, y)
    model.reset_states()
    assert first != second
    np.testing.assert_allclose(model.test_on_batch(x, y), first, rtol=1e-6)


def test_penalties_on_weights_and_outputs_are_part_of_the_loss(framework):
    model = dense(kernel_regularizer="l2", activity_regularizer={"class_name": "L1L2", "config": {"l1": 0.1}})
    model.add(L.ActivityRegularization(l2=1.0))
    model.compile("sgd", "mse", backend=framework.name)
    x, y = np.ones((2, 4), "float32"), np.full((2, 1), 4.0)
    wanted = 4 * 0.01 + 2 * 4 * 0.1 + 2 * 16 * 1.0
    np.testing.assert_allclose(model.test_on_batch(x, y), wanted, rtol=1e-6)
    np.testing.assert_allclose(model.train_on_batch(x, y), wanted, rtol=1e-6)


def test_a_constraint_holds_after_every_step(framework):
    model = dense(kernel_constraint={"class_name": "MaxNorm", "config": {"max_value": 0.5}}, bias_constraint="non_neg")
    model.compile({"class_name": "SGD", "config": {"lr": 1.0}}, "mse", backend=framework.name)
    model.train_on_batch(numbers(8, 4), np.full((8, 1), -50.0))
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(np.sqrt((kernel**2).sum(0)), 0.5, rtol=1e-4)
    assert (bias == 0).all()


def test_frozen_layers_do_not_change(framework):
    layers = [
        L.Dense(3, trainable=False, input_shape=(4,)),
        L.BatchNormalization(trainable=False),
        L.Dense(1, name="free"),
    ]
    model = Sequential(layers)
    model.compile("adam", "mse", backend=framework.name, seed=0)
    before = model.arrays
    model.train_on_batch(numbers(8, 4), numbers(8, 1))
    changed = {
        (layer, name)
        for layer, own in model.arrays.items()
        for name, array in own.items()
        if not np.array_equal(array, before[layer][name])
    }
    assert changed == {("free", "kernel"), ("free", "bias")}


def test_noise_in_training_depends_on_its_seed(framework):
    def losses(seed):
        model = Sequential([L.Dropout(0.5, input_shape=(4,)), L.Dense(1, kernel_initializer="ones")])
        model.compile("sgd", "mse", backend=framework.name, seed=seed)
        return [model.train_on_batch(numbers(8, 4), numbers(8, 1)) for _ in range(3)]

    assert losses(1) == losses(1) != losses(2)
