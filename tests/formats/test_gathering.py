"""Parts of an array: any part equals plain indexing, in as few reads as there are runs."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kconvert.formats import content
from kconvert.formats.content import Content
from kconvert.formats.gathering import gather
from kconvert.formats.parts import blocks, cut, runs
from kconvert.formats.safetensors.header import Entry
from kconvert.formats.safetensors.stored import Stored

LENGTH = 40
WHOLE = np.arange(LENGTH * 6, dtype="float32").reshape(LENGTH, 2, 3)

run = st.builds(
    lambda start, step, count: np.clip(start + step * np.arange(count), -LENGTH, LENGTH - 1),
    st.integers(-LENGTH, LENGTH - 1),
    st.integers(-7, 7),
    st.integers(0, 9),
)
indices = st.lists(run, max_size=5).map(lambda parts: np.concatenate([np.zeros(0, int), *parts]))
rows = st.slices(LENGTH) | indices
others = [st.slices(n) | st.lists(st.integers(-n, n - 1)).map(lambda some: np.array(some, int)) for n in (2, 3)]
parts = st.tuples(rows, *others)
REST = (slice(None), slice(None))


@pytest.fixture(scope="module", params=["contiguous", "compressed", "safetensors"])
def dataset(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows"
    if request.param == "safetensors":
        path.write_bytes(b"header" + WHOLE.tobytes())
        with open(path, "rb", buffering=0) as file:
            yield Stored("x", Entry("x", WHOLE.dtype, WHOLE.shape, 2), 4, Content(path, file))
        return
    options = {"chunks": (7, 2, 2), "compression": "gzip"} if request.param == "compressed" else {}
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=WHOLE, **options)
    with h5py.File(path, "r") as file:
        yield file["x"]


@given(parts, st.sampled_from([0, 10**6]))
@settings(deadline=None)
def test_gather_is_indexing(dataset, part, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(content, "RUN", size)
        got = gather(dataset, part, size)
    want = cut(WHOLE, part)
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
        assert all((one.step or 1) > 0 for one in place)
        return self.array[place]


@pytest.mark.parametrize(
    ("rows", "reads"),
    [
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
    gather(counted, (rows, *REST), size=0)
    assert counted.reads == reads


@given(st.lists(st.integers(0, 12), max_size=4), st.integers(1, 8), st.integers(1, 300), st.randoms())
def test_blocks_cover_an_array_once(shape, itemsize, size, random):
    order = random.sample(range(len(shape)), len(shape))
    covered = np.zeros(shape, int)
    for box in blocks(shape, order, itemsize, size):
        covered[box] += 1
        assert covered[box].size * itemsize <= max(size, itemsize)
    assert (covered == 1).all()


@pytest.mark.parametrize(
    ("shape", "order", "first"),
    [
        ((1000, 64), (0, 1), (16, 64)),
        ((3, 3, 500, 500), (3, 2, 0, 1), (3, 3, 3, 32)),  # runs of 27 numbers are read, of 32 written
        ((1000, 1000), (1, 0), (32, 32)),
    ],
)
def test_blocks_are_long_where_neighbours_are(shape, order, first):
    box = next(blocks(shape, order, 1, 1024))
    assert tuple(one.stop for one in box) == first


@pytest.mark.parametrize("row", [-LENGTH - 1, LENGTH])
def test_a_row_outside_is_an_error(dataset, row):
    with pytest.raises(IndexError, match=str(row)):
        gather(dataset, (np.array([0, row]), *REST))
