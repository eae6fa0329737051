"""Manifests: options for each file, and what a manifest may not hold."""

import json
import os
import shutil
import tracemalloc
from contextlib import closing

import pytest

import kconvert as kc
from kconvert.batches import manifest
from kconvert.batches.sources import expand
from kconvert.batches.tasks import ALL, tasks_of
from kconvert.batches.work import Setup
from kconvert.conversion.source import Source
from kconvert.conversion.target import Wanted
from kconvert.errors import KconvertError
from tests.cli.commands import LENET, UNTOLD


@pytest.fixture
def folder(tmp_path):
    shutil.copy(LENET / "model.h5", tmp_path / "lenet.h5")
    shutil.copy(UNTOLD / "weights.h5", tmp_path / "weights.h5")
    shutil.copy(UNTOLD / "arch.json", tmp_path / "arch.json")
    return tmp_path


CSV = "path,from,arch,out\nlenet.h5,theano,,a/first.keras\nweights.h5,theano,arch.json,\n"
JSON = "\n".join(
    json.dumps(line)
    for line in (
        {"path": "lenet.h5", "from": "theano", "out": "a/first.keras"},
        {"path": "weights.h5", "from": "theano", "arch": "arch.json", "repair": True},
    )
)


@pytest.mark.parametrize(("name", "text"), [("all.csv", CSV), ("all.jsonl", JSON)])
def test_options_for_each_file(folder, name, text):
    (folder / name).write_text(text)
    done = kc.batch(folder / name, folder / "to", target="tensorflow", verify="none")
    assert done.code == 0, done.entries
    assert (folder / "to" / "a" / "first.keras").is_file() and (folder / "to" / "weights.tensorflow.h5").is_file()


WRONG = [
    ("a.csv", "", "a.csv: is empty"),
    ("a.csv", "file\nlenet.h5\n", "a.csv, line 1: has the unknown column 'file'; the columns are path, out"),
    ("a.csv", "from\ntheano\n", "a.csv, line 1: has no column 'path'"),
    ("a.csv", "path,path\na,b\n", "line 1: has the same column twice"),
    ("a.csv", "path,to\nlenet.h5\n", "line 2: has 1 values, where there are 2 columns"),
    ("a.csv", "path\nlenet.h5\nmissing.h5\n", "line 3: there is no file 'missing.h5'"),
    ("a.csv", "path,to\n,theano\n", "line 2: has no path"),
    ("a.csv", "path,out\nlenet.h5,../evil.h5\n", "line 2: '../evil.h5' is no name of a file in the target directory"),
    ("a.csv", "path,out\nlenet.h5,/etc/evil.h5\n", "line 2: '/etc/evil.h5' is no name of a file"),
    ("a.csv", "path,out\nlenet.h5,a/../../evil.h5\n", "is no name of a file"),
    ("a.csv", "path,out\nlenet.h5,..\\evil.h5\n", "is no name of a file"),
    ("a.csv", "path,out\nlenet.h5,passwd\n", "line 2: out 'passwd' has no ending of a weight file"),
    ("a.csv", "path,repair\nlenet.h5,maybe\n", "line 2: repair is not true or false"),
    ("a.csv", 'path\n"lenet.h5\n', "line 2: is not CSV"),
    ("a.csv", "path\n" + "x" * 70000, "line 2: is longer than 65536 characters"),
    ("a.csv", "path\nlenet\0.h5\n", "line 2: has a null character"),
    ("a.jsonl", "[]\n", "line 1: is not a JSON object"),
    ("a.jsonl", "{\n", "line 1: is not JSON"),
    ("a.jsonl", "[" * 60000 + "\n", "line 1: is not JSON"),
    ("a.jsonl", '{"path": 3}\n', "line 1: path is not text"),
    ("a.jsonl", '{"path": "lenet.h5"}\n{"path": "lenet.h5", "layers": [1]}\n', "line 2: layers is not a list of text"),
    ("a.jsonl", '{"path": "lenet.h5", "x": 1}\n', "line 1: has the unknown column 'x'"),
    ("a.jsonl", '{"path": "lenet\\u0000.h5"}\n', "line 1: there is no file"),
    ("a.jsonl", '{"path": "lenet.h5", "arch": "none.json"}\n', "line 1: there is no file 'none.json'"),
    ("a.csv", "path,out\nlenet.h5,a.h5\nlenet.h5,a.h5\n", "line 3: .* would both become"),
    ("a.csv", "path,to\nlenet.h5,a/b\n", "line 2: unknown backend 'a/b'; one of: theano, tensorflow"),
    ("a.csv", "path,from\nlenet.h5,theanoo\n", "line 2: unknown backend 'theanoo'; one of: theano"),
    ("a.csv", "path,format\nlenet.h5,keras9\n", "line 2: unknown format 'keras9'; one of: keras2"),
    ("a.csv", "path,data_format\nlenet.h5,first\n", "line 2: unknown data_format 'first'; one of: native"),
    ("a.csv", "path,out\nlenet.h5,a.h5\nlenet.h5,a.h5/b.h5\n", "line 3: the result .* would be in .*a.h5"),
    ("a.jsonl", '{"path": "lenet.h5", "path": "other.h5"}\n', "line 1: is not JSON .a key is there twice"),
    ("a.jsonl", '{"path": "lenet.h5", "out": "\\ud800.h5"}\n', "line 1: is not JSON .the string .* has half of a"),
    ("a.csv", "path\nlemet.h5\n", "line 2: there is no file 'lemet.h5'; did you mean .*lenet.h5"),
    ("a.csv", "path,to,format\nlenet.h5,theano,keras3\n", "line 2, .*no file of keras3 is for theano|line 2: no file"),
]


@pytest.mark.parametrize(("name", "text", "words"), WRONG)
def test_a_wrong_manifest_is_refused_with_its_line(folder, name, text, words):
    (folder / name).write_text(text)
    with pytest.raises(KconvertError, match=words) as caught:
        kc.batch(folder / name, folder / "to", target="tensorflow", verify="none")
    assert name in str(caught.value)
    assert not (folder / "to").exists()


def test_a_manifest_that_is_no_text_is_refused(folder):
    (folder / "a.csv").write_bytes(b"path\n\xff\xfe\n")
    with pytest.raises(KconvertError, match=r"a.csv, line \d: is not UTF-8"):
        list(manifest.read(str(folder / "a.csv"), {}))


def test_the_memory_that_a_manifest_takes_does_not_grow_with_it(folder):
    """Before, each line took about 1.7 kB of the memory."""

    def peak(count):
        (folder / "a.csv").write_text("path,out\n" + "".join(f"lenet.h5,{i:064}.h5\n" for i in range(count)))
        tracemalloc.start()
        items = expand([str(folder / "a.csv")], "to", {})
        with closing(tasks_of(items, "to", Source(), Wanted("tensorflow"), Setup(), ALL)) as tasks:
            assert len(tasks) == count == sum(task.verify for task in tasks)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(5000) < peak(1000) + 4000 * 500


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_manifest_that_is_a_pipe_is_not_waited_for(folder, name):
    os.mkfifo(folder / name)
    with pytest.raises(KconvertError, match=f"{name}: is not a regular file"):
        list(manifest.read(str(folder / name), {}))


def test_a_manifest_with_too_many_lines_is_refused(folder, monkeypatch):
    monkeypatch.setattr(manifest, "LINES", 3)
    (folder / "a.csv").write_text("path\n" + "lenet.h5\n" * 4)
    with pytest.raises(KconvertError, match="has more than 3 lines; divide it"):
        list(manifest.read(str(folder / "a.csv"), {}))
