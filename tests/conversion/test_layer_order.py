"""The order of layers in a file, in which Keras reads weights by position (tests/fixtures/field)."""

import json

import numpy as np
import pytest

from conformance.cases import ATOL
from kconvert import convert, load_model
from kconvert.conventions.generations import Convention
from kconvert.conversion.binding import places
from kconvert.conversion.reading import network_of
from kconvert.conversion.source import Source
from kconvert.formats.hdf5 import read
from kconvert.layers.lists import as_list
from kconvert.network.architecture import model_from_config
from kconvert.network.ordering import ordered
from tests.fixtures import FOLDER

BY_NAME = [
    "layer_order_before_1_0_8",  # Keras 1.0.5: eight Dense side by side
    "layer_order_of_nested_models",  # Keras 1.0.5: Dense side by side in nested models side by side
    "layer_order_legacy",  # Keras 1.2.2 after K.set_legacy_weight_ordering(True)
    "layer_order_of_convolutions",  # Keras 1.0.5: convolutions side by side
]


def order(path):
    """The layers of a file, and the arrays in each, without the ':0' of TensorFlow."""
    with read(path) as checkpoint:
        return [
            (group.name, [array.name.removesuffix(":0") for array in group.arrays])
            for group in checkpoint.groups
            if group.arrays
        ]


def converted(path, out, source, target, arch):
    return convert(path, out, source, target, format="same", data_format="keep", arch=arch)


def error(folder, arch):
    """The greatest difference from what real Keras computed."""
    with np.load(folder / "io.npz") as io:
        got = as_list(load_model(folder / "weights.h5", "numpy", "theano", arch, convention="theano").predict(io["x0"]))
        return max(np.abs(y - io[f"y{i}"]).max() for i, y in enumerate(got))


@pytest.mark.parametrize("name", BY_NAME)
def test_same_keeps_the_order_of_names_there_and_back(name, tmp_path):
    folder = FOLDER / "field" / name
    there = converted(folder / "weights.h5", tmp_path / "there.h5", "theano", "tensorflow", folder / "arch.json")
    assert order(there.target) == order(folder / "weights.h5")
    back = converted(there.target, tmp_path / "back.h5", "tensorflow", "theano", folder / "arch.json")
    assert order(back.target) == order(folder / "weights.h5")


@pytest.mark.parametrize("name", BY_NAME)
def test_computes_what_real_keras_computed(name):
    folder = FOLDER / "field" / name
    assert error(folder, folder / "arch.json") <= ATOL


def test_weights_under_other_names_are_paired_in_the_order_of_the_release_that_wrote_them(tmp_path):
    """The groups are renamed, in their order; the second name of the first is that of the last."""
    folder = FOLDER / "field" / "layer_order_before_1_0_8"
    arch = (folder / "arch.json").read_text()
    for old in ("hard_sigmoid", "linear", "relu", "sigmoid", "softmax", "softplus", "softsign", "tanh"):
        arch = arch.replace(f'"dense_{old}"', f'"other_{old}"')
    (tmp_path / "arch.json").write_text(arch)
    assert error(folder, tmp_path / "arch.json") <= ATOL


def test_an_order_that_nothing_tells_is_noted(tmp_path):
    folder = FOLDER / "field" / "layer_order_before_1_0_8"
    arch = (folder / "arch.json").read_text().replace("dense_", "other_").replace('"keras_version": "1.0.5"', '"a": 1')
    (tmp_path / "arch.json").write_text(arch)
    done = converted(folder / "weights.h5", tmp_path / "out.h5", "theano", "tensorflow", tmp_path / "arch.json")
    assert any("source_release=" in note and "order of their names" in note for note in done.plan.notes)
    told = convert(
        folder / "weights.h5",
        tmp_path / "told.h5",
        "theano",
        "tensorflow",
        arch=tmp_path / "arch.json",
        source_release="1.0.5",
    )
    assert not any("order of their names" in note for note in told.plan.notes)


def test_nested_networks_are_sorted_too():
    folder = FOLDER / "field" / "layer_order_of_nested_models"
    source = Source(folder / "weights.h5", "theano", arch=folder / "arch.json")
    with read(folder / "weights.h5") as checkpoint:
        network = ordered(network_of(checkpoint, source), by_name=True, early=True)
    assert [layer.name for layer in network.sublayers] == ["left", "right", "m"]
    assert [layer.name for layer in network.by_name["left"].sublayers] != ["p", "q", "r", "left_m"]
    assert [layer.name for layer in network.sublayers[0].sublayers] == ["p", "q", "r", "left_m"]


@pytest.mark.parametrize(("release", "early"), [("1.2.2", True), ("2.3.1", False)])
def test_shared_layers_are_as_deep_as_in_the_release_that_writes_the_file(release, early):
    cases = json.loads((FOLDER / "shared_order" / f"{release}.json").read_text())
    networks = [ordered(model_from_config(case["architecture"]), by_name=False, early=early) for case in cases]
    assert [[layer.name for layer in network.layers] for network in networks] == [case["layers"] for case in cases]


def test_the_groups_of_a_file_are_in_the_order_of_the_release_that_reads_it():
    """The second model: Keras 1.2.2 has the layer `shared` before `before`, which 2.3.1 has the other way round."""
    case = json.loads((FOLDER / "shared_order" / "2.3.1.json").read_text())[2]
    network = model_from_config(case["architecture"])
    found = {name: [group for group, held in places(network, Convention(name, "theano")) if held] for name in TARGETS}
    assert found == TARGETS


TARGETS = {"keras1": ["shared", "before", "between"], "keras2": ["before", "shared", "between"]}
