"""RemoteMonitor: sends the logs of each epoch to a server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import numpy as np

from ....errors import warn
from ....lazy_dataclasses import dataclass
from .base import Callback, Logs


@dataclass(eq=False)
class RemoteMonitor(Callback):
    """Sends the logs of each epoch to `root + path` by POST. Where the server cannot be reached, it warns.

    Source: `callbacks/callbacks.py` of Keras 2.3.1.
    """

    # The start of the address, and what follows it.
    root: str = "http://localhost:9000"
    path: str = "/publish/epoch/end/"
    # The name of the form field that has the logs as JSON.
    field: str = "data"
    # Headers of the request.
    headers: Mapping[str, str] | None = None
    # Whether the body is the JSON itself, without a form.
    send_as_json: bool = False

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        values: dict[str, Any] = {"epoch": epoch}
        values.update((name, np.asarray(value).tolist()) for name, value in (logs or {}).items())
        body, kind = json.dumps(values), "application/json"
        if not self.send_as_json:
            body, kind = urlencode({self.field: body}), "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind, **(self.headers or {})}
        try:
            with urlopen(Request(self.root + self.path, body.encode(), headers)):
                pass
        except (URLError, OSError, ValueError) as error:
            warn(f"RemoteMonitor cannot reach {self.root} ({error})", RuntimeWarning)
