"""The commands of the Makefile, run with the interpreter of the tests instead of a new environment."""

import os
import subprocess
import sys

import pytest

from tests.checkout import ROOT

# kconvert as on a machine where no framework is installed; both models run in this process.
SHIM = f"""#!{sys.executable}
import sys
from kconvert import backend, cli
backend._installed = lambda *packages: None
cli.main([*sys.argv[1:], "--in-process"])
"""


@pytest.fixture
def make(tmp_path):
    """make(target): runs `make` in a folder with the files that the Makefile uses, and with an environment."""
    for name in ("tests", "setup.py"):
        (tmp_path / name).symlink_to(ROOT / name)
    kconvert, ready = tmp_path / "bin" / "kconvert", tmp_path / "ready"
    kconvert.parent.mkdir()
    kconvert.write_text(SHIM)
    kconvert.chmod(0o755)
    ready.touch()

    def run(target):
        command = ["make", "-f", ROOT / "Makefile", target, "BIN=bin", "READY=ready"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


def test_the_demo_runs_any_number_of_times(make, tmp_path):
    for _ in range(3):
        done = make("demo")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "EQUAL with NumPy emulating Theano and TensorFlow: 12 layers" in done.stdout
        made = tmp_path / "build" / "demo" / "lenet.h5"
        assert made.exists()
        assert list(made.parent.iterdir()) == [made]
