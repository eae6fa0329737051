"""The GitHub Action and the pre-commit hook: their scripts are run as GitHub and pre-commit run them."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest
import yaml

from tests.checkout import ROOT, copy_sources
from tests.fixtures import case
from tests.verification.damage import converted, damage

ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
INSTALL, RUN = ACTION["runs"]["steps"]
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))

# kconvert as on a machine where no framework is installed.
SHIM = f"""#!{sys.executable}
from kconvert import backend, cli
backend._installed = lambda *packages: None
cli.main()
"""


@pytest.fixture
def runner(tmp_path, monkeypatch):
    """The folder of a runner, with the kconvert of this checkout in place of the one that the first step installs."""
    kconvert = tmp_path / "temp" / "kconvert" / "bin" / "kconvert"
    kconvert.parent.mkdir(parents=True)
    kconvert.write_text(SHIM)
    kconvert.chmod(0o755)
    source, _ = converted("lenet_th", tmp_path)
    shutil.copy(source, tmp_path / "in.h5")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def expression(text, inputs):
    """`text` after GitHub replaced each `${{ inputs.name }}` by the value of the input."""
    return re.sub(r"\$\{\{ inputs\.([a-z]+) \}\}", lambda found: inputs[found[1]], text)


def run(step, folder, **given):
    """(exit code, outputs, summary, log) of one step; other inputs have their defaults."""
    inputs = {name: given.get(name, facts.get("default", "")) for name, facts in ACTION["inputs"].items()}
    outputs, summary = folder / "outputs", folder / "summary"
    outputs.write_text("")
    summary.write_text("before\n")
    environment = {
        **os.environ,
        **{name: expression(text, inputs) for name, text in step["env"].items()},
        "RUNNER_TEMP": str(folder / "temp"),
        "GITHUB_ACTION_PATH": str(folder / "action"),
        "GITHUB_OUTPUT": str(outputs),
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    script = folder / "script.sh"
    script.write_text(step["run"])
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", script]
    done = subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    written = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    return done.returncode, written, summary.read_text(encoding="utf-8"), done.stdout + done.stderr


def test_the_shape_of_the_action():
    assert ACTION["runs"]["using"] == "composite"
    assert all(facts["description"] for facts in (*ACTION["inputs"].values(), *ACTION["outputs"].values()))
    assert ACTION["outputs"]["verdict"]["value"] == f"${{{{ steps.{RUN['id']}.outputs.verdict }}}}"
    for step in (INSTALL, RUN):
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "what a user gives is an environment variable, never part of a script"
    named = {
        name for step in (INSTALL, RUN) for text in step["env"].values() for name in re.findall(r"inputs\.(\w+)", text)
    }
    assert named == ACTION["inputs"].keys()


def test_a_file_that_converts(runner):
    reports = "out/report.html\nout/report.xml\n"
    (runner / "out").mkdir()
    code, outputs, summary, log = run(
        RUN,
        runner,
        file="in.h5",
        to="tensorflow",
        output="out/made.h5",
        report=reports,
        args="--samples 2  --in-process",
    )
    assert (code, outputs) == (0, {"verdict": "emulated"}), log
    assert summary.startswith("before\n## \N{LARGE YELLOW CIRCLE} in.h5 -> made.h5")
    assert sorted(os.listdir(runner / "out")) == ["made.h5", "report.html", "report.xml"]
    assert "2 samples" in log and "EQUAL with NumPy emulating Theano and TensorFlow: 8 layers" in log


@pytest.mark.parametrize(
    ("given", "code", "verdict", "words"),
    [
        ({"file": "missing.h5"}, 4, "unreadable", "missing.h5"),
        ({"to": "caffe"}, 2, "usage", "caffe"),
        ({"report": "report.pdf"}, 2, "usage", ".pdf"),
        ({"args": "--in-process --require-backends"}, 5, "unverified", "cannot run"),
    ],
)
def test_an_error_is_in_the_summary_and_in_the_verdict(runner, given, code, verdict, words):
    found, outputs, summary, log = run(RUN, runner, **{"file": "in.h5", "to": "tensorflow", **given})
    assert (found, outputs) == (code, {"verdict": verdict}), log
    assert words in summary and words in log


def test_an_earlier_summary_is_not_shown_again(runner):
    given = {"file": "in.h5", "to": "tensorflow", "args": "--in-process"}
    assert run(RUN, runner, **given)[1] == {"verdict": "emulated"}
    code, _, summary, _ = run(RUN, runner, **given)
    assert code == 2 and "exists already" in summary and "EQUAL" not in summary


def test_names_in_a_file_are_not_run_as_commands(runner):
    """GitHub runs lines that begin with `::` as commands, except between `::stop-commands::TOKEN` and `::TOKEN::`."""
    old, new = "dropout_1", "::error::dropout"
    with h5py.File(runner / "in.h5", "r+") as file:
        weights = file["model_weights"]
        file.attrs["model_config"] = file.attrs["model_config"].replace(old, new)
        names = weights.attrs["layer_names"].astype(str).tolist()
        weights.attrs["layer_names"] = np.array([name.replace(old, new) for name in names], "S")
        weights.move(old, new)
    _, _, _, log = run(RUN, runner, file="in.h5", to="tensorflow", args="--in-process")
    lines = log.splitlines()
    (at,) = [i for i, line in enumerate(lines) if line.startswith("::error::dropout")]
    (start,) = [i for i, line in enumerate(lines) if line.startswith("::stop-commands::")]
    token = lines[start].removeprefix("::stop-commands::")
    assert len(token) == 32 and start < at < lines.index(f"::{token}::")


@pytest.mark.parametrize("given", ["x.h5; touch pwned", "$(touch pwned)", "`touch pwned`", "*", "--help\nx"])
def test_inputs_are_not_run_by_a_shell(runner, given):
    for name in ("file", "to", "from", "output", "args", "report"):
        run(RUN, runner, **{"file": "in.h5", "to": "tensorflow", "args": "--no-verify", name: given})
        assert not (runner / "pwned").exists()


@pytest.mark.long
def test_the_first_step_installs(tmp_path, monkeypatch):
    """It installs from the package index into a new environment."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    copy_sources(tmp_path / "action")
    (tmp_path / "temp").mkdir()
    code, _, _, log = run(INSTALL, tmp_path, extras="report", python=sys.executable)
    assert code == 0, log
    shutil.copy(case("2.3.1-theano/lenet_th").model, tmp_path / "in.h5")
    code, outputs, summary, log = run(RUN, tmp_path, file="in.h5", to="tensorflow", report="report.html")
    assert (code, outputs) == (0, {"verdict": "emulated"}), log
    assert "NumPy, emulating" in summary and (tmp_path / "report.html").exists()


# --------------------------------------------------------------------- pre-commit ----


@pytest.mark.parametrize(("change", "code"), [(None, 0), ("damaged", 1), ("missing", 2)])
def test_the_hook(runner, change, code):
    source, target = runner / "in.h5", runner / "in.tensorflow.h5"
    (runner / "lenet_th.h5").rename(target)
    if change == "damaged":
        damage(target, **{"conv2d_2:kernel": lambda kernel: kernel[::-1, ::-1]})
    if change == "missing":
        target.unlink()
    bin_folder = runner / "temp" / "kconvert" / "bin"
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    command = [*shlex.split(HOOK["entry"]), *HOOK["args"], "--in-process"]
    done = subprocess.run(command, cwd=runner, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert HOOK["pass_filenames"] is False and HOOK["verbose"] is True  # what passes is shown, too
    assert code or "EQUAL: 1 file, 1 with NumPy emulating Theano and TensorFlow" in done.stdout
    assert all(re.search(HOOK["files"], str(path)) for path in (source, target))


# ----------------------------------------------------------------------- the page ----

PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
BLOCKS = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S)]


def test_the_page_uses_the_action_as_it_is():
    (step,) = [step for step in BLOCKS[0]["jobs"]["convert"]["steps"] if "kconvert@" in step["uses"]]
    assert step["with"].keys() <= ACTION["inputs"].keys()
    table = re.findall(r"^\| `(\w+)` \|", PAGE.partition("## GitHub")[2].partition("## GitLab")[0], re.M)
    assert set(table) == ACTION["inputs"].keys()
    verdicts = re.search(r"verdicts=\((.*)\)", RUN["run"])[1].split()
    assert all(f"`{verdict}`" in PAGE for verdict in [*verdicts, "failed"])


def test_the_page_uses_the_hook_as_it_is():
    (hook,) = BLOCKS[-1]["repos"][0]["hooks"]
    assert hook["id"] == HOOK["id"]
