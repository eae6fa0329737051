"""What was written for Keras 3 comes back as the layers from before, also after Keras 3 saved it again."""

import json
import zipfile

import numpy as np
import pytest

import kconvert as kc
from kconvert.conversion.passes.expressions import expressed
from kconvert.conversion.passes.recovery import BUILDERS
from kconvert.formats import hdf5
from tests.fixtures import case

RECOVERED = [
    "1.2.2-theano/highway",
    "1.2.2-theano/maxout_dense_nobias",
    "2.3.1-theano/locally_connected2d_th",
    "2.3.1-tensorflow/locally_connected2d_th",
    "2.3.1-tensorflow/upsampling2d_bilinear_tf",
    "2.3.1-theano/upsampling2d_bilinear_22_th",
]


def without_stamp(path, change=None):
    """The file as Keras 3 saves it again: without the key of kconvert in its architecture. change: of its layers."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(entries["config.json"])
    config.pop("kconvert")
    if change:
        for entry in config["config"]["layers"]:
            change(entry)
    entries["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def classes_of(path):
    with hdf5.read(path) as found:
        layers = found.model_config["config"]["layers"]
        return found.model_config["class_name"], [layer["class_name"] for layer in layers]


def arrays_of(path):
    with hdf5.read(path) as found:
        return [array.read() for group in found.groups for array in group.arrays]


def there_and_back(found, tmp_path, change=None):
    there = kc.convert(found.model, tmp_path / "there.keras", source=found.backend, force=True).target
    options = {"format": "keras2", "data_format": "keep", "force": True}
    again = without_stamp(there, change)
    back = kc.convert(again, tmp_path / "back.h5", source="tensorflow", target="tensorflow", **options)
    if found.release.startswith("2.") and found.backend == "tensorflow":
        return found.model, back.target
    once = kc.convert(found.model, tmp_path / "once.h5", found.backend, "tensorflow", format="keras2", force=True)
    return once.target, back.target


@pytest.mark.parametrize("name", RECOVERED)
def test_layers_and_arrays_come_back(name, tmp_path):
    once, back = there_and_back(case(name), tmp_path)
    assert classes_of(back) == classes_of(once)
    for ours, theirs in zip(arrays_of(back), arrays_of(once), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_layers_that_do_not_match_exactly_stay(tmp_path):
    def other_carry(entry):
        if entry["class_name"] == "Rescaling":
            entry["config"]["offset"] = 2.0

    _, back = there_and_back(case("1.2.2-theano/highway"), tmp_path, other_carry)
    assert "Highway" not in classes_of(back)[1]
    assert "Rescaling" in classes_of(back)[1]


@pytest.mark.parametrize(
    "layer",
    [
        kc.layers.ThresholdedReLU(0.4, name="one"),
        kc.layers.LocallyConnected1D(3, 1, name="one"),
        kc.layers.LocallyConnected1D(3, 2, strides=2, activation="tanh", name="one"),
    ],
)
def test_layers_without_a_mark_of_their_own_get_one(layer, tmp_path):
    model = kc.Sequential([kc.layers.Conv1D(4, 1, batch_input_shape=(None, 6, 5)), layer])
    model.save(tmp_path / "model.h5")
    kc.convert(tmp_path / "model.h5", tmp_path / "there.keras", source="tensorflow")
    again = without_stamp(tmp_path / "there.keras")
    back = kc.convert(again, tmp_path / "back.h5", target="tensorflow", format="keras2").target
    assert classes_of(back) == ("Sequential", ["Conv1D", layer.class_name])
    for ours, theirs in zip(arrays_of(back), arrays_of(tmp_path / "model.h5"), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_builders_are_for_layers_that_keras_3_does_not_have():
    layers = (getattr(kc.layers, name) for name in BUILDERS)
    assert all(expressed.dispatch(layer) is not expressed.dispatch(object) for layer in layers)
