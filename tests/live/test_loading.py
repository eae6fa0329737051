"""load_model(runner=): a live model computes what the Keras computed that saved the file."""

import shutil

import pytest

import kconvert as kc
from kconvert import KconvertError, Problem
from tests.fixtures import FOLDER, case

from .conftest import error

NAMES = [
    *("1.2.2-theano/lenet_th", "1.2.2-theano/highway", "1.2.2-theano/conv_srelu_shared_th"),
    *("2.3.1-theano/embedding_mask_bidirectional_lstm", "2.3.1-theano/upsampling2d_bilinear_22_th"),
    *("2.3.1-theano/locally_connected2d_th", "2.3.1-tensorflow/vgg_like_tf"),
]


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_those_of_keras(name, library, computed):
    found = case(name)
    model = kc.load_model(found.model, source=found.backend, runner=library.__name__)
    assert type(model).__module__.startswith(library.__name__)
    assert error(model, computed(name, library)) < 1e-4


def test_the_data_format_may_be_kept(library):
    found = case("2.3.1-theano/lenet_th")
    model = kc.load_model(found.model, runner=library.__name__, data_format="keep")
    assert model.input_shape[1:] == found.arrays("x")[0].shape[1:]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"runner": "torch"}, "unknown runner 'torch'"),
        ({"runner": "keras", "backend": "theano"}, "runs on the backend of keras"),
        ({"runner": "keras", "convention": "theano"}, "runs on the backend of keras"),
        ({"data_format": "channels_last"}, "keeps the data format of its file"),
    ],
)
def test_options_that_contradict_each_other(options, words):
    with pytest.raises(KconvertError, match=words) as raised:
        kc.load_model("absent.h5", **options)
    assert raised.value.problem is Problem.USAGE


def test_weights_alone_make_no_model(library, tmp_path):
    found = case("2.3.1-theano/lenet_th")
    model = kc.load_model(found.model, backend="numpy", convention="theano")
    model.save_weights(tmp_path / "weights.h5")
    with pytest.raises(KconvertError, match="weights alone"):
        kc.load_model(tmp_path / "weights.h5", source="theano", runner=library.__name__)


def test_code_in_a_file_is_not_run(library, tmp_path):
    (path,) = sorted((FOLDER / "lambda").glob("*.h5"))[:1]
    shutil.copy(path, tmp_path / "model.h5")
    with pytest.raises(KconvertError, match="Lambda"):
        kc.load_model(tmp_path / "model.h5", source="theano", runner=library.__name__)
