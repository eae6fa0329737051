"""Two weight files held against each other without running them."""

import numpy as np
import pytest

from kconvert import KconvertError, convert, diff
from tests.fixtures import case
from tests.verification.damage import converted, damage


def test_a_file_and_its_conversion_are_the_same(tmp_path):
    found = diff(*converted("lenet_th", tmp_path))
    assert found.equal and not found.differing and found.weights == 8
    assert [convention for _, convention in found.files] == ["keras2/theano", "keras2/tensorflow"]


def test_a_file_is_the_same_as_itself():
    model = case("2.3.1-theano/lstm_impl1").model
    assert diff(model, model).equal


def test_which_arrays_differ_and_why(tmp_path):
    source, target = converted("lenet_th", tmp_path)
    damage(target, **{"conv2d_2:kernel": lambda kernel: kernel[::-1, ::-1], "dense_2:bias": lambda bias: bias + 1})
    found = diff(source, target)
    assert not found.equal
    assert [weight.weight for weight in found.differing] == ["conv2d_2/kernel", "dense_2/bias"]
    assert found.layers[0] == ("conv2d_2", "kernel is reversed along hw", "flip hw of hwio (kernel)")
    assert found.layers[1][1].startswith("bias has other values than the converted source")


def test_rounding_is_said_and_is_no_difference(tmp_path):
    source, target = converted("lenet_th", tmp_path)
    damage(target, **{"dense_2:kernel": lambda kernel: np.nextafter(kernel, 9, dtype="float32")})
    found = diff(source, target)
    assert found.equal and [weight.rounded for weight in found.differing] == [True]


def test_two_models_cannot_be_compared(tmp_path):
    with pytest.raises(KconvertError, match="compare two files of one model"):
        diff(case("2.3.1-theano/lenet_th").model, case("2.3.1-theano/lstm_impl1").model)


def test_two_releases(tmp_path):
    """The same weights as Keras 1 and as Keras 2 store them."""
    found = case("1.2.2-theano/lenet_th")
    convert(found.model, tmp_path / "out.h5", "theano", "theano")
    assert diff(found.model, tmp_path / "out.h5").equal
