"""Progbar: the progress of a loop in one line (`keras.utils.generic_utils`)."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import Any

import numpy as np


class Progbar:
    """Shows how much of a loop is done, how long the rest takes, and the means of values so far.

    target: the number of steps; None if unknown. width: of the bar in characters.
    verbose: 0 silent, 1 a bar, 2 one line at the end. interval: the seconds between two updates of the bar.
    stateful_metrics: the names of values that are shown as they are, without a mean.
    """

    def __init__(
        self,
        target: int | None,
        width: int = 30,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
    ) -> None:
        self.target, self.width, self.verbose, self.interval = target, width, verbose, interval
        self.stateful_metrics = set(stateful_metrics or ())
        self.seen_so_far = 0
        # For each value the sum over the steps and the number of steps, or the value as it is.
        self.sum_values: dict[str, Any] = {}
        self._start, self._shown, self._length = time.monotonic(), 0.0, 0

    def update(self, current: int, values: Iterable[tuple[str, Any]] | None = None, force: bool = False) -> None:
        """States that `current` steps are done.

        values: (name, value) of the steps since the last update. force: whether the line is drawn in any case.
        """
        for name, value in values or ():
            self._count(name, value, current - self.seen_so_far)
        self.seen_so_far = current
        now, last = time.monotonic(), self.target is not None and current >= self.target
        if self.verbose == 1 and (force or last or now - self._shown >= self.interval):
            self._draw(self._bar(now - self._start, last) + self._means(), last)
            self._shown = now
        elif self.verbose == 2 and (last or self.target is None):
            print(self._counter() + self._means())

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """States that `n` more steps are done."""
        self.update(self.seen_so_far + n, values)

    def _count(self, name: str, value: Any, steps: int) -> None:
        if name in self.stateful_metrics:
            self.sum_values[name] = value
        else:
            total, count = self.sum_values.get(name, (0.0, 0))
            self.sum_values[name] = (total + value * steps, count + steps)

    def _draw(self, line: str, last: bool) -> None:
        end = "\n" if last else ""
        sys.stdout.write(f"\r{line.ljust(self._length)}{end}")
        sys.stdout.flush()
        self._length = len(line)

    def _counter(self) -> str:
        """`12/100`."""
        if self.target is None:
            return f"{self.seen_so_far}/Unknown"
        return f"{self.seen_so_far:{len(str(self.target))}d}/{self.target}"

    def _bar(self, seconds: float, last: bool) -> str:
        """`12/100 [==>.....] - ETA: 5s`."""
        if self.target is None:
            return f"{self._counter()} - {seconds:.0f}s"
        done = min(self.width, int(self.width * self.seen_so_far / max(self.target, 1)))
        bar = "=" * done if last else "=" * max(done - 1, 0) + ">" * (done > 0)
        left = seconds / max(self.seen_so_far, 1) * (self.target - self.seen_so_far)
        times = f"{seconds:.0f}s" if last else f"ETA: {left:.0f}s"
        return f"{self._counter()} [{bar.ljust(self.width, '.')}] - {times}"

    def _means(self) -> str:
        """` - loss: 0.1234 - accuracy: 0.9500`."""
        shown = []
        for name, value in self.sum_values.items():
            mean = value[0] / max(1, value[1]) if isinstance(value, tuple) else value
            number = float(np.mean(mean))
            shown.append(f" - {name}: {number:.4f}" if abs(number) > 1e-3 else f" - {name}: {number:.4e}")
        return "".join(shown)
