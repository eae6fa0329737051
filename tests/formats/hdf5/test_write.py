"""A target is either the whole new file or what it was before."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace

import numpy as np
import pytest

from kconvert.conventions.generations import GENERATIONS
from kconvert.errors import KconvertError, Problem
from kconvert.formats.checkpoint import Checkpoint, Group
from kconvert.formats.hdf5 import read, write
from kconvert.formats.parts import InOrder
from tests.disk import room_for

FLOAT = np.dtype("float32")
KERAS2 = GENERATIONS["keras2"]


@dataclass
class Failing(InOrder):
    """An array whose second block cannot be had."""

    error: BaseException
    name: str = "x"
    shape: tuple[int, ...] = (3, 2**22)
    dtype: np.dtype = FLOAT

    def read(self, part=None):
        if any(one.start for one in part):
            raise self.error
        return np.zeros([one.stop - one.start for one in part], self.dtype)


@dataclass
class Wrong(InOrder):
    """An array that gives other blocks than it promises, which HDF5 would broadcast or cast."""

    block: np.ndarray
    name: str = "x"
    shape: tuple[int, ...] = (4, 3)
    dtype: np.dtype = FLOAT

    def read(self, part=None):
        return self.block


def one(array):
    return Checkpoint([Group("x", [array])])


def usage(path, checkpoint, words, force=False):
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(KconvertError, match=words) as caught:
        write(path, checkpoint, KERAS2, force=force)
    assert caught.value.problem == Problem.USAGE
    assert "\n" not in str(caught.value)
    assert (path.read_bytes() if path.is_file() else None) == before
    return caught.value


def test_an_existing_file_needs_force(small, tmp_path):
    path = tmp_path / "out.h5"
    path.write_bytes(b"precious")
    path.chmod(0o600)
    usage(path, small, "exists already; pass force=True")
    assert write(path, small, KERAS2, force=True) == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with read(path) as again:
        assert [group.name for group in again.groups] == ["flatten_1", "dense_1"]
    assert os.listdir(tmp_path) == ["out.h5"]


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("alias", ["same", "symlink", "hardlink", "dots"])
def test_the_source_is_never_written(small, tmp_path, alias, force):
    path = write(tmp_path / "in.h5", small, KERAS2)
    other = {"same": path, "dots": tmp_path / "new" / ".." / "in.h5"}.get(alias, tmp_path / "alias.h5")
    (tmp_path / "new").mkdir()
    if alias == "symlink":
        other.symlink_to(path)
    if alias == "hardlink":
        other.hardlink_to(path)
    with read(path) as checkpoint:
        usage(other, checkpoint, "is the source file itself", force)


@pytest.mark.parametrize("force", [False, True])
def test_through_a_symlink(small, tmp_path, force):
    """The file that the link leads to stays: the user did not name it."""
    there = tmp_path / "there" / "out.h5"
    there.parent.mkdir()
    there.write_bytes(b"precious")
    (tmp_path / "link.h5").symlink_to(there)
    words = "is a symbolic link, and files are not written through links; remove it, or name"
    usage(tmp_path / "link.h5", small, f"{words} {there} itself", force)
    assert (tmp_path / "link.h5").is_symlink()
    assert os.listdir(there.parent) == ["out.h5"] and there.read_bytes() == b"precious"


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("to", ["there/out.h5", "link.h5"])
def test_a_symlink_to_nothing(small, tmp_path, to, force):
    """No file is made where the link points to, because the user did not name that place."""
    (tmp_path / "there").mkdir()
    (tmp_path / "link.h5").symlink_to(tmp_path / to)
    usage(tmp_path / "link.h5", small, "is a symbolic link to a file that does not exist; remove it, or name", force)
    assert (tmp_path / "link.h5").is_symlink()
    assert not os.listdir(tmp_path / "there")


def test_no_place_to_write(small, tmp_path):
    usage(tmp_path / "missing" / "out.h5", small, "there is no directory")
    usage(tmp_path, small, "not a regular file", force=True)
    with pytest.raises(KconvertError, match="cannot be written"):
        write(tmp_path / ("x" * 300), small, KERAS2)
    os.mkfifo(tmp_path / "pipe")
    usage(tmp_path / "pipe", small, "not a regular file", force=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_is_not_writable(small, tmp_path):
    tmp_path.chmod(0o500)
    usage(tmp_path / "out.h5", small, "is not writable")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), KconvertError("no more"), ZeroDivisionError()])
@pytest.mark.parametrize("existing", [False, True])
def test_nothing_is_left_of_a_failure(tmp_path, error, existing):
    path = tmp_path / "out.h5"
    if existing:
        path.write_bytes(b"precious")
    with pytest.raises(type(error)):
        write(path, one(Failing(error)), KERAS2, force=True)
    assert os.listdir(tmp_path) == ["out.h5"] * existing
    assert not existing or path.read_bytes() == b"precious"


def test_the_hidden_file_stands_beside_the_target(tmp_path):
    seen = []

    class Watching(Failing):
        def read(self, part=None):
            seen.extend(os.listdir(tmp_path))
            return np.zeros([one.stop - one.start for one in part], self.dtype)

    write(tmp_path / "out.h5", one(Watching(KeyboardInterrupt())), KERAS2)
    assert len(seen) == 3 * 8  # rows larger than a block, in pieces
    assert len(set(seen)) == 1
    assert seen[0].startswith(".kconvert-")


def test_a_full_disk(tmp_path):
    array = Wrong(np.zeros((2**20, 1), "float32"), shape=(2**20, 1))
    with room_for(2**20):
        usage(tmp_path / "out.h5", one(array), "no space left for one file")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("block", [np.zeros((1, 3), "float32"), np.zeros((4, 3), "float64"), np.float32(0)])
def test_a_block_of_another_shape_or_type(tmp_path, block):
    with pytest.raises(ValueError, match=r"x: got .* \(4, 3\)"):
        write(tmp_path / "out.h5", one(Wrong(np.asarray(block))), GENERATIONS["keras2"])
    assert not os.listdir(tmp_path)


def test_two_layers_of_one_name(small, tmp_path):
    usage(tmp_path / "out.h5", replace(small, groups=[small.groups[1]] * 2), "group dense_1: cannot be written")


def test_keras0_holds_no_whole_model(small, tmp_path):
    with pytest.raises(KconvertError, match="weights alone") as caught:
        write(tmp_path / "out.h5", replace(small, whole_model=True), GENERATIONS["keras0"])
    assert caught.value.problem == Problem.UNSUPPORTED
    assert not os.listdir(tmp_path)


def test_only_keras2_says_who_wrote_it(small, tmp_path, stored):
    for form in ("keras1", "keras1.0"):
        write(
            tmp_path / "out.h5", replace(small, whole_model=True, keras_version="1.2.2"), GENERATIONS[form], force=True
        )
        found = stored(tmp_path / "out.h5")
        assert list(found["/"][1]) == ["keras_version"]
        assert list(found["model_weights"][1]) == ["layer_names"]
        write(tmp_path / "out.h5", small, GENERATIONS[form], force=True)
        assert list(stored(tmp_path / "out.h5")["/"][1]) == ["layer_names"]
