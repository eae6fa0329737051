"""Files for tf_keras: what it computes from them is what the old Keras computed, and they come back as they were."""

import json

import h5py
import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert import layers as L
from kconvert.conventions.words.tf_keras_writing import CLASSES, NAMES
from kconvert.conversion.passes.expressions import expressed
from kconvert.formats import hdf5
from kconvert.layers.lists import as_list
from kconvert.verification.matching import in_layout
from tests.fixtures import case

KINDS = [
    "0.3.3-theano/embedding_mask_lstm",
    "0.3.3-theano/conv_thresholdedlinear_th",
    "1.0.8-theano/bidirectional_gru_concat",
    "1.2.2-theano/highway",
    "1.2.2-theano/conv_srelu_shared_th",
    "1.2.2-theano/dense_prelu_srelu_psoftplus",
    "1.2.2-theano/squeezenet_fire_th",
    "2.3.1-tensorflow/cudnngru",
    "2.3.1-tensorflow/bidirectional_cudnnlstm",
    "2.3.1-tensorflow/embedding_mask_bidirectional_lstm",
    "2.3.1-tensorflow/global_average_pooling1d_masked",
    "2.3.1-tensorflow/gru_reset_after",
    "2.3.1-tensorflow/lstm_initial_state",
    "2.3.1-tensorflow/nested_frozen_bn_th",
    "2.3.1-tensorflow/rnn_stacked_cells",
    "2.3.1-theano/locally_connected2d_th",
    "2.3.1-theano/upsampling2d_bilinear_22_th",
    "2.3.1-theano/lenet_th",
]


def made(path, tmp_path, source=None, **options):
    return kc.convert(path, tmp_path / "out.h5", source, format="tf_keras", force=True, **options)


def config_of(path):
    with h5py.File(path, "r") as file:
        return json.loads(file.attrs["model_config"])


@pytest.fixture(scope="module")
def tf_keras():
    return pytest.importorskip("tf_keras")


@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize("name", KINDS)
def test_tf_keras_computes_what_the_old_keras_did(name, tmp_path, tf_keras):
    found = case(name)
    done = made(found.model, tmp_path, found.backend, arch=found.arch, source_data_format=found.data_format)
    model = tf_keras.models.load_model(done.target)
    inputs = [in_layout(x, layout) for x, layout in zip(found.arrays("x"), done.plan.result.inputs, strict=True)]
    computed = model.predict(inputs if len(inputs) > 1 else inputs[0], batch_size=len(inputs[0]), verbose=0)
    for y, layout, ours in zip(found.arrays("y"), done.plan.result.outputs, as_list(computed), strict=True):
        np.testing.assert_allclose(ours, in_layout(y, layout), atol=1e-4)


MASKED = [
    [L.Bidirectional(L.LSTM(2, return_sequences=True), name="both")],
    [L.Bidirectional(L.GRU(2, return_sequences=True), merge_mode="sum", name="both"), L.Dense(2)],
    [L.Bidirectional(L.RNN([L.SimpleRNNCell(2), L.GRUCell(3)], return_sequences=True), name="both")],
    [L.Bidirectional(L.LSTM(2, return_sequences=True), merge_mode="mul", name="both"), L.Bidirectional(L.GRU(2))],
    [L.Bidirectional(L.SimpleRNN(2, return_sequences=True)), L.Dropout(0.1), L.TimeDistributed(L.Dense(2)), L.GRU(2)],
    [L.Bidirectional(L.SimpleRNN(2, return_sequences=True)), L.Bidirectional(L.LSTM(2, return_sequences=True))],
    [L.Softmax(), L.LSTM(2, return_sequences=True)],
]


def masked(tmp_path, layers):
    """A file with masked steps at both ends and in the middle, and what Keras 2 computes from it."""
    model = kc.Sequential([L.Masking(input_shape=(6, 3)), *layers])
    x = np.random.default_rng(0).standard_normal((3, 6, 3)).astype("float32")
    x[0, 4:] = x[1, :2] = x[2, 2:4] = 0
    y = model.predict(x)
    model.save(tmp_path / "model.h5")
    return tmp_path / "model.h5", x, y


@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize("layers", MASKED, ids=lambda layers: layers[0].class_name)
def test_masked_steps_are_those_of_keras_2(layers, tmp_path, tf_keras):
    path, x, y = masked(tmp_path, layers)
    model = tf_keras.models.load_model(made(path, tmp_path).target)
    np.testing.assert_allclose(model.predict(x, verbose=0), y, atol=1e-5)
    model.save(tmp_path / "again.h5")
    np.testing.assert_allclose(kc.load_model(tmp_path / "again.h5", backend="numpy").predict(x), y, atol=1e-5)


@pytest.mark.needs("tensorflow")
def test_two_outputs_and_states_of_a_masked_bidirectional(tmp_path, tf_keras):
    entry = kc.Input((6, 3))
    options = {"return_sequences": True, "return_state": True}
    forward, backward, *states = L.Bidirectional(L.LSTM(2, **options), merge_mode=None)(L.Masking()(entry))
    joined, *more = L.Bidirectional(L.GRU(3, **options))(L.Masking()(entry))
    model = kc.Model(entry, [forward, backward, L.LSTM(2)(backward), *states, joined, *more])
    x = np.random.default_rng(0).standard_normal((3, 6, 3)).astype("float32")
    x[0, 4:] = x[1, :2] = x[2, 2:4] = 0
    wanted = model.predict(x)
    model.save(tmp_path / "model.h5")
    found = tf_keras.models.load_model(made(tmp_path / "model.h5", tmp_path).target).predict(x, verbose=0)
    for ours, theirs in zip(wanted, found, strict=True):
        np.testing.assert_allclose(theirs, ours, atol=1e-5)


@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize("layers", [MASKED[0], MASKED[4]], ids=["read", "not read"])
def test_verification_in_tf_keras_agrees(layers, tmp_path, tf_keras):
    path, x, _ = masked(tmp_path, layers)
    report = kc.verify(path, made(path, tmp_path).target, inputs=[x])
    assert report.target.ran_on == "tf_keras" and report.equal, report


@pytest.mark.parametrize("layers", MASKED, ids=lambda layers: layers[0].class_name)
def test_a_file_for_tf_keras_is_read_as_what_it_computes(layers, tmp_path):
    path, x, y = masked(tmp_path, layers)
    target = made(path, tmp_path).target
    np.testing.assert_allclose(kc.load_model(target, backend="numpy").predict(x), y, atol=1e-5)
    back = kc.convert(target, tmp_path / "back.h5", target="tensorflow", format="keras2")
    assert "zero_output_for_mask" not in json.dumps(config_of(back.target))
    np.testing.assert_allclose(kc.load_model(back.target, backend="numpy").predict(x), y, atol=1e-5)


@pytest.mark.parametrize("theta", [0.7, 0.0])
def test_a_thresholded_linear_keeps_its_threshold(theta, tmp_path):
    layer = L.ThresholdedLinear(theta, name="bent")
    new = expressed(layer, (None, 5))
    x = np.array([[-0.7, 0.7, -0.69, 2.0, -3.0]], "float32")
    found = kc.Sequential([L.Activation("linear", input_shape=(5,)), layer]).predict(x)
    entry = kc.Input((5,))
    made = {}
    for one in new:
        given = [made[name] for name in one.inputs] or [entry]
        made[one.layer.name] = one.layer(given if len(given) > 1 else given[0])
    np.testing.assert_array_equal(kc.Model(entry, made["bent"]).predict(x), found)


def test_options_are_stated_and_those_that_tf_keras_does_not_have_are_left_out(tmp_path):
    model = kc.Sequential([L.GRU(3, input_shape=(4, 2), name="gru"), L.BatchNormalization(name="bn")])
    model.save(tmp_path / "model.h5")
    gru, bn = (layer["config"] for layer in config_of(made(tmp_path / "model.h5", tmp_path).target)["config"]["layers"])
    assert gru["reset_after"] is False and gru["zero_output_for_mask"] is False
    assert "mode" not in bn and "batch_input_shape" not in bn


@pytest.mark.parametrize("format", ["same", "keras2"])
@pytest.mark.parametrize("name", ["2.3.1-theano/upsampling2d_bilinear_22_th", "2.3.1-tensorflow/gru_reset_after"])
def test_it_comes_back_as_it_was(name, format, tmp_path):
    found = case(name)
    there = made(found.model, tmp_path, found.backend)
    back = kc.convert(there.target, tmp_path / "back.h5", target=found.backend, format=format)
    with hdf5.read(found.model) as first, hdf5.read(back.target) as last:
        assert first.keras_version == last.keras_version and first.model_config == last.model_config
        for ours, theirs in zip(first.groups, last.groups, strict=True):
            assert [array.name for array in ours.arrays] == [array.name for array in theirs.arrays]
            for one, other in zip(ours.arrays, theirs.arrays, strict=True):
                assert one.read().tobytes() == other.read().tobytes()


@pytest.mark.parametrize("name", ["1.2.2-theano/highway", "1.2.2-theano/maxout_dense_nobias"])
def test_layers_that_it_lacks_are_recovered_after_tf_keras_saved_it_again(name, tmp_path):
    found = case(name)
    there = made(found.model, tmp_path, found.backend).target
    with h5py.File(there, "r+") as file:
        del file.attrs["kconvert"]
    back = kc.convert(there, tmp_path / "back.h5", target="theano")
    once = kc.convert(found.model, tmp_path / "once.h5", found.backend, "theano", format="keras2", force=True)
    kinds = [[layer.class_name for _, layer in done.plan.result.model.leaves()] for done in (once, back)]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"target": "theano"}, "no file of tf_keras is for theano"),
        ({"cudnn": True}, "tf_keras has no CuDNN layers"),
    ],
)
def test_what_contradicts_the_format_is_refused(options, words, tmp_path):
    found = case("2.3.1-theano/lenet_th")
    with pytest.raises(KconvertError, match=words):
        made(found.model, tmp_path, found.backend, **options)


@pytest.mark.parametrize(
    ("name", "words"),
    [("out.keras", "is of keras3, not of tf_keras"), ("out.weights.h5", "is of keras3, not of tf_keras")],
)
def test_an_ending_that_tf_keras_takes_for_another_form_is_refused(name, words, tmp_path):
    with pytest.raises(KconvertError, match=words):
        kc.convert(case("2.3.1-theano/lenet_th").model, tmp_path / name, format="tf_keras")


def test_a_lambda_with_code_is_refused(tmp_path):
    model = kc.Sequential([L.Dense(2, input_shape=(3,)), L.Lambda("4wEAAAA=", name="code")])
    model.save(tmp_path / "model.h5")
    with pytest.raises(KconvertError, match="layer code: a Lambda stores code"):
        made(tmp_path / "model.h5", tmp_path)


def test_activations_that_tf_keras_does_not_have_are_refused(tmp_path):
    model = kc.Sequential([L.Dense(2, activation="hard_tanh", input_shape=(3,), name="dense")])
    model.save(tmp_path / "model.h5")
    with pytest.raises(KconvertError, match="layer dense: tf_keras has no activation 'hard_tanh'"):
        made(tmp_path / "model.h5", tmp_path)


def test_a_file_for_keras_2_is_not_one_for_tf_keras_already(tmp_path):
    done = made(case("2.3.1-tensorflow/dense_bn").model, tmp_path)
    assert done.plan.goal.release == "2.21.0"
    with pytest.raises(KconvertError, match="already is"):
        kc.convert(done.target, tmp_path / "again.h5", format="tf_keras")


@pytest.mark.needs("tensorflow")
def test_tf_keras_has_the_classes_and_activations(tf_keras):
    assert {name for name in CLASSES if hasattr(tf_keras.layers, name)} == CLASSES - {
        "Sequential",
        "Model",
        "Functional",
    }
    assert all(map(tf_keras.activations.get, NAMES))


@pytest.mark.needs("tensorflow")
def test_the_state_of_the_optimizer_is_taken_over(tmp_path, tf_keras):
    found = case("2.3.1-theano/lenet_th")
    model = tf_keras.models.load_model(made(found.model, tmp_path, found.backend).target)
    with h5py.File(tmp_path / "out.h5") as file:
        names = file["optimizer_weights"].attrs["weight_names"]
        stored = [file["optimizer_weights"][name][()] for name in names]
    state = model.optimizer.get_weights()
    assert len(state) > 1
    for ours, theirs in zip(stored, state, strict=False):
        np.testing.assert_array_equal(ours, theirs)


def test_weights_alone_of_layers_that_it_lacks_are_refused(tmp_path):
    found = case("1.2.2-theano/maxout_dense")
    with pytest.raises(KconvertError, match="tf_keras has no MaxoutDense: the layers that replace it need the archi"):
        made(found.folder / "weights.h5", tmp_path, found.backend)


@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize("name", ["1.2.2-theano/highway", "1.2.2-theano/gru_cpu"])
def test_weights_alone_come_with_an_architecture_that_tf_keras_reads(name, tmp_path, tf_keras):
    found = case(name)
    arch = found.folder / "arch.json"
    done = made(found.folder / "weights.h5", tmp_path, found.backend, arch=arch)
    model = tf_keras.models.model_from_json(done.architecture.read_text(encoding="utf-8"))
    model.load_weights(done.target)
    (x,), (y,) = found.arrays("x"), found.arrays("y")
    np.testing.assert_allclose(model.predict(x, verbose=0), y, atol=1e-5)


@pytest.mark.parametrize("format", ["keras2", "tf_keras"])
def test_what_nothing_reads_at_masked_steps_is_not_compared(format, tmp_path):
    """Both ways: a file of tf_keras for Keras 2, and the other way round."""
    path, x, _ = masked(tmp_path, MASKED[4])
    if format == "keras2":
        path = made(path, tmp_path).target
        with h5py.File(path, "r+") as file:
            del file.attrs["kconvert"]
    done = kc.convert(path, tmp_path / "result.h5", target="tensorflow", format=format)
    report = kc.verify(path, done.target, inputs=[x], running=kc.Running(package="kconvert"))
    assert report.equal and {layer.layer for layer in report.layers} == {"Masking", "GRU"}
