"""Callbacks of Keras that `fit` of kconvert does without: it shows its progress and averages its logs itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...errors import KconvertError, Problem
from ...models.training.callbacks import Callback
from ...models.training.callbacks.base import Logs
from .progress import Progbar


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


class ProgbarLogger(Callback):
    """Shows the progress of each epoch by a `Progbar`.

    count_mode: what is counted, 'samples' or 'steps'. stateful_metrics: the names of values without a mean.
    """

    def __init__(self, count_mode: str = "samples", stateful_metrics: Iterable[str] | None = None) -> None:
        if count_mode not in ("samples", "steps"):
            fix = "'samples' or 'steps'"
            raise KconvertError(f"unknown count_mode {count_mode!r}", fix=fix, problem=Problem.USAGE)
        self.use_steps = count_mode == "steps"
        self.stateful_metrics = set(stateful_metrics or ())

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        params = self.params or {}
        if params.get("verbose", 1):
            print(f"Epoch {epoch + 1}/{params.get('epochs', '?')}")
        target = params.get("steps" if self.use_steps else "samples")
        self.seen = 0
        self.bar = Progbar(target, verbose=params.get("verbose", 1), stateful_metrics=self.stateful_metrics)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        self.seen += 1 if self.use_steps else logs.get("size", 0)
        self.values = self._shown(logs)
        if self.bar.target is None or self.seen < self.bar.target:
            self.bar.update(self.seen, self.values)
            self.values = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Shows the last batch, with the values of the epoch."""
        self.bar.update(self.seen, [*self.values, *self._shown(logs or {})], force=True)

    def _shown(self, logs: Logs) -> list[tuple[str, Any]]:
        return [(name, logs[name]) for name in (self.params or {}).get("metrics") or () if name in logs]
