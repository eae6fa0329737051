"""CONTRIBUTING.md: its examples run. `test_docs.py` checks the places that it names."""

import re
from pathlib import Path

import pytest

from kconvert.conventions.generations import GENERATIONS
from kconvert.kernels import Op
from kconvert.layers.registry import CUSTOM, FUNCTIONS, LAYERS

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.fixture
def forgotten():
    """Removes from the registries what the examples add to them."""
    tables = (LAYERS, Op.registry, CUSTOM, FUNCTIONS, GENERATIONS)
    known = [(table, table.copy()) for table in tables]
    yield
    for table, before in known:
        table.clear()
        table.update(before)


def test_the_examples_run(forgotten, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 9
    names = {"__name__": "examples"}
    for block in blocks:
        exec(compile(block, "CONTRIBUTING.md", "exec"), names)
    assert {"CenteredConv2D", "CenteredConv3D"} <= CUSTOM.keys()
    assert "lambda_1" in FUNCTIONS
