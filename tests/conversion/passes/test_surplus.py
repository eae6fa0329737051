"""Separable convolutions that keep one element too many on Theano."""

import numpy as np
import pytest

from kconvert import KconvertError, convert, get_backend, load_model
from kconvert.conventions.generations import Convention
from kconvert.conversion.passes.surplus import with_surplus
from kconvert.layers import (
    LSTM,
    Bidirectional,
    GlobalAveragePooling1D,
    LocallyConnected1D,
    SeparableConv1D,
)
from kconvert.models.sequential import Sequential as Model
from kconvert.network.sequential import Sequential
from tests.fixtures import case

THEANO, TENSORFLOW = Convention("keras2", "theano"), Convention("keras2", "tensorflow")
CASES = [
    "2.2.4-theano/separable_conv1d_even",
    "2.2.4-theano/separable_conv2d_even_twice",
    "2.3.1-theano/separable_conv1d_even_sizes_behind",
    "2.3.1-theano/separable_conv1d_even_unrolled",
]


@pytest.mark.parametrize("name", CASES)
def test_real_keras_on_theano_keeps_the_surplus(name, tmp_path):
    found = case(name)
    (x,), (y,) = found.arrays("x"), found.arrays("y")
    convert(found.model, tmp_path / "out.h5", target="tensorflow", data_format="keep")
    for file in (found.model, tmp_path / "out.h5"):
        np.testing.assert_allclose(load_model(file, "numpy").predict(x), y, atol=1e-5)


def network(*behind, size=8, kernel=4, **options):
    first = SeparableConv1D(2, kernel, padding="same", name="separable", batch_input_shape=(None, size, 3), **options)
    return Sequential([first, *behind])


def test_the_shape_is_the_one_that_theano_computed():
    assert with_surplus(network(), THEANO, "2.3.1").model.shapes().popitem()[1] == (None, 9, 2)
    assert with_surplus(network(strides=3), THEANO, "2.3.1").model.shapes().popitem()[1] == (None, 3, 2)


@pytest.mark.parametrize(
    ("origin", "release", "options"),
    [
        (TENSORFLOW, "2.3.1", {}),
        (THEANO, "2.3.1", {"kernel": 3}),
        (THEANO, "2.3.1", {"dilation_rate": 2}),
        (THEANO, "2.1.6", {}),
    ],
)
def test_other_networks_stay(origin, release, options):
    model = network(**options)
    assert with_surplus(model, origin, release).model is model


def test_a_file_that_does_not_tell_its_release_is_of_one_that_keeps_it():
    assert with_surplus(network(), THEANO, None).notes


def test_what_takes_as_many_as_declared_gets_them():
    done = with_surplus(network(LocallyConnected1D(2, 3, name="local")), THEANO, "2.3.1").model
    assert [layer.class_name for layer in done.sublayers][2:] == ["Cropping1D", "LocallyConnected1D"]
    assert done.shapes().popitem()[1] == (None, 6, 2)


def test_what_cannot_get_as_many_as_declared_is_refused():
    with pytest.raises(KconvertError, match=r"layer both.*LSTM"):
        with_surplus(network(Bidirectional(LSTM(2, unroll=True), name="both")), THEANO, "2.3.1")


def test_a_model_that_crops_it_is_not_saved_for_theano(tmp_path):
    layers = [SeparableConv1D(2, 4, padding="same", name="separable", batch_input_shape=(None, 8, 3))]
    model = Model([*layers, GlobalAveragePooling1D()])
    model.start(get_backend("numpy", "theano"))
    with pytest.raises(KconvertError, match=r"/separable: .* one element more"):
        model.save(tmp_path / "model.h5")
