"""Chunks must have exactly their size; HDF5 itself reads behind short ones, and unpacks long ones."""

import struct
import zlib

import h5py
import numpy as np
import pytest

from kconvert.errors import KconvertError, Problem
from kconvert.formats.hdf5 import read
from kconvert.formats.hdf5.chunks import Chunks

PACKINGS = {
    "none": {},
    "gzip": {"compression": "gzip"},
    "lzf": {"compression": "lzf"},
    "shuffled gzip": {"compression": "gzip", "shuffle": True},
    "shuffled lzf": {"compression": "lzf", "shuffle": True},
    "sum": {"fletcher32": True},
    "all": {"compression": "gzip", "shuffle": True, "fletcher32": True},
}
SHAPE = 33, 65


def contents():
    random = np.random.default_rng(0)
    yield random.random(SHAPE) * 9
    yield np.zeros(SHAPE)
    yield np.resize(np.arange(5), SHAPE)
    yield np.repeat(random.integers(0, 2, SHAPE[0]), SHAPE[1]).reshape(SHAPE)


@pytest.mark.parametrize("dtype", ["f4", ">f4", "f2", "f8", "i8", "u1", "?"])
@pytest.mark.parametrize("options", PACKINGS.values(), ids=PACKINGS)
def test_parts_are_those_that_hdf5_reads(tmp_path, options, dtype):
    boxes = [(slice(None), slice(None)), (slice(1, 30, 3), slice(20, 41)), (slice(5, 5), slice(None))]
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for number, content in enumerate(contents()):
            dataset = file.create_dataset(str(number), SHAPE, dtype, chunks=(8, 16), fillvalue=1, **options)
            rows = slice(20 if number == 0 else None)  # some chunks are not there
            dataset[rows] = content[rows].astype(dtype)
            file.flush()
            for box in boxes:
                np.testing.assert_array_equal(Chunks(dataset, "x")[box], dataset[box], strict=True)


def packed(path, chunk, mask=0, **options):
    """A file of weights whose one array, of 256 x 256 floats, has one given chunk."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([b"d"])
        group = file.create_group("d")
        group.attrs["weight_names"] = np.array([b"w"])
        dataset = group.create_dataset("w", (256, 256), "f4", chunks=(256, 256), **options)
        if chunk is not None:
            dataset.id.write_direct_chunk((0, 0), chunk, mask)
    return path


def refusal(path):
    with read(path) as checkpoint, pytest.raises(KconvertError) as caught:
        checkpoint.groups[0].arrays[0].read()
    assert caught.value.problem is Problem.UNREADABLE
    assert str(caught.value).startswith(f"{path}, dataset /d/w: ")
    return str(caught.value)


LONG = zlib.compress(bytes(2**24), 9)


@pytest.mark.parametrize(
    ("chunk", "mask", "options", "words"),
    [
        (zlib.compress(bytes(100)), 0, {"compression": "gzip"}, "a chunk has 100 bytes and not 262,144"),
        (bytes(100), 1, {"compression": "gzip"}, "a chunk has 100 bytes and not 262,144"),
        (LONG, 0, {"compression": "gzip"}, "unpacks to more than its 262,144 bytes"),
        (zlib.compress(bytes(2**18))[:-9], 0, {"compression": "gzip"}, "a packed chunk is cut off"),
        (b"\x00a" + b"\xe0\xff\x00" * 2000, 0, {"compression": "lzf"}, "unpacks to more than its 262,144 bytes"),
        (b"\x00a\x20\x00", 0, {"compression": "lzf"}, "a chunk has 4 bytes and not 262,144"),
        (b"\x20\x00", 0, {"compression": "lzf"}, "a packed chunk is damaged"),
        (b"\xe0", 0, {"compression": "lzf"}, "cannot be read"),
        (bytes(2**18) + b"abcd", 0, {"fletcher32": True}, "the sum of a chunk is wrong"),
        (b"ab", 0, {"fletcher32": True}, "cannot be read"),
    ],
)
def test_a_chunk_of_another_size_is_refused(tmp_path, chunk, mask, options, words):
    """The first two ended the process by SIGSEGV, and a file of 19 kB with the third took 6 GB."""
    assert words in refusal(packed(tmp_path / "x.h5", chunk, mask, **options))


def test_a_filter_with_a_wrong_result_between_others(tmp_path):
    path = packed(tmp_path / "x.h5", zlib.compress(bytes(2**18 - 4)), compression="gzip", shuffle=True)
    assert "a chunk has 262,140 bytes" in refusal(path)


def test_chunks_whose_elements_are_shorter_than_those_of_the_array(tmp_path):
    """HDF5 would take a quarter of the chunk for a whole one, and read the memory behind it."""
    path = packed(tmp_path / "x.h5", np.ones((256, 256), "f4").tobytes())
    data = path.read_bytes()
    sizes = struct.pack("<III", 256, 256, 4)
    assert data.count(sizes) == 1
    path.write_bytes(data.replace(sizes, struct.pack("<III", 256, 256, 1)))
    with read(path) as checkpoint:
        np.testing.assert_array_equal(checkpoint.groups[0].arrays[0].read(), np.ones((256, 256), "f4"))


def test_filters_that_are_not_known_are_named(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(packed(path, None), "r+") as file:
        del file["d/w"]
        file["d"].create_dataset("w", data=np.ones((4, 4), "i4"), chunks=(4, 4), scaleoffset=3)
    assert "the filter 6 of HDF5 (scaleoffset), which kconvert does not read; unpack the file" in refusal(path)
