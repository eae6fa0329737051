"""What kconvert wrote into a file may have been changed by anybody."""

import json
import shutil

import h5py
import pytest

from kconvert import convert, inspect, load_model
from kconvert.errors import KconvertError, Problem
from kconvert.formats.provenance import ORIGINAL, STAMP, checked_provenance
from tests.cli.commands import LENET


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    return convert(
        LENET / "model.h5", tmp_path_factory.mktemp("made") / "lenet.h5", target="tensorflow", format="same"
    ).target


def stamp(path, change=None):
    """The provenance of a file; change: a function that changes it in the file."""
    with h5py.File(path, "a") as file:
        value = json.loads(file.attrs["kconvert"])
        if change:
            change(value)
            file.attrs["kconvert"] = json.dumps(value).encode()
        return value


def test_what_kconvert_writes_is_as_it_checks(converted):
    value = stamp(converted)
    assert {f"{key}?" for key in value} == set(STAMP)
    assert set(value["original"]) == set(ORIGINAL)
    assert checked_provenance(value, "here") == value


WRONG = [5, [[1]], {"a": 1}, "text", True]


@pytest.mark.parametrize("key", [*(key[:-1] for key in STAMP), *(f"original/{key}" for key in ORIGINAL)])
@pytest.mark.parametrize("value", WRONG, ids=map(repr, WRONG))
def test_values_of_other_types(converted, tmp_path, key, value):
    path = shutil.copy(converted, tmp_path / "changed.h5")

    def change(found):
        inner, _, name = key.rpartition("/")
        (found[inner] if inner else found)[name] = value

    stamp(path, change)
    for action in (inspect, load_model, lambda it: convert(it, tmp_path / "back.h5", target="theano", force=True)):
        try:
            action(path)
        except KconvertError as error:
            assert error.problem in (Problem.UNREADABLE, Problem.USAGE, Problem.UNSUPPORTED)


@pytest.mark.parametrize("key", [*ORIGINAL, "release", "data_format", "cudnn"])
def test_a_conversion_that_cannot_be_undone_for_lack_of_a_key(converted, tmp_path, key):
    path = shutil.copy(converted, tmp_path / "changed.h5")
    stamp(path, lambda found: (found["original"] if key in found["original"] else found).pop(key))
    if key in ("release", "data_format"):  # both places have it
        stamp(path, lambda found: found.pop(key))
    with pytest.raises(KconvertError, match=f"what kconvert wrote is damaged: {key} is missing"):
        inspect(path)
