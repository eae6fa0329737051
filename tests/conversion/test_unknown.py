"""Layers whose class or output shape nothing states: they are carried as they are, and all others are converted."""

from __future__ import annotations

import json
from dataclasses import dataclass

import h5py
import numpy as np
import pytest

import kconvert as kc
from kconvert import layers as L
from kconvert.conventions.roles import Weight
from kconvert.formats import hdf5
from kconvert.layers import registry
from kconvert.layers.base import Layer
from kconvert.layers.component_names import unchecked
from kconvert.verification.verifier import verify
from tests.cli.commands import PARTLY_VERIFIED, UNSUPPORTED, USAGE, run
from tests.fixtures import FOLDER

FIELD = FOLDER / "field" / "layer_of_unknown_shape_stops_all"
MADE = FOLDER / "unknown"
# file: (the backend to convert for, the layer that is left out, its class)
FILES = {
    FIELD / "siamese.h5": ("theano", "lambda_1", "Lambda"),
    FIELD / "siamese_k1.h5": ("tensorflow", "lambda_3", "Lambda"),
    FIELD / "merge_k1.h5": ("tensorflow", "merge_2", "Merge"),
    FIELD / "scale_k1.h5": ("theano", "conv1_scale", "Scale"),
    MADE / "attention_in_gru.h5": ("theano", "attention", "Attention"),
    MADE / "merged_by_function.h5": ("tensorflow", "joined", "Merge"),
    MADE / "norm_in_cnn.h5": ("theano", "norm", "ChannelNorm"),
}


@pytest.fixture(autouse=True)
def classes(monkeypatch):
    monkeypatch.setattr(registry, "CUSTOM", {})


def arrays(path):
    """The arrays of a file in the order of its layers, by layer."""
    with hdf5.read(path) as checkpoint:
        return {group.name: [array.read() for array in group.arrays] for group in checkpoint.groups}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_one_unknown_layer_is_carried_and_all_others_are_compared(bare, path, tmp_path):
    target, name, cls = FILES[path]
    out = tmp_path / "out.h5"
    result = run(path, "--to", target, "--data-format", "keep", "-o", out)
    words = " ".join(result.output.split())
    assert result.exit_code == PARTLY_VERIFIED, result.output
    assert f"not compared: {name} ({cls}): " in words
    before, after = arrays(path), arrays(out)
    assert [a.tolist() for a in before.get(name, [])] == [a.tolist() for a in after.get(name, [])]


@pytest.mark.parametrize("form", ["keras2", "same"])
@pytest.mark.parametrize("path", [p for p in FILES if "Lambda" not in FILES[p][2]], ids=lambda path: path.stem)
def test_the_configuration_of_an_unknown_class_is_written_as_it_was_read(path, form, tmp_path):
    target, name, cls = FILES[path]
    kc.convert(path, tmp_path / "out.h5", target=target, data_format="keep", format=form)
    stated, written = (next(found(model(one), name)) for one in (path, tmp_path / "out.h5"))
    if cls != "Merge":
        assert written == stated
    elif form == "keras2":  # Keras 2 merges by a function in a Lambda
        assert written["class_name"] == "Lambda" and written["config"]["function"] == stated["config"]["mode"]


def model(path):
    with h5py.File(path) as file:
        return json.loads(file.attrs["model_config"])


def found(value, name):
    if isinstance(value, dict):
        if "class_name" in value and value.get("config", {}).get("name") == name:
            yield {"class_name": value["class_name"], "config": value["config"]}
        value = list(value.values())
    for one in value if isinstance(value, list) else []:
        yield from found(one, name)


def attention():
    """The class of the user of attention_in_gru."""

    @dataclass(eq=False)
    class Attention(Layer):
        def weight_specs(self, shape):
            return [Weight("kernel", (shape[-1], 1)), Weight("steps", (shape[1], 1))]

        def compute_output_shape(self, shape):
            return shape[0], shape[2]

        def call(self, K, w, x, mask=None, training=None):
            scores = K.dot(x, w["kernel"]) + w["steps"]
            return K.sum(x * K.softmax(K.squeeze(scores, -1))[:, :, None], axis=1)

    return Attention


def norm():
    """The class of the user of norm_in_cnn."""

    @dataclass(eq=False)
    class ChannelNorm(Layer):
        def weight_specs(self, shape):
            return [Weight("gain", (shape[-1],))]

        def call(self, K, w, x, mask=None, training=None):
            return x * w["gain"]

    return ChannelNorm


@pytest.mark.parametrize(("case", "cls"), [("attention_in_gru", attention), ("norm_in_cnn", norm)])
@pytest.mark.parametrize("convention", ["theano", "tensorflow"])
def test_the_converted_file_computes_what_keras_did_once_the_class_is_registered(case, cls, convention, tmp_path):
    path, made = MADE / f"{case}.h5", tmp_path / "out.h5"
    kc.convert(path, made, target="theano", data_format="keep")
    kc.register_layer(cls())
    with np.load(MADE / f"{case}.npz") as numbers:
        x, y = numbers["x0"], numbers["y0"]
    for one in (path, made):
        assert np.abs(kc.load_model(one, "numpy", convention=convention).predict(x) - y).max() <= 1e-5 * np.abs(y).max()


def test_a_loaded_model_has_all_weights_and_refuses_to_predict_by_name():
    loaded = kc.load_model(MADE / "attention_in_gru.h5", "numpy")
    assert [w.shape for w in loaded.get_weights()][3:5] == [(5, 1), (6, 1)]
    with pytest.raises(kc.KconvertError, match="unknown layer class 'Attention'") as refusal:
        loaded.predict(np.zeros((1, 6, 3), "float32"))
    assert refusal.value.where == "layer attention"


def test_another_data_format_is_refused_by_name(bare, tmp_path):
    result = run(MADE / "norm_in_cnn.h5", "--to", "theano", "-o", tmp_path / "out.h5")
    assert result.exit_code == UNSUPPORTED
    assert "layer norm: unknown layer class 'ChannelNorm'" in result.stderr
    assert "--data-format keep" in result.stderr
    assert not (tmp_path / "out.h5").exists()


def test_a_padding_that_depends_on_the_unknown_shape_is_refused_by_name(bare, tmp_path):
    path = tmp_path / "strided.h5"
    path.write_bytes((MADE / "norm_in_cnn.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        next(found(config, "conv_b"))["config"]["strides"] = [2, 2]
        file.attrs["model_config"] = json.dumps(config).encode()
    with pytest.raises(kc.KconvertError, match="the padding of conv_b depends on it") as refusal:
        kc.convert(path, tmp_path / "out.h5", target="theano", data_format="keep")
    assert refusal.value.where.endswith("layer norm")


# -------------------------------------------------------------------- as-is ----

LENET = FOLDER / "1.2.2-theano" / "lenet_th"


def test_layers_of_a_whole_model_are_left_alone(bare, tmp_path):
    out = tmp_path / "out.h5"
    given = ["--data-format", "keep", "--layer", "convolution2d_1=as-is"]
    result = run(LENET / "model.h5", "--to", "tensorflow", "-o", out, *given)
    words = " ".join(result.output.split())
    assert result.exit_code == PARTLY_VERIFIED, result.output
    assert "not compared: convolution2d_1 (Conv2D): the Conv2D is left as it is, as given" in words
    before, after = arrays(LENET / "model.h5"), arrays(out)
    assert np.array_equal(before["convolution2d_1"][0], after["convolution2d_1"][0])
    assert before["convolution2d_2"][0].shape != after["convolution2d_2"][0].shape


def test_layers_of_an_architecture_are_left_alone(tmp_path):
    given = {"arch": LENET / "arch.json", "data_format": "keep", "layers": ["dense_*=as-is"]}
    made = kc.convert(LENET / "weights.h5", tmp_path / "out.h5", target="tensorflow", **given)
    chains = {step.path: step.chain for step in made.plan.steps}
    assert not len(chains["dense_1", "W"]) and len(chains["convolution2d_1", "kernel"])


@pytest.mark.parametrize("given", ["convolution2d_1=Dense", "other=as-is"])
def test_what_the_architecture_contradicts_is_refused(bare, given, tmp_path):
    words = ["--data-format", "keep", "--layer", given, "-o", tmp_path / "out.h5"]
    assert run(LENET / "model.h5", "--to", "tensorflow", *words).exit_code == USAGE


def test_an_activation_that_only_its_user_knows_leaves_the_other_layers_to_be_compared(tmp_path):
    """In a layer, in a wrapper, and in a nested model."""
    inside = kc.Input((6, 3))
    with unchecked():
        nested = kc.Model(inside, L.Dense(2)(L.Activation("mine", name="act")(inside)))
        x = kc.Input((6, 5))
        y = L.LSTM(4, recurrent_activation="mine", return_sequences=True, name="one")(x)
        y = L.TimeDistributed(L.Dense(3, activation="mine"), name="each")(y)
    model = kc.Model(x, L.GRU(2)(nested(L.Dense(3)(y))))
    model.start("numpy", seed=0)
    model.save(tmp_path / "model.h5")
    done = kc.convert(tmp_path / "model.h5", tmp_path / "out.h5", target="theano")
    named = [note.partition(": ")[0].rpartition("/")[2] for note in done.plan.notes if "its name stays" in note]
    assert sorted(named) == ["act", "dense_1", "one"]
    report = verify(done.source, done.target)
    assert report.word.startswith("EQUAL") and len(report.left_out) == 3 and len(report.layers) == 4
    assert all("unknown activation 'mine'" in one.reason for one in report.left_out)
