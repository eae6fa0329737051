"""Zero padding, cropping and upsampling: outputs of real Keras; cropping undoes padding."""

from __future__ import annotations

import numpy as np
import pytest

from kconvert.backend.numpy_backend import NumpyBackend
from kconvert.errors import KconvertError
from kconvert.layers.padding import Cropping1D, Cropping2D, UpSampling1D, UpSampling2D, ZeroPadding1D, ZeroPadding2D
from kconvert.layers.registry import LAYERS
from tests.layers.saved import Saved, check_round_trip

CASES = ["zero_padding2d_asymmetric_th", "cropping3d_th", "upsampling2d_bilinear_22_th"]
RELEASES = ["2.3.1-theano", "2.3.1-tensorflow"]
AMOUNTS = {1: (1, 2), 2: ((1, 2), (0, 3)), 3: ((1, 2), (0, 3), (2, 0))}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("release", RELEASES)
def test_computes_what_keras_computed(release, case):
    saved = Saved(f"{release}/{case}")
    saved.check(NumpyBackend(saved.backend))
    for layer, item in zip(saved.layers.values(), saved.configs, strict=True):
        check_round_trip(layer, item["config"])


def formats(rank):
    return [{}] if rank == 1 else [{"data_format": "channels_first"}, {"data_format": "channels_last"}]


@pytest.mark.parametrize(("rank", "options"), [(rank, options) for rank in (1, 2, 3) for options in formats(rank)])
def test_cropping_undoes_padding(rank, options):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5, 6)[: rank + 2]).astype("float32")
    pad = LAYERS[f"ZeroPadding{rank}D"](AMOUNTS[rank], **options)
    crop = LAYERS[f"Cropping{rank}D"](AMOUNTS[rank], **options)
    padded = pad.call(NumpyBackend(), {}, x)
    assert np.isclose(padded.sum(), x.sum(), atol=1e-4)
    assert pad.compute_output_shape(x.shape) == padded.shape != x.shape
    np.testing.assert_array_equal(crop.call(NumpyBackend(), {}, padded), x)
    assert crop.compute_output_shape(padded.shape) == x.shape


@pytest.mark.parametrize(("rank", "options"), [(rank, options) for rank in (1, 2, 3) for options in formats(rank)])
def test_every_element_comes_several_times(rank, options):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5, 6)[: rank + 2]).astype("float32")
    layer = LAYERS[f"UpSampling{rank}D"](2 if rank == 1 else (2, 3, 4)[:rank], **options)
    y = layer.call(NumpyBackend(), {}, x)
    assert layer.compute_output_shape(x.shape) == y.shape
    every = tuple(slice(None, None, large // small) for large, small in zip(y.shape, x.shape, strict=True))
    np.testing.assert_array_equal(y[every], x)
    assert y.mean() == pytest.approx(x.mean(), abs=1e-5)


def test_sizes_are_normalised_as_keras_writes_them():
    assert ZeroPadding1D(2).stored_config()["padding"] == [2, 2]
    assert Cropping1D().stored_config()["cropping"] == [1, 1]
    assert UpSampling1D(3).stored_config()["size"] == 3
    assert ZeroPadding2D((1, 2)).stored_config()["padding"] == [[1, 1], [2, 2]]
    assert Cropping2D().stored_config()["cropping"] == [[0, 0], [0, 0]]
    assert UpSampling2D(2).stored_config()["size"] == [2, 2]


def test_refuses_a_wrong_number_of_parts():
    with pytest.raises(KconvertError, match="padding must be an integer or 2 items"):
        ZeroPadding2D((1, 2, 3, 4))


@pytest.mark.parametrize("cls", ["ZeroPadding2D", "ZeroPadding3D", "Cropping2D", "Cropping3D"])
@pytest.mark.parametrize("amount", [None, 1.5])
def test_what_is_no_amount_is_a_value_error_as_in_keras(cls, amount):
    with pytest.raises(ValueError, match="must be an integer"):
        LAYERS[cls](amount)
