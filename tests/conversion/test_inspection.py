"""What inspect says of files of every generation, and how it knows."""

import json
import shutil
from pathlib import Path

import h5py
import pytest

from kconvert import KconvertError, convert, inspect
from tests.fixtures import FOLDER as FIXTURES

LENET = FIXTURES / "1.2.2-theano" / "lenet_th"


def values(found):
    return {name: finding.value for name, finding in found.facts.items()}


@pytest.mark.parametrize(
    ("case", "form", "release", "trained_on", "data_format"),
    [
        ("1.2.2-theano/lenet_th", "keras1", "1.2.2", "theano", "channels_first"),
        ("1.2.2-tensorflow/lenet_th", "keras1", "1.2.2", "tensorflow", "channels_first"),
        ("1.2.2-tensorflow/vgg_like_tf", "keras1", "1.2.2", "tensorflow", "channels_last"),
        ("2.3.1-theano/lstm_impl1", "keras2", "2.3.1", "theano", "none"),
        ("2.3.1-tensorflow/lenet_th", "keras2", "2.3.1", "tensorflow", "channels_first"),
    ],
)
def test_a_whole_model(case, form, release, trained_on, data_format):
    found = inspect(FIXTURES / case / "model.h5")
    facts = values(found)
    assert (facts["format"], facts["release"], facts["backend"]) == (form, release, trained_on)
    assert (facts["data format"], facts["content"]) == (data_format, "whole model")
    assert all(finding.evidence for finding in found.facts.values())
    assert found.notes == []


def test_layers_in_the_words_of_the_file():
    found = inspect(LENET / "model.h5")
    first = found.layers[0]
    assert (first.name, first.class_name, first.parameters) == ("convolution2d_1", "Convolution2D", 4 * 9 + 4)
    assert [(w.name, w.shape, w.dtype) for w in first.weights] == [
        ("convolution2d_1_W", (4, 1, 3, 3), "float32"),
        ("convolution2d_1_b", (4,), "float32"),
    ]
    assert (len(found.layers), found.parameters) == (12, 767)
    assert found.size == (LENET / "model.h5").stat().st_size


def test_the_state_of_the_optimizer():
    assert values(inspect(LENET / "model.h5"))["optimizer"] == "Adam, with its state"
    assert values(inspect(LENET / "weights.h5"))["optimizer"] == "none"


def test_weights_alone():
    found = inspect(LENET / "weights.h5")
    facts = values(found)
    assert (facts["content"], facts["backend"], facts["data format"]) == ("weights alone", "theano", None)
    classes = {layer.name: layer.class_name for layer in found.layers}
    assert (classes["convolution2d_1"], classes["dense_2"], classes["flatten_1"]) == ("Conv2D", "Dense", None)
    assert (found.parameters, found.hazards) == (767, {})
    assert "arch=" in found.notes[0]


def test_the_layers_of_weights_alone_with_the_evidence():
    found = inspect(FIXTURES / "2.3.1-theano" / "td_conv2d_only_tf" / "weights.h5")
    assert [(known.path, known.classes, known.confidence) for known in found.inferred] == [
        (("time_distributed_1",), (), "undecided")
    ]
    assert "Conv2D" in found.inferred[0].evidence
    assert found.layers[0].class_name is None
    value = json.loads(json.dumps(inspect(LENET / "weights.h5").to_json()))["inferred"]
    assert value[0]["classes"] == ["Conv2D"]
    assert value[0]["confidence"] == "certain"
    assert "Keras's own name" in value[0]["evidence"]
    assert inspect(LENET / "model.h5").inferred == []


def test_weights_without_names_tell_nothing():
    found = inspect(FIXTURES / "0.3.3-theano" / "lstm" / "weights.h5")
    assert found.inferred == []
    assert any("name neither layers nor weights" in note for note in found.notes)


def test_weights_alone_with_their_architecture():
    found = inspect(LENET / "weights.h5", arch=LENET / "arch.json")
    assert values(found)["content"] == "weights, architecture given"
    assert found.layers[0].class_name == "Convolution2D"
    assert (found.hazards, found.notes) == ({"tensorflow": []}, [])


def test_files_that_do_not_tell_their_backend():
    found = inspect(FIXTURES / "0.3.3-theano" / "lstm" / "weights.h5")
    assert (values(found)["format"], values(found)["backend"]) == ("keras0", None)
    assert found.facts["backend"].evidence == "files of Keras 0.2 - 0.3 do not tell it"


def test_hazards_by_target():
    for backend, other in (("theano", "tensorflow"), ("tensorflow", "theano")):
        found = inspect(FIXTURES / f"2.3.1-{backend}" / "averagepooling2d_same_2x3_tf" / "model.h5")
        assert list(found.hazards) == [other]
        assert "average_pooling2d_1 (AveragePooling2D)" in found.hazards[other][0]


def test_an_unknown_class_is_a_note_and_no_error(tmp_path):
    path = Path(shutil.copy(LENET / "model.h5", tmp_path))
    with h5py.File(path, "r+") as file:
        config = file.attrs["model_config"].replace('"Dense"', '"Capsule"')
        del file.attrs["model_config"]
        file.attrs["model_config"] = config
    found = inspect(path)
    assert not found.notes
    assert {layer.name: layer.class_name for layer in found.layers}["dense_1"] == "Capsule"
    assert (values(found)["data format"], found.hazards) == ("channels_first", {"tensorflow": []})


def test_what_kconvert_wrote_is_told(tmp_path):
    made = convert(LENET / "model.h5", tmp_path / "out.h5", target="tensorflow")
    stamp = inspect(made.target).provenance
    assert (stamp["source"], stamp["target"]) == ("keras1/theano", "keras2/tensorflow")


def test_json():
    value = json.loads(json.dumps(inspect(LENET / "model.h5").to_json()))
    assert value["facts"]["backend"]["value"] == "theano"
    assert value["layers"][0]["weights"][0]["shape"] == [4, 1, 3, 3]
    assert value["parameters"] == 767


def test_what_cannot_be_read(tmp_path):
    (tmp_path / "arch.json").write_text("[]")
    for arguments, words in (
        ((tmp_path / "absent.h5",), "there is no such file"),
        ((LENET / "weights.h5", tmp_path / "absent.json"), "there is no such file"),
        ((LENET / "weights.h5", tmp_path / "arch.json"), "is not the JSON of a model"),
    ):
        with pytest.raises(KconvertError, match=words):
            inspect(*arguments)
