"""load_model: makes a model from a weight file, converted to the backend that the model runs on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from typing import Any

from ..backend import default_backend, get_backend
from ..conversion.opening import open_source
from ..conversion.planning import Plan
from ..conversion.reading import read_source
from ..conversion.running import plan_to_run, run_arrays
from ..conversion.source import Source
from ..errors import KconvertError
from ..formats.checkpoint import Checkpoint
from ..formats.hdf5.handles import path_to_read
from ..layers.registry import with_custom_objects
from ..network.input_shapes import InputShape
from .model import Model
from .restoring import restore_optimizer, warn
from .sequential import as_model
from .store import run_convention

log = logging.getLogger(__name__)


def load_model(
    path: Any,
    backend: str | None = None,
    source: str | None = None,
    arch: str | PathLike[str] | None = None,
    source_data_format: str | None = None,
    source_release: str | None = None,
    convention: str | None = None,
    compile: bool = True,
    custom_objects: Mapping[str, Any] | None = None,
    input_shape: InputShape | None = None,
) -> Model:
    """The model in the HDF5 file `path`, which runs on `backend`. It may be an open `h5py.File`, or a stream of bytes.

    The file is converted to that backend as `convert` does it, so the model computes what it computed on the backend
    that saved it, and a model trained on one backend continues on the other: layers that the two backends compute
    differently are rewritten, and weights and the state of the optimizer are converted. The data format of the model
    stays, so it takes the same inputs. `model.conversion` says what was done; its notes are also logged as warnings.

    backend: 'theano', 'tensorflow' or 'numpy'; None for the default backend.
    source: the backend that saved the file, for files that do not state it.
    arch: the file with the architecture, for files of weights alone: JSON, YAML or a whole model.
    source_data_format: 'channels_first' or 'channels_last': that of the weights, where layers do not state it or `arch`
    was made on another backend.
    source_release: the release that saved the file, for files that do not state it.
    convention: the backend that 'numpy' emulates.
    compile: whether to compile the model as the file states, with the state of the optimizer.
    custom_objects: your functions and classes of layers, by their names in the file, as in Keras; a Lambda that is
    stored as code finds its function under the name of the layer.
    input_shape: the shape of the input without the batch axis, or a dict of them by the names of inputs, for networks
    that leave sizes free; the model takes inputs of this shape only.
    Raises KconvertError where the file cannot be read or converted, or the framework is not installed.
    """
    with path_to_read(path) as place:
        said = Source(place, source, source_data_format, arch, release=source_release, input_shape=input_shape)
        with with_custom_objects(custom_objects), open_source(said) as checkpoint:
            checkpoint = checkpoint if compile else replace(checkpoint, optimizer=())
            found = read_source(checkpoint, said)
            runner = get_backend(backend or default_backend(), convention)
            plan = plan_to_run(checkpoint, found.origin, found.network, run_convention(runner))
            warn(plan, checkpoint)
            model = as_model(plan.result.model)
            model.bind(runner, run_arrays(plan))
            checkpoint.check_source()
            model.conversion, model.described = plan, found.network
            if compile:
                _restore(model, checkpoint, plan)
            return model


def _restore(model: Model, checkpoint: Checkpoint, plan: Plan) -> None:
    """Compiles the model as the file states. Where that is not possible, a warning gives the reason."""
    config = plan.training
    if not config or not config.get("optimizer_config"):
        return
    try:
        model.compile(
            config["optimizer_config"],
            config.get("loss"),
            metrics=config.get("metrics"),
            loss_weights=config.get("loss_weights"),
            sample_weight_mode=config.get("sample_weight_mode"),
            weighted_metrics=config.get("weighted_metrics"),
        )
        restore_optimizer(model.trainer, plan)
    except KconvertError as error:
        log.warning("%s: the model is not compiled: %s", checkpoint.path, error)
