"""Check K: every case has an answer, whatever the interpreter does."""

import subprocess
import sys

import pytest

from tests.checkout import ROOT

KERAS = """#!{python}
import json, sys
for number, job in enumerate(json.load(open(sys.argv[3]))):
    answer = [{{"error": 1e-6}}, {{"error": 0.5}}, {{"failure": "it stopped"}}][number]
    print(json.dumps({{"case": job["case"], **answer}}), flush=True)
"""
CASES = ["imdb_lstm", "lenet_th", "maxout_dense"]


@pytest.fixture
def check(tmp_path):
    """check(text): what the checks of three cases print, with a script for an interpreter with Keras 3."""

    def run(text):
        interpreter = tmp_path / "keras3"
        interpreter.write_text(text)
        interpreter.chmod(0o755)
        words = ["--release", "1.2.2", "--backend", "theano", "--checks", "V", "--keras-python", interpreter]
        words += [word for name in CASES for word in ("--case", name)]
        command = [sys.executable, "-m", "conformance", ROOT / "tests" / "fixtures", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    return run


def test_errors_and_failures_of_keras_3_are_counted(check):
    done = check(KERAS.format(python=sys.executable))
    assert done.returncode == 1
    assert "1 / 3" in done.stdout
    assert "FAILED K 1.2.2-theano/lenet_th: outputs differ by 0.5" in done.stdout
    assert "FAILED K 1.2.2-theano/maxout_dense: it stopped" in done.stdout


def test_a_case_without_an_answer_is_a_failure(check):
    done = check(f"#!{sys.executable}\n")
    assert done.stdout.count("gave no answer") == 3 and "0 / 3" in done.stdout
