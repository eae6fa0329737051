"""The worker process of `Process`: runs jobs with kconvert, one after the other."""

from __future__ import annotations

import base64
import pickle
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ...arguments import named_by
from ...conventions.generations import Convention
from ...errors import KconvertError
from ...layers.registry import load_module
from ...network.network import Network
from .base import Job
from .foreign.serving import serve
from .here import KEPT, Here


def main() -> None:
    """Serves requests on standard input until it ends."""
    here = Here()

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        try:
            inputs = [np.load(path) for path in request["inputs"]]
            overrides = {name: np.load(path) for name, path in request["overrides"].items()}
            given = {name: [np.load(path) for path in paths] for name, paths in request["given"].items()}
            with named_by(pickle.loads(base64.b64decode(request["naming"]))):
                result = here.run(replace(_job(request), given=given), inputs, Path(request["out"]), overrides)
        except KconvertError as error:
            return {"error": [error.what, error.where, error.fix, error.problem]}
        tensors = {name: str(path) for name, path in result.tensors.items()}
        return {"result": [tensors, result.ran_on, result.version, result.emulates, result.lacking]}

    serve(lambda: answer)


def _job(request: dict[str, Any]) -> Job:
    """The job of a request. Modules of custom layers are imported before the model, which may need them."""
    for module in request["custom"]:
        load_module(module)
    convention = Convention(*request["convention"])
    said = {key: request[key] for key in ("path", "run_on", "required", "arch", "partial")}
    return Job(model=_model(request["model"]), convention=convention, **said)


@lru_cache(KEPT)
def _model(path: str) -> Network:
    """The model in a file of the parent; the same object for the same file, so that `Here` recognises it."""
    return pickle.loads(Path(path).read_bytes())
