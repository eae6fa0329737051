"""The worker process of a batch on this machine: runs its tasks, one after the other."""

from __future__ import annotations

import base64
import pickle
from typing import Any

from ..verification.runners.foreign.serving import serve
from .work import run


def main() -> None:
    """Serves requests on standard input until it ends."""
    serve(lambda: lambda request: _answer(request))


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    done = run(pickle.loads(base64.b64decode(request["task"])))
    return {**done.to_json(), "key": done.key}
