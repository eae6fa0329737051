"""Converting files: written whole or not at all, under a name that says what they are, and never twice."""

import hashlib
import os
import shutil
from concurrent.futures import CancelledError
from pathlib import Path
from threading import Event

import h5py
import numpy as np
import pytest

from conformance.cases import Case
from kconvert import KconvertError, load_model, verify
from kconvert.conventions.backends import BACKENDS, CHANNELS_LAST
from kconvert.conversion.files import convert, default_target, refuse_converted
from kconvert.conversion.reading import network_of
from kconvert.conversion.source import Source
from kconvert.conversion.target import Target
from kconvert.errors import Problem
from kconvert.formats import hdf5
from kconvert.layers.lists import as_list
from kconvert.verification.matching import in_layout
from kconvert.verification.report.words import verdict
from tests.fixtures import FOLDER, case

LENET = {backend: case(f"2.3.1-{backend}/lenet_th").model for backend in BACKENDS}


def digest(path):
    return {entry.name: entry.read_bytes() for entry in path.iterdir()}


def test_the_default_target_stands_beside(tmp_path):
    source = tmp_path / "model.h5"
    shutil.copy(LENET["theano"], source)
    before = source.read_bytes()
    made = convert(source, target="tensorflow")
    assert made.target == tmp_path / "model.tensorflow.h5" == default_target(source, "tensorflow")
    assert source.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("model.hdf5", "model.theano.h5"),
        ("MODEL.H5", "MODEL.theano.h5"),
        ("weights", "weights.theano.h5"),
        ("weights.03-0.52", "weights.03-0.52.theano.h5"),
    ],
)
def test_a_default_name_ends_in_h5(name, made):
    assert default_target(Path("folder", name), "theano") == Path("folder", made)


@pytest.mark.parametrize("name", ["out.h5", "out.hdf5", "OUT.H5", "out.v1.Hdf5"])
def test_hdf5_is_written_under_its_endings(name, tmp_path):
    assert convert(LENET["theano"], tmp_path / name, target="tensorflow").target == tmp_path / name
    with hdf5.read(tmp_path / name) as made:
        assert made.backend == "tensorflow"


@pytest.mark.parametrize("name", ["out.kera", "out.pt", "out.h5.bak", "out.", "out", ".h5"])
@pytest.mark.parametrize("source", ["model.h5", "absent.h5"])
def test_another_ending_is_refused_before_the_source_is_read(name, source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(LENET["theano"], "model.h5")
    before = digest(tmp_path)
    with pytest.raises(KconvertError) as refusal:
        convert(source, name, target="tensorflow", force=True)
    assert refusal.value.problem is Problem.USAGE
    assert str(refusal.value).startswith(f"{name}: ")
    assert str(refusal.value).endswith(
        "; use .h5, .hdf5, .keras, .safetensors, .tflite, .onnx or a directory saved_model/"
    )
    assert digest(tmp_path) == before


# ------------------------------------------------------------------- changes ----


@pytest.mark.parametrize("name", ["lenet_th", "lstm_impl1"])
def test_what_is_already_so_is_refused(name, tmp_path):
    found = case(f"2.3.1-theano/{name}")
    with pytest.raises(KconvertError, match="already is in the convention keras2/theano"):
        convert(found.model, tmp_path / "out.h5", target="theano", data_format="keep")
    assert list(tmp_path.iterdir()) == []


def test_what_was_converted_is_not_converted_again(tmp_path):
    """A user who says --from theano of a file that kconvert made for TensorFlow would flip its kernels again."""
    made = convert(LENET["theano"], tmp_path / "out.h5", target="tensorflow")
    with pytest.raises(KconvertError, match="already converted this file from keras2/theano to keras2/tensorflow"):
        convert(made.target, tmp_path / "again.h5", source="theano", target="tensorflow")
    with hdf5.read(made.target) as checkpoint:
        refuse_converted(checkpoint, Source(), Target("tensorflow"))
        refuse_converted(checkpoint, Source(backend="tensorflow"), Target("theano"))
        refuse_converted(checkpoint, Source(backend="theano", force=True), Target("tensorflow"))


# ---------------------------------------------------------------- provenance ----


def test_provenance(tmp_path):
    made = convert(LENET["theano"], tmp_path / "out.h5", target="tensorflow")
    with hdf5.read(made.target) as checkpoint:
        stamp = checkpoint.provenance
    assert stamp["source_sha256"] == hdf5.sha256(LENET["theano"])
    assert (stamp["source"], stamp["target"]) == ("keras2/theano", "keras2/tensorflow")
    assert stamp["data_format"] == CHANNELS_LAST
    assert stamp["reordered"] == sorted(made.plan.result.reordered)


def test_provenance_brings_a_converted_model_back_as_it_was(tmp_path):
    """Which Flatten left its order to the weights is not in the architecture."""
    found = case("1.2.2-theano/lenet_th")
    there = convert(found.model, tmp_path / "there.h5", target="tensorflow", format="same")
    back = convert(there.target, tmp_path / "back.h5", target="theano", format="same")
    with hdf5.read(found.model) as first, hdf5.read(back.target) as last:
        old, new = network_of(first), network_of(last)
        assert new.stored_config() == old.stored_config()


def test_the_sum_of_a_file_of_several_blocks(tmp_path):
    path = tmp_path / "large.h5"
    path.write_bytes(os.urandom(5 * 2**20 + 1))
    assert hdf5.sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_sum_that_nobody_needs_is_not_finished():
    stop = Event()
    stop.set()
    with pytest.raises(CancelledError):
        hdf5.sha256(LENET["theano"], stop)


# ------------------------------------------------------------------- failures ----


def broken(path):
    """A file whose last array cannot be read to the end."""
    shutil.copy(LENET["theano"], path)
    with h5py.File(path, "r+") as file:
        weights = file["model_weights"]
        name = weights.attrs["layer_names"][-1]
        group = weights[name]
        last = group.attrs["weight_names"][0]
        shape = group[last].shape
        del group[last]
        group.create_dataset(last, shape, "float32", chunks=shape, compression="gzip", data=np.random.rand(*shape))
        offset = group[last].id.get_chunk_info(0).byte_offset
    data = bytearray(path.read_bytes())
    data[offset : offset + 20] = b"\xff" * 20
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("existing", [None, b"what was there"])
def test_a_conversion_that_fails_half_way_leaves_nothing_and_keeps_what_was_there(tmp_path, existing):
    source, target = broken(tmp_path / "in.h5"), tmp_path / "out.h5"
    if existing:
        target.write_bytes(existing)
    before = digest(tmp_path)
    with pytest.raises(KconvertError) as refusal:
        convert(source, target, target="tensorflow", force=True)
    assert refusal.value.problem is Problem.UNREADABLE
    assert digest(tmp_path) == before


def test_a_target_that_exists_is_kept_unless_forced(tmp_path):
    target = tmp_path / "out.h5"
    target.write_bytes(b"mine")
    with pytest.raises(KconvertError, match="exists already"):
        convert(LENET["theano"], target, target="tensorflow")
    assert target.read_bytes() == b"mine"
    convert(LENET["theano"], target, target="tensorflow", force=True)
    assert target.read_bytes() != b"mine"


def test_hazards_that_are_not_repaired_are_refused_and_named(tmp_path):
    found = case("2.3.1-theano/maxpooling2d_same_th")
    with pytest.raises(KconvertError, match="these layers cannot be converted exactly: max_pooling2d_1"):
        convert(found.model, tmp_path / "out.h5", target="tensorflow", repair=False)
    assert list(tmp_path.iterdir()) == []


def test_an_architecture_beside_weights_is_written_whole_or_not_at_all(tmp_path):
    found = case("0.3.3-theano/conv_flatten_dense_th")
    options = {"source": "theano", "target": "tensorflow", "format": "same", "arch": found.arch}
    done = convert(found.model, tmp_path / "out.h5", **options)
    assert done.architecture == tmp_path / "out.json"
    with pytest.raises(KconvertError, match=r"out\.json: exists already"):
        convert(found.model, tmp_path / "out.hdf5", **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.h5", "out.json"]


# ------------------------------------------------------------- architectures ----

CHANGED = [
    "field/weights_only_architecture_lost",
    "1.2.2-theano/conv1d_same_even",
    "1.2.2-tensorflow/maxpooling2d_same_th",
    "2.3.1-theano/convlstm2d_same_tf",
]


def weights_alone(name, out, **options):
    """A case of weights alone, converted with its architecture for the other backend."""
    folder = FOLDER / name
    arch = folder / "arch.json"
    backend = name.partition("/")[0].rpartition("-")[2].replace("field", "tensorflow")
    target = "theano" if backend == "tensorflow" else "tensorflow"
    made = convert(folder / "weights.h5", out, source=backend, target=target, arch=arch, **options)
    return made, Case(folder), backend, target


@pytest.mark.parametrize("name", CHANGED)
def test_weights_alone_get_their_new_architecture_beside_them(name, tmp_path):
    """With it, they give what Keras computed; with the user's own, they would not."""
    made, found, _, target = weights_alone(name, tmp_path / "out.h5")
    assert made.architecture == tmp_path / "out.json"
    model = load_model(made.target, "numpy", target, arch=made.architecture, convention=target)
    inputs, outputs = (
        [in_layout(array, layout) for array, layout in zip(found.arrays(letter), layouts, strict=True)]
        for letter, layouts in (("x", made.plan.result.inputs), ("y", made.plan.result.outputs))
    )
    for y, wanted in zip(as_list(model.predict(inputs)), outputs, strict=True):
        np.testing.assert_allclose(y, wanted, atol=1e-4)


@pytest.mark.parametrize("name", CHANGED)
def test_the_layers_that_differ_are_named_in_plan_report_and_verdict(name, tmp_path):
    made, found, backend, _ = weights_alone(name, tmp_path / "out.h5")
    weights, arch = found.folder / "weights.h5", found.folder / "arch.json"
    assert made.plan.differing and all(layer in made.plan.notes[-1] for layer in made.plan.differing)
    for target_arch in (made.architecture, None):
        report = verify(weights, made.target, source=backend, arch=arch, target_arch=target_arch)
        assert report.equal
        assert all(layer in " ".join(report.notes) for layer in made.plan.differing)
        assert "the weights belong to the converted architecture" in verdict(report)
    assert made.to_json()["architecture"] == str(made.architecture)


def test_an_architecture_that_does_not_change_is_not_written(tmp_path):
    found = case("2.3.1-theano/lstm_impl1")
    weights = found.folder / "weights.h5"
    made = convert(weights, tmp_path / "out.h5", target="tensorflow", arch=found.folder / "arch.json")
    assert made.architecture is None and not made.plan.differing
    assert [path.name for path in tmp_path.iterdir()] == ["out.h5"]


# ---------------------------------------------------------- files that are read ----


@pytest.fixture
def weights(tmp_path):
    """Weights alone whose architecture the conversion changes, and the options to convert them."""
    for name in ("weights.h5", "arch.json"):
        shutil.copy(FOLDER / CHANGED[0] / name, tmp_path / name)
    return {"source": "tensorflow", "target": "theano", "arch": tmp_path / "arch.json"}


def link(kind, path, to):
    if kind == "symlink":
        path.symlink_to(to)
    elif kind == "hardlink":
        path.hardlink_to(to)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    ("out", "kind", "to", "words"),
    [
        ("arch.h5", "same", None, "is the architecture given itself"),
        ("out.h5", "symlink", "arch.json", "is the architecture given itself"),
        ("out.h5", "hardlink", "arch.json", "is the architecture given itself"),
        ("out.h5", "symlink", "weights.h5", "is the source file itself"),
        ("out.h5", "hardlink", "weights.h5", "is the source file itself"),
        ("out.h5", "symlink", "out.h5", "is to be the result and the architecture of the result"),
        ("out.h5", "symlink", "nothing.json", "is a symbolic link to a file that does not exist"),
        ("out.h5", "directory", None, "is not a regular file"),
    ],
)
def test_the_architecture_never_replaces_what_is_read_or_written(out, kind, to, words, force, weights, tmp_path):
    beside = tmp_path / out.replace(".h5", ".json")
    if kind == "directory":
        beside.mkdir()
    else:
        link(kind, beside, tmp_path / str(to))
    before = digest_of_files(tmp_path)
    with pytest.raises(KconvertError) as refusal:
        convert(tmp_path / "weights.h5", tmp_path / out, force=force, **weights)
    assert refusal.value.problem is Problem.USAGE and words in str(refusal.value)
    assert digest_of_files(tmp_path) == before


def test_a_source_that_is_named_json_is_not_replaced(weights, tmp_path):
    """Nor is it by the name of the result itself."""
    source = tmp_path / "weights.json"
    (tmp_path / "weights.h5").rename(source)
    for out in ("weights.h5", "arch.h5"):
        before = digest_of_files(tmp_path)
        with pytest.raises(KconvertError, match="which is never written to"):
            convert(source, tmp_path / out, force=True, **weights)
        assert digest_of_files(tmp_path) == before


def digest_of_files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_the_architecture_of_keras_0_goes_the_same_way(tmp_path):
    found = case("0.3.3-theano/conv_flatten_dense_th")
    source, arch = tmp_path / "s.json", tmp_path / "arch.json"
    shutil.copy(found.model, source)
    shutil.copy(found.arch, arch)
    options = {"source": "theano", "target": "tensorflow", "format": "same", "arch": arch, "force": True}
    for out in ("s.h5", "arch.h5"):
        before = digest(tmp_path)
        with pytest.raises(KconvertError, match="which is never written to"):
            convert(source, tmp_path / out, **options)
        assert digest(tmp_path) == before
    with pytest.raises(KconvertError, match=r"use \.h5, \.hdf5"):
        convert(source, tmp_path / "out.json", **options)


def test_an_architecture_that_cannot_be_written_leaves_no_weights(weights, tmp_path):
    """Both files are written, or none."""
    (tmp_path / "out.json").write_text("mine")
    with pytest.raises(KconvertError, match=r"out\.json: exists already"):
        convert(tmp_path / "weights.h5", tmp_path / "out.h5", **weights)
    assert not (tmp_path / "out.h5").exists()
    made = convert(tmp_path / "weights.h5", tmp_path / "out.h5", force=True, **weights)
    assert "conv_pad" in made.architecture.read_text()


CHANGES = {
    "overwritten": lambda path: path.write_bytes(path.read_bytes()[:-8] + bytes(8)),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:1000]),
    "replaced": lambda path: (
        shutil.copy(LENET["tensorflow"], path.with_suffix(".new")) and os.replace(path.with_suffix(".new"), path)
    ),
    "removed": lambda path: path.unlink(),
    "overwritten, with the time of before": lambda path: overwritten_with_its_time(path),
}


def overwritten_with_its_time(path):
    before = path.stat()
    path.write_bytes(path.read_bytes()[:-8] + bytes(8))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_source_that_changes_while_it_is_read(tmp_path, monkeypatch, change):
    """The file is changed after its arrays are written, and before the result has its name."""
    path = Path(shutil.copy(LENET["theano"], tmp_path / "model.h5"))
    written = hdf5.writer._Writer.write

    def meanwhile(self, checkpoint):
        written(self, checkpoint)
        change(path)

    monkeypatch.setattr(hdf5.writer._Writer, "write", meanwhile)
    with pytest.raises(KconvertError, match="was changed while it was read") as caught:
        convert(path, tmp_path / "out.h5", target="tensorflow")
    assert caught.value.problem is Problem.UNREADABLE and caught.value.where == str(path)
    assert not (tmp_path / "out.h5").exists()
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


def test_a_source_that_would_be_removed_as_a_temporary_file_is_refused(tmp_path):
    source = tmp_path / ".kconvert-0123456789abcdef"
    shutil.copy(FOLDER / "1.2.2-theano" / "lenet_th" / "model.h5", source)
    with pytest.raises(KconvertError, match="the source file has the name of a temporary file"):
        convert(source, tmp_path / "out.h5", target="tensorflow")
    assert [path.name for path in tmp_path.iterdir()] == [source.name]
