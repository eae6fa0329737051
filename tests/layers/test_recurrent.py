"""Recurrent layers and ConvLSTM2D against real Keras; cells, states and masks."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kconvert.backend.numpy_backend import NumpyBackend
from kconvert.conventions.backends import CHANNELS_FIRST
from kconvert.conventions.generations import Convention
from kconvert.conventions.storage import slot_order, storage
from kconvert.layers.cells import GRUCell, LSTMCell, SimpleRNNCell
from kconvert.layers.convolutional_recurrent import ConvLSTM2D
from kconvert.layers.recurrent import GRU, LSTM, RNN, SimpleRNN
from kconvert.layers.stacked_cells import StackedRNNCells
from tests.layers.saved import Saved, check_round_trip, named, stored_shapes

CASES = [
    "lstm_impl1_sequences",
    "gru_reset_after",
    "gru_backwards",
    "simplernn_unroll",
    "masking_lstm_middle",
    "convlstm2d_3x3_th",
    "rnn_one_cell",
]
SAVED = [f"{release}/{case}" for case in CASES for release in ("2.3.1-theano", "2.3.1-tensorflow")]
SAVED += ["2.3.1-tensorflow/rnn_stacked_cells"]


@pytest.mark.parametrize("case", SAVED)
def test_computes_what_keras_computed(case):
    saved = Saved(case)
    saved.check(NumpyBackend(saved.backend))


@pytest.mark.parametrize("case", SAVED)
def test_configuration_and_weight_shapes_are_those_of_the_file(case):
    saved = Saved(case)
    *_, (name, layer) = saved.layers.items()
    check_round_trip(layer, saved.configs[-1]["config"])
    assert stored_shapes(layer, saved.inputs[0].shape) == [array.shape for array in saved.arrays(name)]


@pytest.mark.shows("layers.CuDNNLSTM", "layers.CuDNNGRU")
@pytest.mark.parametrize("case", ["cudnnlstm", "cudnngru", "bidirectional_cudnnlstm"])
def test_configuration_of_a_cudnn_layer_is_that_of_the_file(case):
    saved = Saved(f"2.3.1-tensorflow/{case}")
    for item in saved.configs:
        check_round_trip(saved.layers[item["config"]["name"]], item["config"])


@pytest.mark.parametrize("release", ["2.3.1-theano", "2.3.1-tensorflow"])
def test_states_of_one_layer_start_another(release):
    saved = Saved(f"{release}/lstm_initial_state")
    encoder, decoder, dense = saved.layers.values()
    K, (a, b) = NumpyBackend(saved.backend), saved.inputs
    w = {layer.name: saved.arrays(layer.name) for layer in saved.layers.values()}
    outputs = encoder.call(K, named(encoder, a.shape, iter(w[encoder.name])), a)
    assert encoder.compute_output_shape(a.shape) == [y.shape for y in outputs]
    x = [b, *outputs[1:]]
    shape = [part.shape for part in x]
    y = decoder.call(K, named(decoder, shape, iter(w[decoder.name])), x)
    assert decoder.compute_output_shape(shape) == y.shape
    y = dense.call(K, named(dense, y.shape, iter(w[dense.name])), y)
    np.testing.assert_allclose(y, saved.outputs[0], rtol=1e-4, atol=1e-4)


# -------------------------------------------------------------------- laws ----

SHAPE = (2, 5, 3)
X = np.random.default_rng(0).normal(size=SHAPE).astype("float32")
K = NumpyBackend()


def random(layer, shape=SHAPE):
    rng = np.random.default_rng(1)
    count = len(stored_shapes(layer, shape))
    return named(layer, shape, (rng.normal(size=s).astype("float32") for s in stored_shapes(layer, shape)[:count]))


LOOPS = [(SimpleRNN, SimpleRNNCell), (GRU, GRUCell), (LSTM, LSTMCell)]


@pytest.mark.parametrize(("loop", "cell"), LOOPS)
@pytest.mark.parametrize(
    "options", [{}, {"return_sequences": True, "return_state": True, "go_backwards": True}], ids=str
)
def test_rnn_of_a_cell_is_the_layer_of_that_name(loop, cell, options):
    layer, general = loop(4, **options), RNN(cell(4, name="cell"), **options)
    w = random(layer)
    first, second = layer.call(K, w, X), general.call(K, {"cell": w}, X)
    for one, other in zip(_list(first), _list(second), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (
        [y.shape for y in _list(first)]
        == _list(layer.compute_output_shape(SHAPE))
        == _list(general.compute_output_shape(SHAPE))
    )


def test_stacked_cells_are_layers_one_after_the_other():
    lstm, gru = LSTM(4, return_sequences=True), GRU(3)
    stacked = RNN([LSTMCell(4, name="a"), GRUCell(3, name="b")], return_state=True)
    w_lstm, w_gru = random(lstm), random(gru, (2, 5, 4))
    expected = gru.call(K, w_gru, lstm.call(K, w_lstm, X))
    y, *states = stacked.call(K, {stacked.cell.name: {"a": w_lstm, "b": w_gru}}, X)
    np.testing.assert_allclose(y, expected, rtol=1e-5)
    assert [y.shape, *(s.shape for s in states)] == stacked.compute_output_shape(SHAPE)
    assert [path for path, _ in stacked.leaves()] == [f"{stacked.name}/{stacked.cell.name}/{one}" for one in "ab"]


@pytest.mark.parametrize("layer", [SimpleRNN(4), GRU(4), GRU(4, reset_after=True), LSTM(4)], ids=lambda x: x.class_name)
def test_a_sequence_may_be_cut_where_states_are_passed_on(layer):
    w = random(layer)
    layer.return_state = True
    _, *states = layer.call(K, w, X[:, :2])
    for one, other in zip(layer.call(K, w, [X[:, 2:], *states]), layer.call(K, w, X), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_masked_steps_at_the_end_change_nothing_and_masks_go_on_with_sequences_only():
    mask = np.array([[True, True, True, False, False]] * 2)
    layer = LSTM(4)
    w = random(layer)
    np.testing.assert_allclose(layer.call(K, w, X, mask=mask), layer.call(K, w, X[:, :3]), rtol=1e-5)
    assert layer.compute_mask(K, X, mask) is None
    assert LSTM(4, return_sequences=True).compute_mask(K, X, mask) is mask
    assert LSTM(4, return_state=True, return_sequences=True).compute_mask(K, [X], [mask]) == [mask, None, None]


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize(
    "options", [{"padding": "same", "strides": 2}, {"dilation_rate": 2}, {"padding": "same"}], ids=str
)
def test_convlstm_output_has_the_foretold_shape(data_format, options):
    layer = ConvLSTM2D(4, (2, 3), data_format=data_format, return_sequences=True, return_state=True, **options)
    shape = (2, 3, 2, 5, 7) if data_format == CHANNELS_FIRST else (2, 3, 5, 7, 2)
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    outputs = layer.call(K, random(layer, shape), x)
    assert [y.shape for y in outputs] == layer.compute_output_shape(shape)
    np.testing.assert_array_equal(outputs[0][:, -1], outputs[1])


def test_unknown_time_stays_unknown():
    assert LSTM(4, return_sequences=True).compute_output_shape((None, None, 3)) == (None, None, 4)
    assert RNN(GRUCell(4)).compute_output_shape((None, None, 3)) == (None, 4)


@pytest.mark.parametrize("layer", [LSTM(4), ConvLSTM2D(4, 3)], ids=lambda layer: layer.class_name)
def test_keras_1_stores_a_gate_an_array(layer):
    shape = (None, 5, 3) if isinstance(layer, LSTM) else (None, 5, 7, 7, 3)
    stored = storage(layer.weight_specs(shape), Convention("keras1", "theano"))
    assert slot_order(stored) == [f"{name}_{gate}" for gate in "icfo" for name in "WUb"]


def test_keras_1_stores_fused_gates_for_implementation_2_only():
    assert LSTM(4, implementation=2).fused_gates
    assert not GRU(4, implementation=0).fused_gates


@pytest.mark.parametrize("cell", [LSTMCell(4), StackedRNNCells([GRUCell(2, reset_after=True), SimpleRNNCell(3)])])
def test_cells_are_written_inside_their_layer(cell):
    config = json.loads(json.dumps(RNN(cell, name="rnn").stored_config()))
    assert config["cell"]["class_name"] == cell.class_name
    assert RNN.from_config(config).stored_config() == config


def _list(value):
    return value if isinstance(value, list) else [value]


@pytest.mark.long
@pytest.mark.needs("theano", "tensorflow")
@pytest.mark.parametrize("case", SAVED)
def test_computes_the_same_on_the_framework_itself(case):
    from kconvert.backend import get_backend

    saved = Saved(case)
    saved.check(get_backend(saved.backend))
