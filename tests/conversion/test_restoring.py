"""There and back: a converted file becomes what it was, where it still is as kconvert wrote it."""

import json

import h5py
import numpy as np
import pytest

from kconvert.conversion.files import convert, convert_file
from kconvert.conversion.source import Source
from kconvert.conversion.target import KEEP, NATIVE, SAME, Target
from kconvert.formats.hdf5 import read
from kconvert.verification.pairing import Inputs
from kconvert.verification.runs import judge
from kconvert.verification.verifier import Running, Verifier
from tests.fixtures import FOLDER
from tests.fixtures import case as found

REPAIRED = [
    "2.3.1-tensorflow/convlstm2d_same_tf",
    "2.3.1-tensorflow/td_conv1d_pool_channels_first",
    "2.3.1-theano/pooling1d_same_channels_first",
    "2.3.1-theano/conv2dtranspose_same_stride2_tf",
    "2.0.9-theano/bidirectional_convlstm2d_even_tf",
    "1.2.2-theano/maxpooling2d_same_th",
]
GROWN = REPAIRED[0]
CROPPED = "2.3.1-tensorflow/conv2dtranspose_same_stride2_tf"


def there_and_back(case, folder, change=lambda file: None, data_format=NATIVE, there_format=NATIVE):
    there = convert_file(
        Source(case.model, case.backend, case.data_format), Target(case.other, SAME, there_format), folder / "there.h5"
    )
    with h5py.File(there.target, "r+") as file:
        change(file)
    source = Source(there.target, case.other, case.data_format)
    return there, convert_file(source, Target(case.backend, SAME, data_format), folder / "back.h5")


def architecture(path):
    with read(path) as checkpoint:
        return checkpoint.model_config


@pytest.mark.needs("theano", "tensorflow")
@pytest.mark.parametrize("name", REPAIRED)
def test_what_a_repair_changed_comes_back(name, tmp_path):
    """Array for array: tests/conformance/test_fixtures.py."""
    case = found(name)
    there, back = there_and_back(case, tmp_path)
    assert architecture(there.target) != architecture(back.target) == architecture(case.model)
    assert any(note.startswith("restored: ") for note in back.plan.notes)
    with Verifier(Running(required=True)) as verifier:
        sides = Source(there.target, case.other, case.data_format), Source(back.target, case.backend, case.data_format)
        report = judge(verifier.run(verifier.pair(*sides, Inputs())))
    assert report.equal, report.first_divergence
    assert not report.weights


def test_arrays_keep_their_names_and_their_order(tmp_path):
    """In this model of 2.0.9, frozen recurrent layers stand where trainable ones do: real Keras reads by position."""
    model = FOLDER / "nested" / "2.0.9-theano_rnn" / "model.h5"
    there = convert_file(Source(model), Target("tensorflow", SAME), tmp_path / "there.h5")
    with read(model) as first, read(there.target) as last:
        assert [f"{name}:0" for name in first.names] == last.names


def test_arrays_keep_names_that_a_loaded_layer_would_not_give(tmp_path):
    """Keras 1.0.8 names a direction when the layer is made, and again when it is loaded: forward_forward_gru_1."""
    case = found("1.0.8-theano/bidirectional_gru_concat")
    _, back = there_and_back(case, tmp_path)
    with read(case.model) as first, read(back.target) as last:
        assert first.names == last.names


def test_an_enlarged_kernel_that_was_trained_stays(tmp_path):
    def trained(file):
        file["model_weights/conv_lst_m2d_1/conv_lst_m2d_1/kernel"][...] += 1

    _, back = there_and_back(found(GROWN), tmp_path, trained)
    assert architecture(back.target)["config"] != architecture(found(GROWN).model)["config"]
    (note,) = (note for note in back.plan.notes if note.startswith("not restored: "))
    assert "conv_lst_m2d_1/kernel: trained since" in note


def test_an_edited_architecture_stays(tmp_path):
    def edited(file):
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][-1]["config"]["activation"] = "relu"
        file.attrs["model_config"] = json.dumps(config).encode()

    _, back = there_and_back(found(GROWN), tmp_path, edited)
    assert back.plan.restored is None
    assert architecture(back.target)["config"]["layers"][-1]["config"]["activation"] == "relu"


@pytest.mark.parametrize(
    ("there", "back", "restored"),
    [
        (NATIVE, NATIVE, True),
        (NATIVE, "channels_last", True),
        (NATIVE, "channels_first", False),
        (NATIVE, KEEP, False),
        (KEEP, KEEP, True),
        (KEEP, NATIVE, True),
    ],
)
def test_a_data_format_that_is_asked_for_goes_before(there, back, restored, tmp_path):
    """The file of TensorFlow is channels_last, and that of Theano, as native, channels_first."""
    done = there_and_back(found(CROPPED), tmp_path, data_format=back, there_format=there)[1]
    assert (done.plan.restored is not None) == restored


def test_a_conversion_for_another_generation_restores_nothing(tmp_path):
    case = found(GROWN)
    there = convert_file(Source(case.model), Target(case.other), tmp_path / "there.h5")
    back = convert_file(Source(there.target), Target(case.backend), tmp_path / "back.h5")
    assert back.plan.restored is None


@pytest.mark.parametrize("name", ["masked_bidirectional", "conv1d_groups", "float64"])
def test_a_file_of_tf_keras_becomes_that_of_its_release(name, tmp_path):
    """The file between states Keras 2.3.1, whose words it has."""
    first = FOLDER / "tf_keras" / f"{name}.h5"
    there = convert(first, tmp_path / "there.h5", target="theano")
    back = convert(there.target, tmp_path / "back.h5", target="tensorflow", format=SAME)
    assert architecture(back.target) == architecture(first) != architecture(there.target)
    with read(first) as before, read(back.target) as after:
        assert after.keras_version == before.keras_version != there.plan.goal.release
        for old, new in zip(before.groups, after.groups, strict=True):
            assert old.name == new.name
            for array, restored in zip(old.arrays, new.arrays, strict=True):
                np.testing.assert_array_equal(array.read(), restored.read())
