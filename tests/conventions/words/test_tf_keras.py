"""Files of tf.keras: its names of classes, objects and dtypes in the words of Keras 2."""

import json

import h5py
import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert.conventions.words.keras2 import read
from kconvert.models.training import initializers
from kconvert.network.architecture import model_from_config
from tests.fixtures import FOLDER

FIELD = FOLDER / "field"


def dense(**config):
    layers = [{"class_name": "Dense", "config": {"name": "d", "units": 2, "batch_input_shape": [None, 4], **config}}]
    return {"class_name": "Sequential", "config": {"name": "s", "layers": layers}, "keras_version": "2.15.0"}


def read_dense(**config):
    return read(dense(**config))["config"]["layers"][0]["config"]


@pytest.mark.parametrize("name", ["tfkeras_batchnorm_axis_list", "tfkeras_functional", "deferred_build_input_shape"])
def test_models_of_tf_keras_compute_what_they_computed(name, tmp_path):
    with np.load(FIELD / name / "io.npz") as io:
        (x,), (y,) = ([io[key] for key in sorted(io) if key[0] == letter] for letter in "xy")
    path = FIELD / name / "model.h5"
    result = kc.convert(path, tmp_path / "out.h5", target="theano", data_format="keep").target
    for saved in (path, result):
        np.testing.assert_allclose(kc.load_model(saved, backend="numpy").predict(x), y, rtol=1e-4, atol=1e-5)


def test_an_architecture_of_tf_keras_alone_is_read():
    config = json.loads((FIELD / "tfkeras_functional" / "arch.json").read_text())
    assert model_from_config(config).class_name == "Model"


# ------------------------------------------------------------------ dtypes ----


@pytest.mark.parametrize("class_name", ["Policy", "PolicyV1", "DTypePolicy"])
def test_a_policy_of_one_dtype_is_that_dtype(class_name):
    policy = {"module": "keras", "class_name": class_name, "config": {"name": "float64"}, "registered_name": None}
    assert read_dense(dtype=policy)["dtype"] == "float64"
    assert model_from_config(dense(dtype=policy)).by_name["d"].dtype == "float64"


@pytest.mark.parametrize(
    "policy",
    [
        "mixed_float16",
        {"class_name": "Policy", "config": {"name": "mixed_bfloat16"}},
        {"class_name": "PolicyV1", "config": {"name": "mixed_float16", "loss_scale": {}}},
        {"class_name": "LossScaled", "config": {}},
    ],
)
def test_mixed_precision_is_refused_by_name(policy):
    with pytest.raises(KconvertError, match=r"layer d: mixed precision, the dtype policy .*arch="):
        model_from_config(dense(dtype=policy))


def test_mixed_precision_of_a_layer_in_a_model_of_tf_keras_is_refused():
    config = json.loads((FOLDER / "tf_keras" / "mixed_float16.json").read_text())
    with pytest.raises(KconvertError, match=r"layer lstm.*mixed precision, the dtype policy 'mixed_float16'"):
        model_from_config(config)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float16", 3e-2)])
def test_other_dtypes_of_floats_are_carried_and_float64_is_run(dtype, tolerance, tmp_path):
    path = FOLDER / "tf_keras" / f"{dtype}.h5"
    done = kc.convert(path, tmp_path / "out.h5", target="theano", data_format="keep")
    note = f"the weights and layers keep their dtype {dtype}; kconvert runs them in float32"
    assert (note in done.plan.notes) == (dtype == "float16")
    with h5py.File(done.target) as file, np.load(path.with_suffix(".npz")) as io:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
        assert {layer["config"]["dtype"] for layer in layers} == {dtype}
        kernel = file["model_weights"]["conv2d_1" if dtype == "float64" else "conv2d_2"]
        assert {array.dtype for array in _arrays(kernel)} == {np.dtype(dtype)}
        outputs = kc.load_model(done.target, backend="numpy").predict(io["x0"])
        np.testing.assert_allclose(outputs, io["y0"], atol=tolerance)


def _arrays(group):
    for item in group.values():
        yield from [item] if isinstance(item, h5py.Dataset) else _arrays(item)


# ----------------------------------------------------------------- objects ----

DRAWN = ["GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal"]


@pytest.mark.parametrize("class_name", DRAWN)
def test_initializers_of_tf_keras_draw_what_those_of_keras_2_draw(class_name):
    stated = {"module": "keras.initializers", "class_name": class_name, "config": {"seed": 3}, "registered_name": None}
    found = read_dense(kernel_initializer=stated)["kernel_initializer"]
    assert found["class_name"] == "VarianceScaling"
    first, second = (initializers.get(one).values((5, 7), np.random.default_rng(0)) for one in (class_name, found))
    again = initializers.get({"class_name": class_name, "config": {"seed": 3}}).values((5, 7), np.random.default_rng(0))
    assert first.shape == second.shape
    np.testing.assert_array_equal(again, second)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"class_name": "L2", "config": {"l2": 0.1}}, {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.1}}),
        ({"class_name": "L1", "config": {"l1": 0.1}}, {"class_name": "L1L2", "config": {"l1": 0.1, "l2": 0.0}}),
        ({"class_name": "Mine", "config": {"a": 1}}, {"class_name": "Mine", "config": {"a": 1}}),
        ("l2", "l2"),
        (None, None),
    ],
)
def test_regularizers_of_tf_keras(before, after):
    assert read_dense(kernel_regularizer=before)["kernel_regularizer"] == after


def test_what_an_initializer_does_not_have_is_left_out():
    stated = {"class_name": "Zeros", "config": {"dtype": "float32"}}
    assert read_dense(bias_initializer=stated)["bias_initializer"] == {"class_name": "Zeros", "config": {}}
    stated = {"class_name": "VarianceScaling", "config": {"distribution": "truncated_normal", "dtype": "float32"}}
    assert read_dense(kernel_initializer=stated)["kernel_initializer"]["config"] == {"distribution": "normal"}


# ------------------------------------------------------------------- names ----


def test_an_axis_in_a_list_is_that_axis_and_the_first_class_of_its_name_is_known():
    layers = [
        {
            "class_name": "BatchNormalizationV1",
            "config": {"name": "b", "axis": [-1], "batch_input_shape": [None, 3], "fused": None, "renorm": False},
        }
    ]
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": layers}, "keras_version": "2.2.4-tf"}
    assert model_from_config(config).by_name["b"].axis == -1


def test_the_shape_of_the_first_layer_counts_before_that_of_the_model():
    config = dense()
    config["config"]["build_input_shape"] = [7, 4]
    assert model_from_config(config).input_shapes == [(None, 4)]
    del config["config"]["layers"][0]["config"]["batch_input_shape"]
    assert model_from_config(config).input_shapes == [(7, 4)]
