"""Lambdas without an output shape: computed with the registered function, else asked for by the name of the Lambda."""

import json
import shutil

import h5py
import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert.conversion.passes.hazards import Window
from kconvert.conversion.planning import plan
from kconvert.formats.hdf5 import read
from kconvert.layers.registry import FUNCTIONS
from tests.fixtures import FOLDER

FIELD = FOLDER / "field" / "lambda_without_output_shape"
CROP, CHANNELS, SCALE = FIELD / "model.h5", FIELD / "noshape.h5", FIELD / "scale.h5"
STEPS = FOLDER / "lambda" / "lambda_steps.h5"  # of Keras 1.2.2 on TensorFlow
FEATURES = FOLDER / "tf_keras" / "lambda_features.h5"


@pytest.fixture(autouse=True)
def functions():
    """The registered functions, as they were before the test when it ends."""
    before = FUNCTIONS.copy()
    yield FUNCTIONS
    FUNCTIONS.clear()
    FUNCTIONS.update(before)


def register_all():
    kc.register_function("crop")(lambda K, x: x[:, 1:, 1:, :])
    kc.register_function("drop_last")(lambda K, x: x[:, :-1] * 2.0)
    kc.register_function("chosen")(lambda K, x: x[..., :2])


def planned(path, target="theano", **options):
    with read(path) as checkpoint:
        return plan(checkpoint, None, target, **options)


@pytest.mark.parametrize(
    ("path", "name", "why"),
    [
        (CROP, "crop", "the padding of conv depends on it"),
        (STEPS, "drop_last", "the padding of conv depends on it"),
        (CHANNELS, "lambda_1", "the shape of its input does not fit layer dense_1: array"),
        (FEATURES, "chosen", "the shape of its input does not fit layer lstm_2: array"),
    ],
    ids=lambda value: getattr(value, "stem", ""),
)
def test_a_shape_that_matters_is_asked_for_by_the_name_of_the_lambda(path, name, why):
    with pytest.raises(
        KconvertError, match=f"layer {name}: the file does not state the output_shape.*{why}"
    ) as refusal:
        planned(path)
    assert f"kconvert.register_function('{name}', output_shape=...)" in refusal.value.fix
    assert "arch=" in refusal.value.fix


@pytest.mark.parametrize(("path", "io"), [(CROP, FIELD / "io.npz"), (STEPS, None), (FEATURES, None)])
def test_with_its_function_the_shape_is_computed_and_stated_for_theano(path, io, tmp_path):
    register_all()
    out = kc.convert(path, tmp_path / "out.h5", target="theano", data_format="keep").target
    with np.load(io or path.with_suffix(".npz")) as stored:
        for saved in (path, out):
            outputs = kc.load_model(saved, backend="numpy").predict(stored["x0"])
            np.testing.assert_allclose(outputs, stored["y0"], rtol=1e-4, atol=1e-5)
    with h5py.File(out) as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
    (shape,) = [one["config"]["output_shape"] for one in layers if one["class_name"] == "Lambda"]
    assert shape == {CROP: [9, 9, 2], STEPS: [7, 3], FEATURES: [5, 2]}[path]


def test_a_shape_in_the_architecture_answers_too(tmp_path):
    with h5py.File(CROP) as file:
        config = json.loads(file.attrs["model_config"])
    config["config"]["layers"][0]["config"]["output_shape"] = [9, 9, 2]
    arch = tmp_path / "arch.json"
    arch.write_text(json.dumps(config), encoding="utf-8")
    with_function = register_all() or planned(CROP).result.model.stored_config()
    FUNCTIONS.clear()
    assert planned(CROP, arch=arch).result.model.stored_config() == with_function


def test_a_registered_shape_answers_too():
    kc.register_function("lambda_1", output_shape=(6, 6, 2))(lambda K, x: x[..., :2])
    assert len(planned(CHANNELS).steps) == 4


def test_a_function_that_does_not_run_is_asked_for_its_shape():
    kc.register_function("lambda_1")(lambda K, x: 1 / 0)
    with pytest.raises(
        KconvertError, match=r"layer lambda_1: .*output shape is not known: .*ZeroDivisionError.*output_shape=..."
    ):
        planned(CHANNELS)


def test_a_shape_that_the_arrays_fit_and_that_decides_nothing_is_noted():
    made = planned(SCALE)
    assert [note for note in made.notes if note.startswith("lambda_1: the file does not state its output_shape")]
    register = kc.register_function("lambda_1")
    register(lambda K, x: x / 127.5 - 1.0)
    again = planned(SCALE)
    assert not [note for note in again.notes if "output_shape" in note]
    assert [step.to_json() for step in again.steps] == [step.to_json() for step in made.steps]


@pytest.mark.parametrize("target", ["theano", "tensorflow"])
def test_sizes_that_decide_nothing_are_not_asked_for(target, tmp_path):
    """'same' with stride 1 is padded alike whatever the size, and a Dense states its output again."""
    path = shutil.copy(CROP, tmp_path / "stride_1.h5")
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][1]["config"]["strides"] = [1, 1]
        file.attrs["model_config"] = json.dumps(config).encode()
    assert planned(path, target, data_format="channels_first").steps


def test_keras_on_theano_takes_the_shape_of_the_input(tmp_path):
    path = shutil.copy(CROP, tmp_path / "theano.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["backend"] = file["model_weights"].attrs["backend"] = b"theano"
    made = planned(path, "tensorflow")
    assert not [note for note in made.notes if "output_shape" in note]


def test_unknown_sizes_are_unknown_in_the_computed_shape():
    function = kc.layers.Lambda("f", name="cut")
    kc.register_function("cut")(lambda K, x: K.concatenate([x[:, :4], x[:, :4]], 2))
    function.infers = True
    assert function.compute_output_shape((None, None, 3)) == (None, 4, 6)
    kc.register_function("cut")(lambda K, x: x[:, 1:])
    assert function.compute_output_shape((2, None, 3)) == (2, None, 3)


def test_sizes_to_try_have_every_padding_of_a_window():
    from kconvert.conventions.backends import BACKENDS
    from kconvert.conversion.passes.hazards import _conv_rule

    theano, tensorflow = BACKENDS["theano"], BACKENDS["tensorflow"]
    for kernel in range(1, 6):
        for stride in range(1, 4):
            window = Window(_conv_rule, 100, kernel, stride)
            tried = {Window(_conv_rule, n, kernel, stride).paddings(theano, tensorflow) for n in window.sizes_to_try}
            assert window.paddings(theano, tensorflow) in tried
