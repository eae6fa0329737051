"""Layers that are called on inputs of several sizes, and wrappers in wrappers, against real Keras."""

import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert.layers.lists import as_list
from tests.fixtures import FOLDER

CALLS = FOLDER / "calls"
REWRITTEN = ["shared_convolution", "shared_pooling", "steps_of_steps", "steps_of_both_directions"]


def check(model, name):
    with np.load(CALLS / name / "io.npz") as arrays:
        inputs, outputs = ([arrays[key] for key in sorted(arrays) if key[0] == side] for side in "xy")
    for y, wanted in zip(as_list(model.predict(inputs)), outputs, strict=True):
        np.testing.assert_allclose(y, wanted, atol=1e-5)


@pytest.mark.parametrize("name", REWRITTEN)
def test_a_loaded_model_pads_each_call_as_the_backend_of_the_file(name):
    model = kc.load_model(CALLS / name / "model.h5", "numpy", convention="theano")
    check(model, name)
    assert len(model.conversion.notes) == len(set(model.conversion.notes)) > 0


@pytest.mark.parametrize("name", REWRITTEN)
def test_so_does_a_converted_file(name, tmp_path):
    done = kc.convert(CALLS / name / "model.h5", tmp_path / "out.h5", target="theano", data_format="keep")
    check(kc.load_model(done.target, "numpy", convention="theano"), name)
    back = kc.convert(done.target, tmp_path / "back.h5", target="tensorflow", data_format="keep")
    check(kc.load_model(back.target, "numpy", convention="tensorflow"), name)


def test_the_calls_of_a_convolution_share_its_kernel():
    model = kc.load_model(CALLS / "shared_convolution" / "model.h5", "numpy", convention="theano")
    kinds = [layer.class_name for layer in model.layers]
    assert (kinds.count("ZeroPadding2D"), kinds.count("Conv2D")) == (2, 1)


@pytest.mark.parametrize("way", ["load", "convert"])
def test_a_shared_model_whose_calls_need_other_layers_is_refused(way, tmp_path):
    """Zeros for images of 9 x 8 are not those for images of 8 x 7."""
    path = CALLS / "shared_model" / "model.h5"
    with pytest.raises(KconvertError, match="a Model called on inputs of different sizes") as caught:
        if way == "load":
            kc.load_model(path, "numpy", convention="theano")
        else:
            kc.convert(path, tmp_path / "out.h5", target="theano")
    assert "tower" in caught.value.where
