"""Arrays in .npy files: read block by block, and refused by name where they are damaged or cut off meanwhile."""

import os

import numpy as np
import pytest

from kconvert.errors import KconvertError
from kconvert.formats import npy
from kconvert.formats.holes import stored_size
from kconvert.verification.stored_inputs import stored_arrays

X = np.random.default_rng(0).standard_normal((5, 7, 3)).astype("float32")


@pytest.mark.parametrize("x", [X, np.asfortranarray(X), X.astype(">f2"), X > 0, np.array(3.0)])
def test_any_box_is_that_of_the_array(tmp_path, x):
    np.save(tmp_path / "x.npy", x)
    found = npy.opened(tmp_path / "x.npy")
    assert found.dtype == x.dtype and found.shape == x.shape and np.array_equal(np.asarray(found), x)
    box = (slice(1, 4), slice(0, 7, 2), slice(2, 3))[: x.ndim]
    assert np.array_equal(found[box], x[box])


@pytest.mark.parametrize("cut", [1, 100, 130])
def test_a_file_that_is_cut_off_before_it_is_read(tmp_path, cut):
    np.save(tmp_path / "x.npy", X)
    os.truncate(tmp_path / "x.npy", cut)
    with pytest.raises(KconvertError, match=r"x.npy: is (cut off|no .npy file of numbers)"):
        npy.opened(tmp_path / "x.npy")


def test_a_file_that_is_cut_off_while_it_is_read(tmp_path):
    np.save(tmp_path / "x.npy", X)
    found = npy.opened(tmp_path / "x.npy")
    os.truncate(tmp_path / "x.npy", 200)
    with pytest.raises(KconvertError, match=r"x.npy: was cut off while it was read"):
        np.asarray(found)


@pytest.mark.parametrize("x", [np.array(["a"]), np.zeros(2, "complex64"), np.zeros(2, [("a", "f4")])])
def test_arrays_of_something_else_are_refused(tmp_path, x):
    np.save(tmp_path / "x.npy", x)
    with pytest.raises(KconvertError, match=r"x.npy: is no .npy file of numbers"):
        npy.opened(tmp_path / "x.npy")


def test_inputs_that_the_disk_does_not_hold_are_refused(tmp_path):
    with open(tmp_path / "x.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (2**36,)})
        file.truncate(file.tell() + 2**38)
    assert stored_size(tmp_path / "x.npy") < 2**20
    with pytest.raises(KconvertError, match=r"x.npy: the inputs would expand from [0-9,]+ bytes to 274,877,906,944"):
        stored_arrays(tmp_path / "x.npy")


def test_inputs_that_are_no_file_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.npy")
    for name, words in (("pipe.npy", "is not a regular file"), ("none.npy", "there is no such file")):
        with pytest.raises(KconvertError, match=words):
            stored_arrays(tmp_path / name)
