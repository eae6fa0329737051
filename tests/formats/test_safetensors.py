"""safetensors: what is in the files, that they come back as they were, and that hostile ones are refused."""

import json
import os
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import safetensors
from safetensors.numpy import load_file, save_file

import kconvert as kc
from kconvert import KconvertError
from kconvert.conventions.generations import GENERATIONS
from kconvert.conversion.source import Source
from kconvert.errors import Problem
from kconvert.formats.checkpoint import Checkpoint, Group, InMemory
from kconvert.formats.endings import HDF5, SAFETENSORS, default_form, form_of
from kconvert.formats.files import read
from kconvert.formats.parts import indices
from kconvert.formats.writing import write
from kconvert.verification.noise import noisy_copy
from tests.fixtures import case

CASES = ["1.2.2-theano/lenet_th", "1.2.2-theano/gru_cpu", "2.3.1-theano/pooling1d_same_channels_first"]


def contents(path):
    with read(path) as checkpoint:
        groups = [(group.name, [(a.name, a.read().tobytes()) for a in group.arrays]) for group in checkpoint.groups]
        return groups, [(a.name, a.read().tobytes()) for a in checkpoint.optimizer], checkpoint.model_config


@pytest.fixture
def converted(tmp_path):
    return kc.convert(case(CASES[0]).model, tmp_path / "out.safetensors", "theano", "tensorflow").target


def metadata(path):
    with safetensors.safe_open(path, "numpy") as file:
        return {
            name: text if name in ("backend", "keras_version") else json.loads(text)
            for name, text in file.metadata().items()
        }


def test_the_library_reads_the_arrays_that_an_hdf5_file_has(converted, tmp_path):
    hdf5 = kc.convert(case(CASES[0]).model, tmp_path / "out.h5", "theano", "tensorflow").target
    arrays = load_file(converted)
    with read(hdf5) as checkpoint:
        for array in (array for group in checkpoint.groups for array in group.arrays):
            assert (arrays[array.name] == array.read()).all()


def test_the_metadata_says_what_each_array_is(converted):
    found = metadata(converted)
    assert (found["backend"], found["keras_version"]) == ("tensorflow", "2.3.1")
    assert found["kconvert"]["source"] == "keras1/theano" and found["kconvert"]["target"] == "keras2/tensorflow"
    assert found["kconvert"]["data_format"] == "channels_last" and len(found["kconvert"]["source_sha256"]) == 64
    assert found["model_config"]["class_name"] == "Sequential"
    kernel = found["layers"][0]["arrays"][0]
    assert kernel == {
        "name": "convolution2d_1/kernel:0",
        "key": "convolution2d_1/kernel:0",
        "layer": "convolution2d_1",
        "class": "Conv2D",
        "weight": "kernel",
        "role": "conv_kernel",
        "axes": "hwio",
    }


def test_gates_are_named_in_one_array_and_in_an_array_for_each(tmp_path):
    fused = metadata(kc.convert(case(CASES[1]).model, tmp_path / "a.safetensors", "theano", "tensorflow").target)
    assert {array["gates"] for layer in fused["layers"] for array in layer["arrays"] if layer["name"] == "gru_1"} == {
        "zrh"
    }
    done = kc.convert(case(CASES[1]).model, tmp_path / "b.safetensors", "theano", "tensorflow", format="same")
    own = {array["gates"] for layer in metadata(done.target)["layers"] for array in layer["arrays"] if "gates" in array}
    assert own == set("zrh")


@pytest.mark.parametrize("name", CASES)
def test_there_and_back_gives_the_same_names_bytes_and_architecture(name, tmp_path):
    path = case(name).model
    there = kc.convert(path, tmp_path / "there.safetensors", "theano", "tensorflow", format="same").target
    back = kc.convert(there, tmp_path / "back.h5", target="theano", format="same").target
    assert contents(back) == contents(path)


@pytest.mark.parametrize("name", CASES)
def test_another_form_is_a_conversion_in_both_directions(name, tmp_path):
    path = case(name).model
    there = kc.convert(path, tmp_path / "there.safetensors", "theano", "theano", "keep", "same").target
    assert contents(there)[:2] == contents(path)[:2]
    back = kc.convert(there, tmp_path / "back.h5", target="theano", data_format="keep", format="same").target
    assert contents(back)[:2] == contents(path)[:2]
    with pytest.raises(KconvertError, match="already is in the convention"):
        kc.convert(there, tmp_path / "again.safetensors", target="theano", data_format="keep", format="same")


def test_both_sides_of_a_conversion_are_compared(converted):
    report = kc.verify(case(CASES[0]).model, converted, source="theano")
    assert report.equal and report.arrays == 8
    copy = noisy_copy(Source(converted), GENERATIONS["keras2"], converted.with_name("noisy.h5"))
    assert contents(copy.path) != contents(converted)


def test_the_ending_tells_the_form():
    assert form_of("a.SafeTensors") == (SAFETENSORS, "keras2")
    assert form_of("a.safetensors", "same") == (SAFETENSORS, "same")
    assert default_form("keras2") == (HDF5, "keras2")
    with pytest.raises(KconvertError, match="not of keras3"):
        form_of("a.safetensors", "keras3")


def test_arrays_of_several_types_and_equal_names_keep_what_they_are(tmp_path):
    arrays = [np.arange(3, dtype="uint8"), np.float32(4).reshape(()), np.arange(4, dtype=">f8"), np.zeros((0, 2), "f2")]
    groups = [Group(name, [InMemory("w", arrays[i]), InMemory("w", arrays[i + 1])]) for i, name in ((0, "a"), (2, "b"))]
    checkpoint = Checkpoint(groups, provenance={})
    path = write(tmp_path / "x.safetensors", checkpoint, SAFETENSORS, GENERATIONS["keras2"])
    with read(path) as found:
        stored = [array for group in found.groups for array in group.arrays]
        assert [array.name for array in stored] == ["w"] * 4
        for array, wanted in zip(stored, arrays, strict=True):
            assert array.read().tolist() == wanted.tolist() and array.shape == wanted.shape
        assert stored[2].read((np.array([3, 0]),)).tolist() == [3, 0]
    assert {key: value.dtype.str for key, value in load_file(path).items()} == {
        "a/w": "|u1",
        "a/w_1": "<f4",
        "b/w": "<f8",
        "b/w_1": "<f2",
    }
    odd = replace(checkpoint, groups=[Group("a", [InMemory("w", np.zeros(2, "complex64"))])])
    with pytest.raises(KconvertError, match="no arrays of complex64"):
        write(tmp_path / "y.safetensors", odd, SAFETENSORS, GENERATIONS["keras2"])
    assert [one.name for one in tmp_path.iterdir()] == ["x.safetensors"]


class Rows:
    """A large array that exists only block by block."""

    name, shape, dtype = "w", (64, 2**18), np.dtype("float32")

    def __init__(self, order):
        self.order = order

    def read(self, part=None):
        rows, columns = indices(part, self.shape)
        return (rows[:, None] + 100 * columns).astype("float32")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["rows", "columns"])
def test_arrays_are_written_block_by_block(tmp_path, order):
    tracemalloc.start()
    write(
        tmp_path / "x.safetensors",
        Checkpoint([Group("a", [Rows(order)])], provenance={}),
        SAFETENSORS,
        GENERATIONS["keras2"],
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "x.safetensors").stat().st_size > 2**26 and peak < 2**24
    rows, columns = np.indices(Rows.shape, "float32")
    assert np.array_equal(load_file(tmp_path / "x.safetensors")["w"], rows + 100 * columns)


def test_files_of_others_are_refused_by_name(tmp_path):
    save_file({"kernel": np.zeros(3, "float32")}, tmp_path / "x.safetensors")
    with pytest.raises(KconvertError, match="does not say which layers") as refused, read(tmp_path / "x.safetensors"):
        pass
    assert refused.value.problem == Problem.UNREADABLE


def header(**entries):
    text = json.dumps({"__metadata__": {"kconvert": "{}", "layers": "[]"}, **entries}).encode()
    return len(text).to_bytes(8, "little") + text


def entry(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cut off"),
        (b"\x01\x02", "cut off"),
        ((2**60).to_bytes(8, "little") + b"{}", "cut off"),
        ((2).to_bytes(8, "little") + b"[]", "not a JSON object"),
        ((4).to_bytes(8, "little") + b"{{{{", "damaged header"),
        (header(a={"dtype": "F32", "shape": [2**62] * 100_000, "data_offsets": [0, 4]}), "has no valid shape"),
        ((100_000).to_bytes(8, "little") + b"[" * 100_000, "damaged header"),
        (header(w=entry()), "need 4 bytes, the file has 0"),
        (header(w=entry()) + b"0000", "no layer has the array 'w'"),
        (header(w=entry(shape=(2**40,))) + b"0000", "has 4,398,046,511,104 bytes"),
        (header(w=entry(shape=(2**62, 2**62))) + b"0000", "bytes, not 4"),
        (header(w=entry(shape=(-1,))) + b"0000", "no valid shape"),
        (header(w=entry(shape=(True,))) + b"0000", "no valid shape"),
        (header(w=entry(dtype="F8_E4M3")) + b"0000", "unknown dtype"),
        (header(w=entry(dtype=[])) + b"0000", "unhashable|unknown dtype"),
        (header(w=entry(offsets=(4, 8))) + b"00000000", "begins at byte 4"),
        (header(v=entry(), w=entry()) + b"0000", "begins at byte 0"),
        (header(w=3), "lacks its dtype"),
        (header(**{"__metadata__": {"kconvert": 3}}), "not an object of texts"),
        (header(**{"__metadata__": {"kconvert": "[]", "layers": "[]"}}), "kconvert is no dict"),
        (header(**{"__metadata__": {"kconvert": "{}", "layers": '[{"name": "a"}]'}}), "damaged metadata"),
        (header(**{"__metadata__": {"kconvert": "{}", "layers": "[" * 100_000}}), "damaged metadata"),
        (
            header(
                **{
                    "__metadata__": {
                        "kconvert": "{}",
                        "layers": '[{"name": "a", "arrays": [{"name": "b", "key": "c"}]}]',
                    }
                }
            ),
            "there is no array 'c'",
        ),
    ],
)
def test_hostile_and_damaged_files_are_refused(content, words, tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(KconvertError, match=words) as refused, read(path):
        pass
    assert refused.value.problem == Problem.UNREADABLE
    assert str(path) in str(refused.value)


def test_a_file_that_is_cut_off_while_it_is_read_is_refused(converted):
    with read(converted) as checkpoint:
        array = checkpoint.groups[0].arrays[0]
        os.truncate(converted, 2000)
        with pytest.raises(KconvertError, match="cut off while it was read") as caught:
            array.read()
    assert caught.value.problem is Problem.UNREADABLE
    with pytest.raises(KconvertError, match="closed file"):
        array.read()
