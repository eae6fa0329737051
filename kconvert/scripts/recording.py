"""Records the losses of every `fit` and `train_on_batch` of a script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np

from ..conventions.words.values import parse_json
from ..formats.atomic import write_text
from ..lazy_dataclasses import dataclass
from ..models.model import Model
from .random_layers import random_layers
from .shortening import replaced


@dataclass
class History:
    """The logs of a run, in order: one mapping of names to values for each epoch and each batch of `train_on_batch`."""

    backend: str
    logs: list[dict[str, float]] = field(default_factory=list)
    # What each of the logs is of: "fit 1, epoch 2".
    places: list[str] = field(default_factory=list)
    # The classes of layers that drew random numbers.
    random: list[str] = field(default_factory=list)
    fits: int = 0
    batches: int = 0

    def add(self, place: str, values: dict[str, Any]) -> None:
        self.places.append(place)
        self.logs.append({name: float(np.mean(value)) for name, value in values.items()})

    def to_json(self) -> dict[str, Any]:
        logs = [{"place": place, **log} for place, log in zip(self.places, self.logs, strict=True)]
        return {"backend": self.backend, "logs": logs, "random": sorted(set(self.random))}

    def write(self, path: str) -> None:
        """Writes the history as a JSON file."""
        write_text(Path(path), json.dumps(self.to_json(), indent=1))

    @classmethod
    def read(cls, path: str) -> History:
        """The history in a JSON file that `write` wrote."""
        stated = parse_json(Path(path).read_bytes())
        places = [log.pop("place") for log in stated["logs"]]
        return cls(stated["backend"], stated["logs"], places, stated["random"])


@contextmanager
def recorded(history: History) -> Iterator[None]:
    """In the block, `fit` and `train_on_batch` add what they give to `history`."""
    with (
        replaced(Model, "fit", _recording_fit(Model.fit, history)),
        replaced(Model, "train_on_batch", _recording_batch(Model.train_on_batch, history)),
    ):
        yield


def _recording_fit(method: Any, history: History) -> Any:
    @wraps(method)
    def fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = method(self, *args, **kwargs)
        history.fits += 1
        for i, epoch in enumerate(result.epoch):
            values = {name: series[i] for name, series in result.history.items() if i < len(series)}
            history.add(f"fit {history.fits}, epoch {epoch + 1}", values)
        history.random += [layer.class_name for layer in random_layers(self)]
        return result

    return fit


def _recording_batch(method: Any, history: History) -> Any:
    @wraps(method)
    def train_on_batch(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = method(self, *args, **kwargs)
        history.batches += 1
        values = np.ravel(np.asarray(result, float))
        history.add(f"batch {history.batches}", dict(zip(self.metrics_names, values, strict=False)))
        history.random += [layer.class_name for layer in random_layers(self)]
        return result

    return train_on_batch
