"""Keys of configurations that the class does not have: refused by name, or left out; words of Keras 1."""

import json
from dataclasses import dataclass, fields

import h5py
import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert import layers as L
from kconvert.conventions.words.options import UNKNOWN
from kconvert.conversion.passes.left_out import every
from kconvert.conversion.planning import plan
from kconvert.formats.hdf5 import read
from kconvert.layers.registry import CUSTOM
from kconvert.network.architecture import model_config, model_from_config
from tests.fixtures import FOLDER, cases, identify

FIELD = FOLDER / "field" / "unknown_configuration_keys"
TF_KERAS = FOLDER / "tf_keras"


@pytest.fixture
def custom():
    """The user's classes, as they were before the test when it ends."""
    before = CUSTOM.copy()
    yield CUSTOM
    CUSTOM.clear()
    CUSTOM.update(before)


def chain(class_name, version="2.3.1", shape=(None, 7, 4), **config):
    layer = {"class_name": class_name, "config": {"name": "one", "batch_input_shape": list(shape), **config}}
    return {"class_name": "Sequential", "config": [layer], "keras_version": version}


def read_layer(class_name, version="2.3.1", **config):
    return model_from_config(chain(class_name, version, **config)).by_name["one"]


# ------------------------------------------------- files that tf.keras saved ----


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (FIELD / "timemajor.h5", "layer lstm_2: LSTM has no option 'time_major', here True"),
    ],
    ids=lambda value: getattr(value, "stem", ""),
)
@pytest.mark.parametrize("target", ["theano", "tensorflow"])
def test_an_option_that_changes_the_result_is_refused_by_every_way_in(path, named, target):
    with read(path) as checkpoint, pytest.raises(KconvertError, match=named):
        plan(checkpoint, None, target)
    with pytest.raises(KconvertError, match=named):
        kc.load_model(path, backend="numpy")


@pytest.mark.parametrize("target", ["theano", "tensorflow"])
def test_global_poolings_that_keep_the_axes_run_and_are_written_with_a_reshape(target, tmp_path):
    done = kc.convert(TF_KERAS / "max_pooling_keepdims.h5", tmp_path / "out.h5", target=target)
    with np.load(TF_KERAS / "max_pooling_keepdims.npz") as io:
        for path in (TF_KERAS / "max_pooling_keepdims.h5", done.target):
            found = kc.load_model(path, backend="numpy").predict(io["x0"])
            np.testing.assert_allclose(found, io["y0"], rtol=1e-4, atol=1e-5)
    assert [layer.class_name for layer in done.plan.result.model.sublayers][-2:] == ["GlobalMaxPooling1D", "Reshape"]
    there = kc.convert(FIELD / "gapkeep.h5", tmp_path / "there.h5", target=target).plan.result.model
    assert "keepdims" not in str(there.stored_config())


def test_the_same_options_at_their_defaults_are_left_out_with_a_note(tmp_path):
    out = tmp_path / "out.h5"
    done = kc.convert(TF_KERAS / "defaults.h5", out, target="theano", data_format="keep")
    (note,) = [note for note in done.plan.notes if note.startswith("left out, because it changes nothing: ")]
    assert "; groups=1 of conv2d; " in note
    assert "; time_major=False of forward_lstm_1, backward_lstm_1, rnn" in note
    with np.load(TF_KERAS / "defaults.npz") as io, h5py.File(out) as file:
        written = json.loads(file.attrs["model_config"])
        outputs = kc.load_model(out, backend="numpy").predict(io["x0"])
        np.testing.assert_allclose(outputs, io["y0"], rtol=1e-5, atol=1e-6)
    assert not {"groups", "keepdims", "time_major", "ragged", "optional", "module", "registered_name"} & set(
        _keys(written)
    )
    assert "HeNormal" not in json.dumps(written)


def test_a_file_with_such_options_is_not_in_the_convention_of_keras_2():
    with read(TF_KERAS / "defaults.h5") as checkpoint:
        assert plan(checkpoint, None, "tensorflow").changes


def _keys(value):
    if isinstance(value, dict):
        yield from value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(item)


# ----------------------------------------------------------------- each key ----


@pytest.mark.parametrize(
    ("class_name", "config"),
    [
        ("AtrousConvolution1D", {"causal": True, "nb_filter": 2, "filter_length": 3, "atrous_rate": 2}),
        ("Convolution1D", {"nb_filter": 2, "filter_length": 3, "dilate_by_two": 2}),
        ("LSTM", {"output_dim": 3, "peepholes": True}),
    ],
)
def test_options_of_forks_of_keras_1_are_refused(class_name, config):
    key = "causal" if "causal" in config else list(config)[-1]
    with pytest.raises(KconvertError, match=rf"layer one: .* has no option '{key}'.*custom_objects"):
        read_layer(class_name, "1.2.2", **config)


@pytest.mark.parametrize(
    ("class_name", "config"),
    [
        ("TimeDistributed", {"layer": {"class_name": "Dense", "config": {"units": 2, "color": "blue"}}}),
        ("Bidirectional", {"layer": {"class_name": "LSTM", "config": {"units": 2, "time_major": True}}}),
        ("RNN", {"cell": {"class_name": "LSTMCell", "config": {"units": 2, "color": 1}}}),
        ("RNN", {"cell": [{"class_name": "GRUCell", "config": {"units": 2, "color": 1}}]}),
        ("Sequential", {"layers": [{"class_name": "Dense", "config": {"units": 2, "color": 1}}]}),
        ("Dense", {"units": 2, "kernel_regularizer": {"class_name": "L1L2", "config": {"l1": 0.1, "l3": 0.2}}}),
        ("Dense", {"units": 2, "kernel_constraint": {"class_name": "UnitNorm", "config": {"max_value": 2}}}),
        ("LocallyConnected1D", {"filters": 2, "kernel_size": 3, "implementation": 2}),
        ("BatchNormalization", {"renorm": True}),
    ],
)
def test_inner_layers_and_objects_are_looked_at_too(class_name, config):
    with pytest.raises(KconvertError, match="has no option"):
        read_layer(class_name, **config)


@pytest.mark.parametrize("row", UNKNOWN, ids=lambda row: f"{row.key} {' '.join(row.classes)}")
def test_every_harmless_value_is_read(row):
    cls = getattr(L, row.classes[0] if row.classes else "Flatten")
    needed = {"units": 2, "filters": 2, "kernel_size": 3, "function": "f"}
    known = {f.name for f in fields(cls)}
    key = row.key.replace("*", "x")
    for value in row.harmless or ("anything",):
        found = cls.from_config({**{word: needed[word] for word in needed if word in known}, key: value})
        assert (key in found.extra, key in found.left_out) == (row.kept, not row.kept)


def test_null_is_harmless_for_every_key():
    assert read_layer("Dense", units=2, W_learning_rate_multiplier=None, color=None).left_out == {
        "W_learning_rate_multiplier": None,
        "color": None,
    }


def test_training_alone_reads_multipliers_of_the_learning_rate():
    layer = read_layer("Dense", "1.2.2", output_dim=2, W_learning_rate_multiplier=3, b_learning_rate_multiplier=1.0)
    assert layer.left_out == {"W_learning_rate_multiplier": 3, "b_learning_rate_multiplier": 1.0}
    assert "W_learning_rate_multiplier" not in layer.stored_config()


# --------------------------------------------------------- words of Keras 1 ----


def test_words_of_keras_1_in_a_file_of_keras_2_count():
    layer = read_layer("Conv1D", nb_filter=2, filter_length=3, border_mode="same", bias=False)
    assert (layer.filters, layer.kernel_size, layer.padding, layer.use_bias) == (2, (3,), "same", False)
    assert read_layer("Dense", units=2, input_dim=4).batch_input_shape == [None, 7, 4]


@pytest.mark.parametrize("version", ["1.2.2", "2.3.1"])
def test_two_words_for_one_option_must_agree(version):
    both = {"filters": 2, "kernel_size": [3], "border_mode": "valid"}
    assert read_layer("Conv1D", "2.3.1", **both, padding="valid").padding == "valid"
    old = {"nb_filter": 2, "filter_length": 3} if version == "1.2.2" else {"filters": 2, "kernel_size": [3]}
    class_name = "Convolution1D" if version == "1.2.2" else "Conv1D"
    with pytest.raises(KconvertError, match="border_mode='valid' contradicts padding='same'"):
        read_layer(class_name, version, **old, border_mode="valid", padding="same")


# -------------------------------------------------------- classes of the user ----


def test_a_users_class_under_a_name_of_keras_1_is_used_and_keeps_its_words(custom):
    @kc.register_layer
    @dataclass(eq=False)
    class AtrousConvolution1D(L.Conv1D):
        causal: bool = False

        def __post_init__(self):
            super().__post_init__()
            self.padding = "causal" if self.causal else self.padding

    stated = {"nb_filter": 2, "filter_length": 3, "atrous_rate": 2, "border_mode": "valid", "causal": True}
    config = chain("AtrousConvolution1D", "1.2.2", **stated)
    model = model_from_config(config)
    layer = model.by_name["one"]
    assert type(layer) is AtrousConvolution1D
    assert (layer.causal, layer.filters, layer.dilation_rate) == (True, 2, (2,))
    assert model.shapes()[model.output_refs[0]] == (None, 7, 2)  # 'valid' would give 3 steps
    (written,) = model_config(model, "keras1", "1.2.2", "theano")["config"]
    assert written["class_name"] == "AtrousConvolution1D"
    assert {"nb_filter", "filter_length", "atrous_rate", "causal"} <= set(written["config"])
    assert "filters" not in written["config"]


def test_a_users_class_keeps_keys_that_it_does_not_know(custom):
    @kc.register_layer
    @dataclass(eq=False)
    class Scale(L.Layer):
        axis: int = -1

    layer = read_layer("Scale", axis=1, momentum=0.9, beta_init="zero", input_dim=None)
    assert layer.extra == {"momentum": 0.9, "beta_init": "zero", "input_dim": None}
    assert layer.stored_config()["momentum"] == 0.9


def test_a_users_class_under_the_name_of_a_built_in_one_is_used(custom):
    @kc.register_layer
    @dataclass(eq=False)
    class LSTM(L.LSTM):
        time_major: bool = False

    assert type(read_layer("LSTM", units=2, time_major=True)) is LSTM
    assert read_layer("LSTM", "1.2.2", output_dim=2, time_major=True).units == 2


# ---------------------------------------------------------- what real Keras saved ----


STATED = [found for found in cases("0.3.3", "1.2.2", "2.3.1") if (found.folder / "arch.json").exists()]


@pytest.mark.parametrize("found", STATED, ids=identify)
def test_nothing_is_left_out_of_what_keras_saved(found):
    config = json.loads((found.folder / "arch.json").read_text())
    model = model_from_config(config, data_format=found.data_format)
    assert [layer.name for layer in every(model) if layer.left_out] == []


def test_results_have_only_keys_of_their_classes():
    with read(TF_KERAS / "defaults.h5") as checkpoint:
        result = plan(checkpoint, None, "theano").result.model
    for layer in every(result):
        if not layer.is_network:
            known = {f.metadata.get("key", f.name) for f in fields(layer)}
            assert set(layer.stored_config()) <= known
