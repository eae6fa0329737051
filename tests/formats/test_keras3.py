"""Files of Keras 3: what is in them, and that they are written whole or not at all."""

import json
import zipfile

import h5py
import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert import layers as L
from kconvert.errors import Problem
from kconvert.formats.endings import ARCHIVE, HDF5, WEIGHTS, default_form, form_of
from kconvert.formats.keras3.paths import groups
from tests.disk import room_for
from tests.fixtures import case


@pytest.fixture
def model(tmp_path):
    built = kc.Sequential([L.LSTM(3, input_shape=(5, 2), name="lstm"), L.Dense(2, name="a"), L.Dense(1, name="b")])
    built.predict(np.zeros((1, 5, 2), "float32"))
    built.save(tmp_path / "model.h5")
    return tmp_path / "model.h5"


def test_an_archive_holds_the_release_the_architecture_and_the_weights(model, tmp_path):
    done = kc.convert(model, tmp_path / "out.keras")
    with zipfile.ZipFile(done.target) as archive:
        assert archive.namelist() == ["model.weights.h5", "metadata.json", "config.json"]
        assert json.loads(archive.read("metadata.json"))["keras_version"] == "3.15.1"
        config = json.loads(archive.read("config.json"))
        assert (config["module"], config["class_name"]) == ("keras", "Sequential")
        with archive.open("model.weights.h5") as member, h5py.File(member) as stored:
            layers = stored["layers"]
            assert [layers[f"dense{number}/vars/0"].shape for number in ("", "_1")] == [(3, 2), (2, 1)]
            assert [layers[f"lstm/cell/vars/{i}"].shape for i in range(3)] == [(2, 12), (3, 12), (12,)]
            assert layers["dense_1/vars"].attrs["name"] == "b"


def test_weights_alone_have_the_architecture_beside_them(model, tmp_path):
    done = kc.convert(model, tmp_path / "out.weights.h5")
    assert done.architecture == tmp_path / "out.weights.json"
    assert json.loads(done.architecture.read_text())["module"] == "keras"
    with h5py.File(done.target) as stored:
        assert stored["layers/dense_1/vars/0"].shape == (2, 1)
    assert kc.verify(model, done.target, target_arch=done.architecture).equal


def test_an_hdf5_file_of_keras_3_is_one_of_keras_2_with_its_words(model, tmp_path):
    done = kc.convert(model, tmp_path / "out.h5", format="keras3")
    with h5py.File(done.target) as stored:
        assert stored.attrs["keras_version"] == "3.15.1"
        assert json.loads(stored.attrs["model_config"])["module"] == "keras"
        assert stored["model_weights/a/a/kernel"].shape == (3, 2)
    assert kc.verify(model, done.target).equal


def test_the_same_source_gives_the_same_archive(model, tmp_path):
    first, second = (kc.convert(model, tmp_path / f"{name}.keras").target.read_bytes() for name in "ab")
    assert first == second


@pytest.mark.parametrize("room", [100, 6000, 16000])  # bytes: for the header of HDF5, the weights, the metadata
def test_nothing_is_left_of_an_archive_on_a_disk_that_becomes_full(room, model, tmp_path, monkeypatch):
    monkeypatch.setattr("kconvert.formats.atomic.check_room", lambda *_: None)  # others fill it after the check
    with room_for(room), pytest.raises(KconvertError, match=r"cannot be written \(.*File too large"):
        kc.convert(model, tmp_path / "out.keras")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.h5"]


def test_the_checksum_is_that_of_what_hdf5_wrote_in_any_order(model, tmp_path):
    done = kc.convert(model, tmp_path / "out.keras")
    with zipfile.ZipFile(done.target) as archive:
        assert archive.testzip() is None
        (tmp_path / "weights.h5").write_bytes(archive.read("model.weights.h5"))
    with h5py.File(tmp_path / "weights.h5") as stored:
        assert stored["layers/dense_1/vars/0"].shape == (2, 1)


def test_an_existing_file_is_kept_unless_forced(model, tmp_path):
    (tmp_path / "out.keras").write_text("mine")
    with pytest.raises(KconvertError, match="exists already"):
        kc.convert(model, tmp_path / "out.keras")
    assert (tmp_path / "out.keras").read_text() == "mine"
    assert kc.convert(model, tmp_path / "out.keras", force=True)


def test_weights_without_an_architecture_are_refused(tmp_path):
    found = case("2.3.1-tensorflow/lenet_th")
    weights = found.folder / "weights.h5"
    source = weights if weights.exists() else _weights(found, tmp_path)
    with pytest.raises(KconvertError, match="keras3 needs the architecture") as refused:
        kc.convert(source, tmp_path / "out.keras", source="tensorflow")
    assert refused.value.problem is Problem.USAGE


def _weights(found, tmp_path):
    model = kc.load_model(found.model, backend="numpy")
    model.save_weights(tmp_path / "weights.h5")
    return tmp_path / "weights.h5"


# ------------------------------------------------------------------ endings ----


@pytest.mark.parametrize(
    ("name", "wanted", "form", "written"),
    [
        ("x.h5", None, HDF5, "keras2"),
        ("x.H5", "keras3", HDF5, "keras3"),
        ("x.hdf5", "same", HDF5, "same"),
        ("x.keras", None, ARCHIVE, "keras3"),
        ("x.KERAS", "keras3", ARCHIVE, "keras3"),
        ("x.weights.h5", None, WEIGHTS, "keras3"),
        ("x.weights.h5", "keras2", HDF5, "keras2"),
    ],
)
def test_the_ending_says_what_is_written(name, wanted, form, written):
    assert form_of(name, wanted) == (form, written)


@pytest.mark.parametrize(("name", "wanted"), [("x.keras", "keras2"), ("x.keras", "same"), ("x.pb", None), ("x", None)])
def test_an_unknown_ending_and_a_contradiction_are_refused(name, wanted):
    with pytest.raises(KconvertError) as refused:
        form_of(name, wanted)
    assert refused.value.problem is Problem.USAGE


@pytest.mark.parametrize(("wanted", "form"), [(None, HDF5), ("same", HDF5), ("keras2", HDF5), ("keras3", ARCHIVE)])
def test_a_file_without_a_name_has_the_form_of_its_format(wanted, form):
    assert default_form(wanted)[0] == form


@pytest.mark.parametrize(
    "words",
    [{"target": "theano", "out": "out.keras"}, {"target": "theano", "format": "keras3"}, {"out": "out.h5"}, {}],
)
def test_a_backend_that_is_missing_or_contradicts_is_refused(words, model, tmp_path):
    before = sorted(tmp_path.iterdir())
    out = tmp_path / words.pop("out") if "out" in words else None
    with pytest.raises(KconvertError, match=r"is for theano|backend to convert for is not stated") as refused:
        kc.convert(tmp_path / "absent.h5", out, **words)
    assert refused.value.problem is Problem.USAGE
    assert sorted(tmp_path.iterdir()) == before


# -------------------------------------------------------------------- paths ----


def item(name, /, **config):
    return {"module": "keras.layers", "class_name": name, "config": {"name": name.lower(), **config}}


def test_a_group_is_called_after_class_and_number_and_an_inner_layer_after_its_attribute():
    cells = [item("LSTMCell", name="first"), item("LSTMCell", name="second")]
    nested = {"module": "keras", **item("Sequential", layers=[item("InputLayer"), item("Dense", name="inner")])}
    nested["module"] = "keras"
    operation = {**item("Dense", name="an_op"), "module": "keras.src.ops.numpy"}
    layers = [
        item("Dense", name="one"),
        operation,
        item("Dense", name="two"),
        item("TimeDistributed", name="each", layer=nested),
        item("Bidirectional", name="both", layer=item("GRU", name="gru")),
        item("RNN", name="stack", cell=item("StackedRNNCells", name="cells", cells=cells)),
        item("ConvLSTM2D", name="conv"),
    ]
    model = {"class_name": "Functional", "config": {"layers": layers}}
    assert dict(groups(model)) == {
        ("one",): "layers/dense",
        ("two",): "layers/dense_1",
        ("each", "sequential", "inner"): "layers/time_distributed/layer/layers/dense",
        ("both", "forward_gru"): "layers/bidirectional/forward_layer/cell",
        ("both", "backward_gru"): "layers/bidirectional/backward_layer/cell",
        ("stack", "cells", "first"): "layers/rnn/cell/cells/lstm_cell",
        ("stack", "cells", "second"): "layers/rnn/cell/cells/lstm_cell_1",
        ("conv",): "layers/conv_lstm2d/cell",
    }
