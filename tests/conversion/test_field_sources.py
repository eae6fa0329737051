"""Files whose weights, architecture and name tell different things, with what real Keras computed of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from kconvert import KconvertError, convert, inspect, load_model
from kconvert.conventions.backends import BACKENDS
from kconvert.conventions.generations import GENERATIONS
from kconvert.conversion.planning import plan
from kconvert.formats import hdf5
from tests.fixtures import FOLDER

FIELD = FOLDER / "field"
ELSEWHERE = FOLDER / "elsewhere"


def agrees(folder, weights="weights.h5", arch="arch.json", inputs="io.npz", **words):
    """Loaded for either backend, the file computes what real Keras did; gives the notes of its conversion."""
    with np.load(folder / inputs) as numbers:
        x, y = numbers["x0"], numbers["y0"]
    for backend in BACKENDS:
        model = load_model(folder / weights, "numpy", arch=folder / arch, convention=backend, **words)
        assert np.abs(model.predict(x) - y).max() <= 1e-5 * np.abs(y).max(), backend
    with hdf5.read(folder / weights) as checkpoint:
        return list(plan(checkpoint, words.pop("source", None), "tensorflow", arch=folder / arch, **words).notes)


# ----------------------------------------------- names of Keras 1, words of Keras 2 ----


def test_weights_of_keras_1_with_an_architecture_of_keras_2():
    notes = agrees(FIELD / "keras1_weights_keras2_arch", arch="arch_k2.json")
    assert "the architecture is of Keras 2.3.1, the weights are of Keras 1.0 - 1.2" in notes[0]
    agrees(FIELD / "keras1_weights_keras2_arch", "th_weights.h5", "arch_k2_th.json", "th_io.npz")


@pytest.mark.parametrize(
    ("case", "fused"),
    [("bidirectional_by_gate", False), ("lstm_by_gate", False), ("lstm_fused", True), ("convlstm_of_keras1", None)],
)
def test_gates_are_stored_as_the_arrays_show(case, fused):
    folder = ELSEWHERE / case
    assert "the weights are of Keras 1.0 - 1.2" in agrees(folder)[0]
    with hdf5.read(folder / "weights.h5") as checkpoint:
        made = plan(checkpoint, None, "tensorflow", format="same", arch=folder / "arch.json")
    written = [layer for _, layer in made.result.model.leaves() if hasattr(layer, "fused_gates")]
    assert all(layer.fused_gates == fused for layer in written)


def test_weights_of_keras_2_with_an_architecture_of_keras_1():
    assert (
        "the architecture is of Keras 1.2.2, the weights are of Keras 2.3.1"
        in agrees(ELSEWHERE / "branches_of_keras2")[0]
    )


def test_the_shapes_of_arrays_tell_the_generation(tmp_path):
    folder = FOLDER / "1.0.8-theano" / "conv1d_valid"
    weights = tmp_path / "weights.h5"
    with hdf5.read(folder / "model.h5") as whole:
        later = tmp_path / "arch.json"
        later.write_text(json.dumps({**whole.model_config, "keras_version": "1.2.2"}))
        alone = replace(whole, keras_version=None, model_config=None, whole_model=False, stated_in={})
        hdf5.write(weights, alone, GENERATIONS["keras1.0"])
    (note,) = (note for note in agrees(folder, weights, later) if "shapes" in note)
    assert note == "the shapes of the arrays are those of keras1.0, not of keras1"


# ------------------------------------------------------------------ data format ----

ON_TENSORFLOW = FIELD / "theano_weights_arch_made_on_tensorflow", "arch_made_on_tf.json"


@pytest.mark.parametrize(
    ("folder", "arch", "layer"),
    [
        (*ON_TENSORFLOW, "dense_1"),
        (ELSEWHERE / "reshape_on_theano", "arch.json", "r"),
        (ELSEWHERE / "convlstm_on_theano", "arch.json", "cl"),
        (ELSEWHERE / "flatten_on_theano", "arch.json", "l"),
    ],
)
def test_an_architecture_made_on_another_backend(folder, arch, layer):
    with pytest.raises(KconvertError, match=rf"in channels_first .*\b{layer}\b.* would compute otherwise") as refused:
        agrees(folder, arch=arch)
    assert "source_data_format='channels_first' or 'channels_last'" in refused.value.fix
    notes = agrees(folder, arch=arch, source_data_format="channels_first")
    assert any("taken in channels_first, as given" in note for note in notes)


def test_a_data_format_that_changes_nothing_is_not_asked_for():
    folder = ELSEWHERE / "pooled_on_theano"
    model = load_model(folder / "weights.h5", "numpy", arch=folder / "arch.json", convention="tensorflow")
    with np.load(folder / "io.npz") as numbers:
        y = model.predict(np.moveaxis(numbers["x0"], 1, -1))
        assert np.abs(y - numbers["y0"]).max() < 1e-5
    agrees(folder, source_data_format="channels_first")


def test_an_architecture_of_the_same_backend_is_believed():
    folder = ON_TENSORFLOW[0]
    model = json.loads((folder / ON_TENSORFLOW[1]).read_text())
    assert model["backend"] == "tensorflow"
    done = load_model(
        folder / "weights.h5", "numpy", arch=folder / ON_TENSORFLOW[1], source_data_format="channels_last"
    )
    assert done.input_shapes == [(None, 12, 10, 3)]


def test_the_shapes_of_arrays_tell_the_data_format(tmp_path):
    folder = FOLDER / "1.2.2-theano" / "vgg_like_th"
    text = (folder / "arch.json").read_text()
    assert '"batch_input_shape": [null, 3, ' in text
    last = tmp_path / "arch.json"
    last.write_text(re.sub(r"\[null, 3, (\d+), (\d+)\]", r"[null, \1, \2, 3]", text).replace('"th"', '"tf"'))
    assert any("channels_first, as the shapes of the arrays show" in note for note in agrees(folder, arch=last))
    with pytest.raises(KconvertError, match="do not fit the architecture in channels_last, but in channels_first"):
        agrees(folder, source_data_format="channels_last")


# ---------------------------------------------------------------- whose kernels ----


def test_kernels_of_theano_saved_under_tensorflow(tmp_path):
    folder, weights = FIELD / "th_kernels_saved_under_tensorflow", "net_weights_tf_dim_ordering_th_kernels.h5"
    assert "':0'" in agrees(folder, weights)[0]
    assert "':0'" in agrees(folder, weights, source="theano")[0]
    renamed = tmp_path / "net.h5"
    renamed.write_bytes((folder / weights).read_bytes())
    with pytest.raises(AssertionError):
        agrees(folder, renamed)
    assert "as given, against the file (tensorflow)" in agrees(folder, renamed, source="theano")[0]


@pytest.mark.parametrize("source", [None, "cntk", "tensorflow"])
def test_a_file_of_cntk(source, tmp_path):
    file = FIELD / "cntk_backend" / "cntk.h5"
    assert inspect(file).facts["backend"].value == "tensorflow"
    for target in BACKENDS:
        done = convert(file, tmp_path / f"{target}.h5", source, target)
        assert "saved with cntk" in done.plan.notes[0]


# ------------------------------------------------------------------- the release ----


def test_the_release_that_the_user_states_tells_what_a_batch_normalization_stored(tmp_path):
    folder = FIELD / "batchnorm_of_unknown_release"
    agrees(folder)
    later = json.loads((folder / "arch_of_122.json").read_text())
    assert later["config"][1]["config"].pop("epsilon") == 1e-3  # what Keras 1.0.4 has as 1e-6
    later["config"][1]["config"]["epsilon"] = 1e-6
    arch = tmp_path / "arch.json"
    arch.write_text(json.dumps(later))
    assert "the epsilon of a BatchNormalization" in agrees(folder, arch=arch, source_release="1.0.4")[0]
    assert inspect(folder / "weights.h5").facts["release"].value == "1.0 - 1.2"
    assert inspect(folder / "weights.h5", source_release="1.0.4").facts["release"].value == "1.0.4"


def test_an_architecture_of_another_generation_is_inspected():
    folder = ELSEWHERE / "branches_of_keras2"
    found = inspect(folder / "weights.h5", folder / "arch.json")
    assert (found.facts["release"].value, found.notes) == ("2.3.1", [])
    assert {layer.name: layer.class_name for layer in found.layers}["c1"] == "Convolution2D"


def test_a_flatten_of_an_older_release_moves_no_axis(tmp_path):
    """Flatten has a data format from Keras 2.2 on; the weights are of 2.0.9."""
    folder = ELSEWHERE / "flatten_on_theano"
    text = (
        (folder / "arch.json")
        .read_text()
        .replace("channels_last", "channels_first")
        .replace("null, 9, 8, 3", "null, 3, 9, 8")
    )
    model = json.loads(text.replace('"axis": -1', '"axis": 1'))
    assert [
        layer["config"].get("data_format") for layer in model["config"]["layers"] if layer["class_name"] == "Flatten"
    ]
    arch = tmp_path / "arch.json"
    arch.write_text(json.dumps({**model, "backend": "theano"}))
    assert "f: the Flatten of the release that saved the weights moves no axis" in agrees(folder, arch=arch)
