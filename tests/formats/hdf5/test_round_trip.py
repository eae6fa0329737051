"""What is read and written again is the same: as a checkpoint, and as HDF5 stores it."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace

import h5py
import numpy as np
import pytest

from kconvert.conventions.generations import GENERATIONS
from kconvert.errors import KconvertError, Problem
from kconvert.formats.checkpoint import Checkpoint, Group, InMemory
from kconvert.formats.hdf5 import read, write

FORMATS = {"0.3.3": "keras0", "1.2.2": "keras1", "2.3.1": "keras2"}
KERAS0, KERAS1, KERAS2 = (GENERATIONS[name] for name in FORMATS.values())


def test_read_write_read(keras_file, tmp_path, everything, stored):
    with read(keras_file) as checkpoint:
        write(tmp_path / "out.h5", checkpoint, GENERATIONS[FORMATS[keras_file.parts[-3].split("-")[0]]])
        with read(tmp_path / "out.h5") as again:
            assert everything(again) == everything(checkpoint)
    assert stored(tmp_path / "out.h5") == stored(keras_file)


def test_what_real_files_are(keras_file):
    release, backend = keras_file.parts[-3].split("-")
    with read(keras_file) as checkpoint:
        assert checkpoint.named == (release != "0.3.3")
        assert checkpoint.backend == (backend if release == "2.3.1" else None)
        assert checkpoint.whole_model == (keras_file.name == "model.h5")
        assert (checkpoint.model_config is not None) == checkpoint.whole_model
        assert checkpoint.keras_version == (release if checkpoint.whole_model or release == "2.3.1" else None)
        stated = {name for name in ("backend", "keras_version") if getattr(checkpoint, name)}
        assert checkpoint.stated_in == dict.fromkeys(stated, "the weights" if release == "2.3.1" else "the root")


def test_keras0_names_nothing(keras_file):
    if keras_file.parts[-3].startswith("0.3.3"):
        with read(keras_file) as checkpoint:
            assert [group.name for group in checkpoint.groups] == [f"layer_{k}" for k in range(len(checkpoint.groups))]
            assert all(a.name == f"param_{j}" for group in checkpoint.groups for j, a in enumerate(group.arrays))


def test_provenance_and_foreign_attributes_stay(small, tmp_path, everything):
    attributes = {"bytes": b"plain", "text": "größe", "numbers": np.arange(3), "names": np.array([b"a", b"bc"])}
    known = replace(
        small, attributes=attributes, provenance={"source_sha256": "00", "reordered": ["flatten_1"], "cudnn": None}
    )
    write(tmp_path / "out.h5", known, KERAS2)
    with read(tmp_path / "out.h5") as again:
        want = everything(known)
        assert everything(again) == {**want, "stated_in": again.stated_in}


def test_provenance_may_be_computed_meanwhile(small, tmp_path):
    """It is waited for when the weights are written; where it fails, nothing is left."""
    digest, failed = Future(), Future()
    failed.set_exception(KconvertError("cannot be read", "in.h5"))

    class Last(InMemory):
        def read(self, part=None):
            digest.set_result("00")
            return super().read(part)

    known = replace(small, groups=[Group("x", [Last("w", np.ones(2, "float32"))])], provenance={"sha256": digest})
    write(tmp_path / "out.h5", known, KERAS2)
    with read(tmp_path / "out.h5") as again:
        assert again.provenance == {"sha256": "00"}
    with pytest.raises(KconvertError, match=r"^in\.h5: cannot be read"):
        write(tmp_path / "other.h5", replace(small, provenance={"sha256": failed}), KERAS2)
    assert [path.name for path in tmp_path.iterdir()] == ["out.h5"]


def test_every_kind_of_number_stays(tmp_path, everything):
    kinds = ["float16", "float32", "float64", ">f4", "int64", "uint8", "bool"]
    arrays = [InMemory(f"x/{kind}", np.array([[0, 1], [1, 0]], kind)) for kind in kinds]
    arrays += [InMemory("scalar", np.array(7, "int64")), InMemory("none", np.zeros((0, 3), "float32"))]
    odd = Checkpoint([Group("x", arrays)], backend="theano", keras_version="2.3.1")
    write(tmp_path / "out.h5", odd, KERAS2)
    with read(tmp_path / "out.h5") as again:
        assert everything(again)["groups"] == everything(odd)["groups"]


def test_a_graph_of_keras0(tmp_path, everything):
    graph = Checkpoint([Group("graph", [InMemory("param_0", np.ones(2, "float32"))])], named=False)
    write(tmp_path / "out.h5", graph, KERAS0)
    with h5py.File(tmp_path / "out.h5", "r") as file:
        assert not file.attrs
    with read(tmp_path / "out.h5") as again:
        assert everything(again)["groups"] == everything(graph)["groups"]


# ------------------------------------------------------------ many names ----


def many_layers(count=900):
    groups = [Group(f"a_layer_with_a_rather_long_name_to_fill_the_header_{k:032d}", []) for k in range(count)]
    return Checkpoint(groups, backend="tensorflow", keras_version="2.3.1", whole_model=True)


def test_keras2_splits_long_lists_of_names(tmp_path):
    big = many_layers()
    write(tmp_path / "out.h5", big, KERAS2)
    with h5py.File(tmp_path / "out.h5", "r") as file:
        chunks = [file["model_weights"].attrs[f"layer_names{k}"] for k in range(2)]
        assert sorted(file["model_weights"].attrs) == ["backend", "keras_version", "layer_names0", "layer_names1"]
        assert [chunk.dtype.kind for chunk in chunks] == ["S", "S"]
        assert [len(chunk) for chunk in chunks] == [450, 450]  # numpy.array_split into as few as fit in 64512 bytes
    with read(tmp_path / "out.h5") as again:
        assert [group.name for group in again.groups] == [group.name for group in big.groups]


def test_split_names_of_a_file_of_weights(tmp_path):
    write(tmp_path / "out.h5", replace(many_layers(), whole_model=False), KERAS2)
    with read(tmp_path / "out.h5") as again:
        assert len(again.groups) == 900
        assert not again.whole_model


def test_keras1_cannot_split_them(tmp_path):
    with pytest.raises(KconvertError, match=r"900 names .* layer_names; write format='keras2'") as caught:
        write(tmp_path / "out.h5", many_layers(), KERAS1)
    assert caught.value.problem == Problem.UNSUPPORTED
    assert not list(tmp_path.iterdir())


def test_a_long_model_config(small, tmp_path):
    config = {"class_name": "Model", "config": {"name": "x" * 200_000}}
    write(tmp_path / "out.h5", replace(small, whole_model=True, model_config=config), KERAS2)
    with read(tmp_path / "out.h5") as again:
        assert again.model_config == config


@pytest.mark.parametrize("kind", [np.bytes_, np.str_, "chunks"])
def test_attributes_in_other_hands(small, tmp_path, kind):
    """Names as UTF-8 strings of variable length, and a model_config in chunks, say the same."""
    write(tmp_path / "out.h5", replace(small, whole_model=True, model_config={"class_name": "Sequential"}), KERAS2)
    with h5py.File(tmp_path / "out.h5", "r+") as file:
        if kind == "chunks":
            text = file.attrs["model_config"]
            del file.attrs["model_config"]
            file.attrs["model_config0"], file.attrs["model_config1"] = text[:9], text[9:]
        else:
            names = ["flatten_1", "dense_1"]
            values = np.array(names, object) if kind is np.str_ else np.array(names, "S")
            dtype = h5py.string_dtype() if kind is np.str_ else values.dtype
            file["model_weights"].attrs.create("layer_names", values, dtype=dtype)
    with read(tmp_path / "out.h5") as again:
        assert [group.name for group in again.groups] == ["flatten_1", "dense_1"]
        assert again.model_config == {"class_name": "Sequential"}
        assert not again.attributes


# ---------------------------------------------------------- names of weights ----


def test_repeated_and_empty_names(tmp_path):
    arrays = [InMemory(name, np.full(1, k, "float32")) for k, name in enumerate(["w", "", "w", "w_1", "w"])]
    write(tmp_path / "out.h5", Checkpoint([Group("x", arrays)]), KERAS2)
    with read(tmp_path / "out.h5") as again:
        got = [(array.name, array.read().item()) for array in again.groups[0].arrays]
    assert got == [("w", 0), ("param_1", 1), ("w_1", 2), ("w_1_1", 3), ("w_2", 4)]


def test_absolute_names_are_at_the_root(small, tmp_path, everything):
    """Theano's optimizers name their state '/variable_0', which HDF5 puts at the root of the file."""
    state = replace(small, whole_model=True, optimizer=[InMemory("/variable_0", np.ones(2, "float32"))])
    write(tmp_path / "out.h5", state, KERAS2)
    with h5py.File(tmp_path / "out.h5", "r") as file:
        assert "variable_0" in file
    with read(tmp_path / "out.h5") as again:
        assert everything(again)["optimizer"] == everything(state)["optimizer"]


def test_a_scalar_of_another_byte_order(tmp_path):
    known = Checkpoint([Group("x", [InMemory("n", np.array(7, ">i8")), InMemory("w", np.arange(3, dtype=">f4"))])])
    write(tmp_path / "out.h5", known, KERAS2)
    with read(tmp_path / "out.h5") as again:
        assert [array.read().dtype.str for array in again.groups[0].arrays] == [">i8", ">f4"]
        write(tmp_path / "copy.h5", again, KERAS2)
