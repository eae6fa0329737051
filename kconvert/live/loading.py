"""load_model: a model of kconvert, or with `runner` a live model of Keras 3 or tf_keras, from any file."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from ..conventions.words.files import holds_code
from ..conversion.files import convert_file
from ..conversion.opening import open_source
from ..conversion.source import Source
from ..conversion.target import KEEP, NATIVE, Wanted
from ..errors import KconvertError, Problem
from ..formats.atomic import scratch
from ..formats.endings import default_form
from ..formats.hdf5.handles import path_to_read
from ..models.loading import model_of
from ..network.input_shapes import InputShape
from .libraries import BACKEND, imported

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
    runner: str | None = None,
    data_format: str | None = None,
) -> Any:
    """The model in the weight file `path`, which runs on `backend`, or is one of the library `runner`.

    The file is converted to that backend as `convert` does it, so the model computes what it computed on the backend
    that saved it, and a model trained on one backend continues on the other: layers that the two backends compute
    differently are rewritten, and weights and the state of the optimizer are converted. The data format of the model
    stays, so it takes the same inputs. `model.conversion` says what was done; its notes are also logged as warnings.

    path: the file; also an open `h5py.File`, or a stream of bytes.
    backend: 'theano', 'tensorflow' or 'numpy'; None for the default backend.
    source: the backend that saved the file, for files that do not state it.
    arch: the file with the architecture, for files of weights alone: JSON, YAML or a whole model.
    source_data_format: 'channels_first' or 'channels_last': that of the weights, where layers do not state it or `arch`
    was made on another backend.
    source_release: the release that saved the file, for files that do not state it.
    convention: the backend that 'numpy' emulates.
    compile: whether to compile the model as the file states, with the state of the optimizer.
    custom_objects: your functions and classes of layers, by their names in the file, as in Keras; a Lambda that is
    stored as code finds its function under the name of the layer. With `runner`, they are given to that library.
    input_shape: the shape of the input without the batch axis, or a dict of them by the names of inputs, for networks
    that leave sizes free; the model takes inputs of this shape only.
    runner: 'keras' for a live model of Keras 3, 'tf_keras' for one of tf_keras, as that library loads it from what
    `convert` writes. It has no `conversion`, and it is in channels_last.
    data_format: with `runner`, 'channels_first', 'channels_last' or 'keep' for that of the file.
    Raises KconvertError where the file cannot be read or converted, or the framework is not installed.
    """
    if runner is None and data_format not in (None, KEEP):
        what = "a model of kconvert keeps the data format of its file"
        raise KconvertError(what, str(path), "leave data_format out, or name a runner", Problem.USAGE)
    if runner is not None and (backend is not None or convention is not None):
        what = f"a model of {runner} runs on the backend of {runner}"
        raise KconvertError(what, str(path), "leave backend and convention out", Problem.USAGE)
    with path_to_read(path) as place:
        file = Source(place, source, source_data_format, arch, release=source_release, input_shape=input_shape)
        if runner is None:
            return model_of(file, backend, convention, compile, custom_objects)
        return live_model(file, runner, data_format or NATIVE, compile, custom_objects)


def live_model(
    source: Source, runner: str, data_format: str = NATIVE, compile: bool = True, custom_objects: Any = None
) -> Any:
    """The live model of a library from a file: what it loads from a temporary file of its own generation.

    Raises KconvertError, also for a file with code, which the library would run.
    """
    library = imported(runner)
    form, _ = default_form(library.format)
    with open_source(source) as checkpoint:
        if checkpoint.model_config is None and source.arch is None:
            raise KconvertError(
                "the file holds weights alone",
                str(source.path),
                "give its architecture as arch, or build the model and give it to kconvert.load_weights",
                Problem.USAGE,
            )
    with scratch() as folder:
        out = Path(folder, f"model{form.endings[0]}")
        wanted = Wanted(BACKEND, library.format, data_format)
        done = convert_file(source, wanted.target(out), out)
        for note in done.plan.notes:
            log.warning("%s: %s", source.path, note)
        with open_source(Source(out)) as written:
            if holds_code(written.model_config):
                what = f"the file holds Python code, which {runner} would run"
                raise KconvertError(what, str(source.path), "build the model without a Lambda", Problem.UNSUPPORTED)
        return library.module.models.load_model(out, custom_objects=custom_objects, compile=compile)
