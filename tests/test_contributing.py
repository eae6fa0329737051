"""CONTRIBUTING.md: its examples run, and the places it names exist."""

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


def test_the_examples_run(forgotten):
    blocks = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 5
    names = {"__name__": "examples"}
    for block in blocks:
        exec(compile(block, "CONTRIBUTING.md", "exec"), names)
    assert {"CenteredConv2D"} <= CUSTOM.keys()
    assert "lambda_1" in FUNCTIONS


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:kconvert|tests)/[\w/.]*)`", TEXT))))
def test_every_place_exists(path):
    assert (ROOT / path.replace("NAME", "numpy")).exists()


@pytest.mark.parametrize(("name", "module"), re.findall(r"`(\w+)` in `([\w./]+\.py)`", TEXT))
def test_every_name_stands_where_it_is_said(name, module):
    path = ROOT / module if module.startswith("kconvert/") else ROOT / "kconvert" / module
    assert re.search(rf"^(def )?{name}\b", path.read_text(encoding="utf-8"), re.MULTILINE)
