"""The progress of a training as Keras 1.2.2 prints it: `Progbar`, and the callbacks that draw it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import Any

from ...models.training.callbacks import Callback
from ...models.training.callbacks.base import Logs
from ...models.training.callbacks.progress import bar_of, means_of


class Progbar:
    """Shows how much of a loop is done, and the means of values so far.

    target: the number of samples. width: of the bar in characters. verbose: 0 silent, 1 a bar, 2 one line at the end.
    interval: the seconds between two updates of the bar.
    """

    def __init__(self, target: int, width: int = 30, verbose: int = 1, interval: float = 0.05) -> None:
        self.target, self.width, self.verbose, self.interval = target, width, verbose, interval
        self.seen_so_far = 0
        # For each value its sum over the samples, and the number of samples.
        self.sum_values: dict[str, list[Any]] = {}
        self.start, self.last_update, self.total_width = time.time(), 0.0, 0

    def update(self, current: int, values: Iterable[tuple[str, Any]] | None = None, force: bool = False) -> None:
        """States that `current` samples are done.

        values: (name, value) of the samples since the last update. force: whether the bar is drawn in any case.
        """
        for name, value in values or ():
            total, count = self.sum_values.get(name, (0, 0))
            new = current - self.seen_so_far
            self.sum_values[name] = [total + value * new, count + new]
        self.seen_so_far = current
        now, ended = time.time(), current >= self.target
        if self.verbose == 1 and not force and now - self.last_update < self.interval:
            return
        if self.verbose == 1:
            bar = bar_of(self.seen_so_far, self.target, self.width)
            self._draw(f"{bar} - {self._time(now - self.start)}{means_of(self.sum_values)}")
            sys.stdout.write("\n" if ended else "")
        elif self.verbose == 2 and ended:
            print(f"{int(now - self.start)}s{means_of(self.sum_values)}")
        sys.stdout.flush()
        self.last_update = now

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """States that `n` more samples are done."""
        self.update(self.seen_so_far + n, values)

    def _draw(self, line: str) -> None:
        """Replaces the line that was drawn last."""
        sys.stdout.write("\b" * self.total_width + "\r" + line.ljust(self.total_width))
        self.total_width = len(line)

    def _time(self, seconds: float) -> str:
        left = self.target - self.seen_so_far
        return f"ETA: {int(seconds / max(1, self.seen_so_far) * left)}s" if left > 0 else f"{int(seconds)}s"


class ProgbarLogger(Callback):
    """Shows the progress of each epoch by a `Progbar`."""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        params = self.params or {}
        self.verbose, self.nb_epoch, self.names = params["verbose"], params["nb_epoch"], params["metrics"]

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.seen, self.target = 0, (self.params or {})["nb_sample"]
        if self.verbose:
            print(f"Epoch {epoch + 1}/{self.nb_epoch}")
            self.progbar = Progbar(self.target, verbose=self.verbose)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        if self.seen < self.target:
            self.log_values: list[tuple[str, Any]] = []

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        self.seen += logs.get("size", 0)
        self.log_values += [(name, logs[name]) for name in self.names if name in logs]
        if self.verbose and self.seen < self.target:
            self.progbar.update(self.seen, self.log_values)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        self.log_values += [(name, logs[name]) for name in self.names if name in logs]
        if self.verbose:
            self.progbar.update(self.seen, self.log_values, force=True)


class TestBar(Callback):
    """Shows the progress of `evaluate` and `predict`. samples: their number."""

    def __init__(self, samples: int) -> None:
        self.progbar = Progbar(samples)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.progbar.add((logs or {})["size"])

    on_predict_batch_end = on_test_batch_end
