"""`.keras` archives from elsewhere may be hostile."""

import json
import re
import zipfile

import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert.conventions.words.keras3 import is_architecture
from kconvert.errors import Problem
from tests.fixtures import FOLDER

REAL = FOLDER / "tensorflow_formats" / "2.12" / "cnn.keras"


def changed(path, **members):
    """A copy of a real archive with other members; None leaves one out."""
    members = {name.replace("_", "."): content for name, content in members.items()}
    with zipfile.ZipFile(REAL) as real, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in real.namelist():
            content = members.get(name.replace("weights.h5", "weights"), real.read(name))
            if content is not None:
                copy.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"config_json": None}, "is a zip archive and no .keras file"),
        ({"model_weights": None}, "is a zip archive and no .keras file"),
        ({"config_json": b"{"}, "member config.json: is not JSON"),
        ({"metadata_json": b"[1]"}, "member metadata.json: should be a JSON object"),
        ({"config_json": b"[" * 10**5}, "member config.json: (is not JSON|would expand)"),
        ({"config_json": b"{}"}, "the architecture is not one that Keras writes"),
        ({"config_json": b'{"class_name": "Sequential", "config": {"layers": 1}}'}, "'layers' of Sequential"),
        ({"model_weights": b" " * 10**7}, "would expand from"),
        ({"model_weights": b"no HDF5"}, "member model.weights.h5: is truncated or damaged"),
    ],
)
def test_a_damaged_or_hostile_archive_is_refused(tmp_path, members, words):
    path = changed(tmp_path / "x.keras", **members)
    with pytest.raises(KconvertError, match=words) as refused:
        kc.inspect(path)
    assert refused.value.problem is Problem.UNREADABLE
    assert "x.keras" in str(refused.value)


def test_a_truncated_archive_is_refused(tmp_path):
    (tmp_path / "x.keras").write_bytes(REAL.read_bytes()[:-100])
    with pytest.raises(KconvertError, match="is a damaged zip archive"):
        kc.inspect(tmp_path / "x.keras")


@pytest.mark.parametrize("member", ["config.json", "metadata.json", "model.weights.h5"])
def test_a_member_that_is_there_twice_is_refused(member, tmp_path):
    """Programs differ in which one they read."""
    path = tmp_path / "x.keras"
    path.write_bytes(REAL.read_bytes())
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(member, archive.read(member))
    with pytest.raises(KconvertError, match=f"x.keras: has the member {member} 2 times"):
        kc.inspect(path)


def test_an_encrypted_archive_is_refused(tmp_path):
    path = tmp_path / "encrypted.keras"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            archive.writestr(name, "{}")
    data = bytearray(path.read_bytes())
    for signature, place_of_flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for found in re.finditer(re.escape(signature), bytes(data)):
            data[found.start() + place_of_flags] |= 1
    path.write_bytes(data)
    with pytest.raises(KconvertError, match=r"metadata\.json: is encrypted; unpack the archive with its password"):
        kc.inspect(path)


def test_a_member_outside_is_never_unpacked(tmp_path):
    path = tmp_path / "x.keras"
    path.write_bytes(REAL.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../evil.txt", "x")
    assert kc.inspect(path).parameters
    assert [one.name for one in tmp_path.parent.glob("evil.txt")] == []


def test_other_architectures_are_not_of_keras_3():
    with zipfile.ZipFile(REAL) as archive:
        assert not is_architecture(json.loads(archive.read("config.json")))
