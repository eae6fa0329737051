"""load_model: a weight file as a model that runs on a backend, converted while it loads."""

from __future__ import annotations

import logging
from os import PathLike

from ..backend import default_backend, get_backend
from ..conventions.generations import Convention
from ..conversion.binding import arrays_for
from ..conversion.optimizer_state import StateDropped
from ..conversion.reading import read_network
from ..conversion.source import Source, decide
from ..errors import KconvertError
from ..formats import hdf5
from ..formats.checkpoint import Checkpoint
from .model import Model
from .restoring import restore_optimizer
from .sequential import as_model
from .store import run_convention

log = logging.getLogger(__name__)


def load_model(
    path: str | PathLike[str],
    backend: str | None = None,
    source: str | None = None,
    arch: str | PathLike[str] | None = None,
    source_data_format: str | None = None,
    convention: str | None = None,
    compile: bool = True,
) -> Model:
    """The model in HDF5 file `path`, ready to predict on `backend` ('theano', 'tensorflow' or 'numpy').

    A file that states how it was trained gives a model that continues training where it stopped: with its optimizer's
    state, converted as the weights are. compile: whether to read that. backend: the default one if None.

    Weights saved under another backend are converted while they load; the data format of the model
    stays, so it takes the same inputs. source: the backend that saved the file, where it does not tell.
    arch: architecture JSON for files of weights alone. convention: the backend that 'numpy' emulates.
    Raises KconvertError where the file cannot be read, or the framework is not installed.
    """
    with hdf5.read(path) as checkpoint:
        said = Source(path, source, source_data_format, arch)
        found = decide(checkpoint, said)
        origin = found.convention
        model = as_model(read_network(checkpoint, said, found).model)
        runner = get_backend(backend or default_backend(), convention)
        model.bind(runner, arrays_for(model, checkpoint, origin, run_convention(runner)))
        if compile:
            _restore(model, checkpoint, origin)
        return model


def _restore(model: Model, checkpoint: Checkpoint, origin: Convention) -> None:
    """Compiles the model as the file says; what cannot be taken is said once, and left to `compile`."""
    said = checkpoint.training_config
    if not said or not said.get("optimizer_config"):
        return
    try:
        model.compile(
            said["optimizer_config"],
            said.get("loss"),
            metrics=said.get("metrics"),
            loss_weights=said.get("loss_weights"),
            sample_weight_mode=said.get("sample_weight_mode"),
            weighted_metrics=said.get("weighted_metrics"),
        )
        if checkpoint.optimizer:
            restore_optimizer(model.trainer, checkpoint, origin)
    except StateDropped as why:
        log.warning("%s: the optimizer starts anew: %s", checkpoint.path, why)
    except KconvertError as error:
        log.warning("%s: the model is not compiled: %s", checkpoint.path, error)
