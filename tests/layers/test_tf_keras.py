"""Layers of tf.keras that Keras 2.3 does not have, and their activations: the outputs that tf.keras computed.

The names end with 28 where tf.keras 2.8 made the file; the others are of tf_keras 2.21.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fixtures import FOLDER as FIXTURES
from tests.layers.tf_keras import FOLDER, check

NAMES = sorted(path.stem for path in FOLDER.glob("*.h5"))


@pytest.mark.parametrize("name", NAMES)
def test_on_numpy(name: str, tmp_path: Path) -> None:
    notes = check(FOLDER / f"{name}.h5", tmp_path)
    assert any(note.startswith("Keras 2.3 does not have ") for note in notes)


@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize("name", NAMES)
def test_on_tensorflow(name: str, tmp_path: Path) -> None:
    check(FOLDER / f"{name}.h5", tmp_path, ["tensorflow"])


@pytest.mark.needs("theano")
@pytest.mark.parametrize("name", NAMES)
def test_on_theano(name: str, tmp_path: Path) -> None:
    check(FOLDER / f"{name}.h5", tmp_path, ["theano"])


@pytest.mark.parametrize("name", ["field/unknown_configuration_keys/grouped.h5", "tf_keras/conv1d_groups.h5"])
def test_convolutions_in_groups_of_users(name: str, tmp_path: Path) -> None:
    notes = check(FIXTURES / name, tmp_path)
    assert any(re.match(r"Keras 2.3 does not have the option groups=\d of Conv.D \(conv", note) for note in notes)
