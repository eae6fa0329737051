"""RowIndex of an array: any choice of rows equals plain indexing, in as few reads as there are runs."""

from __future__ import annotations

import gc
import os

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kconvert.conventions.generations import GENERATIONS
from kconvert.formats.hdf5 import read, write
from kconvert.formats.hdf5.rows import blocks, gather, runs, unpacked

LENGTH = 40
WHOLE = np.arange(LENGTH * 6, dtype="float32").reshape(LENGTH, 2, 3)

run = st.builds(
    lambda start, step, count: np.clip(start + step * np.arange(count), -LENGTH, LENGTH - 1),
    st.integers(-LENGTH, LENGTH - 1),
    st.integers(-7, 7),
    st.integers(0, 9),
)
indices = st.lists(run, max_size=5).map(lambda parts: np.concatenate([np.zeros(0, int), *parts]))
choices = st.none() | st.slices(LENGTH) | indices


@pytest.fixture(scope="module", params=["contiguous", "compressed"])
def dataset(request, tmp_path_factory):
    options = {"chunks": (7, 2, 2), "compression": "gzip"} if request.param == "compressed" else {}
    path = tmp_path_factory.mktemp("rows") / "rows.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=WHOLE, **options)
    with h5py.File(path, "r") as file:
        yield file["x"]


@given(choices, st.sampled_from([0, 10**6]))
@settings(deadline=None)
def test_gather_is_indexing(dataset, rows, size):
    got = gather(dataset, rows, size)
    want = WHOLE if rows is None else WHOLE[rows]
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want, strict=True)


@given(indices)
def test_runs_cut_into_maximal_arithmetic_runs(rows):
    cuts = list(runs(rows))
    assert [position for begin, end in cuts for position in range(begin, end)] == list(range(len(rows)))
    for begin, end in cuts:
        steps = set(np.diff(rows[begin:end]).tolist())
        assert len(steps) <= 1
        if end < len(rows) and end - begin > 1:
            assert rows[end] - rows[end - 1] not in steps


class Counted:
    """A NumPy array that counts how often it is read and takes what h5py takes."""

    def __init__(self, array):
        self.array, self.shape, self.dtype, self.reads = array, array.shape, array.dtype, 0

    def __getitem__(self, place):
        self.reads += 1
        assert place == () or (place.step or 1) > 0
        return self.array[place]


@pytest.mark.parametrize(
    ("rows", "reads"),
    [
        (None, 1),
        (slice(3, 30, 4), 1),
        (slice(None, None, -1), 1),
        (np.arange(LENGTH), 1),
        (np.arange(LENGTH)[::-3], 1),
        (np.arange(LENGTH).reshape(5, 8).T.ravel(), 8),  # a Dense after Flatten: 8 channels, 5 positions
        (np.array([4, 4, 4, 4]), 1),
    ],
    ids=str,
)
def test_one_read_for_each_run(rows, reads):
    counted = Counted(WHOLE)
    gather(counted, rows, size=0)
    assert counted.reads == reads


def test_unpacked_is_in_one_piece(dataset):
    assert unpacked(dataset, WHOLE.nbytes) is dataset
    copy = unpacked(dataset, WHOLE.nbytes - 1)
    assert (copy is dataset) == (dataset.chunks is None)
    assert copy.chunks is None
    gc.collect()  # the file it is in stays open, though without a name
    assert os.path.exists(copy.file.filename) == (copy is dataset)
    np.testing.assert_array_equal(copy[()], WHOLE, strict=True)


@given(st.lists(st.integers(0, 30), max_size=3), st.integers(1, 8), st.integers(1, 300))
def test_blocks_cover_the_leading_axis_once(shape, itemsize, size):
    cut = list(blocks(shape, itemsize, size))
    if not shape:
        assert cut == [None]
        return
    assert [row for rows in cut for row in range(shape[0])[rows]] == list(range(shape[0]))
    row_size = int(np.prod(shape[1:])) * itemsize
    assert all((rows.stop - rows.start) * row_size <= max(size, row_size) for rows in cut)


@pytest.mark.parametrize("row", [-LENGTH - 1, LENGTH])
def test_a_row_outside_is_an_error(dataset, row):
    with pytest.raises(IndexError, match=str(row)):
        gather(dataset, np.array([0, row]))


def test_rows_of_a_large_packed_array(small, tmp_path):
    path = write(tmp_path / "packed.h5", small, GENERATIONS["keras2"])
    large = np.random.default_rng(0).integers(0, 9, (1000, 1000)).astype("float32")
    with h5py.File(path, "r+") as file:
        del file["dense_1/dense_1/kernel:0"]
        file.create_dataset("dense_1/dense_1/kernel:0", data=large, chunks=(300, 400), compression="gzip")
    rows = np.random.default_rng(1).permutation(1000)
    with read(path) as checkpoint:
        kernel = checkpoint.groups[1].arrays[0]
        np.testing.assert_array_equal(kernel.read(rows), large[rows])
        np.testing.assert_array_equal(kernel.read(slice(5, 700)), large[5:700])
        np.testing.assert_array_equal(kernel.read(), large)


def test_rows_of_a_real_file(keras_file):
    with read(keras_file) as checkpoint:
        for group in checkpoint.groups:
            for array in group.arrays:
                rows = np.random.default_rng(0).permutation(array.shape[0])
                np.testing.assert_array_equal(array.read(rows), array.read()[rows])
