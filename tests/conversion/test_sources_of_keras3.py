"""Files that the installed Keras 3 saved as sources: they compute what Keras 3 computed, or are refused by name."""

import io
import json
import os
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert.formats.objects import snake_case
from tests.fixtures import FOLDER

READ = [
    *("dense", "activations", "more_activations", "shrinking", "layer_as_activation", "layer_normalization"),
    *("rescaling", "batch_normalization", "einsum", "depthwise_1d", "groups", "conv_lstm_1d", "conv_lstm_2d"),
    *("conv_lstm_3d", "gru", "two_way", "time_distributed", "cells", "bilinear", "transposed", "nested", "no_input"),
    *(
        "normalization",
        "adapted",
        "identity",
        "keepdims",
        "shared",
        "states",
        "by_names",
        "masked",
        "phases",
        "einsum_of_any_axes",
    ),
]
REFUSED = {
    "attention": "MultiHeadAttention: it is of tf.keras, not of Keras 0.2 - 2.3; it computes attention",
    "conv_1d_transpose": "unknown layer class 'Conv1DTranspose'",
    "different_masks": "Keras 3 computes another mask for LSTM than Keras 2 does",
    "operations": "Multiply is an operation of keras.ops",
    "two_kinds_of_direction": "its backward_layer is no copy of its layer",
}
FORMS = ("model.keras", "model.h5", "w.weights.h5")


def run(*arguments):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "KERAS", "THEANO"))}
    done = subprocess.run([sys.executable, *map(str, arguments)], env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras3")
    run(FOLDER / "keras3" / "models.py", folder)
    return folder


def arrays(folder):
    with np.load(folder / "io.npz") as stored:
        names = sorted(stored.files, key=lambda name: int(name[1:]))
        return [[stored[name] for name in names if name[0] == letter] for letter in "xy"]


def check(path, folder, backend="numpy", arch=None):
    inputs, outputs = arrays(folder)
    got = kc.load_model(path, backend=backend, arch=arch).predict(inputs if len(inputs) > 1 else inputs[0])
    got = got if isinstance(got, list) else [got]
    for ours, theirs in zip(got, outputs, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", READ)
def test_it_computes_what_keras_3_computed(name, form, models):
    check(models / name / form, models / name, arch=models / name / "arch.json" if form.startswith("w") else None)


@pytest.mark.parametrize("name", ["activations", "einsum", "depthwise_1d", "gru", "two_way", "masked", "states"])
def test_converted_to_theano_it_computes_the_same(name, models, tmp_path):
    done = kc.convert(models / name / "model.keras", tmp_path / "out.h5", target="theano", force=True)
    check(done.target, models / name, "theano")


@pytest.mark.parametrize("form", ["model.keras", "w.weights.h5"])
def test_a_sum_of_low_rank_is_read_where_keras_3_saves_it(form, models):
    check(models / "lora" / form, models / "lora", arch=models / "lora" / "arch.json" if form.startswith("w") else None)


def test_parts_of_a_sum_of_low_rank_are_refused(models):
    with pytest.raises(KconvertError, match=r"4 arrays in the file .*lora_kernel_a.* where the layer has 2"):
        kc.load_model(models / "lora" / "model.h5", backend="numpy")


def test_two_directions_without_a_mask_stay_one_layer(models, tmp_path):
    folder = models / "two_way_without_masks"
    done = kc.convert(folder / "model.keras", tmp_path / "out.h5", target="theano")
    assert [layer.class_name for layer in done.plan.result.model.sublayers] == ["Bidirectional", "Dense"]
    check(done.target, folder)


def test_a_regularizer_that_keras_2_lacks_is_noted_and_comes_back(models, tmp_path):
    done = kc.convert(models / "orthogonal" / "model.keras", tmp_path / "out.h5", target="tensorflow")
    assert any("Keras 2.3 does not have the regularizer OrthogonalRegularizer (" in note for note in done.plan.notes)
    with zipfile.ZipFile(kc.convert(done.target, tmp_path / "back.keras").target) as archive:
        assert b"OrthogonalRegularizer" in archive.read("config.json")


def test_a_mask_that_keras_2_refuses_is_noted(models, tmp_path):
    done = kc.convert(models / "dropped_mask" / "model.keras", tmp_path / "out.h5", target="theano")
    assert any("takes no mask, and gets that of masking" in note for note in done.plan.notes)
    check(done.target, models / "dropped_mask")


def test_a_generation_that_is_not_known_is_refused(models, tmp_path):
    with zipfile.ZipFile(models / "dense" / "model.keras") as real, zipfile.ZipFile(tmp_path / "x.keras", "w") as copy:
        for name in real.namelist():
            copy.writestr(name, json.dumps({"keras_version": "4.0.0"}) if "metadata" in name else real.read(name))
    with pytest.raises(KconvertError, match=r"saved with Keras 4\.0\.0, and kconvert knows Keras up to 3\."):
        kc.load_model(tmp_path / "x.keras", backend="numpy")
    check_release = kc.load_model(tmp_path / "x.keras", backend="numpy", source_release="3.15.1")
    assert len(check_release.layers) == 2


def test_the_phase_of_a_call_is_left_out_with_a_note(models, tmp_path):
    notes = " ".join(kc.convert(models / "phases" / "model.keras", tmp_path / "out.h5", target="theano").plan.notes)
    assert "training=True of the call of" in notes and "training=False of the call of" in notes


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_equal_is_refused_by_name(name, form, models):
    arch = models / name / "arch.json" if form.startswith("w") else None
    with pytest.raises(KconvertError, match=f"layer .*{REFUSED[name]}"):
        kc.load_model(models / name / form, backend="numpy", arch=arch)


def changed(path, source, change):
    """A copy of an archive with another architecture."""
    with zipfile.ZipFile(source) as real, zipfile.ZipFile(path, "w") as copy:
        for name in real.namelist():
            content = real.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config["config"]["layers"])
                content = json.dumps(config)
            if name == "model.weights.h5":
                content = renamed(content, config["config"]["layers"][1]["class_name"])
            copy.writestr(name, content)
    return path


def renamed(content, class_name):
    """Weights whose first layer is of another class."""
    file = io.BytesIO(content)
    with h5py.File(file, "r+") as weights:
        if snake_case(class_name) not in weights["layers"]:
            weights.move("layers/identity", f"layers/{snake_case(class_name)}")
    return file.getvalue()


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ({"module": "evil", "registered_name": None}, {}, "unknown layer class 'evil>Dense'"),
        ({"module": None, "registered_name": "mine>Dense"}, {}, "unknown layer class 'mine>Dense'"),
        ({}, {"quantization_config": {"a": 1}}, "Dense has no option 'quantization_config'"),
        ({}, {"dtype": {"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}}, "mixed precision"),
        ({}, {"dtype": {"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8"}}}, "quantized"),
        ({"class_name": "Lambda"}, {"function": {"class_name": "__lambda__", "config": {"code": "4wAA"}}}, "Lambda"),
        ({"module": "keras.layers", "class_name": "RandAugment"}, {}, "unknown layer class 'RandAugment'"),
    ],
)
def test_names_and_code_in_a_file_are_never_imported_or_run(key, value, words, models, tmp_path):
    def change(layers):
        layer = layers[1 if "class_name" in key else -1]  # the first one has no weights
        layer.update(key)
        layer["config"].update(value)

    path = changed(tmp_path / "x.keras", models / "identity" / "model.keras", change)
    with pytest.raises(KconvertError, match=words):
        kc.load_model(path, backend="numpy").predict(np.ones((2, 3), "float32"))
    assert "evil" not in sys.modules


def test_its_hard_sigmoid_is_its_own(models, tmp_path):
    done = kc.convert(models / "activations" / "model.keras", tmp_path / "out.h5", target="tensorflow")
    assert any("hard_sigmoid_of_keras3" in note and "custom_objects" in note for note in done.plan.notes)
    back = kc.convert(done.target, tmp_path / "back.keras")
    with zipfile.ZipFile(back.target) as archive:
        layers = json.loads(archive.read("config.json"))["config"]["layers"]
    assert layers[1]["config"]["activation"] == "hard_sigmoid"


OPEN = """
import sys, keras, numpy as np
for folder in sys.argv[1:]:
    with np.load(f"{folder}/io.npz") as io:
        model = keras.models.load_model(f"{folder}/again.keras")
        got = keras.tree.flatten(model.predict([io[n] for n in sorted(io.files) if n[0] == "x"], verbose=0))
        want = [io[n] for n in sorted(io.files) if n[0] == "y"]
        for a, b in zip(got, want, strict=True):
            np.testing.assert_allclose(a, b, atol=2e-5, err_msg=folder)
"""


def test_what_keras_2_does_not_have_is_written_for_keras_3(models, tmp_path):
    names = ["layer_normalization", "adapted", "conv_lstm_1d", "conv_lstm_3d", "depthwise_1d", "groups", "activations"]
    for name in names:
        there = kc.convert(models / name / "model.keras", tmp_path / f"{name}.h5", target="tensorflow", force=True)
        kc.convert(there.target, models / name / "again.keras", force=True)
    (tmp_path / "open.py").write_text(OPEN, encoding="utf-8")
    run(tmp_path / "open.py", *(models / name for name in names))
