"""Large arrays in chunks: they are unpacked once, into a file without a name."""

from __future__ import annotations

import gc
import os

import h5py
import numpy as np
import pytest

from kconvert.conventions.generations import GENERATIONS
from kconvert.formats.hdf5 import read, write
from kconvert.formats.hdf5.unpacking import unpacked
from kconvert.formats.parts import cut

WHOLE = np.arange(240, dtype="float32").reshape(40, 2, 3)


@pytest.fixture(scope="module", params=["contiguous", "compressed"])
def dataset(request, tmp_path_factory):
    options = {"chunks": (7, 2, 2), "compression": "gzip"} if request.param == "compressed" else {}
    path = tmp_path_factory.mktemp("rows") / "rows.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=WHOLE, **options)
    with h5py.File(path, "r") as file:
        yield file["x"]


def test_unpacked_is_in_one_piece(dataset):
    assert unpacked(dataset, WHOLE.nbytes) is dataset
    copy = unpacked(dataset, WHOLE.nbytes - 1)
    assert (copy is dataset) == (dataset.chunks is None)
    assert copy.chunks is None
    gc.collect()  # the file it is in stays open, though without a name
    assert os.path.exists(copy.file.filename) == (copy is dataset)
    np.testing.assert_array_equal(copy[()], WHOLE, strict=True)


def test_parts_of_a_large_packed_array(small, tmp_path):
    path = write(tmp_path / "packed.h5", small, GENERATIONS["keras2"])
    large = np.random.default_rng(0).integers(0, 9, (1000, 1000)).astype("float32")
    with h5py.File(path, "r+") as file:
        del file["dense_1/dense_1/kernel:0"]
        file.create_dataset("dense_1/dense_1/kernel:0", data=large, chunks=(300, 400), compression="gzip")
    rows = np.random.default_rng(1).permutation(1000)
    with read(path) as checkpoint:
        kernel = checkpoint.groups[1].arrays[0]
        np.testing.assert_array_equal(kernel.read((rows, slice(None))), large[rows])
        np.testing.assert_array_equal(kernel.read((slice(5, 700), rows)), large[5:700, rows])
        np.testing.assert_array_equal(kernel.read(), large)


def test_parts_of_a_real_file(keras_file):
    with read(keras_file) as checkpoint:
        for group in checkpoint.groups:
            for array in group.arrays:
                part = tuple(np.random.default_rng(0).permutation(n) for n in array.shape)
                np.testing.assert_array_equal(array.read(part), cut(array.read(), part))
