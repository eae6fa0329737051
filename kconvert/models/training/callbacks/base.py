"""What a callback is, several of them as one, and those that only pass on what they are told.

A callback sees a model by a few names alone: `optimizer.learning_rate`, `stop_training`, `get_weights`,
`set_weights`, `save`, `save_weights`. The logs of an epoch are one dict for all callbacks: what one adds (`lr`),
those after it see. (Source: `callbacks/callbacks.py` of Keras 2.3.1.)
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np

from ....errors import KconvertError, Problem

Logs = dict[str, Any]


class Callback:
    """Does nothing at any time; override what should do something.

    `on_train_batch_begin` and `on_train_batch_end` call `on_batch_begin` and `on_batch_end`.
    """

    model: Any = None
    params: Mapping[str, Any] | None = None

    def set_model(self, model: Any) -> None:
        self.model = model

    def set_params(self, params: Mapping[str, Any]) -> None:
        """What is known of the training: epochs, steps, samples, batch_size, verbose, do_validation, metrics."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None: ...

    def on_train_end(self, logs: Logs | None = None) -> None: ...

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None: ...

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None: ...

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None: ...

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None: ...

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None: ...

    def on_test_end(self, logs: Logs | None = None) -> None: ...

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None: ...

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None: ...

    def on_predict_begin(self, logs: Logs | None = None) -> None: ...

    def on_predict_end(self, logs: Logs | None = None) -> None: ...

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None: ...

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None: ...


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class CallbackList:
    """Several callbacks as one: each hook calls that of every callback, in their order.

    Raises KconvertError for what is no callback.
    """

    def __init__(self, callbacks: Iterable[Any] = ()) -> None:
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            missing = [name for name in ("set_model", "set_params", *HOOKS) if not hasattr(callback, name)]
            if missing:
                raise KconvertError(
                    f"{callback!r} is no callback: it has no {missing[0]}",
                    fix="inherit from kconvert.models.training.callbacks.Callback",
                    problem=Problem.USAGE,
                )

    def set_model(self, model: Any) -> None:
        self._call("set_model", model)

    def set_params(self, params: Mapping[str, Any]) -> None:
        self._call("set_params", params)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name not in HOOKS:
            raise AttributeError(name)
        return partial(self._call, name.replace("on_batch", "on_train_batch"))

    def _call(self, method: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, method)(*arguments)


class History(Callback):
    """The logs of every epoch: `history` by name, `epoch` their numbers."""

    epoch: list[int]
    history: dict[str, list[Any]]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch, self.history = [], {}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class LambdaCallback(Callback):
    """Functions in place of methods: `LambdaCallback(on_epoch_end=lambda epoch, logs: ...)`.

    Raises KconvertError for a hook that does not exist.
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_batch_begin: Callable[..., Any] | None = None,
        on_batch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        **others: Callable[..., Any],
    ) -> None:
        named = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_batch_begin": on_batch_begin,
            "on_batch_end": on_batch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            **others,
        }
        for name, function in named.items():
            if name not in HOOKS:
                raise KconvertError(
                    f"callbacks have no {name!r}", fix=f"one of: {', '.join(HOOKS)}", problem=Problem.USAGE
                )
            if function is not None:
                setattr(self, name, function)


# --------------------------------------------------------------- monitoring ----


def monitored(logs: Logs | None, monitor: str, purpose: str) -> Any:
    """The value of `monitor` in the logs; None, and a warning, where it is not there."""
    logs = logs or {}
    if monitor not in logs:
        known = ", ".join(logs) or "nothing"
        warnings.warn(f"{purpose} needs {monitor!r} in the logs, which have {known}", RuntimeWarning, stacklevel=3)
    return logs.get(monitor)


def is_rising(mode: str, monitor: str) -> bool:
    """Whether greater values are better: by the mode, or (auto) for accuracies.

    Raises KconvertError for an unknown mode.
    """
    modes = {"min": False, "max": True, "auto": "acc" in monitor or monitor.startswith("fmeasure")}
    if mode not in modes:
        raise KconvertError(f"unknown mode {mode!r}", fix=f"one of: {', '.join(modes)}", problem=Problem.USAGE)
    return modes[mode]


def worst(rising: bool) -> float:
    """What every value is better than."""
    return -np.inf if rising else np.inf


def is_better(value: Any, best: Any, rising: bool, by: float = 0.0) -> bool:
    """Whether `value` is better than `best` by more than `by`; NaN is not."""
    return bool(value - by > best if rising else value + by < best)
