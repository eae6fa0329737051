"""Looking for backends imports none of them, and what is missing is said with the remedy."""

import os
import re
import subprocess
import sys

import pytest

from kconvert import backend
from kconvert._version import install
from kconvert.errors import KconvertError, Problem


def python(code, **environment):
    """Standard output of `code` in a fresh interpreter."""
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.strip()


def test_importing_and_probing_load_no_framework():
    code = (
        "import sys, kconvert.backend as b; b.probe(); b.get_backend('numpy', 'theano');"
        "print([m for m in ('theano', 'tensorflow', 'scipy') if m in sys.modules])"
    )
    assert python(code) == "[]"


def test_probe_says_the_version_or_what_is_missing():
    found = backend.probe()
    assert list(found) == ["numpy", "theano", "tensorflow"]
    assert found["numpy"].usable
    for look in found.values():
        assert look.version if look.usable else look.missing and look.fix


def test_the_version_probed_is_the_version_that_runs(framework):
    assert backend.probe()[framework.name].version == framework.version()


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setattr(backend, "_installed", lambda *names: None)
    with pytest.raises(KconvertError, match=re.escape(install("tensorflow"))) as caught:
        backend.get_backend("tensorflow")
    assert caught.value.problem is Problem.UNVERIFIED


@pytest.mark.parametrize("arguments", [("jax",), ("theano", "tensorflow"), ("numpy", "torch")])
def test_what_does_not_exist_is_refused(arguments):
    with pytest.raises(KconvertError) as caught:
        backend.get_backend(*arguments)
    assert caught.value.problem is Problem.USAGE


def test_loading_theano_keeps_the_users_flags_but_float32(theano, tmp_path):
    code = (
        "import os, kconvert.backend.theano_backend as t; c = t.theano.config;"
        "print(c.floatX, c.optimizer_verbose, os.environ['THEANO_FLAGS'], c.base_compiledir)"
    )
    flags = "floatX=float64,optimizer_verbose=True"
    printed = python(code, THEANO_FLAGS=flags, KCONVERT_THEANO_COMPILEDIR=str(tmp_path / "modules"))
    assert printed == f"float32 True {flags} {tmp_path / 'modules'}"


def test_a_compile_directory_that_cannot_be_written_is_named_with_its_remedy(theano, tmp_path):
    (tmp_path / "file").write_text("")
    code = (
        "from kconvert.backend import get_backend; from kconvert.errors import KconvertError\n"
        "try: get_backend('theano')\n"
        "except KconvertError as error: print(error)"
    )
    said = python(code, KCONVERT_THEANO_COMPILEDIR=str(tmp_path / "file" / "modules"))
    assert f"{tmp_path / 'file' / 'modules'}: the directory for compiled modules cannot be written" in said
    assert "set KCONVERT_THEANO_COMPILEDIR to" in said
