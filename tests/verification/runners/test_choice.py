"""Which runner an interpreter gets, and what is said of one that is of no use."""

import os
import sys

import pytest

import kconvert
from kconvert import KconvertError
from kconvert._version import install
from kconvert.errors import Problem
from kconvert.verification.runners.choice import open_runner
from kconvert.verification.runners.here import Here
from kconvert.verification.runners.interpreter import look
from kconvert.verification.runners.process import Process
from kconvert.verification.runners.real_keras import RealKeras
from tests.verification.runners.jobs import LENET, job


@pytest.fixture
def interpreter(tmp_path):
    """`interpreter(lines, package=source)`: a script that starts Python, with nothing installed but those packages."""

    def made(start='exec {python} -S "$@"', **packages):
        for name, source in packages.items():
            (tmp_path / "site" / name).mkdir(parents=True)
            (tmp_path / "site" / name / "__init__.py").write_text("")
            (tmp_path / "site" / name / "_version.py").write_text(source)
        script = tmp_path / "python"
        lines = ["#!/bin/sh", f"export PYTHONPATH={tmp_path / 'site'}", start.format(python=sys.executable)]
        script.write_text("\n".join(lines) + "\n")
        script.chmod(0o755)
        return str(script)

    return made


def refused(*arguments, **options):
    with pytest.raises(KconvertError) as refusal:
        open_runner(*arguments, **options)
    assert refusal.value.problem is Problem.USAGE and "\n" not in str(refusal.value)
    return str(refusal.value)


def test_without_wishes_a_process_and_here_if_wanted():
    assert type(open_runner("theano")) is Process
    assert type(open_runner("theano", here=True)) is Here


def test_an_interpreter_with_this_kconvert(interpreter, tmp_path):
    path = os.pathsep.join([entry for entry in sys.path if entry])
    python = interpreter(f'export PYTHONPATH="{path}"; exec {{python}} "$@"')
    work, x = job(LENET)
    with open_runner("theano", python, timeout=60) as runner:
        assert type(runner) is Process
        assert runner.run(work, x, tmp_path / "out").tensors


def test_an_interpreter_with_another_kconvert(interpreter):
    python = interpreter(kconvert='__version__ = "0.0.1"')
    said = refused("theano", python)
    assert "has kconvert 0.0.1" in said
    assert said.endswith(f"{install(python=python)}, version {kconvert.__version__}")


def test_an_interpreter_with_a_real_keras(interpreter):
    """A kconvert that it is too old to import does not count."""
    python = interpreter(keras="", kconvert="raise SyntaxError")
    runner = open_runner("theano", python)
    assert type(runner) is RealKeras
    assert (runner.backend, runner.python, runner.package) == ("theano", python, "keras")


def test_an_interpreter_with_neither(interpreter):
    assert "has neither kconvert nor keras" in refused("theano", interpreter())


def test_a_package_that_is_not_there(interpreter):
    python = interpreter(keras="")
    assert "has no tf_keras" in refused("tensorflow", python, package="tf_keras")
    assert open_runner("tensorflow", python, package="keras").package == "keras"


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("echo hello", "is not a working Python interpreter"),
        ("echo no libpython >&2; exit 127", "is not a working Python interpreter (no libpython)"),
        ("sleep 60; {python}", "did not answer within 0.2 seconds"),
    ],
    ids=["no Python", "broken", "hanging"],
)
def test_what_is_no_interpreter(start, said, interpreter):
    python = interpreter(start)
    assert (
        refused("theano", python, timeout=0.2 if "sleep" in start else 60)
        == f"{python}: {said}; name a Python interpreter"
    )


def test_an_interpreter_that_is_not_there_or_no_program(tmp_path):
    assert "cannot be started (No such file" in refused("theano", str(tmp_path / "none"))
    (tmp_path / "file").write_text("")
    assert "cannot be started (Permission denied)" in refused("theano", str(tmp_path / "file"))


def test_what_this_interpreter_has():
    found = look(sys.executable)
    assert found.python == sys.version.split()[0]
