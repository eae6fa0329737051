"""load_model: a weight file as a model that runs on a backend, converted while it loads."""

from __future__ import annotations

from os import PathLike

from . import hdf5
from .backend import get_backend
from .binding import arrays_for, source_convention
from .conventions import Convention
from .conversion import architecture, stated_release
from .model import Model


def load_model(
    path: str | PathLike[str],
    backend: str = "tensorflow",
    source: str | None = None,
    arch: str | PathLike[str] | None = None,
    source_data_format: str | None = None,
    convention: str | None = None,
) -> Model:
    """The model in HDF5 file `path`, ready to predict on `backend` ('theano', 'tensorflow' or 'numpy').

    Weights saved under another backend are converted while they load; the data format of the model
    stays, so it takes the inputs it always took. source: the backend that saved the file, where it does
    not tell. arch: architecture JSON for files of weights alone. convention: whose part 'numpy' takes.
    Raises KconvertError where the file cannot be read, or the framework is not installed.
    """
    with hdf5.read(path) as checkpoint:
        origin, _ = source_convention(checkpoint, source, release=stated_release(arch))
        model = architecture(checkpoint, arch, source_data_format, origin.backend)
        runner = get_backend(backend, convention)
        arrays = arrays_for(model, checkpoint, origin, Convention("keras2", runner.convention))
        return model.bind(runner, arrays)
