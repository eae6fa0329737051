"""The commands of the Makefile, run with the interpreter of the tests instead of a new environment."""

import os
import subprocess
import sys

import pytest

from kconvert._version import DISTRIBUTION
from release.__main__ import SUPPORTED
from requirements import __main__ as requirements
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
        command = ["make", "-f", ROOT / "Makefile", target, "BIN=bin", "READY=ready", "DEMO_READY=ready"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


def test_the_demo_runs_any_number_of_times(make, tmp_path):
    for _ in range(3):
        done = make("demo")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "EQUAL with NumPy emulating Theano and TensorFlow: 12 layers" in done.stdout
        made = sorted(path.name for path in (tmp_path / "build" / "demo").iterdir())
        assert made == ["lenet.h5", "report.html"]


PIP = f"""#!{sys.executable}
import os, sys
if sys.argv[1] == "-c":
    print("3.11")
else:
    print("Collecting numpy", "  Downloading numpy.whl.metadata (5 kB)", "  Downloading numpy.whl (18.3 MB)", sep="\\n")
    print("Installing collected packages: numpy, h5py")
    print("constraints", os.environ.get("PIP_CONSTRAINT"), *sys.argv[3:], file=sys.stderr)
sys.exit(int(os.environ["CODE"]))
"""


@pytest.fixture
def install(tmp_path):
    """install(**variables): runs requirements/install.sh with a pip that installs nothing; gives what is done."""
    python = tmp_path / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PIP)
    python.chmod(0o755)

    def run(**variables):
        command = ["requirements/install.sh", tmp_path / "env", "numpy"]
        environment = {**os.environ, "CODE": "0", **variables}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    return run


def test_an_installation_shows_each_download(install):
    assert install().stdout == "  numpy.whl (18.3 MB)\n  installing 2 packages\n"


def test_the_tested_versions_are_installed_unless_the_newest_are_asked_for(install):
    assert "constraints requirements/python3.11.txt" in install().stderr
    assert "constraints None" in install(NEWEST="1").stderr


def test_an_installation_that_fails_ends_the_command(install):
    assert install(CODE="1").returncode != 0


def test_the_lock_has_neither_pip_nor_kconvert_and_both_names_of_tensorflow():
    frozen = f"zipp==4.1\npip==23.2\n{DISTRIBUTION}==0.1.0\ntensorflow_cpu==2.21.0\n-e git+https://x#egg=y\n"
    assert requirements.locked(frozen) == "tensorflow==2.21.0\ntensorflow_cpu==2.21.0\nzipp==4.1\n"


@pytest.mark.parametrize("version", SUPPORTED)
def test_each_supported_python_has_a_lock(version):
    lines = (ROOT / "requirements" / f"python{version}.txt").read_text(encoding="utf-8").splitlines()
    assert all(line.startswith("#") or "==" in line for line in lines)
    named = {line.partition("==")[0].lower().replace("_", "-") for line in lines}
    assert DISTRIBUTION not in named  # it could not be installed after its version has changed
    assert {"numpy", "h5py", "tensorflow", "tf-keras", "pytest", "ruff", "mypy", "setuptools"} <= named
    assert ("theano" in named) == (version in ("3.10", "3.11"))
