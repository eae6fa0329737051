"""A machine without frameworks, and a model to convert."""

import shutil
from pathlib import Path

import pytest

from kconvert import backend
from kconvert.backend import Probe
from kconvert.conventions import BACKENDS

from .commands import LENET


@pytest.fixture
def bare(monkeypatch):
    """A machine with neither framework: the NumPy reference runs both sides, fast."""
    for name in BACKENDS:
        missing = Probe(name, None, f"{name} is not installed", f"pip install 'kconvert[{name}]'")
        monkeypatch.setitem(backend._PROBES, name, lambda missing=missing: missing)


@pytest.fixture
def model(tmp_path):
    """LeNet of Keras 1.2.2 on Theano, alone in a directory."""
    return Path(shutil.copy(LENET / "model.h5", tmp_path / "model.h5"))
