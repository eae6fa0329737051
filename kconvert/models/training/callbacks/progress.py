"""The progress of the training: a bar in a terminal, one line per epoch elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from .base import Callback, Logs

REFRESH = 0.1  # seconds between two updates of the bar


class ProgressBar(Callback):
    """Shows steps, time, and so far the mean of each loss and the metrics.

    With `verbose=2` it shows one line per epoch in a terminal too.
    """

    bar: Progress | None = None

    def __init__(self) -> None:
        self.console = Console(highlight=False, markup=False, emoji=False)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        params = self.params or {}
        self.start = self.shown = time.monotonic()
        self.steps = self.samples = 0
        self.sums: dict[str, float] = {}
        self.title = f"Epoch {epoch + 1}/{params.get('epochs', '?')}"
        if self.console.is_terminal and params.get("verbose", 1) == 1:
            times = (TimeElapsedColumn(), TimeRemainingColumn())
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), *times)
            self.bar = Progress(
                *columns, TextColumn("{task.fields[values]}"), console=self.console, transient=True, auto_refresh=False
            )
            self.bar.start()
            self.task = self.bar.add_task(self.title, total=_batches(params), values="")

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self.bar is None:
            return
        logs = dict(logs or {})
        size = logs.pop("size", 1)
        logs.pop("batch", None)
        self.steps, self.samples = self.steps + 1, self.samples + size
        losses = {name: value for name, value in logs.items() if name == "loss" or name.endswith("_loss")}
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + size * float(value)
        if time.monotonic() - self.shown >= REFRESH:
            self.shown = time.monotonic()
            means = {name: total / self.samples for name, total in self.sums.items()}
            self.bar.update(self.task, completed=self.steps, values=_line({**logs, **means}), refresh=True)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._stop()
        took = time.monotonic() - self.start
        self.console.print(f"{self.title}: {took:.1f} s - {_line(logs or {})}", soft_wrap=True)

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._stop()

    def _stop(self) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None


def _batches(params: Mapping[str, Any]) -> int | None:
    """The number of batches of an epoch; None where it is not known."""
    samples, size = params.get("samples"), params.get("batch_size")
    return params.get("steps") or (math.ceil(samples / size) if samples and size else None)


def _line(values: dict[str, Any]) -> str:
    """`loss: 0.1234 - accuracy: 0.9500`."""
    return " - ".join(f"{name}: {_number(value)}" for name, value in values.items())


def _number(value: Any) -> str:
    """A number with four decimals, a small one with an exponent; an array in brackets."""
    if np.ndim(value):
        return f"[{', '.join(map(_number, value))}]"
    return f"{value:.4f}" if value == 0 or abs(value) > 1e-3 else f"{value:.4e}"
