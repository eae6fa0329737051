"""BaseLogger. `fit` of kconvert does not need it, because it averages its logs itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...models.training.callbacks import Callback
from ...models.training.callbacks.base import Logs


class BaseLogger(Callback):
    """Puts the means of the losses and metrics over the samples of an epoch into its logs.

    stateful_metrics: the names of those that are logged as they are after the last batch.
    """

    def __init__(self, stateful_metrics: Iterable[str] | None = None) -> None:
        self.stateful_metrics = set(stateful_metrics or ())
        self.seen = 0
        self.totals: dict[str, Any] = {}

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.seen, self.totals = 0, {}

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        size = logs.get("size", 0)
        self.seen += size
        for name, value in logs.items():
            before = self.totals.get(name, 0)
            self.totals[name] = value if name in self.stateful_metrics else before + value * size

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        for name in (self.params or {}).get("metrics") or ():
            if logs is not None and name in self.totals:
                whole = name in self.stateful_metrics
                logs[name] = self.totals[name] if whole else self.totals[name] / self.seen
