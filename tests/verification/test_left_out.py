"""Verification of models with layers that cannot run: all others are compared, and the verdict counts what was not."""

from __future__ import annotations

import json

import h5py
import junitparser
import numpy as np
import pytest

from kconvert import Problem, convert, verify
from kconvert.verification.runs import judge
from kconvert.verification.saved_runs import load_runs
from tests.cli.commands import DIFFERS, PARTLY_VERIFIED, UNVERIFIED, run
from tests.fixtures import FOLDER

FIELD = FOLDER / "field" / "one_lambda_verifies_nothing"
# file: its backend, the layers that are not compared, how many layers there are
FILES = {
    FIELD / "scale.h5": ("tensorflow", ["lambda_1"], 4),
    FIELD / "attention.h5": ("tensorflow", ["lambda_1"], 9),
    FIELD / "ctc.h5": ("tensorflow", ["ctc"], 9),
    FIELD / "vae.h5": ("tensorflow", ["encoder#1/z", "encoder#1:2"], 10),
    FOLDER / "unknown" / "lambda_in_cnn.h5": ("theano", ["doubled"], 7),
    FOLDER / "lambda" / "2.3.1-tensorflow" / "model.h5": ("tensorflow", ["lambda_1"], 3),
}
OTHER = {"tensorflow": "theano", "theano": "tensorflow"}


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def pair(request, tmp_path, bare):
    """(source, result, layers that are left out, all layers)"""
    source = request.param
    backend, left_out, layers = FILES[source]
    out = tmp_path / "out.h5"
    keep = "native" if source.parent == FIELD else "keep"
    convert(source, out, target=OTHER[backend], data_format=keep)
    return source, out, left_out, layers


def test_all_that_can_run_is_compared(pair):
    source, out, left_out, layers = pair
    report = verify(source, out)
    assert [one.name for one in report.left_out] == left_out
    assert len(report.layers) == layers - len(left_out)
    noun = f"{len(left_out)} of {layers} layers not compared"
    assert report.title == f"EQUAL with NumPy emulating {emulated(report)}, {noun}"
    assert report.code == Problem.PARTLY_VERIFIED == 6
    assert not report.equal and report.partly
    assert "register_function" in report.left_out[0].reason


def emulated(report):
    return f"{report.source.emulated} and {report.target.emulated}"


def test_an_error_before_or_behind_the_layer_is_found(pair):
    source, out, *_ = pair
    names: list[str] = []
    with h5py.File(out) as file:
        file["model_weights"].visit(lambda name: names.append(name) if name.endswith("kernel:0") else None)
    for name in names:
        right = exchanged(out, name, lambda kernel: 1.5 * kernel[::-1])
        report = verify(source, out)
        assert (report.word, report.code) == ("DIFFERS", DIFFERS), name
        assert name.split("/")[-2] in " ".join(report.weights), name
        exchanged(out, name, lambda _, right=right: right)


def exchanged(path, name, change):
    """Changes one array of a file; returns what it was."""
    with h5py.File(path, "r+") as file:
        before = file["model_weights"][name][()]
        file["model_weights"][name][...] = change(before)
    return before


def test_the_self_test_plants_errors_in_all_that_runs(bare, tmp_path):
    out = tmp_path / "out.h5"
    convert(FIELD / "scale.h5", out, target="theano")
    result = run("verify", FIELD / "scale.h5", out, "--self-test", "--json")
    done = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert {one["layer"] for one in done["planted"]} >= {"conv2d_1", "dense_1"}
    assert not [one for one in done["planted"] if one["outcome"] == "missed"]


def test_every_form_of_report_says_what_was_left_out(pair, tmp_path):
    source, out, left_out, layers = pair
    noun = f"{len(left_out)} of {layers} layers not compared"
    words = [f"--report={tmp_path / name}" for name in ("r.html", "r.md", "r.xml", "r.json", "r.txt")]
    result = run("verify", source, out, *words)
    assert result.exit_code == PARTLY_VERIFIED
    assert noun in " ".join(result.output.split())
    for name in ("r.html", "r.md", "r.txt"):
        text = " ".join((tmp_path / name).read_text(encoding="utf-8").split())
        assert noun in text, name
        assert "not compared: " in text, name
    stored = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in stored["left_out"]] == left_out
    assert stored["verdict"].endswith(noun) and stored["equal"] is False
    suite = next(iter(junitparser.JUnitXml.fromfile(str(tmp_path / "r.xml"))))
    assert (suite.failures, suite.errors, suite.skipped) == (0, 0, len(left_out))


def test_runs_that_were_kept_give_the_same_verdict(pair, tmp_path):
    source, out, *_ = pair
    report = verify(source, out, folder=tmp_path / "kept")
    again = judge(load_runs(tmp_path / "kept"))
    assert again.title == report.title and again.left_out == report.left_out


def test_a_model_of_which_nothing_runs_is_not_proved(bare, tmp_path):
    made = lambda_alone(tmp_path / "alone.h5")
    result = run(made, "--to", "theano", "-o", tmp_path / "out.h5")
    assert result.exit_code == UNVERIFIED
    assert "NOT PROVED: no layer was compared" in " ".join(result.output.split())


def lambda_alone(path):
    """A file of Keras 2.3.1 whose only layer is a Lambda."""
    function = {"name": "only", "function": "f", "function_type": "function", "output_shape": [3], "arguments": {}}
    config = {
        "class_name": "Lambda",
        "config": {**function, "batch_input_shape": [None, 3], "output_shape_type": "raw"},
    }
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = "2.3.1", "tensorflow"
        file.attrs["model_config"] = json.dumps(
            {"class_name": "Sequential", "config": {"name": "model", "layers": [config]}}
        ).encode()
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([b"only"])
        group.attrs["keras_version"], group.attrs["backend"] = b"2.3.1", b"tensorflow"
        group.create_group("only").attrs["weight_names"] = np.array([], "S1")
    return path
