"""What single releases computed otherwise than their configuration says."""

import numpy as np

from kconvert.conversion import plan
from kconvert.hdf5 import read
from kconvert.releases import FUSED_EPSILON

from .fixtures import case


def normalization(target):
    """The layer of a 0.3.3 file (epsilon 1e-6) in Keras 2 on `target`, and its variance there and here."""
    found = case("0.3.3-theano/conv_bn_channel_axis_th")
    with read(found.folder / "weights.h5") as checkpoint:
        made = plan(checkpoint, "theano", target, data_format="keep", arch=found.folder / "arch.json")
        (step,) = [step for step in made.steps if step.path[-1] == "moving_variance"]
        (stored,), (written,) = (array.read() for array in step.sources), step.read()
    (layer,) = [layer for layer in made.result.model.layers if layer.class_name == "BatchNormalization"]
    return layer, stored.astype("float64"), written


def test_tensorflow_raises_a_small_epsilon_so_the_variance_gives_it_back():
    layer, deviation, variance = normalization("tensorflow")
    assert layer.epsilon == FUSED_EPSILON
    np.testing.assert_allclose(variance + layer.epsilon, (deviation + 1e-6) ** 2, rtol=1e-6)


def test_theano_takes_the_epsilon_as_it_is():
    layer, deviation, variance = normalization("theano")
    assert layer.epsilon == 1e-6
    np.testing.assert_allclose(variance + 1e-6, (deviation + 1e-6) ** 2, rtol=1e-6)
