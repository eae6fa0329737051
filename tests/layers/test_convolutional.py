"""Convolutions: outputs of real Keras, and computed output shapes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kconvert.backend.numpy_backend import NumpyBackend
from kconvert.errors import KconvertError
from kconvert.layers.convolutional import (
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
from tests.layers.saved import Saved, check_round_trip, stored_shapes

CASES = [
    "conv1d_causal_dilated",
    "conv2d_same_stride2_th",
    "conv2d_dilated_tf",
    "conv3d_rect_th",
    "conv2dtranspose_same_stride2_tf",
    "conv2dtranspose_output_padding_th",
    "depthwise_conv2d_mult2_th",
    "separable_conv2d_mult2_tf",
]
RELEASES = ["2.3.1-theano", "2.3.1-tensorflow"]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("release", RELEASES)
def test_computes_what_keras_computed_from_its_own_kernels(release, case):
    saved = Saved(f"{release}/{case}")
    saved.check(NumpyBackend(saved.backend))


@pytest.mark.parametrize("case", [case for case in CASES if not case.startswith("depthwise")])
def test_kernels_of_theano_are_wrong_on_tensorflow_except_depthwise_ones(case):
    saved = Saved(f"2.3.1-theano/{case}")
    (computed,) = saved.run(NumpyBackend("tensorflow"))
    assert (np.abs(computed - saved.outputs[0]).max() > 0.1) == ("separable" not in case)


@pytest.mark.parametrize("case", CASES)
def test_configuration_and_weight_shapes_are_those_of_the_file(case):
    saved = Saved(f"2.3.1-theano/{case}")
    (layer,) = saved.layers.values()
    check_round_trip(layer, saved.configs[0]["config"])
    shapes = [array.shape for array in saved.arrays(layer.name)]
    assert stored_shapes(layer, (None, *saved.inputs[0].shape[1:])) == shapes


def random(layer, shape):
    rng = np.random.default_rng(0)
    return {w.name: rng.normal(size=w.shape).astype("float32") for w in layer.weight_specs(shape)}


LAYERS = [
    (Conv1D(4, 3, strides=2, padding="causal"), (2, 9, 3)),
    (Conv1D(4, 3, padding="same", data_format="channels_first"), (2, 3, 9)),
    (Conv1D(4, 2, padding="full"), (2, 9, 3)),
    (Conv2D(4, (2, 3), padding="full"), (2, 5, 7, 3)),
    (Conv2D(4, (2, 3), strides=(2, 1), padding="same", use_bias=False), (2, 5, 7, 3)),
    (Conv3D(4, 2, data_format="channels_first", activation="relu"), (2, 3, 4, 5, 6)),
    (Conv2DTranspose(4, 3, strides=(2, 3), padding="same", output_padding=(1, 0)), (2, 4, 5, 3)),
    (Conv2DTranspose(4, (3, 2), strides=2, data_format="channels_first"), (2, 3, 4, 5)),
    (Conv2DTranspose(4, 3, strides=2, padding="same", keras1_output_shape=(None, 7, 9, 4)), (2, 4, 5, 3)),
    (Conv3DTranspose(4, 2, strides=2), (2, 3, 4, 5, 3)),
    (DepthwiseConv2D(3, strides=2, depth_multiplier=2), (2, 7, 9, 3)),
    (SeparableConv1D(4, 3, depth_multiplier=2), (2, 9, 3)),
    (SeparableConv2D(4, 3, data_format="channels_first", padding="same"), (2, 3, 7, 9)),
]


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda value: getattr(value, "class_name", str(value)))
@pytest.mark.parametrize("convention", ["tensorflow", "theano"])
def test_output_has_the_foretold_shape(layer, shape, convention):
    x = np.random.default_rng(1).normal(size=shape).astype("float32")
    y = layer.call(NumpyBackend(convention), random(layer, shape), x)
    assert layer.compute_output_shape(shape) == y.shape
    read_back = type(layer).from_config(json.loads(json.dumps(layer.stored_config())))
    assert read_back.stored_config() == layer.stored_config()


def test_unknown_sizes_stay_unknown():
    assert Conv2D(4, 3, strides=2).compute_output_shape((None, None, 9, 3)) == (None, None, 4, 4)
    assert Conv2DTranspose(4, 3).compute_output_shape((None, 5, None, 3)) == (None, 7, None, 4)


def test_causal_padding_does_not_look_ahead():
    layer, x = Conv1D(2, 3, padding="causal", dilation_rate=2), np.ones((1, 8, 3), "float32")
    changed = x.copy()
    changed[:, 5] = 7
    weights = random(layer, x.shape)
    before, after = (layer.call(NumpyBackend(), weights, data) for data in (x, changed))
    assert np.flatnonzero((before != after).any(axis=(0, 2))).tolist() == [5, 7]


def test_keras_1_output_shape_is_read_and_not_written():
    layer = Conv2DTranspose.from_config({"filters": 4, "kernel_size": 3, "output_shape": [None, 4, 8, 9]})
    assert layer.keras1_output_shape == [None, 4, 8, 9]
    assert "output_shape" not in layer.stored_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv2D(4, (3, 3, 3)), "kernel_size"),
        (lambda: Conv2D(4, 3, padding="causal"), "unknown padding 'causal'; one of: valid, same, full"),
        (lambda: Conv2D(4, 3, data_format="th"), "unknown data_format 'th'"),
        (lambda: Conv2D(4, 3, name="c").weight_specs((None, 5, 5, None)), "layer c"),
    ],
)
def test_refuses_what_makes_no_sense(make, message):
    with pytest.raises(KconvertError, match=message):
        make()


@pytest.mark.long
@pytest.mark.needs("theano", "tensorflow")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("release", RELEASES)
def test_computes_the_same_on_the_framework_itself(release, case):
    from kconvert.backend import get_backend

    saved = Saved(f"{release}/{case}")
    saved.check(get_backend(saved.backend))
