"""The networks of `keras.applications` of Keras 1.2.2: their files, and what is refused.

What the networks are, real Keras says in tests/fixtures/names/keras1/applications.py.
"""

import json

import h5py
import numpy as np
import pytest
from kconvert.keras1.applications import imagenet_utils, music_tagger_crnn, vgg16, xception
from kconvert.keras1.applications.music_tagger_crnn import MusicTaggerCRNN

import kconvert as kc
from kconvert.errors import KconvertError
from kconvert.keras1 import backend as K
from kconvert.keras1.surface import KERAS1

SPECTROGRAMS = np.random.default_rng(0).normal(size=(2, 96, 1366, 1)).astype("float32")
FILE = "music_tagger_crnn_weights_tf_kernels_{}_dim_ordering.h5"


@pytest.fixture
def ordering(request):
    before = K.image_dim_ordering()
    K.set_image_dim_ordering(request.param)
    yield request.param
    K.set_image_dim_ordering(before)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """The folder of the files of networks."""
    monkeypatch.setenv("KCONVERT_DATA", str(tmp_path / "datasets"))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


@pytest.mark.needs("theano", "tensorflow")
@pytest.mark.parametrize("ordering", ["tf", "th"], indirect=True)
@pytest.mark.parametrize("on", ["theano"], indirect=True)
def test_kernels_of_the_file_are_those_of_tensorflow(ordering, on, data):
    images = SPECTROGRAMS if ordering == "tf" else SPECTROGRAMS.transpose(0, 3, 1, 2)
    kc.set_backend("tensorflow")
    saved = MusicTaggerCRNN(weights=None)
    expected = saved.predict(images)
    saved.save_weights(data / FILE.format(ordering))
    with h5py.File(data / FILE.format(ordering), "r+") as file:  # as Keras 1.0 wrote it
        for stated in ("backend", "keras_version"):
            file.attrs.pop(stated, None)
    kc.set_backend(on)
    np.testing.assert_allclose(MusicTaggerCRNN().predict(images), expected, atol=1e-4)


def test_a_missing_file_is_named(data):
    with pytest.raises(KconvertError, match="vgg16_weights_tf_dim_ordering_tf_kernels_notop"):
        vgg16.VGG16(include_top=False)
    with pytest.raises(KconvertError, match="no such file of weights"):
        MusicTaggerCRNN(weights="other.h5")


@pytest.mark.parametrize("ordering", ["th"], indirect=True)
def test_xception_takes_channels_last_in_any_ordering(ordering):
    with pytest.warns(UserWarning, match="takes images in the dim_ordering 'tf'"):
        model = xception.Xception(include_top=False, weights=None)
    assert model.input_shape == (None, None, None, 3)
    assert K.image_dim_ordering() == "th"


def test_audio_files_are_refused():
    with pytest.raises(KconvertError, match="mel-spectrogram"):
        music_tagger_crnn.preprocess_input("song.mp3")


NETWORKS = ("imagenet_utils", "inception_v3", "resnet50", "vgg16", "vgg19", "xception")


@pytest.mark.shows(
    "applications.imagenet_utils.decode_predictions",
    "applications.inception_v3.decode_predictions",
    "applications.resnet50.decode_predictions",
    "applications.vgg16.decode_predictions",
    "applications.vgg19.decode_predictions",
    "applications.xception.decode_predictions",
    of="keras1",
)
def test_predictions_are_decoded_with_the_file_of_keras(data):
    predictions = np.zeros((1, 1000))
    predictions[0, [7, 3]] = 0.7, 0.2
    names = {str(i): [f"n{i}", f"class {i}"] for i in range(1000)}
    (data / "imagenet_class_index.json").write_text(json.dumps(names))
    for network in NETWORKS:
        decode = KERAS1.find(f"applications.{network}", "decode_predictions")
        assert decode(predictions, top=2) == [[("n7", "class 7", 0.7), ("n3", "class 3", 0.2)]]
    with pytest.raises(KconvertError, match="1000"):
        imagenet_utils.decode_predictions(predictions[:, :10])
