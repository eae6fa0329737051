"""A model to convert."""

import shutil
from pathlib import Path

import pytest

from tests.cli.commands import LENET


@pytest.fixture
def model(tmp_path):
    """LeNet of Keras 1.2.2 on Theano, alone in a directory."""
    return Path(shutil.copy(LENET / "model.h5", tmp_path / "model.h5"))
