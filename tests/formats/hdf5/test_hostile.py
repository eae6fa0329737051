"""Broken and hostile files: one clear sentence, never a traceback of h5py, never another file's data."""

from __future__ import annotations

import os
import struct

import h5py
import numpy as np
import pytest

from kconvert.conventions.generations import GENERATIONS
from kconvert.errors import KconvertError, Problem
from kconvert.formats.hdf5 import read, sha256, write


@pytest.fixture
def refused(load):
    def refused(path, *words):
        with pytest.raises(KconvertError) as caught:
            load(path)
        said = str(caught.value)
        assert caught.value.problem == Problem.UNREADABLE
        assert said.startswith(str(path))
        assert "\n" not in said
        assert caught.value.__suppress_context__ or not isinstance(caught.value.__context__, Exception)
        for word in words:
            assert word in said

    return refused


@pytest.fixture
def changed(small, tmp_path):
    """A good file, and a door to spoil it."""

    def changed(spoil, form="keras2"):
        path = tmp_path / "spoilt.h5"
        write(path, small, GENERATIONS[form], force=True)
        with h5py.File(path, "r+") as file:
            spoil(file)
        return path

    return changed


KERNEL = "dense_1/dense_1/kernel:0"


def instead(**options):
    """Puts another dataset in the place of the kernel."""

    def spoil(file):
        del file[KERNEL]
        file.create_dataset(KERNEL, **options)

    return spoil


# --------------------------------------------------------------- no HDF5 ----


def test_not_a_file(tmp_path, refused):
    refused(tmp_path / "missing.h5", "no such file")
    refused(tmp_path, "is a directory")
    os.mkfifo(tmp_path / "pipe.h5")
    refused(tmp_path / "pipe.h5", "not a regular file")


def test_not_hdf5(tmp_path, refused):
    path = tmp_path / "x.h5"
    path.write_bytes(b"")
    refused(path, "empty")
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    refused(path, "not an HDF5 file")


def test_truncated_anywhere(keras_file, tmp_path, refused):
    path = tmp_path / "cut.h5"
    whole = keras_file.read_bytes()
    for size in (20, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        refused(path, "truncated or damaged", "; the file is damaged or was cut off: copy it again")


# ------------------------------------------------------------- structure ----


def test_hdf5_of_something_else(tmp_path, refused):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["data"] = np.ones(3)
    refused(tmp_path / "x.h5", "no layer_names", "nb_layers")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: f.pop("dense_1"), ["'dense_1'", "absent"]),
        (lambda f: f.pop(KERNEL), ["group /dense_1", "'dense_1/kernel:0'", "absent"]),
        (lambda f: f["dense_1"].attrs.pop("weight_names"), ["group /dense_1", "weight_names"]),
        (lambda f: f.attrs.__setitem__("layer_names", np.arange(2.0)), ["layer_names", "names"]),
        (lambda f: f.attrs.__setitem__("layer_names", np.array([b"\xff"])), ["layer_names", "UTF-8"]),
        (lambda f: f.attrs.__setitem__("layer_names", h5py.Empty("f4")), ["layer_names"]),
        (lambda f: f.attrs.__setitem__("layer_names", np.array([b"dense_1/dense_1/bias:0"])), ["is not a group"]),
        (lambda f: f["dense_1"].attrs.__setitem__("weight_names", np.array([b"dense_1"])), ["is not a dataset"]),
        (lambda f: f["dense_1"].attrs.__setitem__("weight_names", np.array([b"a//"])), ["absent"]),
        (lambda f: f.attrs.__setitem__("model_config", "{'class_name'"), ["model_config", "not JSON"]),
        (lambda f: f.attrs.__setitem__("model_config", "[" * 10**5), ["model_config", "not JSON"]),
        (lambda f: f.attrs.__setitem__("model_config", "[]"), ["model_config", "object"]),
        (lambda f: f.attrs.__setitem__("kconvert", "x"), ["kconvert", "not JSON"]),
        (lambda f: f.attrs.__setitem__("backend", 3), ["backend", "3"]),
        (lambda f: f.attrs.create("backend", 0, dtype=[("a", "f4")]), ["backend", "neither text nor numbers"]),
        (lambda f: f.attrs.__setitem__(b"\xff", 1), ["attributes cannot be read"]),
        (lambda f: f.attrs.__setitem__("new", f.ref), ["new", "neither text nor numbers"]),
    ],
)
def test_broken_structure(changed, refused, spoil, words):
    refused(changed(spoil), *words)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: f.attrs.__setitem__("nb_layers", 10**12), ["'layer_2'", "absent"]),
        (lambda f: f.attrs.__setitem__("nb_layers", -1), ["nb_layers"]),
        (lambda f: f.attrs.__setitem__("nb_layers", "two"), ["nb_layers"]),
        (lambda f: f["layer_1"].attrs.pop("nb_params"), ["group /layer_1", "nb_params"]),
        (lambda f: f.pop("layer_1/param_1"), ["group /layer_1", "'param_1'", "absent"]),
    ],
)
def test_broken_keras0(changed, refused, spoil, words):
    refused(changed(spoil, "keras0"), *words)


# --------------------------------------------------------------- hostile ----


def test_links_elsewhere(changed, tmp_path, refused):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = np.ones((4, 3), "float32")

    def link(target, place=KERNEL):
        def spoil(file):
            del file[place]
            file[place] = target

        return changed(spoil)

    refused(link(h5py.ExternalLink("secret.h5", "/x")), "external link")
    refused(link(h5py.ExternalLink("missing.h5", "/x")), "external link")
    refused(link(h5py.ExternalLink("secret.h5", "/"), "dense_1"), "external link")
    refused(link(h5py.SoftLink("/flatten_1")), "soft link")
    refused(link(h5py.SoftLink("/nowhere")), "soft link")


def test_a_linked_model_weights(tmp_path, refused):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["model_weights"] = h5py.ExternalLink("other.h5", "/")
    refused(tmp_path / "x.h5", "'model_weights'", "external link")


def test_external_storage(changed, tmp_path, refused):
    (tmp_path / "secret").write_bytes(bytes(48))
    external = [(str(tmp_path / "secret"), 0, 48)]
    refused(changed(instead(shape=(4, 3), dtype="f4", external=external)), KERNEL, "external storage")


def test_virtual_dataset(changed, refused):
    def spoil(file):
        layout = h5py.VirtualLayout((4, 3), "f4")
        layout[:] = h5py.VirtualSource("secret.h5", "x", shape=(4, 3))
        del file[KERNEL]
        file.create_virtual_dataset(KERNEL, layout)

    refused(changed(spoil), KERNEL, "virtual")


@pytest.mark.parametrize(
    "options",
    [
        {"data": np.array([b"text", b"more"], object), "dtype": h5py.string_dtype()},
        {"data": np.array([b"text"])},
        {"shape": (4,), "dtype": [("a", "f4"), ("b", "i4")]},
        {"shape": (4,), "dtype": h5py.ref_dtype},
        {"shape": (4,), "dtype": h5py.vlen_dtype("f4")},
        {"shape": (4,), "dtype": "V8"},
        {"shape": (4,), "dtype": "complex64"},
        {"data": h5py.Empty("f4")},
    ],
    ids=["strings", "bytes", "compound", "references", "ragged", "opaque", "complex", "empty"],
)
def test_no_numbers(changed, refused, options):
    refused(changed(instead(**options)), KERNEL, "not an array of numbers")


@pytest.mark.parametrize("options", [{}, {"chunks": (1024, 1024), "compression": "gzip"}])
def test_absurd_expansion(changed, refused, options):
    refused(changed(instead(shape=(2**20, 2**20), dtype="f4", **options)), KERNEL, "expand")


def test_missing_filter_or_damaged_chunk(changed, refused):
    def spoil(file):
        instead(data=np.ones((4, 3), "f4"), chunks=(4, 3), compression="gzip")(file)
        file[KERNEL].id.write_direct_chunk((0, 0), b"not gzip at all")

    refused(changed(spoil), KERNEL, "cannot be read")


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(struct.pack("<HHIQ", 0, 0, 0, 0), id="free space of no bytes"),
        pytest.param(struct.pack("<HHIQ", 1, 1, 0, 2**64 - 16), id="no bytes after an overflow"),
        pytest.param(struct.pack("<HHIQ", 1, 1, 0, 2**64 - 64), id="backwards"),
    ],
)
def test_a_collection_of_strings_whose_parts_do_not_go_on(changed, refused, part):
    """HDF5 follows the parts without an end."""
    path = changed(lambda file: file.attrs.__setitem__("keras_version", "2.3.1"))
    data = bytearray(path.read_bytes())
    first = data.index(b"GCOL\x01") + 16
    data[first : first + len(part)] = part
    path.write_bytes(data)
    refused(path, "the strings at byte", "are damaged")


@pytest.mark.parametrize(
    ("begin", "words"),
    [
        (b"\x1f\x8b\x08", "is packed by gzip: unpack it first"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "run git lfs pull"),
        (b"<!DOCTYPE html>", "is a web page: download the file itself"),
    ],
)
def test_a_file_of_another_kind_is_named_by_its_first_bytes(tmp_path, refused, begin, words):
    path = tmp_path / "model.h5"
    path.write_bytes(begin + bytes(100))
    refused(path, "is not an HDF5 file", words)


def test_a_filter_that_is_not_known_is_named(changed, refused):
    def spoil(file):
        file.pop(KERNEL)
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((4, 3))
        properties.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, (1, 2, 3))
        space = h5py.h5s.create_simple((4, 3))
        created = h5py.h5d.create(file.id, KERNEL.encode(), h5py.h5t.IEEE_F32LE, space, properties)
        created.write_direct_chunk((0, 0), bytes(48), 0)

    refused(changed(spoil), KERNEL, "the filter 32001 of HDF5", "which kconvert does not read; unpack the file")


def test_read_after_close(keras_file):
    with read(keras_file) as checkpoint:
        array = next(array for group in checkpoint.groups for array in group.arrays) if checkpoint.groups else None
    if array:
        with pytest.raises(KconvertError, match="closed"):
            array.read()


def test_errors_of_the_caller_pass_through(keras_file):
    with pytest.raises(ZeroDivisionError), read(keras_file):
        raise ZeroDivisionError


def test_sha256(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(KconvertError, match="no such file"):
        sha256(tmp_path / "missing")


@pytest.mark.parametrize(
    ("name", "words"),
    [("arch.json", "with arch="), ("model.tflite", "a program for LiteRT"), ("model.onnx", "a program for ONNX")],
)
def test_a_file_of_another_kind_is_named_by_its_ending(tmp_path, refused, name, words):
    path = tmp_path / name
    path.write_text("{}")
    refused(path, "is not an HDF5 file", words)
