"""Folders: every file with its counterpart, and no file without a word."""

import shutil

import pytest

from kconvert import KconvertError, convert
from kconvert.conversion.source import Source
from kconvert.errors import Problem
from kconvert.verification.folders import verify_folders
from kconvert.verification.saved_runs import load_runs
from kconvert.verification.verifier import Verifier
from tests.fixtures import case
from tests.verification.damage import damage


@pytest.fixture
def folders(tmp_path):
    """Three files and their conversions, one in a folder of its own."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for name, place in (("lenet_th", "lenet.h5"), ("lstm_impl1", "deep/lstm.h5"), ("vgg_like_th", "vgg.h5")):
        for folder in (ours, theirs):
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(case(f"2.3.1-theano/{name}").model, ours / place)
        convert(ours / place, theirs / place, target="tensorflow")
    return ours, theirs


def verified(source, target, **options):
    with Verifier() as verifier:
        return verify_folders(verifier, Source(source), Source(target), **options)


def test_all_are_equal(folders):
    done = verified(*folders)
    assert [entry.name for entry in done.entries] == ["deep/lstm.h5", "lenet.h5", "vgg.h5"]
    assert done.equal and done.code == 0


def test_one_wrong_one_missing_and_one_unreadable_are_each_named(folders):
    ours, theirs = folders
    damage(theirs / "vgg.h5", **{"conv2d_1:kernel": lambda kernel: kernel[::-1]})
    (theirs / "lenet.h5").unlink()
    (theirs / "deep/lstm.h5").write_bytes(b"no HDF5 file at all")
    done = verified(ours, theirs)
    states = {entry.name: (entry.state, entry.code) for entry in done.entries}
    assert states == {"deep/lstm.h5": ("error", 4), "lenet.h5": ("error", 2), "vgg.h5": ("differs", 0)}
    assert "has no counterpart" in done.entries[1].error
    assert not done.equal and done.code == 1
    (theirs / "vgg.h5").unlink()
    assert verified(ours, theirs).code == Problem.UNREADABLE


def test_conversions_beside_their_sources(tmp_path):
    model = shutil.copy(case("2.3.1-theano/lenet_th").model, tmp_path / "model.h5")
    convert(model, target="tensorflow")
    done = verified(tmp_path, tmp_path)
    assert [entry.name for entry in done.entries] == ["model.h5"] and done.equal


@pytest.mark.parametrize("name", ["model.hdf5", "MODEL.H5"])
def test_every_ending_of_hdf5_is_found(name, tmp_path):
    model = shutil.copy(case("2.3.1-theano/lenet_th").model, tmp_path / name)
    convert(model, target="tensorflow")
    done = verified(tmp_path, tmp_path)
    assert [entry.name for entry in done.entries] == [name] and done.equal


def test_runs_are_saved_in_a_folder_each(folders, tmp_path):
    verified(*folders, folder=tmp_path / "runs")
    assert load_runs(tmp_path / "runs" / "deep/lstm.h5").layers


def test_a_folder_without_files_proves_nothing(tmp_path):
    with pytest.raises(KconvertError, match="there is no weight file"):
        verified(tmp_path, tmp_path)
