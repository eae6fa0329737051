"""Functions of `keras.models` that are methods of models in kconvert."""

from __future__ import annotations

from typing import Any


def save_model(model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
    """Writes a model into a file: see `Model.save`."""
    model.save(filepath, overwrite, include_optimizer)
