"""Tensors in files: read block by block, in the layout of another network, without staying in memory."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kconvert.kernels import Block
from kconvert.network.layout import Layout, identity
from kconvert.verification.comparison import compare, details
from kconvert.verification.matching import in_layout
from kconvert.verification.tensors import StoredTensor, both, parts, reshaped, rows, write
from kconvert.verification.tolerance import DEFAULT_TOLERANCE

LAYOUTS = [
    identity(4),
    Layout((0, 2, 3, 1)),
    Layout((0, 3, 1, 2)),
    Layout((0, 2, 3, 1), (Block("chw", "hwc", (2, 3, 1)),)),
]


def stored(folder, array):
    path = Path(folder, f"{len(list(Path(folder).iterdir()))}.npy")
    np.save(path, array)
    return StoredTensor(path)


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_a_stored_tensor_is_the_array_in_the_layout(tmp_path, layout):
    x = np.random.default_rng(0).standard_normal((2, 6, 4, 5)).astype("float32")
    wanted, found = in_layout(x, layout), stored(tmp_path, x).in_layout(layout)
    assert (found.shape, found.size, found.ndim, found.dtype) == (wanted.shape, x.size, 4, x.dtype)
    assert np.array_equal(np.asarray(found), wanted)
    box = (slice(1, 2), slice(1, 3), slice(0, 2), slice(2, 5))
    assert np.array_equal(found[box], wanted[box]) and type(found[box]) is np.ndarray


@pytest.mark.parametrize("x", [np.asfortranarray(np.arange(12.0).reshape(3, 4)), np.zeros((2, 0)), np.arange(3) > 1])
def test_arrays_of_every_order_size_and_type(tmp_path, x):
    found = stored(tmp_path, x)
    assert np.array_equal(np.asarray(found), x) and found.dtype == x.dtype
    with open(tmp_path / "again.npy", "wb") as file:
        write(file, found)
    assert np.array_equal(np.load(tmp_path / "again.npy"), x)


@settings(max_examples=30)
@given(st.lists(st.integers(1, 900), min_size=1, max_size=3).filter(lambda shape: np.prod(shape) < 2e6))
def test_parts_and_rows_cover_a_tensor_in_its_order(shape):
    x = np.arange(np.prod(shape)).reshape(shape)
    for boxes in (parts, rows):
        assert np.array_equal(np.concatenate([x[box].ravel() for box in boxes(x)]), x.ravel())
    assert all(box[-1] == slice(0, shape[-1]) for box in rows(x))


def test_axes_of_size_one_do_not_matter():
    x, y = np.arange(24.0).reshape(1, 4, 6), np.arange(24.0).reshape(4, 1, 6, 1)
    box = (slice(0, 1), slice(1, 3), slice(2, 5))
    first, second = both(x, y, box)
    assert np.array_equal(first, second) and first.shape == (1, 2, 3)
    assert reshaped(x, (1, 4, 6)) is x and reshaped(x, (24,)).shape == (24,)


def test_large_tensors_are_compared_as_small_ones_are(tmp_path):
    random = np.random.default_rng(0)
    x = random.standard_normal((3, 40, 100, 110)).astype("float32")
    y = x + 1e-6 * random.standard_normal(x.shape).astype("float32")
    y[2, 7, 99, 3] = y[2, 7, 99, 4] = np.nan
    x[2, 7, 99, 4] = np.nan
    y[0, 39, 0, 109] += 1.0
    found = compare("a", "Conv2D", stored(tmp_path, x), stored(tmp_path, y), DEFAULT_TOLERANCE)
    finite = np.isfinite(x) & np.isfinite(y)
    u, v = (side[finite].astype("float64") for side in (x, y))
    assert found.max_error == np.abs(u - v).max() and found.scale == np.abs(u).max()
    assert found.mean_error == pytest.approx(np.abs(u - v).sum() / x.size)
    assert found.cosine == pytest.approx(u @ v / np.sqrt((u @ u) * (v @ v)))
    assert found.worst == (2, 7, 99, 3) and np.isnan(found.values[1]) and found.not_finite == 2
    assert found.problem == "1 elements are NaN or infinite on one side only"
    assert sum(details("a", x, y).histogram) == x.size


def test_the_first_of_equal_errors_is_the_worst():
    x = np.zeros((2, 700, 900), "float32")
    y = np.full_like(x, 1.0)
    y[0, 0, 0] = 0.5
    assert compare("a", "Dense", x, y, DEFAULT_TOLERANCE).worst == (0, 0, 1)


def test_the_memory_of_a_comparison_does_not_depend_on_the_tensors(tmp_path):
    x = np.zeros((4, 64, 224, 150), "float32")
    sides = stored(tmp_path, x).in_layout(Layout((0, 2, 3, 1))), stored(tmp_path, x.transpose(0, 2, 3, 1))
    del x
    tracemalloc.start()
    try:
        assert compare("a", "Conv2D", *sides, DEFAULT_TOLERANCE).equal
        assert details("a", *sides).axes == (1, 2)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40e6, peak  # one of the tensors has 34 MB, and 69 MB as float64
