"""A process whose Lambda does what a test tells it, on the NumPy reference."""

import pytest

MODULE = """
from pathlib import Path
import kconvert
from kconvert import backend

backend._installed = lambda *packages: None

@kconvert.register_function("lambda_1")
def told(K, x):
    scope = {{"K": K, "x": x}}
    exec(Path({told!r}).read_text(), globals(), scope)
    return scope["x"]
"""


@pytest.fixture
def custom(tmp_path, monkeypatch):
    """The name of a module that takes the frameworks away, and makes `lambda_1` run the lines of tmp_path/told.py."""
    (tmp_path / "told.py").write_text("")
    (tmp_path / "custom_told.py").write_text(MODULE.format(told=str(tmp_path / "told.py")))
    monkeypatch.syspath_prepend(tmp_path)
    return "custom_told"


@pytest.fixture(autouse=True)
def bare_machine():
    """The runners are tested on the frameworks too, other than what lies above this folder."""
