"""The command line: every exit code, every bad input, and files that were made wrong."""

import functools
import json
import operator
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import click
import h5py
import numpy as np
import pytest

from kconvert import Sequential, cli, convert, layers
from kconvert._version import install
from kconvert.cli import group, options
from kconvert.conventions.backends import BACKENDS, DATA_FORMATS
from kconvert.errors import Problem
from kconvert.formats import hdf5
from kconvert.formats.atomic import is_hidden
from kconvert.verification.runners.pipes import Worker
from tests.cli.commands import (
    DIFFERS,
    EQUAL,
    FIXTURES,
    HAZARD,
    LENET,
    LSTM,
    PARTLY_VERIFIED,
    ROOT,
    UNREADABLE,
    UNSUPPORTED,
    UNTOLD,
    UNVERIFIED,
    USAGE,
    contents,
    kconvert,
    refused,
    run,
)

# -------------------------------------------------------------------- the job ----


def test_the_main_job_converts_verifies_and_says_so(bare, model):
    result = run(model, "--to", "tensorflow")
    assert result.exit_code == EQUAL, result.output
    assert "backend theano: no backend attribute; no name ends in ':0'" in result.stdout
    assert "8 weights: 3 rearranged, 5 as stored" in result.stdout
    assert "Theano is not installed" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("EQUAL with NumPy emulating Theano and TensorFlow: 12 layers")
    with hdf5.read(model.with_name("model.tensorflow.h5")) as made:
        assert (made.backend, made.keras_version) == ("tensorflow", "2.3.1")


def test_options_may_come_before_the_file(bare, model):
    assert run("--to", "tensorflow", "--from", "theano", "-q", model).exit_code == EQUAL


def test_quiet_prints_the_verdict_alone(bare, model):
    result = run(model, "--to", "tensorflow", "-q")
    assert re.fullmatch(
        r"EQUAL with NumPy emulating Theano and TensorFlow: 12 layers, largest error \S+ of a layer's\s+scale\n",
        result.output,
    )


def test_json_of_the_main_job_is_the_report(bare, model):
    report = json.loads(run(model, "--to", "tensorflow", "--json").output)
    assert (report["equal"], report["first_divergence"], len(report["layers"])) == (True, None, 12)


def test_without_verification_no_model_runs(bare, model):
    result = run(model, "--to", "tensorflow", "--no-verify", "--json")
    assert json.loads(result.output)["target"] == "keras2/tensorflow"
    assert model.with_name("model.tensorflow.h5").exists()


def test_the_options_reach_the_library(bare, model):
    out = model.with_name("out.h5")
    options = ["--format", "same", "--data-format", "keep", "--seed", 3, "--samples", 2, "--rtol", 0.5]
    report = run(model, "--to", "tensorflow", "-o", out, *options, "--json")
    values = json.loads(report.output)
    assert (values["inputs"], values["samples"]) == ("random, seed 3", 2)
    assert values["tolerance"] == {"atol": 1e-5, "rtol": 0.5, "layers": {}}
    with hdf5.read(out) as made:
        assert (made.keras_version, made.provenance["data_format"]) == ("1.2.2", "keep")


def test_weights_alone_with_their_architecture(bare, tmp_path):
    weights, out = LENET / "weights.h5", tmp_path / "out.h5"
    result = run(weights, "--from", "theano", "--to", "tensorflow", "--arch", LENET / "arch.json", "-o", out)
    assert result.exit_code == EQUAL, result.output


def test_force_replaces_the_target_and_overrules_the_file(bare, model):
    target = model.with_name("model.theano.h5")
    target.write_bytes(b"precious")
    result = run(model, "--from", "tensorflow", "--to", "theano", "--force", "--data-format", "keep")
    assert result.exit_code == EQUAL, result.output
    assert target.read_bytes() != b"precious"


def other(backend):
    (name,) = set(BACKENDS) - {backend.name}
    return name


@pytest.mark.needs("theano", "tensorflow")
def test_on_the_real_backends(framework, tmp_path):
    """In a process of its own, which says nothing but the report: no word of the frameworks."""
    source, out = FIXTURES / f"1.2.2-{framework.name}" / "lenet_th" / "model.h5", tmp_path / "out.h5"
    result = kconvert(source, "--to", other(framework), "-o", out, "--require-backends")
    assert (result.returncode, result.stderr) == (EQUAL, ""), result.stdout
    assert "ran on theano 1.0.5" in result.stdout
    assert "ran on tensorflow 2." in result.stdout
    assert result.stdout.splitlines()[-1].startswith("EQUAL: 12 layers")


@pytest.mark.parametrize(
    "command",
    ["inspect URL", "URL --to theano", "plan URL --to theano", "verify URL MODEL", "MODEL --to tensorflow -o URL"],
)
@pytest.mark.parametrize("url", ["s3://bucket/model.h5", "https://example.org/model.h5"])
def test_a_url_is_named_as_it_is_given_with_the_command_that_reads_it(model, command, url):
    """Before, a path of one slash was said not to exist."""
    code = USAGE if "-o" in command else UNREADABLE
    words = command.replace("URL", url).replace("MODEL", str(model)).split()
    refused(code, f"{url}: is a URL; copy the file to this machine, or use kconvert batch (s3://, gs://", *words)


# ---------------------------------------------------------- files made wrong ----


def changed(path, layer, weight, change):
    """Rewrites one array of a converted file."""
    with h5py.File(path, "r+") as file:
        group = file["model_weights"][layer][layer]
        dataset = group[next(name for name in group if name.removesuffix(":0") == weight)]
        before = dataset[...]
        dataset[...] = change(before)
        assert not np.array_equal(before, dataset[...])


def unflipped(kernel):
    return kernel[::-1, ::-1]


def unpermuted(kernel):
    """The 60 rows of LeNet's first Dense, back from (4, 3, 5) to (5, 4, 3)."""
    return kernel.reshape(4, 3, 5, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)


def swapped_gates(kernel):
    i, f, c, o = np.split(kernel, 4, axis=-1)
    return np.concatenate([i, f, o, c], axis=-1)


WRONG = [
    (LENET, "convolution2d_2", "kernel", unflipped),
    (LENET, "dense_1", "kernel", unpermuted),
    (LSTM, "lstm_1", "kernel", swapped_gates),
    (LSTM, "lstm_1", "recurrent_kernel", swapped_gates),
]


@pytest.mark.parametrize(("case", "layer", "weight", "change"), WRONG)
def test_a_file_made_wrong_differs_and_the_layer_is_named(bare, tmp_path, case, layer, weight, change):
    source, out = case / "model.h5", tmp_path / "out.h5"
    convert(source, out, target="tensorflow")
    assert run("verify", source, out).exit_code == EQUAL
    changed(out, layer, weight, change)
    result = run("verify", source, out)
    assert result.exit_code == DIFFERS, result.output
    assert result.stdout.splitlines()[-1].startswith(f"DIFFERS, first at {layer} (")
    assert f"1 of {8 if case == LENET else 3} weights differ from those of the converted source: {layer}/{weight}" in (
        result.stdout
    )


@pytest.mark.needs("theano", "tensorflow")
def test_a_file_made_wrong_differs_on_the_real_backends(framework, tmp_path):
    source, out = FIXTURES / f"1.2.2-{framework.name}" / "lenet_th" / "model.h5", tmp_path / "out.h5"
    convert(source, out, target=other(framework))
    changed(out, "convolution2d_2", "kernel", unflipped)
    result = run("verify", source, out, "--require-backends", "-q")
    assert result.exit_code == DIFFERS, result.output
    assert result.stdout.startswith("DIFFERS, first at convolution2d_2 (Conv2D)")


def test_a_conversion_that_differs_stays_and_is_loud(bare, model):
    """An absurdly small tolerance stands for a difference."""
    result = run(model, "--to", "tensorflow", "--atol", 0, "--rtol", 0)
    assert result.exit_code == DIFFERS
    assert result.stdout.splitlines()[-1].startswith("DIFFERS, first at ")
    assert model.with_name("model.tensorflow.h5").exists()


def test_a_loosened_tolerance_is_loud(bare, model):
    result = run(model, "--to", "tensorflow", "--rtol", 1e-3)
    assert "TOLERANCE LOOSENED to 1e-05 + 0.001 x scale (default: 1e-05 + 0.0001 x scale)" in result.stdout
    assert "EQUAL within a LOOSENED tolerance" in result.stdout.splitlines()[-1]


# ------------------------------------------------------------------ bad input ----


def attributes(path, **values):
    """Replaces attributes of the root; None removes one."""
    with h5py.File(path, "r+") as file:
        for name, value in values.items():
            del file.attrs[name]
            if value is not None:
                file.attrs[name] = value


def with_layer(path, old, new, **config):
    """Makes a layer of the architecture one of another class."""
    with h5py.File(path) as file:
        architecture = json.loads(file.attrs["model_config"])
    (item,) = [item for item in architecture["config"] if item["config"]["name"] == old]
    item.update(class_name=new, config={**item["config"], **config})
    attributes(path, model_config=json.dumps(architecture).encode())


def truncated(path):
    path.write_bytes(path.read_bytes()[:5000])


def nameless(path):
    with h5py.File(path, "r+") as file:
        del file["model_weights"].attrs["layer_names"]


BAD_FILES = [
    (UNREADABLE, "is not an HDF5 file", lambda path: path.write_text("not HDF5")),
    (UNREADABLE, "is truncated or damaged", truncated),
    (UNREADABLE, "there is no attribute layer_names", nameless),
    (UNREADABLE, "there is no such file", lambda path: path.unlink()),
    (UNREADABLE, "model_config is not JSON", lambda path: attributes(path, model_config=b"{")),
    (UNREADABLE, "lacks", lambda path: with_layer(path, "dropout_1", "RepeatVector")),
    (UNSUPPORTED, "average_pooling2d_1 (AveragePooling2D)", lambda path: shutil.copy(HAZARD / "model.h5", path)),
    (USAGE, "does not show which backend", lambda path: shutil.copy(UNTOLD / "weights.h5", path)),
]


@pytest.mark.parametrize(("code", "words", "spoil"), BAD_FILES)
def test_a_bad_file_is_refused_and_nothing_written(model, code, words, spoil):
    spoil(model)
    before = contents(model.parent)
    result = refused(code, words, model, "--to", "tensorflow", "--no-repair")
    assert str(model) in result.stderr
    assert contents(model.parent) == before


ANYTHING = [None, -1, 0, 1.5, "x", [], {}, [None], True, 10**9, {"class_name": "Dense"}, "channels_last"]


def places(value, path=()):
    """The path of every value in a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    for key, item in items:
        yield from places(item, (*path, key))


@pytest.mark.parametrize("case", ["1.2.2-theano/merge_sequential_sum", "2.3.1-theano/nested_frozen_bn_th"])
def test_whatever_stands_in_an_architecture_is_no_bug(case, tmp_path):
    path, random = tmp_path / "model.h5", Random(0)
    for _ in range(40):
        shutil.copy(FIXTURES / case / "model.h5", path)
        with h5py.File(path) as file:
            architecture = json.loads(file.attrs["model_config"])
        *outer, last = random.choice([place for place in places(architecture) if place])
        inner = functools.reduce(operator.getitem, outer, architecture)
        inner[last] = random.choice(ANYTHING)
        attributes(path, model_config=json.dumps(architecture).encode())
        assert run("inspect", path).exit_code == EQUAL, (outer, last, inner[last])
        code = run(path, "--to", "tensorflow", "--no-verify", "--force").exit_code
        assert code in (EQUAL, USAGE, UNSUPPORTED, UNREADABLE), (outer, last, inner[last])


BAD_WORDS = [
    (USAGE, "--to", []),
    (USAGE, "'torch'", ["--to", "torch"]),
    (USAGE, "exists already; pass --force", ["--to", "tensorflow", "-o", "precious.h5"]),
    (USAGE, "is the source file itself", ["--to", "tensorflow", "-o", "model.h5", "--force"]),
    (USAGE, "the backend to convert for is not stated", ["-o", "out.h5"]),
    (USAGE, "no file of keras3 is for theano", ["--to", "theano", "-o", "out.keras"]),
    (USAGE, "out.keras: a file .keras is of keras3, not of keras2", ["--format", "keras2", "-o", "out.keras"]),
    (USAGE, "no files that end in '.PB'; use .h5, .hdf5", ["--to", "tensorflow", "-o", "out.PB", "--no-verify"]),
    (USAGE, "out: the name of the file has no ending; use .h5, .hdf5", ["--to", "tensorflow", "-o", "out"]),
    (USAGE, "there is no directory", ["--to", "tensorflow", "-o", "absent/out.h5"]),
    (USAGE, "--samples", ["--to", "tensorflow", "--samples", "0"]),
    (USAGE, "--nonsense", ["--to", "tensorflow", "--nonsense"]),
    (USAGE, "already is in the convention", ["--to", "theano", "--format", "same", "--data-format", "keep"]),
    (UNREADABLE, "arch.json: there is no such file", ["--to", "tensorflow", "--arch", "arch.json"]),
]


@pytest.mark.parametrize(("code", "words", "command"), BAD_WORDS)
def test_a_bad_command_is_refused_and_nothing_written(model, monkeypatch, code, words, command):
    monkeypatch.chdir(model.parent)
    Path("precious.h5").write_bytes(b"precious")
    before = contents(model.parent)
    refused(code, words, "model.h5", *command)
    assert contents(model.parent) == before


def test_a_backend_that_the_file_states_is_not_overruled_unless_forced(tmp_path):
    words = ["--from", "tensorflow", "--to", "theano", "-o", tmp_path / "out.h5"]
    refused(USAGE, "was saved with theano, not tensorflow", LSTM / "model.h5", *words)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("name", ["out.pt", "out"])
def test_another_ending_is_refused_before_the_source_is_read(name, tmp_path):
    refused(USAGE, "use .h5, .hdf5, .keras", tmp_path / "absent.h5", "--to", "tensorflow", "-o", tmp_path / name)


@pytest.mark.parametrize("name", ["out.hdf5", "OUT.H5"])
def test_the_endings_of_hdf5_are_written(name, model):
    result = run(model, "--to", "tensorflow", "--no-verify", "-o", model.with_name(name))
    assert result.exit_code == EQUAL, result.output
    with hdf5.read(model.with_name(name)) as made:
        assert made.backend == "tensorflow"


@pytest.mark.parametrize("source", [[], ["--from", "theano"]])
def test_a_converted_file_is_not_converted_again(model, source):
    made = convert(model, target="tensorflow").target
    before = contents(model.parent)
    words = (
        "already converted this file from keras1/theano" if source else "already is in the convention keras2/tensorflow"
    )
    refused(USAGE, words, made, *source, "--to", "tensorflow")
    assert contents(model.parent) == before


def test_a_name_cannot_command_the_terminal(model):
    with_layer(model, "dense_2", "Caps\x1b[2Jule")
    assert "\x1b" not in refused(UNSUPPORTED, "unknown layer class", model, "--to", "tensorflow").stderr
    assert "\x1b" not in run("inspect", model).stdout


# --------------------------------------------------------- not to be verified ----


def test_without_a_required_backend_it_is_written_but_not_verified(bare, model):
    result = refused(UNVERIFIED, "is written but not verified", model, "--to", "tensorflow", "--require-backends")
    assert install("theano") in result.stderr
    assert model.with_name("model.tensorflow.h5").exists()


def test_a_model_with_a_layer_that_cannot_run_is_written_and_partly_verified(bare, model):
    with_layer(model, "activation_1", "Lambda", function="relu", function_type="function", arguments={})
    made = model.with_name("model.tensorflow.h5")
    for command in ([model, "--to", "tensorflow"], ["verify", model, made]):
        result = run(*command)
        assert result.exit_code == PARTLY_VERIFIED, result.output
        assert "activation_1 (Lambda): a Lambda layer cannot run" in " ".join(result.output.split())
        assert "1 of 12 layers not compared: 11 layers" in result.output


def test_two_models_are_not_compared(bare, model):
    refused(USAGE, "its model has inputs of shape", "verify", model, LSTM / "model.h5")


# -------------------------------------------------------------------- commands ----


@pytest.mark.parametrize("words", [[], ["--help"]])
def test_help_comes_without_an_error(words):
    result = run(*words)
    assert result.exit_code == EQUAL
    assert "--from" in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_version():
    assert re.fullmatch(r"kconvert \d+\.\d+\.\d+\n", run("--version").output)


def test_plan_writes_nothing(model):
    before = contents(model.parent)
    result = run("plan", model, "--to", "tensorflow")
    assert "rows i of io: chw->hwc of 5x4x3" in result.stdout
    steps = json.loads(run("plan", model, "--to", "tensorflow", "--json").output)["weights"]
    assert [op["op"] for op in steps[0]["ops"]] == ["transpose", "flip"]
    assert contents(model.parent) == before


def test_plan_with_a_hazard_cannot_be_converted():
    result = run("plan", HAZARD / "model.h5", "--to", "tensorflow", "--no-repair")
    assert result.exit_code == UNSUPPORTED
    assert "cannot be converted: 1 layer would compute other outputs" in result.stdout


def test_inspect(model):
    assert "Convolution2D" in run("inspect", model).stdout
    assert json.loads(run("inspect", model, "--json").output)["parameters"] == 767


def test_backends_says_how_to_install_what_is_missing(bare):
    result = run("backends")
    assert result.exit_code == EQUAL
    assert install("theano") in result.stdout


# ----------------------------------------------------------------- the process ----


def test_start_up_loads_neither_numpy_nor_h5py_nor_rich():
    code = "import sys, kconvert.cli; kconvert.cli.main; print(*({'numpy', 'h5py', 'rich'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


def test_an_interrupted_command_exits_with_130(model, monkeypatch):
    def interrupted(path, architecture):
        raise KeyboardInterrupt

    monkeypatch.setattr(hdf5, "read", interrupted)
    result = run("inspect", model)
    assert (result.exit_code, result.stderr.split()) == (130, ["kconvert:", "interrupted"])


def test_a_bug_is_one_sentence(model, monkeypatch):
    def broken(path, architecture):
        raise ValueError("first\nsecond")

    monkeypatch.setattr(hdf5, "read", broken)
    refused(70, "please report it (ValueError: first)", "inspect", model)


def test_a_reader_that_goes_away_is_no_error(model):
    words = [sys.executable, "-m", "kconvert", "inspect", str(model)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == ("", 141)


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["inspect"]], ids=" ".join)
def test_a_standard_output_that_is_full_or_goes_away(model, words):
    command = [sys.executable, "-m", "kconvert", *words, *([str(model)] if words == ["inspect"] else [])]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (2, "kconvert: the output cannot be printed (No space left on device)\n")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == ("", 141)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_nothing_is_printed_into_a_file_that_takes_the_place_of_a_closed_stream(model, closed, tmp_path):
    command = f"{shlex.join([sys.executable, '-m', 'kconvert'])} %s {closed}"
    convert = command % shlex.join([str(model), "--to", "tensorflow", "--no-verify", "-o", str(tmp_path / "out.h5")])
    done = subprocess.run(convert, shell=True, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (EQUAL, "")
    assert kconvert("inspect", tmp_path / "out.h5").returncode == EQUAL
    refused = subprocess.run(command % "inspect nothing.h5", shell=True, cwd=ROOT, capture_output=True, text=True)
    assert refused.returncode == 4


def test_a_pipe_gets_no_colours_and_a_terminal_that_lacks_a_letter_its_code(model):
    with_layer(model, "dense_2", "Dichte\u0142")
    result = kconvert("inspect", model, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert result.returncode == EQUAL
    assert "\x1b" not in result.stdout
    assert "Dichte\\u0142" in result.stdout


# -------------------------------------------------------------- one home a fact ----


def test_choices_are_those_of_the_library():
    assert tuple(options.BACKEND.choices) == tuple(BACKENDS)
    assert tuple(options.DATA_FORMATS.choices) == DATA_FORMATS


def test_exit_codes_are_those_of_the_library():
    codes = {int(code): words for code, words in re.findall(r"^  (\d)  (.+)$", group.EPILOG, re.MULTILINE)}
    assert sorted(codes) == [EQUAL, DIFFERS, *Problem]


PAGE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")


def every_option():
    """(command, option) of everything a user can type."""
    for name, command in cli.main.commands.items():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield from ((name, option) for option in (*parameter.opts, *parameter.secondary_opts))


def test_the_page_names_every_command_and_option():
    commands = {name for name, command in cli.main.commands.items() if not command.hidden}
    assert {name for name in commands if f"`kconvert {name}" not in PAGE} == set()
    assert {(name, option) for name, option in every_option() if f"`{option}`" not in PAGE} == set()


def test_the_page_names_no_command_and_no_option_that_is_not_there():
    known = {option for _, option in every_option()} | {"--version", "--help"}
    assert set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", PAGE)) <= known
    assert set(re.findall(r"`kconvert ([a-z]+)", PAGE)) <= set(cli.main.commands)


# ----------------------------------------------------- files of one command ----


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """Weights alone, whose architecture the conversion changes."""
    for name in ("weights.h5", "arch.json"):
        shutil.copy(FIXTURES / "1.2.2-theano" / "conv1d_same_even" / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return ["weights.h5", "--from", "theano", "--to", "tensorflow", "--arch", "arch.json"]


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("arch.json: is the architecture given itself", ["-o", "arch.h5"]),
        ("arch.json: is the architecture given itself", ["-o", "out.h5", "--report", "arch.json"]),
        ("link.json: is the architecture given itself", ["-o", "out.h5", "--report", "link.json"]),
        ("link.json: is the architecture given itself", ["-o", "link.h5"]),
        ("out.json: is to be the report and the architecture", ["-o", "out.h5", "--report", "./out.json"]),
        ("r.html: is to be the report and the report", ["-o", "out.h5", "--report", "r.html", "--report", "./r.html"]),
        ("runs.json: is to be the index", ["-o", "out.h5", "--keep", "kept", "--report", "kept/runs.json"]),
        (
            "inputs.json: is the file of inputs itself",
            ["-o", "o.h5", "--inputs", "inputs.json", "--report", "inputs.json"],
        ),
        ("weights.json: is the source file itself", ["-o", "out.h5", "--report", "weights.json"]),
    ],
)
def test_no_file_of_the_command_is_replaced_by_another(words, options, force, alone, tmp_path):
    (tmp_path / "link.json").symlink_to("arch.json")
    (tmp_path / "weights.json").hardlink_to(tmp_path / "weights.h5")
    with (tmp_path / "inputs.json").open("wb") as file:
        np.save(file, np.ones((1, 3)))
    (tmp_path / "kept").mkdir()
    before = contents(tmp_path)
    result = refused(USAGE, "", *alone, *options, *force)
    assert words in result.stderr
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("words", "folder", "writable"),
    [
        ("is not a directory", "arch.json/runs", True),
        ("something other than saved runs", ".", True),
        ("is not writable", "new/runs", False),
    ],
)
def test_a_directory_for_runs_that_cannot_hold_them_is_refused_before_the_conversion(
    words, folder, writable, alone, tmp_path, monkeypatch
):
    monkeypatch.setattr(os, "access", lambda path, mode: writable or Path(path) != tmp_path)
    (tmp_path / "results").mkdir()
    before = contents(tmp_path)
    assert words in refused(USAGE, "", *alone, "-o", "results/out.h5", "--keep", folder).stderr
    assert contents(tmp_path) == before


@pytest.mark.parametrize("given", ["option", "manifest"])
@pytest.mark.parametrize("report", ["arch.json", "link.json", "weights.json"])
def test_no_file_of_a_batch_is_replaced_by_a_report(report, given, alone, tmp_path):
    (tmp_path / "link.json").hardlink_to("arch.json")
    (tmp_path / "weights.json").hardlink_to("weights.h5")
    (tmp_path / "all.csv").write_text("path,arch\nweights.h5,arch.json\n")
    before = contents(tmp_path)
    files = ["all.csv"] if given == "manifest" else ["weights.h5", "--arch", "arch.json"]
    words = ["--out", "out", "--from", "theano", "--to", "tensorflow", "--report", report]
    result = refused(USAGE, "itself, which is never written to", "batch", *files, *words)
    assert f"kconvert: {report}: is the" in result.stderr
    assert contents(tmp_path) == before


def test_the_architecture_beside_is_named(alone, tmp_path):
    result = run(*alone, "-o", "out.h5", "--report", "report.md", "--report", "report.xml")
    assert result.exit_code == EQUAL
    assert "wrote out.h5" in result.output and "wrote out.json" in result.output
    assert "convolution1d_1_pad (new)" in result.output
    *_, verdict = result.output.strip().splitlines()
    assert verdict.startswith("EQUAL") and "not to the one given" in " ".join(result.output.split())
    for report in ("report.md", "report.xml"):
        assert "not to the one given" in (tmp_path / report).read_text()


def test_the_architecture_beside_stands_in_the_json(alone, tmp_path):
    result = run(*alone, "-o", "out.h5", "--no-verify", "--json")
    found = json.loads(result.output)
    assert found["architecture"] == "out.json" and (tmp_path / "out.json").exists()
    assert found["differing"] == ["convolution1d_1_pad (new)", "convolution1d_1 (padding)"]


@pytest.mark.needs("theano")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize(
    "words",
    [
        ("large.h5", "--to", "tensorflow", "--no-verify", "-o", "result/large.h5"),
        ("batch", "large.h5", "--to", "tensorflow", "--verify", "none", "--out", "result"),
    ],
    ids=["file", "batch"],
)
def test_a_signal_leaves_nothing(tmp_path, words, number):
    result = tmp_path / "result"
    result.mkdir()
    model = Sequential([layers.Conv2D(512, 3, input_shape=(8, 8, 2048), data_format="channels_last")])
    model.start("theano")
    model.save(tmp_path / "large.h5")
    command = [sys.executable, "-m", "kconvert", *words]
    handler = signal.signal(number, signal.SIG_DFL)  # a signal that the tests ignore, the command would ignore, too
    try:
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    finally:
        signal.signal(number, handler)
    while process.poll() is None and not any(map(is_hidden, os.listdir(result))):
        time.sleep(0.001)
    process.send_signal(number)
    assert process.wait() == 128 + number
    assert not any(map(is_hidden, os.listdir(result))) and not (result / "large.h5").exists()
    assert "Traceback" not in process.stderr.read()


@pytest.mark.parametrize("option", ["--atol", "--rtol", "--timeout"])
def test_nan_is_no_number(option):
    """Each error was larger than it."""
    refused(USAGE, "is not a number", LENET / "model.h5", "--to", "tensorflow", option, "nan")


def test_a_timeout_of_ages_is_any_time():
    """It ended with an error of Python."""
    worker = Worker([sys.executable, "-c", "print('{}')"], os.environ)
    assert worker.ask({}, 1e300) == {}
    worker.end()
