"""Small models of tf.keras 1.15, 2.15 and 2.21: read, run, and converted to Theano as what tf.keras computed."""

import json

import h5py
import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert.conventions.words.tf_keras_classes import BASES, BEYOND, SHARED
from kconvert.conversion.reading import read_architecture
from kconvert.layers.registry import LAYERS
from kconvert.models.sequential import as_model
from kconvert.network.architecture import model_from_config
from kconvert.verification.matching import in_layout
from tests.fixtures import FOLDER

ZOO = FOLDER / "tf_keras" / "zoo"
ALWAYS_TRAINS = "2.21/bn_training_true"
RUNS = sorted(str(one.parent.relative_to(ZOO)) for one in ZOO.glob("*/*/model.h5"))


def arrays(folder, letter):
    with np.load(folder / "io.npz") as io:
        return [io[f"{letter}{i}"] for i in range(len(io.files)) if f"{letter}{i}" in io]


def predicted(path, inputs):
    found = kc.load_model(path, backend="numpy").predict(inputs if len(inputs) > 1 else inputs[0])
    return found if isinstance(found, list) else [found]


@pytest.mark.parametrize("name", RUNS)
def test_a_model_computes_what_tf_keras_computed(name, tmp_path):
    folder = ZOO / name
    inputs, outputs = arrays(folder, "x"), arrays(folder, "y")
    done = kc.convert(folder / "model.h5", tmp_path / "out.h5", target="theano")
    result = done.plan.result
    there, back = (
        [in_layout(one, layout) for one, layout in zip(values, layouts, strict=True)]
        for values, layouts in ((inputs, result.inputs), (outputs, result.outputs))
    )
    for path, given, expected in ((folder / "model.h5", inputs, outputs), (done.target, there, back)):
        for found, one in zip(predicted(path, given), expected, strict=True):
            np.testing.assert_allclose(found, one, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["1.15/flatten_of_images", "1.15/flatten_of_sequences"])
@pytest.mark.parametrize("way", ["weights", "load_weights"])
def test_weights_alone_of_a_flatten_with_a_data_format(name, way, tmp_path):
    folder = ZOO / name
    weights, arch = folder / "weights.h5", folder / "arch.json"
    if way == "weights":
        done = kc.convert(weights, tmp_path / "out.h5", target="theano", arch=arch, data_format="keep")
        models = [kc.load_model(path, "numpy", arch=arch) for path in (weights, done.target)]
    else:
        models = [as_model(read_architecture(str(arch)))]
        models[0].start("numpy")
        models[0].load_weights(weights)
    (inputs,), (outputs,) = arrays(folder, "x"), arrays(folder, "y")
    for model in models:
        np.testing.assert_allclose(model.predict(inputs), outputs, rtol=1e-4, atol=1e-5)


def test_what_is_written_for_theano_has_lists_of_inputs_and_a_model(tmp_path):
    done = kc.convert(ZOO / "2.21" / "dict_inputs" / "model.h5", tmp_path / "out.h5", target="theano")
    with h5py.File(done.target) as file:
        written = json.loads(file.attrs["model_config"])
    assert written["class_name"] == "Model"
    assert [ref[0] for ref in written["config"]["input_layers"]] == ["aa", "zz"]  # in the order of the dict's keys


def test_a_call_that_always_trains_stays_one_for_theano(tmp_path):
    done = kc.convert(ZOO / ALWAYS_TRAINS / "model.h5", tmp_path / "out.h5", target="theano")
    with h5py.File(done.target) as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
    assert layers[-1]["inbound_nodes"][0][0][3] == {"training": True}


# ---------------------------------------------------------------- refusals ----


def graph(class_name, nodes, **config):
    entry = {"name": "a", "batch_input_shape": [None, 5, 3], "dtype": "float32"}
    layers = [
        {"class_name": "InputLayer", "config": entry, "name": "a", "inbound_nodes": []},
        {"class_name": class_name, "config": {"name": "one", **config}, "name": "one", "inbound_nodes": nodes},
    ]
    ends = {"input_layers": [["a", 0, 0]], "output_layers": [["one", 0, 0]]}
    return {"class_name": "Functional", "config": {"name": "m", "layers": layers, **ends}, "keras_version": "2.15.0"}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (graph("TFOpLambda", [["a", 0, 0, {"y": 2.0}]]), "TFOpLambda is an operation of TensorFlow"),
        (graph("SlicingOpLambda", [["a", 0, 0, {}]]), "SlicingOpLambda is an operation of TensorFlow"),
        (graph("TFOpLambda", [[["a", 0, 0, {}]]]), "'TFOpLambda', an operation of TensorFlow"),
        (graph("TensorFlowOpLayer", [[["a", 0, 0, {}]]]), "'TensorFlowOpLayer', an operation of TensorFlow"),
        (
            graph("Attention", [[["a", 0, 0, {}]]]),
            "'Attention': it is of tf.keras, not of Keras.*attention",
        ),
        (graph("Add", [[["a", 0, 0, {}], ["_CONSTANT_VALUE", -1, 2.0, {}]]]), "'one'.*called on a constant"),
        (graph("GRU", [[["a", 0, 0, {"mask": ["a", 0, 0]}]]], units=2), r"layer one: the argument mask=.*is a tensor"),
        (graph("BatchNormalization", [[["a", 0, 0, {}]]], axis=[1, 2]), "layer one: BatchNormalization along the axes"),
    ],
)
def test_what_keras_2_does_not_have_is_refused_by_name(config, words):
    with pytest.raises(KconvertError, match=words):
        model_from_config(config)


# ----------------------------------------------------------------- classes ----


def test_every_class_that_both_have_is_known_and_no_class_is_in_two_lists():
    assert set(SHARED) <= set(LAYERS)
    assert not set(SHARED) & {*BEYOND, *BASES}


def test_the_classes_are_those_of_tf_keras():
    layers = pytest.importorskip("tf_keras").layers
    classes = [one for one in vars(layers).values() if isinstance(one, type) and issubclass(one, layers.Layer)]
    assert {one.__name__ for one in classes} == {*SHARED, *BEYOND, *BASES}
