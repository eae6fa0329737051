"""Functions of `keras.models` that are methods of models in kconvert, or have other arguments there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...conversion.source import Source
from ...errors import KconvertError, Problem, warn
from ...formats.hdf5.handles import path_to_read
from ...models.loading import model_of
from ...models.model import Model


def load_model(filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True) -> Model:
    """The model in a file that any release of Keras saved, on the default backend: see `kconvert.load_model`.

    filepath: the file; also an open `h5py.File`, or a stream of bytes.
    custom_objects: your functions and classes of layers, by their names in the file.
    compile: whether to compile the model as the file states, with the state of the optimizer.
    Raises KconvertError where a function or a class of the user is missing; `kconvert.load_model` takes such files.
    """
    with path_to_read(filepath) as place:
        model = model_of(Source(place), compile=compile, custom_objects=custom_objects)
    for layer in model.layers:
        if layer.cannot_run is not None:
            raise layer.cannot_run
    training = model.conversion.training if model.conversion else None
    if compile and not training:
        warn("the file does not say how the model was compiled, so it is not compiled")
    if compile and training and training.get("optimizer_config") and not model.is_compiled:
        what = "the model cannot be compiled as the file states it: the reason is in the warning above"
        fix = "give your functions and classes as custom_objects, or load it with compile=False"
        raise KconvertError(what, str(filepath), fix, Problem.USAGE)
    return model


def save_model(model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
    """Writes a model into a file: see `Model.save`."""
    model.save(filepath, overwrite, include_optimizer)
