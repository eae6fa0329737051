"""TimeDistributed and Bidirectional: outputs of real Keras, and of their inner layers."""

from __future__ import annotations

import numpy as np
import pytest

from kconvert import Sequential
from kconvert.backend.numpy_backend import NumpyBackend
from kconvert.errors import KconvertError
from kconvert.layers.convolutional import Conv2D
from kconvert.layers.core import Dense
from kconvert.layers.recurrent import GRU, LSTM
from kconvert.layers.wrappers import Bidirectional, TimeDistributed
from kconvert.models.training.regularizers import L1L2
from tests.layers.saved import Saved, check_round_trip, named, stored_shapes

CASES = ["td_conv2d_only_tf", "bidirectional_gru_concat", "bidirectional_none", "embedding_mask_bidirectional_lstm"]
RELEASES = ["2.3.1-theano", "2.3.1-tensorflow"]
K = NumpyBackend()
X = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")


def random(layer, shape):
    rng = np.random.default_rng(1)
    return named(layer, shape, iter([rng.normal(size=s).astype("float32") for s in stored_shapes(layer, shape)]))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("release", RELEASES)
def test_computes_what_keras_computed(release, case):
    saved = Saved(f"{release}/{case}")
    saved.check(NumpyBackend(saved.backend))


@pytest.mark.parametrize("case", CASES)
def test_configuration_and_weight_shapes_are_those_of_the_file(case):
    saved = Saved(f"2.3.1-theano/{case}")
    (wrapper,) = (layer for layer in saved.layers.values() if isinstance(layer, (TimeDistributed, Bidirectional)))
    (config,) = (item["config"] for item in saved.configs if item["config"]["name"] == wrapper.name)
    check_round_trip(wrapper, config)
    shape: tuple[int, ...] = saved.inputs[0].shape
    for layer in saved.layers.values():
        if layer is wrapper:
            break
        shape = layer.compute_output_shape(shape)
    assert stored_shapes(wrapper, shape) == [array.shape for array in saved.arrays(wrapper.name)]


# --------------------------------------------------------- TimeDistributed ----


def test_every_step_is_the_inner_layer():
    inner = Conv2D(4, 3, name="conv")
    layer = TimeDistributed(inner, name="td")
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 6, 2)).astype("float32")
    w = random(layer, x.shape)
    y = layer.call(K, w, x)
    assert layer.compute_output_shape(x.shape) == y.shape
    assert layer.compute_output_shape((None, None, 5, None, 2)) == (None, None, 3, None, 4)
    for t in range(3):
        np.testing.assert_allclose(y[:, t], inner.call(K, w["conv"], x[:, t]), rtol=1e-4, atol=1e-5)
    assert [path for path, _ in layer.leaves()] == ["td/conv"]


def test_masks_of_time_go_on_and_inner_masks_reach_the_inner_layer():
    mask = np.array([[True, False, True, True, False]] * 2)
    assert np.array_equal(TimeDistributed(Dense(4)).compute_mask(K, X, mask), mask)
    inner = LSTM(4, name="lstm")
    layer = TimeDistributed(inner)
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 2)).astype("float32")
    steps = np.random.default_rng(1).random((2, 3, 5)) > 0.3
    w = random(layer, x.shape)
    y = layer.call(K, w, x, mask=steps)
    np.testing.assert_allclose(y[:, 1], inner.call(K, w["lstm"], x[:, 1], mask=steps[:, 1]), rtol=1e-5)
    np.testing.assert_array_equal(layer.compute_mask(K, x, steps), steps.any(-1))


# ------------------------------------------------------------ Bidirectional ----


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None])
@pytest.mark.parametrize("options", [{"return_sequences": True}, {"return_state": True}], ids=str)
def test_outputs_are_those_of_both_directions(mode, options):
    layer = Bidirectional(GRU(4, name="gru", **options), merge_mode=mode)
    w = random(layer, X.shape)
    outputs = layer.call(K, w, X)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    foretold = layer.compute_output_shape(X.shape)
    assert [y.shape for y in outputs] == (foretold if isinstance(foretold, list) else [foretold])
    forward = GRU(4, **options).call(K, w["forward_gru"], X)
    backward = GRU(4, **options).call(K, w["backward_gru"], X[:, ::-1])
    if "return_state" in options:
        np.testing.assert_allclose(outputs[-2:], [forward[1], backward[1]], rtol=1e-5)
        one, other = forward[0], backward[0]
    else:
        one, other = forward, backward[:, ::-1]
    merges = {"sum": one + other, "mul": one * other, "ave": (one + other) / 2, None: one}
    expected = merges.get(mode, np.concatenate([one, other], -1)) if mode else one
    np.testing.assert_allclose(outputs[0], expected, rtol=1e-5, atol=1e-6)


def test_initial_states_are_shared_out_to_both_directions():
    layer = Bidirectional(LSTM(4, name="lstm"), merge_mode=None)
    states = [np.full((2, 4), value, "float32") for value in (0.1, 0.2, 0.3, 0.4)]
    w = random(layer, X.shape)
    forward, backward = layer.call(K, w, [X, *states])
    np.testing.assert_allclose(forward, LSTM(4).call(K, w["forward_lstm"], [X, *states[:2]]), rtol=1e-5)
    np.testing.assert_allclose(backward, LSTM(4).call(K, w["backward_lstm"], [X[:, ::-1], *states[2:]]), rtol=1e-5)


def test_masks_go_on_with_sequences_only():
    mask = np.ones((2, 5), bool)
    assert Bidirectional(LSTM(4)).compute_mask(K, X, mask) is None
    assert Bidirectional(LSTM(4, return_sequences=True)).compute_mask(K, X, mask) is mask
    both = Bidirectional(LSTM(4, return_sequences=True, return_state=True), merge_mode=None)
    assert both.compute_mask(K, X, mask) == [mask, mask, None, None, None, None]


def test_the_directions_are_named_and_turned_around():
    layer = Bidirectional(GRU(4, name="gru", go_backwards=True))
    assert [(inner.name, inner.go_backwards) for inner in layer.sublayers] == [
        ("forward_gru", True),
        ("backward_gru", False),
    ]
    assert layer.stored_config()["layer"]["config"]["name"] == "gru"


def test_refuses_unknown_merges_and_unknown_inner_layers():
    with pytest.raises(KconvertError, match="unknown merge_mode 'max'"):
        Bidirectional(GRU(4), merge_mode="max")
    with pytest.raises(KconvertError, match="unknown layer class 'Foo'"):
        TimeDistributed.from_config({"layer": {"class_name": "Foo", "config": {"name": "foo_1"}}})


@pytest.mark.long
@pytest.mark.needs("theano", "tensorflow")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("release", RELEASES)
def test_computes_the_same_on_the_framework_itself(release, case):
    from kconvert.backend import get_backend

    saved = Saved(f"{release}/{case}")
    saved.check(get_backend(saved.backend))


@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize(
    "wrapper",
    [
        lambda: TimeDistributed(Dense(2, activity_regularizer="l2"), input_shape=(3, 4)),
        lambda: Bidirectional(LSTM(1, activity_regularizer="l2", return_sequences=True), input_shape=(3, 4)),
    ],
)
def test_the_regularizer_of_outputs_counts_for_the_output_of_a_wrapper(wrapper):
    """Keras 2.3.1 added it so: 0.0477 for a Bidirectional of an LSTM, of which kconvert left it out."""
    model = Sequential([wrapper()])
    model.compile("sgd", "mse", metrics=["mse"], backend="tensorflow")
    x, y = np.ones((2, 3, 4), "float32"), np.zeros((2, 3, 2), "float32")
    loss, mse = model.test_on_batch(x, y)
    assert loss - mse == pytest.approx(0.01 * np.square(model.predict(x)).sum(), rel=1e-4)
    assert model.layers[0].activity_regularizer == L1L2(l2=0.01)
