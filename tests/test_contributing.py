"""CONTRIBUTING.md: its examples run. `test_docs.py` checks the places that it names."""

import re
from pathlib import Path

import pytest

from kconvert.kernels import Op
from kconvert.layers.registry import CUSTOM, FUNCTIONS, LAYERS

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.fixture
def forgotten():
    """What the examples register is forgotten afterwards."""
    known = [(registry, registry.copy()) for registry in (LAYERS, Op.registry, CUSTOM, FUNCTIONS)]
    yield
    for registry, before in known:
        registry.clear()
        registry.update(before)


def test_the_examples_run(forgotten, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 7
    names = {"__name__": "examples"}
    for block in blocks:
        exec(compile(block, "CONTRIBUTING.md", "exec"), names)
    assert {"CenteredConv2D"} <= CUSTOM.keys()
    assert "lambda_1" in FUNCTIONS
