"""Builds wheel and sdist, checks their metadata, and installs both into clean environments: `make release-check`.

    python -m release           with every Python of SUPPORTED that is on this machine
    python -m release 3.13      with this one

Each environment gets kconvert without extras, from the package index, and runs `kconvert --version`, `inspect`, and a
conversion, which NumPy verifies. The one with the sdist also runs tests of the sdist. Prints a line by environment, and
which Pythons are missing. The exit code is 1 where a step failed.
"""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT = runpy.run_path(str(ROOT / "kconvert" / "_version.py"))
OUT = ROOT / "build" / "release"
SUPPORTED = ("3.10", "3.11", "3.12", "3.13")
SAMPLE = ROOT / "tests" / "fixtures" / "1.2.2-theano" / "lenet_th" / "model.h5"
TESTS = ("tests/kernels",)  # they need neither Theano nor TensorFlow


class Failed(Exception):
    """A step failed; the message is what it printed."""


def run(*words: object, cwd: Path) -> str:
    """The output of a command without the variables of Python. Raises Failed where it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    command = [str(word) for word in words]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def build() -> tuple[Path, Path]:
    """The sdist, and the wheel that is built from it, in build/release/."""
    shutil.rmtree(OUT, ignore_errors=True)
    run(sys.executable, "-m", "build", "--outdir", OUT, ROOT, cwd=ROOT)
    (sdist,), (wheel,) = OUT.glob("*.tar.gz"), OUT.glob("*.whl")
    run(sys.executable, "-m", "twine", "check", "--strict", sdist, wheel, cwd=ROOT)
    return sdist, wheel


def python(version: str) -> str | None:
    """The path of an interpreter of that version, on PATH or of pyenv, which starts; None if there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    found = [shutil.which(f"python{version}"), *map(str, sorted(pyenv.glob(f"{version}.*/bin/python")))]
    for path in filter(None, found):
        asked = subprocess.run([path, "-c", "import venv, ensurepip"], capture_output=True, check=False)
        if asked.returncode == 0:
            return path
    return None


def try_out(interpreter: str, distribution: Path, folder: Path) -> None:
    """Installs a distribution into a new environment in `folder` and uses it there. Raises Failed."""
    run(interpreter, "-m", "venv", folder / "env", cwd=folder)
    own = folder / "env" / "bin"
    run(own / "python", "-m", "pip", "install", "--disable-pip-version-check", distribution, cwd=folder)
    expect(run(own / "kconvert", "--version", cwd=folder), f"kconvert {PROJECT['__version__']}\n")
    expect(run(own / "kconvert", "inspect", SAMPLE, cwd=folder), "1.2.2")
    converted = run(own / "kconvert", SAMPLE, "--to", "tensorflow", "-o", "lenet.h5", cwd=folder)
    expect(converted, "EQUAL with NumPy emulating Theano and TensorFlow: 12 layers")
    if distribution.name.endswith(".tar.gz"):
        run_tests(own / "python", distribution, folder)


def run_tests(interpreter: Path, sdist: Path, folder: Path) -> None:
    """Runs tests from an unpacked sdist. Raises Failed."""
    tools = ("pytest>=8", "hypothesis")
    run(interpreter, "-m", "pip", "install", "--disable-pip-version-check", *tools, cwd=folder)
    with tarfile.open(sdist) as file:
        file.extractall(folder, filter="data")
    (sources,) = (path.parent for path in folder.glob("*/setup.py"))
    run(interpreter, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS, cwd=sources)


def expect(output: str, words: str) -> None:
    """Raises Failed unless `words` are in the output."""
    if words not in output:
        raise Failed(f"expected {words!r} in:\n{output}")


def steps(versions: list[str]) -> Iterator[str | None]:
    """Runs the check; gives a line by step that is done, and None for one that failed."""
    sdist, wheel = build()
    for path in (sdist, wheel):
        yield f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e6:.1f} MB, twine check --strict passes"
    for version in versions:
        interpreter = python(version)
        if interpreter is None:
            yield f"Python {version}: not on this machine, so not tried"
            continue
        for distribution in (wheel, sdist):
            start = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                try:
                    try_out(interpreter, distribution, Path(folder))
                except Failed as error:
                    print(error)
                    yield None
                    continue
            kind = "wheel" if distribution is wheel else "sdist"
            yield f"Python {version}: the {kind} installs, inspects and converts ({time.monotonic() - start:.0f} s)"
    if "OWNER" in PROJECT["REPOSITORY"]:
        yield "to do before publishing: REPOSITORY in kconvert/_version.py has no owner yet"


def main(versions: list[str]) -> int:
    failed = False
    try:
        for line in steps(versions or list(SUPPORTED)):
            failed = failed or line is None
            print(line or "FAILED", flush=True)
    except Failed as error:
        print(f"{error}\nFAILED")
        return 1
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
