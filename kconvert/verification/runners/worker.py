"""The process at the other end of `Process`: runs jobs with kconvert, one after the other."""

from __future__ import annotations

import pickle
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

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
            job = _job(request)
            given = {name: np.load(path) for name, path in request["given"].items()}
            ran = here.run(job, [np.load(path) for path in request["inputs"]], Path(request["out"]), given)
        except KconvertError as error:
            return {"error": [error.what, error.where, error.fix, error.problem]}
        tensors = {name: str(path) for name, path in ran.tensors.items()}
        return {"ran": [tensors, ran.ran_on, ran.version, ran.reference]}

    serve(lambda: answer)


def _job(request: dict[str, Any]) -> Job:
    """The job of a request. Modules of custom layers are imported before the model, which may need them."""
    for module in request["custom"]:
        load_module(module)
    convention = Convention(*request["convention"])
    return Job(request["path"], _model(request["model"]), convention, request["required"])


@lru_cache(KEPT)
def _model(path: str) -> Network:
    """The model in a file of the parent's; the same object for the same file, so that `Here` knows it again."""
    return pickle.loads(Path(path).read_bytes())
