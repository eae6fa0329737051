"""Frameworks where warnings are errors, as in the tests of users."""

import subprocess
import sys
import warnings

import pytest

from kconvert.backend import probe
from kconvert.backend.quiet import quiet_run

RUN = """
import numpy as np
from kconvert.backend import get_backend
from kconvert.backend.base import InputSpec
K = get_backend({name!r})
double = K.compile_reading(lambda _, x: [2.0 * x[0]],
                           [InputSpec((None, 2), "float32")], [])
print(double([np.ones((3, 2), "float32")])[0].tolist())
"""


@pytest.mark.parametrize("name", ["theano", "tensorflow"])
def test_a_framework_runs_where_warnings_are_errors(name):
    if not probe()[name].usable:
        pytest.skip(f"{name} is not installed")
    done = subprocess.run([sys.executable, "-W", "error", "-c", RUN.format(name=name)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[[2.0, 2.0]") and "Warning" not in done.stderr


def test_warnings_of_users_are_heard():
    with pytest.warns(UserWarning, match="ours"), quiet_run():
        warnings.warn("ours", stacklevel=1)
        warnings.warn_explicit("theirs", DeprecationWarning, "elemwise.py", 790, "theano.tensor.elemwise")
