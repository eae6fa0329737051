"""The example scripts of a repository are run on both backends, and the reason is kept where one does not run."""

import json
import subprocess
import sys

import pytest

from conformance import scripts

SCRIPT = "from keras.layers import Dense, Input\nprint(Dense(2)(Input((3,))))\n"


def git(folder, *words):
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    """A repository with two scripts in its examples, under the tag 2.3.1; 1.2.2 has none."""
    folder = tmp_path / "repository"
    (folder / "examples").mkdir(parents=True)
    git(folder, "init")
    (folder / "README.md").write_text("none yet")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "none")
    git(folder, "tag", "1.2.2")
    (folder / "examples" / "runs.py").write_text(SCRIPT)
    (folder / "examples" / "lacks.py").write_text("open('images.txt')")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "two")
    git(folder, "tag", "2.3.1")
    return folder


@pytest.mark.needs("theano", "tensorflow")
def test_the_results_say_what_runs_and_why_the_rest_does_not(repository, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(scripts, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(sys, "argv", ["scripts", str(repository)])
    scripts.main()
    found = json.loads(scripts.RESULTS.read_text())["2.3.1"]
    lacks = "the script needs 'images.txt', which does not exist"
    assert {name: [one["theano"], one["tensorflow"]] for name, one in found.items()} == {
        "lacks.py": [lacks, lacks],
        "runs.py": ["runs", "runs"],
    }
    capsys.readouterr()
    scripts.main()
    assert "runs.py" not in capsys.readouterr().out  # it is known to run
