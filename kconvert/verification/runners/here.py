"""Here: runs a model in this process."""

from __future__ import annotations

import io
import logging
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...backend import Backend, get_backend, probe
from ...conventions.generations import Convention
from ...conversion.binding import arrays_for
from ...conversion.opening import open_source
from ...conversion.source import Source
from ...errors import KconvertError, Problem
from ...layers.custom import CustomObjects
from ...layers.registry import load_module
from ...network.nested import Arrays, walk
from ...network.network import Network
from ...network.outputs import Activations
from ..tensors import Tensor
from .base import Job, Runner, RunResult, save

log = logging.getLogger(__name__)


class _Identified(pickle.Pickler):
    """Pickles the user's functions and classes by their identity: they may be in no module."""

    def persistent_id(self, value: Any) -> Any:
        users = isinstance(value, CustomObjects) or (isinstance(value, type) and getattr(value, "is_custom", False))
        return id(value) if users else None


def _identity(model: Network) -> bytes:
    """A value that is equal for models that compute the same function of their weights."""
    stream = io.BytesIO()
    _Identified(stream).dump(model)
    return stream.getvalue()


KEPT = 16  # compiled functions that are kept


class Here(Runner):
    """Runs jobs in this process. A compiled function is used again for other weights of the same architecture."""

    def __init__(self) -> None:
        self._compiled: dict[Any, Activations] = {}

    def run(
        self, job: Job, inputs: Sequence[np.ndarray], out: Path, overrides: Mapping[str, Tensor] | None = None
    ) -> RunResult:
        for module in job.custom:
            load_module(module)
        backend, emulates, lacking = _backend(job)
        with open_source(Source(job.path, arch=job.arch)) as checkpoint:
            checkpoint = replace(checkpoint, partial=job.partial)
            arrays = arrays_for(job.model, checkpoint, job.convention, Convention("keras2", backend.convention))
        replaced = {name: np.asarray(tensor) for name, tensor in (overrides or {}).items()}
        try:
            tensors = self._activations(job, backend, arrays, replaced)(arrays, inputs, replaced, job.given)
        except KconvertError as error:
            raise KconvertError(error.what, error.where, error.fix, Problem.UNVERIFIED).within(job.path) from error
        except Exception as error:  # whatever a framework raises
            message = (str(error) or type(error).__name__).splitlines()[0]
            what = f"{backend.name} {backend.version()} cannot run it ({message})"
            raise KconvertError(what, job.path, problem=Problem.UNVERIFIED) from error
        return RunResult(save(tensors, out), backend.name, backend.version(), emulates, lacking)

    def close(self) -> None:
        self._compiled.clear()

    def _activations(
        self, job: Job, backend: Backend, arrays: Arrays, overrides: Mapping[str, np.ndarray]
    ) -> Activations:
        """The compiled function: one of the last that were used, or a new one."""
        weights = tuple((path, array.shape) for path, array in walk(arrays))
        replaced = tuple((name, x.shape[1:], str(x.dtype)) for name, x in overrides.items())
        given = tuple((name, *(x.shape[1:] for x in outputs)) for name, outputs in job.given.items())
        key = _identity(job.model), backend.name, backend.convention, weights, replaced, given
        found = self._compiled.pop(key, None)
        if found is None:
            log.info("running %s on %s %s (compiling)", Path(job.path).name, backend.name, backend.version())
            found = Activations(job.model, backend, arrays, overrides, job.given)
        self._compiled = {**dict(list(self._compiled.items())[1 - KEPT :]), key: found}
        return found


def _backend(job: Job) -> tuple[Backend, str | None, str]:
    """The backend; or NumPy, the backend that it emulates, and why that cannot run."""
    try:
        return get_backend(job.run_on), None, ""
    except KconvertError as error:
        if job.required:
            raise
        lacking = probe()[job.run_on].missing or error.what
    return get_backend("numpy", job.run_on), job.run_on, lacking
