"""A directory of models to convert."""

import shutil

import pytest

from tests.cli.commands import LENET, LSTM


@pytest.fixture
def models(tmp_path):
    """LeNet and an LSTM, each in a folder of its own."""
    for name, folder in (("images/lenet", LENET), ("lstm", LSTM)):
        path = tmp_path / "models" / f"{name}.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "model.h5", path)
    return tmp_path / "models"
