"""`K.set_image_data_format` and `~/.keras/keras.json` give layers of images their data format, as in Keras 2.3.1."""

from __future__ import annotations

import json

import numpy as np
import pytest
from kconvert.keras.applications import ResNet50, imagenet_utils
from kconvert.keras.datasets import cifar10

import kconvert as kc
from kconvert.backend import image_format
from kconvert.errors import KconvertError
from kconvert.keras import backend as K
from kconvert.keras import layers as L
from kconvert.layers.registry import layer_from_config

FOLLOW = {
    "Flatten": (),
    "Conv2D": (2, 3),
    "Conv3D": (2, 3),
    "Conv2DTranspose": (2, 3),
    "SeparableConv2D": (2, 3),
    "DepthwiseConv2D": (3,),
    "LocallyConnected2D": (2, 3),
    "ConvLSTM2D": (2, 3),
    "MaxPooling2D": (),
    "AveragePooling3D": (),
    "GlobalMaxPooling2D": (),
    "UpSampling2D": (),
    "ZeroPadding2D": (),
    "Cropping3D": (),
    "SpatialDropout2D": (0.1,),
}
"""Layers that have the setting in real Keras 2.3.1, with arguments."""


@pytest.fixture(autouse=True)
def as_before():
    yield
    K.set_image_data_format("channels_last")


@pytest.mark.parametrize("name", FOLLOW)
def test_layers_of_images_follow_the_setting(name):
    K.set_image_data_format("channels_first")
    assert K.image_data_format() == "channels_first"
    assert getattr(L, name)(*FOLLOW[name]).data_format == "channels_first"
    stated = getattr(L, name)(*FOLLOW[name], data_format="channels_last")
    assert stated.data_format == "channels_last"


def test_layers_of_sequences_do_not_follow_the_setting():
    K.set_image_data_format("channels_first")
    for layer in (L.Conv1D(2, 3), L.MaxPooling1D(), L.GlobalAveragePooling1D(), L.SeparableConv1D(2, 3)):
        assert layer.data_format == "channels_last"


def test_what_a_file_leaves_out_does_not_follow_the_setting():
    K.set_image_data_format("channels_first")
    flat = layer_from_config({"class_name": "Flatten", "config": {"name": "flat"}})
    assert flat.data_format is None


def test_an_unknown_data_format_is_refused():
    with pytest.raises(KconvertError, match="unknown data format 'first'"):
        K.set_image_data_format("first")


def test_a_model_computes_in_the_format_that_is_set():
    x = np.random.default_rng(0).normal(size=(2, 5, 4, 3)).astype("float32")
    last = kc.Sequential([L.Conv2D(2, 3, input_shape=(5, 4, 3)), L.Flatten(), L.Dense(2)])
    last.start("numpy", seed=0)
    K.set_image_data_format("channels_first")
    first = kc.Sequential([L.Conv2D(2, 3, input_shape=(3, 5, 4)), L.Flatten(), L.Dense(2)])
    first.start("numpy")
    first.set_weights(last.get_weights())
    np.testing.assert_allclose(first.predict(x.transpose(0, 3, 1, 2)), last.predict(x), rtol=1e-5, atol=1e-6)


def test_data_sets_and_images_have_the_format_that_is_set(monkeypatch, tmp_path):
    monkeypatch.setenv("KCONVERT_DATA", str(tmp_path))
    K.set_image_data_format("channels_first")
    assert cifar10.load_data()[0][0].shape == (50_000, 3, 32, 32)
    image = np.zeros((1, 3, 2, 2))
    assert imagenet_utils.preprocess_input(image)[0, :, 0, 0] == pytest.approx([-103.939, -116.779, -123.68])
    with pytest.raises(KconvertError, match="built in channels_last alone"):
        ResNet50(weights=None)


@pytest.mark.parametrize(
    "stated", [{"image_data_format": "channels_first"}, {"image_dim_ordering": "th", "epsilon": 1e-7}]
)
def test_the_format_stands_in_keras_json(stated, monkeypatch, tmp_path):
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps(stated))
    monkeypatch.setenv("HOME", str(tmp_path))
    image_format.set_default_data_format(None)
    assert L.Conv2D(2, 3).data_format == "channels_first"


def test_settings_that_cannot_be_read_are_refused(monkeypatch, tmp_path):
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text('{"image_data_format": "first"}')
    monkeypatch.setenv("HOME", str(tmp_path))
    image_format.set_default_data_format(None)
    with pytest.raises(KconvertError, match="the settings of Keras cannot be read: image_data_format is 'first'"):
        L.Conv2D(2, 3)
