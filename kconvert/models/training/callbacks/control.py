"""Callbacks that stop the training or change the learning rate. Source: `callbacks/callbacks.py` of Keras 2.3.1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from inspect import signature
from typing import Any, ClassVar

import numpy as np

from ....backend.float_settings import as_float
from ....errors import KconvertError, Problem
from ....lazy_dataclasses import dataclass
from .base import Callback, Logs, comparison, monitored, rate_of, say, set_rate, upwards, worst


class TerminateOnNaN(Callback):
    """Stops the training when the loss of a batch is NaN or infinite."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and not np.isfinite(loss):
            print(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True


@dataclass(eq=False)
class EarlyStopping(Callback):
    """Stops the training after `patience` epochs without an improvement of `monitor`."""

    # The name of the value in the logs.
    monitor: str = "val_loss"
    # A change counts as an improvement if it is greater than this; the attribute is negative where less is better.
    min_delta: float = 0
    patience: int = 0
    # 1: prints when it stops.
    verbose: int = 0
    # Whether greater values are better: 'min', 'max' or 'auto' (see `base.comparison`).
    mode: str = "auto"
    # The value that the first improvement must exceed.
    baseline: float | None = None
    # Whether the model gets the weights of the best epoch when the training stops.
    restore_best_weights: bool = False

    # What names of values beside accuracies begin with for which 'auto' means 'max'.
    rising: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        self.monitor_op = comparison(self.mode, self.monitor, self.rising)
        self.min_delta = upwards(self.min_delta, self.monitor_op)
        self.wait = self.stopped_epoch = 0
        self.best_weights: Sequence[np.ndarray] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.wait = self.stopped_epoch = 0
        self.best_weights = None
        self.best = worst(self.monitor_op) if self.baseline is None else self.baseline

    def get_monitor_value(self, logs: Logs | None) -> Any:
        """The value in the logs; None, with a warning, where they do not have it."""
        return monitored(logs, self.monitor, "EarlyStopping")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        value = self.get_monitor_value(logs)
        if value is None:
            return
        if self.monitor_op(value - self.min_delta, self.best):
            self.best, self.wait = value, 0
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            return
        if self.worse():
            self.stopped_epoch = epoch
            self.model.stop_training = True
            if self.best_weights is not None:
                if self.verbose:
                    print("Restoring model weights from the end of the best epoch")
                self.model.set_weights(self.best_weights)

    def worse(self) -> bool:
        """Counts an epoch without an improvement; returns whether the training is to stop."""
        self.wait += 1
        return self.wait >= self.patience

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1:05d}: early stopping")


@dataclass(eq=False)
class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch, and logs it as `lr`."""

    # Returns the learning rate: schedule(epoch, rate), where `rate` is the current one, or schedule(epoch).
    schedule: Callable[..., Any]
    # 1: prints the learning rate.
    verbose: int = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        optimizer = self.model.optimizer
        rate = self.schedule(epoch, rate_of(optimizer)) if self._takes_two() else self.schedule(epoch)
        if not isinstance(rate, (float, np.floating)):
            raise KconvertError(
                f"the schedule of LearningRateScheduler returned {rate!r} for epoch {epoch + 1}",
                fix="it must return a float",
                problem=Problem.USAGE,
            )
        set_rate(optimizer, float(rate))
        if self.verbose:
            say(epoch, f"LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["lr"] = as_float(rate_of(self.model.optimizer))

    def _takes_two(self) -> bool:
        try:
            signature(self.schedule).bind(0, 0.0)
        except TypeError:
            return False
        return True


@dataclass(eq=False)
class ReduceLROnPlateau(Callback):
    """Multiplies the learning rate by `factor` after `patience` epochs without an improvement of `monitor`.

    Logs the learning rate as `lr`.
    """

    # The name of the value in the logs.
    monitor: str = "val_loss"
    factor: float = 0.1
    patience: int = 10
    # 1: prints each reduction.
    verbose: int = 0
    # Whether greater values are better: 'min', 'max' or 'auto' (see `base.comparison`).
    mode: str = "auto"
    # A change counts as an improvement if it is greater than this.
    min_delta: float = 1e-4
    # The number of epochs after a reduction that do not count towards `patience`.
    cooldown: int = 0
    # The lowest learning rate.
    min_lr: float = 0.0
    # The name of `min_delta` in Keras 2.0.
    epsilon: float | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.min_delta = self.min_delta if self.epsilon is None else self.epsilon
        self.better = comparison(self.mode, self.monitor)
        if self.factor >= 1.0:
            raise KconvertError(
                f"the factor of ReduceLROnPlateau must be below 1, not {self.factor}", problem=Problem.USAGE
            )
        self.on_train_begin()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.best: Any = worst(self.better)
        self.wait = self.cooldown_counter = 0

    def monitor_op(self, value: Any, best: Any) -> bool:
        """Whether `value` is better than `best` by more than `min_delta`; False for NaN."""
        return bool(self.better(value, best + upwards(self.min_delta, self.better)))

    def in_cooldown(self) -> bool:
        """Whether epochs do not count towards `patience` now."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        optimizer = self.model.optimizer
        if logs is not None:
            logs["lr"] = as_float(rate_of(optimizer))
        value = monitored(logs, self.monitor, "ReduceLROnPlateau")
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.monitor_op(value, self.best):
            self.best, self.wait = value, 0
        elif not self.in_cooldown() and self.worse(rate_of(optimizer)):
            rate = max(float(as_float(rate_of(optimizer))) * self.factor, self.min_lr)
            set_rate(optimizer, rate)
            self.cooldown_counter = self.cooldown
            if self.verbose:
                self.report(epoch, rate)

    def report(self, epoch: int, rate: float) -> None:
        """Prints the learning rate after a reduction."""
        say(epoch, f"ReduceLROnPlateau reducing learning rate to {rate}.")

    def worse(self, rate: float) -> bool:
        """Counts an epoch without an improvement; returns whether the rate is to be reduced."""
        self.wait += 1
        reduces = self.wait >= self.patience and rate > self.min_lr
        self.wait = 0 if reduces else self.wait
        return reduces
