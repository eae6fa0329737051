"""Runs in a folder: judged again, they give what they gave."""

import functools
import json
import math
import operator
import os
import re

import numpy as np
import pytest

from kconvert import KconvertError, Tolerance, verify
from kconvert.conversion.source import Source
from kconvert.errors import Problem
from kconvert.verification.runs import judge
from kconvert.verification.saved_runs import load_runs, save_runs
from kconvert.verification.verifier import Verifier
from tests.verification.damage import converted, damage


@pytest.fixture(params=["right", "wrong"])
def files(request, tmp_path):
    source, target = converted("lenet_th", tmp_path)
    if request.param == "wrong":
        damage(target, **{"conv2d_2:kernel": lambda kernel: kernel[::-1]})
    return source, target


@pytest.mark.parametrize("tolerance", [Tolerance(), Tolerance(1.0, 1.0), Tolerance(0.0, 0.0)], ids=str)
def test_saved_runs_give_the_same_report(files, tolerance, tmp_path):
    folder = tmp_path / "runs"
    report = verify(*files, tolerance, folder=folder)
    assert judge(load_runs(folder), tolerance).to_json() == report.to_json()
    assert judge(load_runs(folder)).equal == verify(*files).equal


def test_the_layers_alone_are_saved_too_so_that_a_stricter_verdict_has_its_causes(tmp_path):
    source, target = converted("lenet_th", tmp_path)
    damage(target, **{"conv2d_2:kernel": lambda kernel: kernel[::-1]})
    assert verify(source, target, Tolerance(1e3, 1e3), folder=tmp_path / "runs").equal
    assert judge(load_runs(tmp_path / "runs")).causes[0].name == "conv2d_2"


def test_the_folder_is_data_and_may_be_written_again(files, tmp_path):
    folder = tmp_path / "runs"
    verify(*files, folder=folder)
    verify(*files, folder=folder, seed=7)
    assert load_runs(folder).inputs_from == "random, seed 7"
    for path in folder.glob("*.npy"):
        np.load(path, allow_pickle=False)
    index = json.loads((folder / "runs.json").read_text())
    assert index["target"]["convention"] == "keras2/tensorflow"


def refusal(function, *arguments):
    with pytest.raises(KconvertError) as found:
        function(*arguments)
    return found.value


def test_a_folder_with_anything_else_is_left_alone(files, tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    with Verifier() as verifier:
        runs = verifier.run(verifier.pair(*map(Source, files)))
    error = refusal(save_runs, runs, tmp_path)
    assert error.problem is Problem.USAGE and "something other than saved runs" in str(error)
    assert {path.suffix for path in tmp_path.iterdir()} <= {".txt", ".h5"}
    assert refusal(save_runs, runs, tmp_path / "precious.txt").problem is Problem.USAGE


@pytest.mark.parametrize("name", ["runs.json", "input-0.npz", "layer-1-other.npy"])
def test_a_file_of_the_user_that_is_named_like_saved_runs_stays(files, tmp_path, name):
    folder = tmp_path / "runs"
    folder.mkdir()
    (folder / name).write_text('{"mine": 1}')
    error = refusal(functools.partial(verify, *files, folder=folder))
    assert error.problem is Problem.USAGE and "something other than saved runs" in str(error)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {name: '{"mine": 1}'}


def test_what_a_killed_run_left_in_a_folder_is_written_over(files, tmp_path):
    folder = tmp_path / "runs"
    verify(*files, folder=folder)
    (folder / "runs.json").unlink()
    (folder / ".kconvert-0123456789abcdef").write_text("half")
    verify(*files, folder=folder)
    assert load_runs(folder).inputs and not (folder / ".kconvert-0123456789abcdef").exists()


TAMPERED = {
    "a name that is a number": (["layers", 0, "name"], 5),
    "no inputs": (["inputs"], []),
    "a layer without a source": (["layers", 0, "source"], None),
    "a side without a path": (["source", "path"], None),
    "a side that is a list": (["target"], []),
    "a plan of something else": (["plan", "notes"], 3),
    "a plan without its weights": (["plan"], {"source": "keras1/theano"}),
    "an environment of numbers": (["environment", "python"], 3),
    "a fault without words": (["outputs", 0, "faults"], [{}]),
    "a reason that is an object": (["target", "why"], {"a": 1}),
    "a quantization that is a number": (["target", "quantized"], 3),
}


@pytest.mark.parametrize(("place", "value"), TAMPERED.values(), ids=TAMPERED)
def test_saved_runs_that_were_changed(files, tmp_path, place, value):
    verify(*files, folder=tmp_path / "runs")
    index = json.loads((tmp_path / "runs" / "runs.json").read_text())
    *way, last = place
    functools.reduce(operator.getitem, way, index)[last] = value
    (tmp_path / "runs" / "runs.json").write_text(json.dumps(index))
    error = refusal(load_runs, tmp_path / "runs")
    assert error.problem is Problem.UNREADABLE and "the saved runs are damaged" in error.what


def test_a_folder_without_runs_or_with_damaged_ones(files, tmp_path):
    assert refusal(load_runs, tmp_path).problem is Problem.USAGE
    assert refusal(load_runs, tmp_path / "nowhere").problem is Problem.USAGE
    verify(*files, folder=tmp_path / "runs")
    index = tmp_path / "runs" / "runs.json"
    whole = json.loads(index.read_text())
    for broken in ("{", "[]", json.dumps({**whole, "layers": [{}]}), json.dumps({**whole, "inputs": ["gone.npy"]})):
        index.write_text(broken)
        assert refusal(load_runs, tmp_path / "runs").problem is Problem.UNREADABLE
    assert "the saved runs are damaged (there is no file gone.npy)" in str(refusal(load_runs, tmp_path / "runs"))
    index.write_text(json.dumps({**whole, "schema": 99}))
    assert "another release" in str(refusal(load_runs, tmp_path / "runs"))


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((10**6, 10**6), "input-0.npy: would expand from [0-9,]+ bytes to 4,000,000,000,000"),
        ((), "one has no samples"),
        ((1,) * 65, "is no .npy file of numbers"),
    ],
    ids=["holes", "a number", "too many axes"],
)
def test_an_array_that_was_changed(shape, said, tmp_path):
    """An array full of holes needs no room on the disk, and hours to be compared."""
    source, target = converted("lenet_th", tmp_path)
    verify(source, target, folder=tmp_path / "runs")
    path = tmp_path / "runs" / "input-0.npy"
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_2_0(file, header)
        file.truncate(file.tell() + 4 * math.prod(shape))
    error = refusal(load_runs, tmp_path / "runs")
    assert error.problem is Problem.UNREADABLE
    assert re.search(said, str(error))


def test_an_index_that_is_too_long_or_a_pipe(tmp_path):
    with open(tmp_path / "runs.json", "wb") as index:
        index.truncate(2**30)
    assert "has too long a text of JSON" in refusal(load_runs, tmp_path).what
    if hasattr(os, "mkfifo"):
        (tmp_path / "runs.json").unlink()
        os.mkfifo(tmp_path / "runs.json")
        assert "is not a regular file" in refusal(load_runs, tmp_path).what


def test_nothing_outside_the_folder_is_read(files, tmp_path):
    """The index is of whoever wrote it: it cannot name another place."""
    verify(*files, folder=tmp_path / "runs")
    np.save(tmp_path / "secret.npy", np.zeros(3))
    index = tmp_path / "runs" / "runs.json"
    whole = json.loads(index.read_text())
    index.write_text(json.dumps({**whole, "inputs": ["../secret.npy"]}))
    assert refusal(load_runs, tmp_path / "runs").problem in (Problem.UNREADABLE, Problem.USAGE)
