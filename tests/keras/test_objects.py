"""Layers and models as objects, as scripts for Keras 2.3.1 read and change them."""

from __future__ import annotations

import json
import runpy

import numpy as np
import pytest

from kconvert import keras
from kconvert.keras import backend as K
from tests.fixtures import FOLDER

HERE = FOLDER / "keras2_users"
TOOLS = runpy.run_path(str(HERE / "objects.py"))
KNOWN = {path.stem: json.loads(path.read_text()) for path in sorted(HERE.glob("*.json"))}


@pytest.mark.parametrize(
    ("on", "name"),
    [pytest.param(on, name, marks=pytest.mark.needs(on)) for on, found in KNOWN.items() for name in found],
    indirect=["on"],
)
def test_scripts_read_what_keras_2_3_1_shows(on, name):
    K.clear_session()
    assert_same(TOOLS["plain"](TOOLS["cases"](keras)[name]()), KNOWN[on][name])


def assert_same(found, known):
    """Asserts that two values are equal, numbers up to rounding."""
    if isinstance(known, list) and len(known) == len(found):
        for one, other in zip(found, known, strict=True):
            assert_same(one, other)
    elif isinstance(known, dict):
        assert sorted(found) == sorted(known)
        for key, one in known.items():
            assert_same(found[key], one)
    elif type(known) is float:
        np.testing.assert_allclose(found, known, rtol=1e-4, atol=1e-6)
    else:
        assert found == known
