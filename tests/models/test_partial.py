"""`load_weights(by_name=True)`: the layers that the file and the model both have, converted, and nothing else."""

import json

import h5py
import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError, Sequential
from kconvert import layers as L
from kconvert.conversion.reading import read_architecture
from kconvert.errors import Problem
from kconvert.models.model import as_model
from kconvert.network.architecture import model_from_config
from tests.fixtures import FOLDER, case

FIELD = FOLDER / "field" / "partial_weights_by_name"

CASES = {
    "1.2.2-theano/lenet_th": ("dense_2", ["convolution2d_2", "dense_1"]),
    "2.3.1-tensorflow/lenet_th": ("dense_2", ["conv2d_2", "dense_1"]),
    "1.2.2-theano/nested_models": ("dense_4", ["sequential_1#1"]),
}


def with_new_top(found, top, units=9):
    """A model of the architecture of a case, with another top under another name; its weights are random."""
    text = (found.folder / "arch.json").read_text().replace(json.dumps(top), '"new_top"')
    config = json.loads(text)
    layers = config["config"] if isinstance(config["config"], list) else config["config"]["layers"]
    last = layers[-1]["config"] if layers[-1]["class_name"] == "Dense" else layers[-2]["config"]
    last["output_dim" if "output_dim" in last else "units"] = units
    return as_model(model_from_config(config, None, found.data_format))


def values(model):
    return {path: np.array(model.backend.value(variable)) for path, variable in model.variables.items()}


@pytest.mark.parametrize(("architecture", "weights"), [("full_arch", "weights"), ("arch", "full_weights")])
@pytest.mark.parametrize("emulates", ["theano", "tensorflow"])
def test_a_new_top_and_a_top_less(architecture, weights, emulates):
    model = as_model(read_architecture(str(FIELD / f"{architecture}.json")))
    model.start(kc.get_backend("numpy", emulates), seed=0)
    before = values(model)
    assert model.load_weights(FIELD / f"{weights}.h5", by_name=True) is model
    partial = model.conversion.partial
    assert list(partial.taken) == ["block1_conv1", "block1_conv2"]
    assert dict(partial.left) == ({"mynew": "the file has no such layer"} if architecture == "full_arch" else {})
    assert list(partial.unused) == (["mynew"] if weights == "full_weights" else [])
    with h5py.File(FIELD / f"{weights}.h5") as file:
        for (layer, name), array in values(model).items():
            wanted = before[layer, name] if layer == "mynew" else file[layer][layer][f"{name}:0"][()]
            if emulates == "theano" and layer != "mynew" and name == "kernel":
                wanted = wanted[::-1, ::-1]
            np.testing.assert_array_equal(array, wanted)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("emulates", ["theano", "tensorflow"])
@pytest.mark.parametrize("file", ["model.h5", "weights.h5"])
def test_the_layers_below_a_new_top_compute_as_in_keras(name, emulates, file):
    """Weights of Keras 1 and 2, of nested models too, on the backend that saved them and on the other."""
    found, (top, below) = case(name), CASES[name]
    model = with_new_top(found, top)
    model.start(kc.get_backend("numpy", emulates), seed=0)
    model.load_weights(found.folder / file, source=found.backend, by_name=True)
    assert list(model.conversion.partial.left) == ["new_top"] and list(model.conversion.partial.unused) == [top]
    computed = model.activations(found.arrays("x"))
    with np.load(found.folder / "activations.npz") as real:
        for layer in below:
            np.testing.assert_allclose(computed[layer], real[layer], atol=1e-4)


def test_dense_rows_follow_the_data_format_of_the_model():
    """Weights of channels_first; the model is built in channels_last, as one does on TensorFlow."""
    found = case("2.3.1-theano/lenet_th")
    text = (found.folder / "arch.json").read_text().replace("channels_first", "channels_last")
    config = json.loads(text.replace('"dense_2"', '"new_top"'))
    first = config["config"]["layers"][0]["config"]
    none, channels, *sizes = first["batch_input_shape"]
    first["batch_input_shape"] = [none, *sizes, channels]
    model = as_model(model_from_config(config))
    model.start(kc.get_backend("numpy", "tensorflow"), seed=0)
    model.load_weights(found.folder / "model.h5", by_name=True)
    computed = model.activations([np.moveaxis(x, 1, -1) for x in found.arrays("x")])
    with np.load(found.folder / "activations.npz") as real:
        np.testing.assert_allclose(computed["dense_1"], real["dense_1"], atol=1e-4)


def test_layers_of_other_shapes_are_refused_or_skipped(caplog):
    found = case("1.2.2-theano/lenet_th")
    text = (found.folder / "arch.json").read_text().replace('"output_dim": 6', '"output_dim": 5')
    model = as_model(model_from_config(json.loads(text)))
    model.start("numpy", seed=0)
    before = values(model)
    with pytest.raises(KconvertError, match=r"dense_2.*\(8, 6\).*\(8, 5\)") as refusal:
        model.load_weights(found.folder / "weights.h5", source="theano", by_name=True)
    assert refusal.value.problem is Problem.USAGE and "skip_mismatch=True" in refusal.value.fix
    for path, array in values(model).items():  # no layer before the one that does not fit has changed
        np.testing.assert_array_equal(array, before[path])
    model.load_weights(found.folder / "weights.h5", source="theano", by_name=True, skip_mismatch=True)
    assert "left as they are: dense_2" in caplog.text
    changed = {path[0] for path, array in values(model).items() if not np.array_equal(array, before[path])}
    assert changed == {"convolution2d_1", "convolution2d_2", "dense_1"}


@pytest.fixture
def channels_last(tmp_path):
    """A model whose images are in channels_last, of a file of Keras 1 in channels_first, with zeros as its weights."""
    kc.convert(case("1.2.2-theano/lenet_th").model, tmp_path / "last.h5", "theano", "tensorflow")
    model = kc.load_model(tmp_path / "last.h5", "numpy", convention="tensorflow")
    converted = values(model)
    model.set_weights([np.zeros_like(array) for array in model.get_weights()])
    return model, converted


@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize("file", ["model.h5", "weights.h5"])
def test_the_images_of_the_file_may_have_another_data_format(file, by_name, channels_last):
    model, converted = channels_last
    model.load_weights(case("1.2.2-theano/lenet_th").folder / file, source="theano", by_name=by_name)
    for path, array in values(model).items():
        np.testing.assert_array_equal(array, converted[path])
    shown = "channels_first, as the shapes of the arrays show"
    assert any(shown in note for note in model.conversion.notes) == (file == "weights.h5")


def test_layers_of_another_data_format_that_do_not_fit_stay_as_they_are(channels_last, tmp_path):
    model, converted = channels_last
    folder = case("1.2.2-theano/lenet_th").folder
    (tmp_path / "weights.h5").write_bytes((folder / "weights.h5").read_bytes())
    with h5py.File(tmp_path / "weights.h5", "a") as file:
        del file["convolution2d_1/convolution2d_1_W"]
        file["convolution2d_1/convolution2d_1_W"] = np.ones((9, 1, 3, 3), "float32")
    model.load_weights(tmp_path / "weights.h5", source="theano", by_name=True, skip_mismatch=True)
    assert list(model.conversion.partial.left) == ["convolution2d_1"]
    for path, array in values(model).items():
        wanted = 0 * array if path[0] == "convolution2d_1" else converted[path]
        np.testing.assert_array_equal(array, wanted)


def test_skip_mismatch_has_no_effect_without_names():
    model = Sequential([L.Dense(2, input_shape=(3,))])
    with pytest.raises(KconvertError, match="the file has weights for 2 layers"):
        model.load_weights(FIELD / "weights.h5", skip_mismatch=True)


def test_the_arguments_have_the_order_of_keras():
    model = as_model(read_architecture(str(FIELD / "full_arch.json")))
    model.start("numpy")
    model.load_weights(FIELD / "weights.h5", True, True)
    assert list(model.conversion.partial.left) == ["mynew"]
    with pytest.raises(KconvertError, match="by_name is True or False") as refusal:
        model.load_weights(FIELD / "full_weights.h5", "tensorflow")
    assert "source='tensorflow'" in refusal.value.fix


def test_nothing_in_common_is_said_and_changes_nothing(caplog):
    model = Sequential([L.Dense(2, input_shape=(3,), name="own")])
    model.start("numpy", seed=0)
    before = values(model)
    model.load_weights(FIELD / "weights.h5", by_name=True)
    assert "taken by name: nothing" in caplog.text and "own (the file has no such layer)" in caplog.text
    assert all(np.array_equal(array, before[path]) for path, array in values(model).items())


@pytest.mark.parametrize("same", ["same", "valid"])
def test_layers_that_the_file_does_not_have_compute_as_before(same):
    """The layer of the file is rewritten for this backend, that of the model's own stays as it is."""
    found = case("1.2.2-theano/conv1d_same_even")
    with h5py.File(found.model) as file:
        (config,) = json.loads(file.attrs["model_config"])["config"]
    options = config["config"]
    below = L.Conv1D(options["nb_filter"], options["filter_length"], padding="same", name=options["name"])
    own = L.Conv1D(3, 2, padding=same, name="own")
    model = Sequential([L.InputLayer(batch_input_shape=tuple(options["batch_input_shape"])), below, own])
    model.start(kc.get_backend("numpy", "tensorflow"), seed=0)
    kernel = values(model)["own", "kernel"]
    model.load_weights(found.model, source="theano", by_name=True)
    assert model.get_layer("own").get_config()["padding"] == same
    np.testing.assert_array_equal(values(model)["own", "kernel"], kernel)
    assert any("what theano computes is spelled out" in note for note in model.conversion.notes)
    assert not any(layer.fixed for layer in model.layers)


def test_files_without_names_are_refused():
    found = case("0.3.3-theano/lstm")
    model = as_model(read_architecture(str(found.folder / "arch.json")))
    model.start("numpy")
    with pytest.raises(KconvertError, match="name no layers"):
        model.load_weights(found.folder / "weights.h5", source="theano", by_name=True)
