"""The wheel, installed into a clean environment: it contains every file of the package and works without a checkout."""

import os
import subprocess
import sys
import sysconfig
from zipfile import ZipFile

import pytest

from kconvert import __version__
from kconvert._version import DISTRIBUTION
from tests.checkout import copy_sources, tracked
from tests.fixtures import case

pytestmark = pytest.mark.long

LENET = case("1.2.2-theano/lenet_th").model


def run(*words, cwd):
    """The output of a command, which runs without PYTHONPATH and must succeed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(word) for word in words]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a source distribution of a copy of the tracked files alone."""
    folder = tmp_path_factory.mktemp("wheel")
    copy_sources(folder / "sources")
    run(sys.executable, "-c", "from setuptools import build_meta as b; b.build_sdist('..')", cwd=folder / "sources")
    (sources,) = folder.glob("*.tar.gz")
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, sources, cwd=folder)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def clean(wheel, tmp_path_factory):
    """An environment with the wheel and the libraries of this environment; an editable kconvert there has no effect."""
    folder = tmp_path_factory.mktemp("clean")
    run(sys.executable, "-m", "venv", folder, cwd=folder)
    run(folder / "bin" / "python", "-m", "pip", "install", "--no-deps", "--no-index", wheel, cwd=folder)
    (site,) = folder.glob("lib/python*/site-packages")
    # Python adds these folders to the path, but does not read the .pth files in them, as those of editable installs.
    libraries = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "libraries.pth").write_text("\n".join(libraries) + "\n")
    return folder


def test_the_wheel_holds_every_file_of_the_package(wheel):
    assert wheel.name.startswith(f"{DISTRIBUTION.replace('-', '_')}-{__version__}-")
    with ZipFile(wheel) as file:
        held = {name for name in file.namelist() if ".dist-info/" not in name}
    assert held == {path.as_posix() for path in tracked() if path.parts[0] == "kconvert"}


def test_it_converts_and_writes_a_report(clean, tmp_path):
    python, command = clean / "bin" / "python", clean / "bin" / "kconvert"
    imported = run(python, "-c", "import kconvert; print(kconvert.__file__)", cwd=tmp_path)
    assert imported.startswith(str(clean))
    for words in ([python, "-m", "kconvert"], [command]):
        assert run(*words, "--version", cwd=tmp_path) == f"kconvert {__version__}\n"
    assert list(tmp_path.iterdir()) == []
    run(command, LENET, "--to", "tensorflow", "-o", "lenet.h5", "--no-verify", cwd=tmp_path)
    said = run(command, "verify", LENET, "lenet.h5", "--report", "lenet.html", cwd=tmp_path)
    assert "EQUAL: 12 layers" in said
    assert "EQUAL" in (tmp_path / "lenet.html").read_text(encoding="utf-8")
