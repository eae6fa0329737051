"""RealKeras: a file run in the very Keras that saved it, or in a later one that should read it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...conventions.generations import GENERATIONS
from ...conventions.words.files import architecture_json
from ...conversion.passes.relayout import image_data_format
from ...errors import KconvertError, Problem
from ...formats import hdf5
from ...layers import InputLayer
from ...network.architecture import model_config
from .base import Job
from .process import Process

_WORKER = Path(__file__).parent / "foreign" / "keras_worker.py"
_THEANO_FLAGS = "floatX=float32,device=cpu"
_SET_BY_TENSORFLOW = "TF2_BEHAVIOR"  # when it is imported here; TensorFlow 1 would obey it


class RealKeras(Process):
    """Runs jobs in a real Keras on `backend`, in a process of the interpreter `python`.

    package: 'keras', or 'tf_keras'. Files are read by that Keras itself; those with a Lambda are refused, as it would
    run the code that they hold.
    """

    def __init__(
        self, backend: str, python: str = sys.executable, timeout: float | None = None, package: str = "keras"
    ) -> None:
        super().__init__(python, timeout)
        self.backend, self.package = backend, package

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

    def _described(self, job: Job, folder: Path) -> dict[str, Any]:
        """The job as JSON values; an architecture that is not in the file stands in one of its own."""
        with hdf5.read(job.path) as checkpoint:
            inside, version = checkpoint.model_config, checkpoint.keras_version
        config = inside
        if job.arch is not None:
            config = architecture_json(job.arch)
        elif inside is None:
            form = job.convention.format
            release = version or GENERATIONS[form].last_release
            config = model_config(job.model, form, release, job.convention.backend)
        if any(map(_holds_code, _mappings(config))):
            what = "the file has a Lambda, whose code a real Keras would run"
            raise KconvertError(what, job.path, "run this side without a real Keras", Problem.UNVERIFIED)
        arch = folder / "arch.json"
        arch.write_text(json.dumps(config), encoding="utf-8")
        return {
            "arch": None if config is inside else str(arch),
            "data_format": image_data_format(job.model),
            "names": [name for name, layer in job.model.by_name.items() if not isinstance(layer, InputLayer)],
            "nameless_chains": any(map(_is_nameless_chain, _mappings(config))),
        }


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every mapping in JSON values, at any depth."""
    if isinstance(value, Mapping):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _mappings(item)


def _holds_code(item: Mapping[str, Any]) -> bool:
    """Whether Keras would load Python code from it: that of a Lambda, or of another function stored as one."""
    functions = (value == "lambda" for key, value in item.items() if key.endswith("_type"))
    return item.get("class_name") in ("Lambda", "__lambda__") or any(functions)


def _is_nameless_chain(item: Mapping[str, Any]) -> bool:
    """Whether it is a Sequential of Keras before 2.2.3, a mere list of layers."""
    return item.get("class_name") == "Sequential" and isinstance(item.get("config"), list)
