"""Files that `kconvert.keras1` saves are those of Keras 1.2.2, and those of Keras 1.2.2 go on training as there."""

from __future__ import annotations

import json
import re
import runpy

import h5py
import numpy as np
import pytest

from kconvert.keras1 import layers, models, optimizers, regularizers
from tests.fixtures import FOLDER

HERE = FOLDER / "keras1_saved"
TOOLS = runpy.run_path(str(HERE / "cases.py"))
CASES = TOOLS["cases"](layers, models, regularizers, optimizers)
KNOWN = {path.parent.name: json.loads(path.read_text()) for path in sorted(HERE.glob("*/known.json"))}
ON = [pytest.param(on, name, marks=pytest.mark.needs(on)) for on in KNOWN for name in CASES]
LESS_EXACT = {("tensorflow", "texts"): 1e-2}
"""On TensorFlow, Keras 1.2.2 counts the step while the decay reads the count."""
WORDS = ("keras_version", "layer_names", "weight_names")
pytestmark = pytest.mark.parametrize(("on", "name"), ON, indirect=["on"])


def inputs(name):
    """The inputs and the labels of a case."""
    return CASES[name]()[1:]


def named(name):
    """A name without the number that TensorFlow gives to a second variable of the same name in one process."""
    return re.sub(r"_\d+:0$", ":0", name)


def plain(words):
    """An architecture without the keys that say nothing more."""
    if isinstance(words, dict):
        dropped = ("input_dim", "input_length", "keras_version") if "output_dim" in words else ("keras_version",)
        return {key: plain(value) for key, value in words.items() if key not in dropped}
    return [plain(one) for one in words] if isinstance(words, list) else words


def tree(path):
    """The arrays of a file by their names, and the attributes, configurations as values."""
    arrays, attributes = {}, {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and not name.startswith("optimizer_weights"):
            arrays[named(name)] = item[()]
        for key, value in item.attrs.items():
            if key in WORDS and not name.startswith("optimizer_weights"):
                attributes[name, key] = [named(one.decode()) for one in np.ravel(value)]

    with h5py.File(path) as file:
        file.visititems(visit)
        state = [file["optimizer_weights"][one][()] for one in file["optimizer_weights"].attrs["weight_names"]]
        stated = {key: json.loads(file.attrs[key]) for key in ("model_config", "training_config")}
        return arrays, attributes, stated, state


def test_a_file_of_keras_1_2_2_computes_and_trains_as_there(on, name):
    known, (x, y) = KNOWN[on][name], inputs(name)
    model = models.load_model(HERE / on / f"{name}.h5")
    assert isinstance(model, (models.Sequential, models.Model))
    np.testing.assert_allclose(TOOLS["outputs"](model, x)[0], known["outputs"][0], rtol=1e-4, atol=1e-5)
    weights = model.get_weights()
    assert [list(weight.shape) for weight in weights] == known["shapes"]
    assert [float(weight.sum()) for weight in weights] == pytest.approx(known["sums"], rel=1e-4, abs=1e-4)
    tolerance = LESS_EXACT.get((on, name), 1e-4)
    found, wanted = np.asarray(TOOLS["losses"](model, x, y)), np.asarray(known["losses"])
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def test_a_file_is_as_keras_1_2_2_writes_it(on, name, tmp_path):
    theirs = HERE / on / f"{name}.h5"
    models.load_model(theirs).save(tmp_path / "ours.h5")
    arrays, attributes, stated, state = tree(tmp_path / "ours.h5")
    wanted, their_attributes, their_words, their_state = tree(theirs)
    assert sorted(arrays) == sorted(wanted) and attributes == their_attributes
    for key, array in wanted.items():
        np.testing.assert_allclose(arrays[key], array, rtol=1e-6, atol=1e-7)
    assert [np.shape(one) for one in state] == [np.shape(one) for one in their_state]
    for one, other in zip(state, their_state, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)
    ours, wanted_words = stated["training_config"], their_words["training_config"]
    config, wanted_config = (one.pop("optimizer_config") for one in (ours, wanted_words))
    assert (ours["loss"], ours["metrics"] or []) == (wanted_words["loss"], wanted_words["metrics"] or [])
    assert config["class_name"] == wanted_config["class_name"]
    assert config["config"] == pytest.approx(wanted_config["config"])
    assert plain(stated["model_config"]) == plain(their_words["model_config"])


def test_an_architecture_and_weights_make_the_model_again(on, name, tmp_path):
    model, (x, _) = models.load_model(HERE / on / f"{name}.h5"), inputs(name)
    model.save_weights(tmp_path / "weights.h5")
    again = models.model_from_json(model.to_json())
    again.load_weights(tmp_path / "weights.h5", source_release="1.2.2")
    np.testing.assert_allclose(TOOLS["outputs"](again, x)[0], TOOLS["outputs"](model, x)[0], rtol=1e-6, atol=1e-7)
