"""Theano 1.0.5 with the libraries of today."""

import subprocess
import sys

import pytest

from tests.checkout import ROOT

# As with setuptools 82 and later, which have no pkg_resources.
WITHOUT_PKG_RESOURCES = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, *rest):
        return None if name == "pkg_resources" else self.finder.find_spec(name, *rest)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path = [Without(finder) for finder in sys.meta_path]

from kconvert.backend.theano_compat import load

print(load().gpuarray.pygpu_activated, "pkg_resources" in sys.modules)
"""


@pytest.mark.needs("theano")
def test_scan_needs_no_pkg_resources():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PKG_RESOURCES], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == "False False\n", done.stderr
