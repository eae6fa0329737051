"""Functions of `keras.models` that are methods of models in kconvert, or have other arguments there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...conversion.source import Source
from ...formats.hdf5.handles import path_to_read
from ...models.loading import model_of
from ...models.model import Model


def load_model(filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True) -> Model:
    """The model in a file that any release of Keras saved, on the default backend: see `kconvert.load_model`.

    filepath: the file; also an open `h5py.File`, or a stream of bytes.
    custom_objects: your functions and classes of layers, by their names in the file.
    compile: whether to compile the model as the file states, with the state of the optimizer.
    """
    with path_to_read(filepath) as place:
        return model_of(Source(place), compile=compile, custom_objects=custom_objects)


def save_model(model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
    """Writes a model into a file: see `Model.save`."""
    model.save(filepath, overwrite, include_optimizer)
