"""Models for several GPUs: recognized, and unwrapped exactly or not at all."""

from __future__ import annotations

import json
from shutil import copyfile

import h5py
import numpy as np
import pytest

import kconvert as kc
from kconvert.conversion.passes.multi_gpu import without_slices
from kconvert.formats import hdf5
from kconvert.network.architecture import model_from_config
from tests.fixtures import FOLDER as FIXTURES

FOLDER = FIXTURES / "multi_gpu"
FIELD = FIXTURES / "field" / "multi_gpu_model"
WHOLE = ["1.2.2/images", "2.2.4/images", "2.2.4/two_inputs", "tf-1.15/images"]


def predicted(path, io, **options):
    model = kc.load_model(path, "numpy", **options)
    inputs = [io[name] for name in sorted(io) if name.startswith("x")]
    outputs = model.predict(inputs if len(inputs) > 1 else inputs[0])
    return model, outputs if isinstance(outputs, list) else [outputs]


def check(outputs, io):
    for i, output in enumerate(outputs):
        np.testing.assert_allclose(output, io[f"y{i}"], atol=1e-5)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("target", ["theano", "tensorflow"])
def test_the_model_alone_is_written(name, target, tmp_path):
    io = dict(np.load(FOLDER / f"{name}.npz"))
    model, outputs = predicted(FOLDER / f"{name}.h5", io, source="tensorflow")
    assert not any(layer.class_name == "Lambda" for layer in model.layers)
    assert any(note.startswith("unwrapped: ") for note in model.conversion.notes)
    check(outputs, io)

    out = tmp_path / "out.h5"
    done = kc.convert(FOLDER / f"{name}.h5", out, target=target, source="tensorflow", data_format="keep")
    check(predicted(out, io)[1], io)
    assert not any("optimizer's state is dropped" in note for note in done.plan.notes)
    with hdf5.read(out) as converted, hdf5.read(FOLDER / f"{name}.h5") as source:
        assert _moments(source)
        ordered = sorted if name.startswith("1.") else list  # Keras 1 sorts them by name
        assert ordered(_moments(converted)) == pytest.approx(ordered(_moments(source)), rel=1e-6, abs=1e-12)


def _moments(checkpoint):
    """The sum of the moments of each weight; a convolution for Theano is flipped, which keeps it."""
    return [float(array.read().sum()) for array in checkpoint.optimizer if array.shape]


def test_weights_in_one_group_are_those_of_a_whole_model():
    io = dict(np.load(FOLDER / "2.0.9/two_inputs.npz"))
    _, outputs = predicted(FOLDER / "2.0.9/two_inputs.h5", io, arch=FOLDER / "2.0.9/two_inputs.json")
    check(outputs, io)


@pytest.mark.parametrize("name", ["model.h5", "weights.h5"])
def test_the_architecture_of_the_model_alone_can_be_given(name, tmp_path):
    io = dict(np.load(FIELD / "io.npz"))
    x, y = (io[key] for key in sorted(io))
    out = tmp_path / "out.h5"
    kc.convert(FIELD / name, out, target="theano", arch=FIELD / "single_arch.json", data_format="keep")
    arch = FIELD / "single_arch.json" if name == "weights.h5" else None
    np.testing.assert_allclose(kc.load_model(out, "numpy", arch=arch).predict(x), y, atol=1e-5)


# ----------------------------------------------------- what only looks like it ----


def _config():
    with hdf5.read(FOLDER / "2.2.4/two_inputs.h5") as checkpoint:
        return json.loads(json.dumps(checkpoint.model_config))


def _lambdas(config):
    return [layer for layer in config["config"]["layers"] if layer["class_name"] == "Lambda"]


def _layer(config, class_name):
    return next(layer for layer in config["config"]["layers"] if layer["class_name"] == class_name)


def _unwrapped(config):
    return without_slices(model_from_config(config, "2.2.4")).unwrapped


def _same_slice(config):
    for layer in _lambdas(config):
        layer["config"]["arguments"]["i"] = 0


def _three_parts(config):
    for layer in _lambdas(config):
        layer["config"]["arguments"]["parts"] = 3


def _other_argument(config):
    for layer in _lambdas(config):
        layer["config"]["arguments"]["scale"] = 1


def _other_function(config):
    for layer in _lambdas(config):
        layer["config"]["function"][0] = "4wMAAAA=\n"


def _by_name(config):
    for layer in _lambdas(config):
        layer["config"].update(function="get_slice", function_type="function")


def _other_axis(config):
    _layer(config, "Concatenate")["config"]["axis"] = -1


def _other_order(config):
    _layer(config, "Concatenate")["inbound_nodes"][0].reverse()


def _other_input(config):
    _lambdas(config)[0]["inbound_nodes"], _lambdas(config)[1]["inbound_nodes"] = (
        _lambdas(config)[1]["inbound_nodes"],
        _lambdas(config)[0]["inbound_nodes"],
    )


def _one_output(config):
    config["config"]["output_layers"].pop()


def _stateful(config):
    lstm = next(layer for layer in _layer(config, "Model")["config"]["layers"] if layer["class_name"] == "LSTM")
    lstm["config"]["stateful"] = True


def test_a_parallel_model_is_unwrapped():
    assert _unwrapped(_config())


@pytest.mark.parametrize(
    "change",
    [
        _same_slice,
        _three_parts,
        _other_argument,
        _other_function,
        _by_name,
        _other_axis,
        _other_order,
        _other_input,
        _one_output,
        _stateful,
    ],
)
def test_what_only_looks_like_a_parallel_model_stays(change):
    config = _config()
    change(config)
    assert not _unwrapped(config)


def test_losses_by_the_outputs_of_the_parallel_model_are_those_of_the_model(tmp_path):
    """In a script of 2016 the layers that join the slices have names of their own."""
    copy = tmp_path / "copy.h5"
    copyfile(FOLDER / "1.2.2" / "images.h5", copy)
    with h5py.File(copy, "r+") as file:
        stated = json.loads(file.attrs["training_config"])
        config = json.loads(file.attrs["model_config"])["config"]
        (((joined, *_),),) = (config["output_layers"],)
        stated.update(loss={joined: "mse"}, loss_weights={joined: 0.5})
        file.attrs["training_config"] = json.dumps(stated).encode()
    done = kc.convert(copy, tmp_path / "out.h5", source="tensorflow", target="theano")
    output = done.plan.model.output_refs[0].layer
    assert output != joined
    assert done.plan.training["loss"] == {output: "mse"} and done.plan.training["loss_weights"] == {output: 0.5}
    model = kc.load_model(copy, "numpy", source="tensorflow")
    assert model.is_compiled and model.loss == {output: "mse"}
