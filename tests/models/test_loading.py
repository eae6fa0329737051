"""load_model: a file of any backend on any backend, with the outputs that Keras computed."""

import numpy as np
import pytest

from kconvert import KconvertError, load_model
from kconvert.layers.lists import as_list
from tests.fixtures import case, cases, identify

OTHER = {"theano": "tensorflow", "tensorflow": "theano"}
BOTH = ["lenet_th", "td_conv2d_only_tf", "convlstm2d_3x3_th", "lstm_impl1", "conv3d_rect_th", "tiny_resnet_th"]


def check(model, found, atol=1e-4):
    for y, wanted in zip(as_list(model.predict(found.arrays("x"))), found.arrays("y"), strict=True):
        np.testing.assert_allclose(y, wanted, atol=atol)


@pytest.mark.parametrize("found", cases("1.2.2", "2.3.1")[::4], ids=identify)
def test_as_keras_computed_it(found):
    options = {"source": found.backend, "source_data_format": found.data_format}
    check(load_model(found.model, "numpy", convention=found.backend, **options), found)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("saved_by", ["theano", "tensorflow"])
def test_converted_while_loading(name, saved_by):
    """Also with the weights of the other backend, and the same inputs: padding does not differ in these models."""
    found = case(f"2.3.1-{saved_by}/{name}")
    model = load_model(found.model, "numpy", convention=OTHER[saved_by])
    assert model.backend.convention == OTHER[saved_by]
    check(model, found)


def test_weights_alone_need_their_architecture():
    found = case("2.3.1-theano/lenet_th")
    with pytest.raises(KconvertError, match="without the architecture they belong to"):
        load_model(found.folder / "weights.h5", "numpy")
    check(load_model(found.folder / "weights.h5", "numpy", arch=found.folder / "arch.json"), found)


def test_a_file_of_keras_0_does_not_state_its_backend():
    found = case("0.3.3-theano/lstm")
    with pytest.raises(KconvertError, match="which backend saved it"):
        load_model(found.folder / "weights.h5", "numpy", arch=found.folder / "arch.json")


def test_the_backend_that_the_file_names_is_not_contradicted():
    found = case("2.3.1-theano/lenet_th")
    with pytest.raises(KconvertError, match="was saved with theano, not tensorflow"):
        load_model(found.model, "numpy", source="tensorflow")


def test_an_unknown_backend_and_a_missing_file():
    with pytest.raises(KconvertError, match="caffe"):
        load_model(case("2.3.1-theano/lenet_th").model, "caffe")
    with pytest.raises(KconvertError, match=r"missing\.h5"):
        load_model("missing.h5", "numpy")
