"""verify, report and diff as a user calls them."""

import json
import shutil

import numpy as np
import pytest

from tests.cli.commands import DIFFERS, EQUAL, LENET, LSTM, UNREADABLE, USAGE, refused, run
from tests.verification.damage import damage


@pytest.fixture
def pair(bare, model):
    """LeNet and its conversion."""
    out = model.with_name("out.h5")
    assert run(model, "--to", "tensorflow", "-o", out, "--no-verify").exit_code == EQUAL
    return model, out


@pytest.fixture
def wrong(pair):
    damage(pair[1], **{"convolution2d_2:kernel": lambda kernel: kernel[::-1, ::-1]})
    return pair


def test_the_cause_is_printed(wrong):
    result = run("verify", *wrong)
    assert result.exit_code == DIFFERS
    assert "why: convolution2d_2 (Conv2D): kernel is reversed along hw; to repair it: flip hw of hwio" in result.output


def test_what_was_kept_is_judged_again(wrong, tmp_path):
    kept = tmp_path / "kept"
    assert run("verify", *wrong, "--keep", kept).exit_code == DIFFERS
    assert run("report", kept, "-q").output.startswith("DIFFERS, first at convolution2d_2")
    loose = run("report", kept, "--rtol", 10)
    assert loose.exit_code == EQUAL and "TOLERANCE LOOSENED" in loose.output
    refused(USAGE, "there are no saved runs", "report", tmp_path)


def test_a_tolerance_for_one_layer(wrong):
    names = [f"--layer-rtol={name}=10" for name in ("convolution2d_2", "activation_2")]
    result = run("verify", *wrong, *names)
    assert "first at maxpooling2d_1" in result.output and "10 x scale for convolution2d_2" in result.output
    refused(USAGE, "names the unknown layer 'conv'", "verify", *wrong, "--layer-rtol", "conv=1")
    for bad in ("conv", "conv=", "=1", "conv=x", "conv=-1", "conv=nan"):
        refused(USAGE, "is not NAME=NUMBER", "verify", *wrong, "--layer-rtol", bad)


@pytest.mark.parametrize("suffix", [".json", ".xml", ".md", ".html", ".txt"])
def test_reports_are_written(wrong, suffix, tmp_path):
    path = tmp_path / f"report{suffix}"
    assert run("verify", *wrong, "--report", path, "-q").exit_code == DIFFERS
    assert "convolution2d_2" in path.read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_is_refused_before_anything_runs(pair, tmp_path):
    refused(USAGE, "no form of report has the suffix '.doc'", "verify", *pair, "--report", "a.doc")
    refused(USAGE, "nowhere", "verify", *pair, "--report", tmp_path / "nowhere" / "a.md")


def test_the_self_test(pair):
    result = run("verify", *pair, "--self-test")
    assert result.exit_code == EQUAL, result.output
    assert "0 missed" in result.output and "kernel is reversed along hw" in result.output
    done = json.loads(run("verify", *pair, "--self-test", "--json").output)
    assert done["passed"] and done["located"] == sum(one["outcome"] == "located" for one in done["planted"]) > 10


def test_the_self_test_of_wrong_files_is_refused(wrong):
    refused(USAGE, "the files differ already", "verify", *wrong, "--self-test")


def test_inputs_from_a_file(pair, tmp_path):
    x = np.load(LENET / "io.npz")["x0"]
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", any_name=x)
    for name in ("x.npy", "x.npz"):
        result = run("verify", *pair, "--inputs", tmp_path / name)
        assert result.exit_code == EQUAL and f"from {name}" in result.output
    np.save(tmp_path / "bad.npy", x[:, 0])
    refused(USAGE, "bad.npy", "verify", *pair, "--inputs", tmp_path / "bad.npy")
    (tmp_path / "text.npz").write_text("no numbers")
    refused(UNREADABLE, "text.npz", "verify", *pair, "--inputs", tmp_path / "text.npz")
    refused(UNREADABLE, "gone.npz", "verify", *pair, "--inputs", tmp_path / "gone.npz")
    np.save(tmp_path / "code.npy", np.array([print], dtype=object), allow_pickle=True)
    refused(UNREADABLE, "code.npy", "verify", *pair, "--inputs", tmp_path / "code.npy")


def test_two_directories(bare, tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
    for name, folder in (("lenet", LENET), ("lstm", LSTM)):
        shutil.copy(folder / "model.h5", ours / f"{name}.h5")
        run(ours / f"{name}.h5", "--to", "tensorflow", "-o", theirs / f"{name}.h5", "--no-verify")
    result = run("verify", ours, theirs, "--report", tmp_path / "all.xml")
    assert (
        result.exit_code == EQUAL
        and result.output.splitlines()[-1] == "EQUAL: 2 files, 2 with NumPy emulating Theano and TensorFlow"
    )
    (theirs / "lstm.h5").unlink()
    result = run("verify", ours, theirs)
    assert result.exit_code == USAGE and "has no counterpart" in result.output


def test_diff(wrong):
    result = run("diff", *wrong)
    assert result.exit_code == DIFFERS
    assert "convolution2d_2/kernel" in result.output and "flip hw of hwio" in result.output
    found = json.loads(run("diff", *wrong, "--json").output)
    assert not found["equal"] and found["odd"][0]["weight"] == "convolution2d_2/kernel"
    same = run("diff", wrong[0], wrong[0])
    assert same.exit_code == EQUAL and "SAME: 8 of 8 weights are identical" in same.output


def test_a_runner_that_is_no_interpreter(pair):
    refused(USAGE, "cannot be started", "verify", *pair, "--theano-python", "/nowhere/python")
