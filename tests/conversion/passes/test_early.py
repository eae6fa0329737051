"""What single early releases computed: real files of these releases run and are converted as they computed."""

import json

import numpy as np
import pytest

from conformance.cases import ATOL, converted, there_and_back
from kconvert import KconvertError, convert, load_model
from kconvert.conversion.source import Source, decide
from kconvert.formats.hdf5 import read
from kconvert.layers.lists import as_list
from kconvert.verification.matching import in_layout
from kconvert.verification.pairing import Inputs
from kconvert.verification.runs import judge
from kconvert.verification.verifier import Running, Verifier
from tests.fixtures import case, cases, identify

ALL = cases("0.2.0", "0.3.0", "0.3.1", "2.0.2")
# What Keras 2 cannot compute: refused by name
ONE_RELEASE = {
    "0.2.0-theano/jzs1": "JZS1 has no equal",
    "0.2.0-theano/jzs2": "JZS2 has no equal",
    "0.2.0-theano/jzs3": "JZS3 has no equal",
    "0.2.0-theano/masked_lstm": "the LSTM of Keras 0.2.0 has no equal",
    "0.2.0-theano/masked_simplernn": "the SimpleRNN of Keras 0.2.0 has no equal",
    "0.3.0-tensorflow/conv2d_same_stride2_tf": "the Conv2D of Keras 0.3.0 has no equal",
    "0.3.0-tensorflow/simplernn": "the SimpleRNN of Keras 0.3.0 has no equal",
    "0.3.0-theano/masking_lstm_sequences": "the LSTM of Keras 0.3.0 has no equal",
    "0.3.0-theano/simplernn": "the SimpleRNN of Keras 0.3.0 has no equal",
    "0.3.1-theano/masking_gru_sequences": "the GRU of Keras 0.3.1 has no equal",
}
# What their own release computes otherwise on the other backend: refused by name with --format same
NOT_SAME = {"0.3.0-theano/maxpooling2d_valid_th": "Keras 0.3.0 has no AveragePooling2D layer"}
KERAS2 = [one for one in ALL if identify(one) not in ONE_RELEASE]
SAME = [one for one in ALL if identify(one) not in NOT_SAME]


def outputs(found, backend, **said):
    model = load_model(found.model, backend, found.backend, found.arch, found.data_format, **said)
    return as_list(model.predict(found.arrays("x") if len(found.arrays("x")) > 1 else found.arrays("x")[0]))


def error(found, backend, **said):
    return max(np.abs(a - b).max() for a, b in zip(outputs(found, backend, **said), found.arrays("y"), strict=True))


def verified(found, done):
    """The report on a conversion on real Theano and TensorFlow; its source computes what real Keras computed."""
    with Verifier(Running(required=True)) as verifier:
        runs = verifier.run(verifier.pair(*found.sides(done), Inputs(arrays=found.arrays("x"))))
        for pair, y, layout in zip(runs.outputs, found.arrays("y"), done.plan.result.outputs, strict=True):
            assert np.abs(pair.source - in_layout(y, layout)).max() <= ATOL, "not what real Keras computed"
        return judge(runs)


@pytest.mark.parametrize("found", ALL, ids=identify)
def test_computes_what_its_release_computed(found):
    """On NumPy, which emulates the backend of the file."""
    assert error(found, "numpy", convention=found.backend) <= ATOL


@pytest.mark.needs("theano", "tensorflow")
@pytest.mark.parametrize("found", KERAS2, ids=identify)
def test_keras_2_computes_the_same(found, tmp_path):
    assert verified(found, converted(found, tmp_path / "converted.h5", "keras2")).equal


@pytest.mark.needs("theano", "tensorflow")
@pytest.mark.parametrize("found", SAME, ids=identify)
def test_its_own_format_computes_the_same(found, tmp_path):
    assert verified(found, converted(found, tmp_path / "converted.h5", "same")).equal


@pytest.mark.parametrize("found", SAME, ids=identify)
def test_comes_back_bit_for_bit(found, tmp_path):
    assert there_and_back(found, tmp_path).passed


@pytest.mark.parametrize("name", ONE_RELEASE)
def test_what_keras_2_cannot_compute_is_refused_by_name(name, tmp_path):
    with pytest.raises(KconvertError) as refusal:
        converted(case(name), tmp_path / "converted.h5", "keras2")
    assert ONE_RELEASE[name] in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NOT_SAME)
def test_what_the_release_lacks_on_the_other_backend_is_refused_by_name(name, tmp_path):
    with pytest.raises(KconvertError) as refusal:
        converted(case(name), tmp_path / "converted.h5", "same")
    assert NOT_SAME[name] in str(refusal.value)


# ------------------------------------------------------------- which release ----


@pytest.mark.parametrize(
    ("name", "release"),
    [
        ("0.2.0-theano/graph", "0.3.0"),  # nothing in it is of one release
        ("0.2.0-theano/upsample2d", "0.2.0"),
        ("0.2.0-theano/jzs1", "0.2.0"),
        ("0.3.0-theano/gru", "0.3.0"),
        ("0.3.1-theano/masking_simplernn", "0.3.1"),
        ("0.3.3-theano/gru", "0.3.3"),
    ],
)
def test_the_words_of_the_architecture_tell_the_release(name, release):
    found = case(name)
    with read(found.model) as checkpoint:
        origin = decide(checkpoint, Source(found.model, found.backend, arch=found.arch))
    assert origin.release == release
    assert any(line.startswith(f"release {release}: ") for line in origin.evidence)


def test_the_user_overrules_the_words():
    found = case("0.3.0-theano/maxpooling2d_valid_th")
    assert error(found, "numpy", source_release="0.3.3") > 0.1


def in_words_of_keras_1(found, folder):
    """The architecture in the words of Keras 1, which a user made for the weights: it does not tell their release."""
    arch = json.loads(found.arch.read_text())
    layers = []
    for i, layer in enumerate(arch["layers"], 1):
        config = {key: value for key, value in layer.items() if key not in ("name", "input_shape", "target", "beta")}
        if "input_shape" in layer:
            config["batch_input_shape"] = [None, *layer["input_shape"]]
        name = layer["name"]
        layers.append({"class_name": name, "config": {**config, "name": f"{name.lower()}_{i}"}})
    config = {"class_name": "Sequential", "config": layers, "keras_version": "1.2.2"}
    (folder / "arch.json").write_text(json.dumps(config))
    return folder / "arch.json"


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("0.3.0-theano/gru", "GRU"),
        ("0.3.0-theano/simplernn", "SimpleRNN"),
        ("0.3.0-theano/maxpooling2d_valid_th", "MaxPooling2D"),
        ("0.3.0-tensorflow/upsampling1d", "UpSampling1D"),
    ],
)
def test_where_nothing_tells_the_release_a_note_names_it(name, layer, tmp_path):
    found = case(name)
    arch = in_words_of_keras_1(found, tmp_path)
    done = convert(found.model, tmp_path / "out.h5", found.backend, found.other, arch=arch)
    notes = [note for note in done.plan.notes if "source_release=" in note]
    assert any(f"({layer}): Keras 0.3.0" in note for note in notes)
    told = load_model(found.model, "numpy", found.backend, arch, source_release="0.3.0", convention=found.backend)
    assert np.abs(told.predict(found.arrays("x")[0]) - found.arrays("y")[0]).max() <= ATOL


# ------------------------------------------------------------ notes and limits ----


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("0.2.0-theano/jzs1", "Keras 0.2.0 does not run on tensorflow: kconvert alone reads the result"),
        ("0.3.1-theano/masking_gru_sequences", "Keras 0.3.1 has no masks on tensorflow: kconvert alone reads"),
    ],
)
def test_a_result_that_no_keras_reads_is_noted(name, note, tmp_path):
    done = converted(case(name), tmp_path / "out.h5", "same")
    assert any(note in one for one in done.plan.notes)


def test_another_data_format_is_refused_where_a_bias_would_go_along_rows(tmp_path):
    found = case("0.3.0-tensorflow/conv2d_same_stride2_tf")
    with pytest.raises(KconvertError, match=r"channels_first alone.*data_format='keep'"):
        convert(
            found.model,
            tmp_path / "out.h5",
            "tensorflow",
            "theano",
            arch=found.arch,
            format="same",
            data_format="channels_first",
        )


def test_pooling_over_smaller_windows_is_refused(tmp_path):
    found = case("0.2.0-theano/upsample2d")
    arch = json.loads(found.arch.read_text())
    arch["layers"].insert(2, {"name": "MaxPooling2D", "pool_size": [2, 2], "stride": None, "ignore_border": False})
    (tmp_path / "arch.json").write_text(json.dumps(arch))
    with pytest.raises(KconvertError, match=r"ignore_border=False.*smaller windows"):
        convert(found.model, tmp_path / "out.h5", "theano", "tensorflow", arch=tmp_path / "arch.json")
