"""The progress of loops, as text in the form of Keras: the bar of one loop, and the callback for the epochs of `fit`.

Source: `Progbar` in `utils/generic_utils.py` and `ProgbarLogger` in `callbacks/callbacks.py` of Keras 2.3.1.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ....errors import KconvertError, Problem
from .base import Callback, Logs

MINUTE, HOUR = 60, 3600


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
        # For each value the sum over the steps, and the number of steps.
        self.sum_values: dict[str, tuple[Any, int]] = {}
        self._start, self._shown, self._length = time.monotonic(), 0.0, 0
        self._redraws = (hasattr(sys.stdout, "isatty") and sys.stdout.isatty()) or "ipykernel" in sys.modules

    @property
    def is_due(self) -> bool:
        """Whether the last update of a bar is longer ago than the interval."""
        return self.verbose == 1 and time.monotonic() - self._shown >= self.interval

    def update(self, current: int, values: Iterable[tuple[str, Any]] | None = None, force: bool = False) -> None:
        """States that `current` steps are done.

        values: (name, value) of the steps since the last update. force: whether the bar is drawn in any case.
        """
        for name, value in values or ():
            self._count(name, value, current - self.seen_so_far)
        self.seen_so_far = current
        ends = self.target is None or current >= self.target
        if self.verbose == 1 and (force or ends or self.is_due):
            self._draw()
        elif self.verbose == 2 and ends:
            sys.stdout.write(f" - {self._seconds:.0f}s{means_of(self.sum_values, float)}\n")
            sys.stdout.flush()

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """States that `n` more steps are done."""
        self.update(self.seen_so_far + n, values)

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._start

    def _count(self, name: str, value: Any, steps: int) -> None:
        if name in self.stateful_metrics:
            self.sum_values[name] = (value, 1)
        else:
            total, count = self.sum_values.get(name, (0.0, 0))
            self.sum_values[name] = (total + value * steps, count + steps)

    def _draw(self) -> None:
        """Writes the bar in place of that of the last update: in a terminal over it, elsewhere in a new line."""
        line = self._bar() + self._times() + means_of(self.sum_values)
        before = "\b" * self._length + "\r" if self._redraws else "\n"
        after = "\n" if self.target is not None and self.seen_so_far >= self.target else ""
        sys.stdout.write(f"{before}{line.ljust(self._length)}{after}")
        sys.stdout.flush()
        self._length, self._shown = len(line), time.monotonic()

    def _bar(self) -> str:
        """`12/100 [==>.....]`."""
        if self.target is None:
            return f"{self.seen_so_far:7d}/Unknown"
        return bar_of(self.seen_so_far, self.target, self.width)

    def _times(self) -> str:
        """` - ETA: 5s`; at the end ` - 2s 17ms/step`."""
        each = self._seconds / self.seen_so_far if self.seen_so_far else 0.0
        if self.target is not None and self.seen_so_far < self.target:
            return f" - ETA: {_duration(each * (self.target - self.seen_so_far))}"
        unit, factor = ("s", 1.0) if each >= 1 else ("ms", 1e3) if each >= 1e-3 else ("us", 1e6)
        return f" - {self._seconds:.0f}s {each * factor:.0f}{unit}/step"


def bar_of(seen: int, target: int, width: int) -> str:
    """A bar of `width` characters.

    >>> bar_of(12, 100, 20)
    ' 12/100 [=>..................]'
    """
    done = int(width * seen / target) if target else width
    head = ">" if seen < target else "="
    bar = ("=" * (done - 1) + head if done else "").ljust(width, ".")
    return f"{seen:{len(str(target))}d}/{target} [{bar}]"


def means_of(sums: Mapping[str, Sequence[Any]], size: Callable[[float], float] = abs) -> str:
    """The means of values. sums: of each value, and the number of steps; size: a value of up to 1e-3 gets an exponent.

    >>> means_of({"loss": (0.5, 2), "accuracy": (0.001, 2)})
    ' - loss: 0.2500 - accuracy: 5.0000e-04'
    """
    means = {name: float(np.mean(total / max(1, n))) for name, (total, n) in sums.items()}
    return "".join(f" - {name}: {mean:{'.4f' if size(mean) > 1e-3 else '.4e'}}" for name, mean in means.items())


def shown_loop(verbose: Any, steps: int | None, samples: int | None) -> Callable[[int], None]:
    """What shows the progress of a loop: it is called after each batch, with its number of samples.

    verbose: 1 for a bar, else silent. steps, samples: of the loop; steps are counted where their number is known.
    """
    if verbose != 1:
        return lambda size: None
    bar = Progbar(samples if steps is None else steps)
    return lambda size: bar.add(size if steps is None else 1)


def _duration(seconds: float) -> str:
    """`5s`, `2:05` or `1:02:05`."""
    whole = int(seconds)
    if seconds > HOUR:
        return f"{whole // HOUR}:{whole % HOUR // MINUTE:02d}:{whole % MINUTE:02d}"
    return f"{whole // MINUTE}:{whole % MINUTE:02d}" if seconds > MINUTE else f"{whole}s"


class ProgbarLogger(Callback):
    """Shows the progress of each epoch by a `Progbar`.

    count_mode: what is counted, 'samples' or 'steps'. stateful_metrics: the names of values without a mean.
    """

    bar: Progbar | None = None

    def __init__(self, count_mode: str = "samples", stateful_metrics: Iterable[str] | None = None) -> None:
        if count_mode not in ("samples", "steps"):
            fix = "'samples' or 'steps'"
            raise KconvertError(f"unknown count_mode {count_mode!r}", fix=fix, problem=Problem.USAGE)
        self.use_steps = count_mode == "steps"
        self.stateful_metrics = set(stateful_metrics or ())
        self.seen = 0

    @property
    def is_due(self) -> bool:
        """Whether it shows the values of the next batch."""
        return self.bar is not None and self.bar.is_due

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        params = self.params or {}
        verbose = params.get("verbose", 1)
        self.target = params.get("steps" if self.use_steps else "samples")
        self.seen = 0
        self._last: list[tuple[str, Any]] = []
        self.bar = Progbar(self.target, verbose=verbose, stateful_metrics=self.stateful_metrics) if verbose else None
        if verbose:
            print(f"Epoch {epoch + 1}/{params.get('epochs', '?')}")

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        self.seen += 1 if self.use_steps else logs.get("size", 0)
        self._last = self._named(logs)
        if self.bar is not None and (self.target is None or self.seen < self.target):
            self.bar.update(self.seen, self._last)
            self._last = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.bar is not None:
            self.bar.update(self.seen, [*self._last, *self._named(logs or {})])

    def _named(self, logs: Logs) -> list[tuple[str, Any]]:
        """The values that are shown."""
        return [(name, logs[name]) for name in (self.params or {}).get("metrics") or () if name in logs]
