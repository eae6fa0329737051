"""Sources: which files a batch has, and what they are called."""

import os
import shutil

import pytest

import kconvert as kc
from kconvert.batches.sources import expand, safe
from kconvert.errors import KconvertError
from tests.permissions import bound_by_permissions


def names(*sources, out="nowhere"):
    return [item.name for item in expand([str(source) for source in sources], str(out), {})]


def test_files_directories_and_patterns(models):
    assert names(models) == ["images/lenet.h5", "lstm.h5"]
    assert names(models / "lstm.h5") == ["lstm.h5"]
    assert names(models / "**" / "*.h5") == ["images/lenet.h5", "lstm.h5"]
    assert names(models / "images" / "len*.h5", models / "lstm.h5") == ["lenet.h5", "lstm.h5"]


def test_a_file_that_several_sources_name_is_there_once(models):
    assert names(models, models / "**" / "*.h5", models / "lstm.h5") == ["images/lenet.h5", "lstm.h5"]


def test_what_lies_in_the_target_directory_is_no_source(models):
    (models / "out").mkdir()
    shutil.copy(models / "lstm.h5", models / "out" / "lstm.tensorflow.h5")
    assert names(models, out=models / "out") == ["images/lenet.h5", "lstm.h5"]


@pytest.mark.parametrize(("mode", "name"), [(0, "images"), (0o300, "images"), (0o600, "images/lenet.h5")])
def test_a_folder_that_cannot_be_read_is_named(models, mode, name):
    """It is an item of its own, which fails; before, its files were left out without a word."""
    (models / "images").chmod(mode)
    with bound_by_permissions():
        assert names(models) == [name, "lstm.h5"]
        for attempt in (kc.inspect, names):
            with pytest.raises(KconvertError, match=r"images.*: cannot be opened \(Permission denied\)"):
                attempt(models / "images")
    (models / "images").chmod(0o700)


def test_links_in_a_circle(models):
    (models / "images" / "again").symlink_to(models)
    (models / "linked").symlink_to(models / "images")
    assert names(models) == ["images/lenet.h5", "lstm.h5"]
    assert names(models / "**" / "*.h5") == ["images/lenet.h5", "lstm.h5"]
    assert names(models / "*" / "*.h5") == ["images/lenet.h5", "linked/lenet.h5"]


def test_what_is_no_file_fails_and_is_not_left_out(models, tmp_path):
    os.mkfifo(models / "pipe.h5")
    (models / "gone.h5").symlink_to("nowhere")
    (models / "zero.h5").symlink_to("/dev/zero")
    done = kc.batch(models, tmp_path / "out", "theano", "tensorflow", verify="none")
    failed = {entry.name: entry.error for entry in done.entries if entry.state == "error"}
    assert set(failed) == {"gone.h5", "pipe.h5", "zero.h5"} and len(done.entries) == 5
    assert "gone.h5: there is no such file" in failed["gone.h5"]
    assert "is not a regular file" in failed["pipe.h5"] and "is not a regular file" in failed["zero.h5"]
    assert names(models / "*.h5") == ["gone.h5", "lstm.h5", "pipe.h5", "zero.h5"]


def test_temporary_files_are_no_sources_and_no_results(models):
    """A later run removes them."""
    left = ".kconvert-0123456789abcdef"
    shutil.copytree(models / "images", models / left)
    assert names(models) == ["images/lenet.h5", "lstm.h5"]
    with pytest.raises(KconvertError, match="has the name of a temporary file, which a later run removes"):
        safe(f"a/{left}/b.h5", "here")


def test_patterns_match_hidden_names_where_they_say_so(models):
    shutil.copy(models / "lstm.h5", models / ".hidden.h5")
    assert names(models / "*.h5") == names(models / "***.h5") == ["lstm.h5"]
    assert names(models / ".h*.h5") == [".hidden.h5"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("missing.h5", "missing.h5: there is no such file"),
        ("*.none", "no file matches"),
        (".", "there is no weight file"),
    ],
)
def test_a_source_without_files_is_refused(tmp_path, monkeypatch, source, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KconvertError, match=words):
        names(source)


@pytest.mark.parametrize("out", [".", ".."])
def test_a_source_in_the_target_directory_is_refused_as_such(models, out):
    with pytest.raises(KconvertError, match="models: is in the target directory, whose files are no sources"):
        names(models, out=models / out)


@pytest.mark.parametrize(
    ("source", "near"),
    [("modles", "models"), ("models/lsmt.h5", "models/lstm.h5"), ("modles/lstm.h5", "models/lstm.h5")],
)
def test_a_source_with_a_typo_is_told_what_is_there(models, monkeypatch, source, near):
    monkeypatch.chdir(models.parent)
    with pytest.raises(KconvertError, match=f"{source}: there is no such file; did you mean {near}[?]"):
        names(source)


def test_a_pattern_with_a_typo_in_its_directory_is_told_what_is_there(models, monkeypatch):
    monkeypatch.chdir(models.parent)
    with pytest.raises(KconvertError, match=r"no file matches; there is no directory modles; did you mean models[?]"):
        names("modles/*.h5")


def test_two_files_of_one_name_are_refused(models, tmp_path):
    shutil.copy(models / "lstm.h5", models / "images" / "lstm.h5")
    with pytest.raises(KconvertError, match=r"lstm.h5 and .*lstm.h5 would both become .*; name their common directory"):
        kc.batch([models / "lstm.h5", models / "images" / "lstm.h5"], tmp_path / "out", target="tensorflow")


def test_a_source_is_never_replaced(models):
    shutil.copy(models / "lstm.h5", models / "lstm.tensorflow.h5")
    with pytest.raises(KconvertError, match=r"would replace .*lstm.tensorflow.h5, which is a source itself"):
        kc.batch([models / "lstm.h5", models / "lstm.tensorflow.h5"], models, target="tensorflow", force=True)


@pytest.mark.parametrize(
    "name", ["", "/a.h5", "../a.h5", "a/../../b.h5", "a//b.h5", "..\\a.h5", "a\0.h5", "d/" * 101 + "a.h5"]
)
def test_names_that_lead_out_of_the_target_directory(name):
    with pytest.raises(KconvertError, match="is no name of a file in the target directory"):
        safe(name, "here")
