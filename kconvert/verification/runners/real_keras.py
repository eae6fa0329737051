"""RealKeras: runs a file in the real Keras that saved it, or in a later one that reads it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...conventions.words.files import holds_code, mappings, stated_data_formats
from ...conversion.opening import open_source
from ...conversion.passes.relayout import image_data_format
from ...conversion.source import Source
from ...errors import KconvertError, Problem
from ...formats.architectures import architecture_json
from ...layers import InputLayer
from ...network.architecture import model_config
from ...network.network import Network
from .base import Job
from .process import Process

_WORKER = Path(__file__).parent / "foreign" / "keras_worker.py"
_THEANO_FLAGS = "floatX=float32,device=cpu"
_SET_BY_TENSORFLOW = "TF2_BEHAVIOR"  # set when TensorFlow 2 is imported here; TensorFlow 1 must not inherit it


class RealKeras(Process):
    """Runs jobs in a real Keras on `backend`, in a process of the interpreter `python`.

    Files are read by that Keras itself. Those with a Lambda are refused, as Keras would run the code in them.
    """

    def __init__(
        self, backend: str, python: str = sys.executable, timeout: float | None = None, package: str = "keras"
    ) -> None:
        super().__init__(python, timeout)
        self.backend = backend
        self.package = package  # 'keras' or 'tf_keras'

    def _side(self, job: Job) -> str:
        return f"{self.package} on {super()._side(job)}"

    def _command(self) -> list[str]:
        return [self.python, str(_WORKER), self.package]

    def _environment(self) -> Mapping[str, str]:
        users = os.environ.get("THEANO_FLAGS", "")
        inherited = {name: value for name, value in os.environ.items() if name != _SET_BY_TENSORFLOW}
        return {
            "TF_CPP_MIN_LOG_LEVEL": "2",
            **inherited,
            "KERAS_BACKEND": self.backend,
            "THEANO_FLAGS": f"{_THEANO_FLAGS},{users}".rstrip(","),
        }

    def unsuited(self, job: Job) -> str:
        """Why a job is not given to a real Keras; '' where it is."""
        unrun = next(iter(job.given), None)
        if unrun is not None:
            return f"layer {unrun} cannot run here, and its outputs cannot be given to a real Keras"
        own = next((layer for _, layer in job.model.leaves() if layer.is_custom), None)
        if own is not None:
            return f"layer {own.name} is of your own class {own.class_name}, which a real Keras does not know"
        if holds_code(_architectures(job)[1]):
            return "the file has a Lambda, and a real Keras would run its code"
        return ""

    def _described(self, job: Job, folder: Path) -> dict[str, Any]:
        """The job as JSON values; an architecture that is not in the weight file is in a file of its own."""
        if why := self.unsuited(job):
            raise KconvertError(why, job.path, "run this side without a real Keras", Problem.UNVERIFIED)
        inside, config = _architectures(job)
        arch = folder / "arch.json"
        arch.write_text(json.dumps(config), encoding="utf-8")
        return {
            "arch": None if config is inside else str(arch),
            "data_format": image_data_format(job.model),
            "names": [name for name, layer in job.model.by_name.items() if not isinstance(layer, InputLayer)],
            "unnamed_sequentials": any(map(_is_unnamed_sequential, mappings(config))),
        }


def _architectures(job: Job) -> tuple[Mapping[str, Any] | None, Mapping[str, Any]]:
    """The architecture in the file, and the one that the file is run with."""
    with open_source(Source(job.path, arch=job.arch)) as checkpoint:
        inside, version = checkpoint.model_config, checkpoint.keras_version
    config = inside if job.arch is None else architecture_json(job.arch)
    if config is None or _in_other_format(config, job.model):
        version = version or job.convention.generation.last_release
        config = model_config(job.model, job.convention.generation_name, version, job.convention.backend)
    return inside, config


def _in_other_format(config: Mapping[str, Any], model: Network) -> bool:
    """Whether an architecture that was made elsewhere states another data format than the weights have."""
    ours, theirs = image_data_format(model), set(stated_data_formats(config))
    return ours is not None and len(theirs) == 1 and ours not in theirs


def _is_unnamed_sequential(item: Mapping[str, Any]) -> bool:
    """Whether it is a Sequential of Keras before 2.2.3: a list of layers without a name."""
    return item.get("class_name") == "Sequential" and isinstance(item.get("config"), list)
