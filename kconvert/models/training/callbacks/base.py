"""The base class of callbacks, lists of callbacks, and the callbacks History and LambdaCallback.

A callback uses only these attributes of a model: `optimizer.lr`, `stop_training`, `get_weights`,
`set_weights`, `save`, `save_weights`. All callbacks get the same dict of logs at the end of an epoch, so a value that
one adds (`lr`) is seen by those after it. Source: `callbacks/callbacks.py` of Keras 2.3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from inspect import signature
from typing import Any

import numpy as np

from ....errors import KconvertError, Problem, warn
from ....layers.deferred import Variable

Logs = dict[str, Any]


class Callback:
    """Base class of the callbacks: every hook does nothing; subclasses override those that they need.

    `on_train_batch_begin` and `on_train_batch_end` call `on_batch_begin` and `on_batch_end`. Epochs and batches are
    counted from 0.
    """

    # The model that is trained.
    model: Any = None
    # The arrays of the validation, inputs, labels and sample weights in one list; None without them.
    validation_data: list[np.ndarray] | None = None
    # The parameters of the training: see `set_params`.
    params: Mapping[str, Any] | None = None

    def set_model(self, model: Any) -> None:
        """Called before training, with the model."""
        self.model = model

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Called before training.

        params: `epochs`, `steps`, `samples`, `batch_size`, `verbose`, `do_validation`; `metrics`, the names in logs.
        """
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
ARGUMENTS = {name: len(signature(getattr(Callback, name)).parameters) - 1 for name in HOOKS}
"""The number of arguments of each hook, of which the logs are the last."""


class CallbackList:
    """Several callbacks in the form of one: each hook calls the hook of every callback, in order.

    queue_length: has no effect. Raises KconvertError for an object that lacks a method of a callback.
    """

    def __init__(self, callbacks: Iterable[Any] | None = None, queue_length: int = 10) -> None:
        self.callbacks: list[Any] = []
        self.queue_length = queue_length
        self.params: Mapping[str, Any] = {}
        self.model: Any = None
        for callback in callbacks or ():
            self.append(callback)

    def append(self, callback: Any) -> None:
        """Adds a callback. Raises KconvertError for an object that lacks a method of a callback."""
        missing = [name for name in ("set_model", "set_params", *HOOKS) if not hasattr(callback, name)]
        if missing:
            raise KconvertError(
                f"{callback!r} is not a callback: it has no method {missing[0]}",
                fix="inherit from kconvert.models.training.callbacks.Callback",
                problem=Problem.USAGE,
            )
        self.callbacks.append(callback)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.callbacks)

    @classmethod
    def of(cls, callbacks: Iterable[Any] | None, model: Any, **params: Any) -> CallbackList:
        """The callbacks of one call of `evaluate` or `predict`; params: see `Callback.set_params`."""
        listeners = cls(callbacks)
        listeners.set_model(model)
        listeners.set_params(params)
        return listeners

    def set_model(self, model: Any) -> None:
        self.model = model
        self._call("set_model", model)

    def set_params(self, params: Mapping[str, Any]) -> None:
        self.params = params
        self._call("set_params", params)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name not in HOOKS:
            raise AttributeError(name)
        return partial(self._hook, name.replace("on_batch", "on_train_batch"))

    def _hook(self, name: str, *arguments: Any, logs: Logs | None = None) -> None:
        """Calls a hook of every callback; where no logs of a batch or an epoch are given, it gets an empty dict."""
        if len(arguments) < ARGUMENTS[name]:
            arguments = (*arguments, {} if logs is None and arguments else logs)
        self._call(name, *arguments)

    def _call(self, method: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, method)(*arguments)


class History(Callback):
    """Records the logs of every epoch."""

    # The numbers of the epochs.
    epoch: list[int]
    # For each name in the logs, its value in every epoch.
    history: dict[str, list[Any]]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch, self.history = [], {}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class LambdaCallback(Callback):
    """Calls functions in place of its hooks: each argument is the function for the hook of the same name.

    Other arguments become attributes.

    Raises KconvertError for an unknown hook.

    >>> LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs)).on_epoch_end(0, {"loss": 0.5})
    0 {'loss': 0.5}
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_batch_begin: Callable[..., Any] | None = None,
        on_batch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        **others: Any,
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
            if name not in HOOKS and name.startswith("on_"):
                raise KconvertError(
                    f"callbacks have no {name!r}", fix=f"one of: {', '.join(HOOKS)}", problem=Problem.USAGE
                )
            if function is not None:
                setattr(self, name, function)


# --------------------------------------------------------------- monitoring ----


def monitored(logs: Logs | None, monitor: str, callback: str) -> Any:
    """The value of `monitor` in the logs. Where it is missing: None, and a warning with the name of the callback."""
    logs = logs or {}
    if monitor not in logs:
        known = ", ".join(logs) or "nothing"
        warn(f"{callback} needs {monitor!r} in the logs, which have {known}", RuntimeWarning)
    return logs.get(monitor)


def comparison(mode: str, monitor: str, rising: tuple[str, ...] = ()) -> Callable[[Any, Any], Any]:
    """`np.greater` where greater values of `monitor` are better, else `np.less`.

    mode: 'min', 'max', or 'auto', which means 'max' for accuracies, and for names that begin with one of `rising`, and
    'min' for all else. Another one is taken as 'auto', with a warning.
    """
    rises = "acc" in monitor or monitor.startswith(rising)
    modes: dict[str, Callable[[Any, Any], Any]] = {"min": np.less, "max": np.greater}
    modes["auto"] = np.greater if rises else np.less
    if mode not in modes:
        warn(f"unknown mode {mode!r} is taken as 'auto'", RuntimeWarning)
    return modes.get(mode, modes["auto"])


def rate_of(optimizer: Any) -> float:
    """The learning rate of an optimizer, which may be a variable. Raises KconvertError where it has none."""
    if not hasattr(optimizer, "lr"):
        raise KconvertError(f"{type(optimizer).__name__} has no learning rate lr", problem=Problem.USAGE)
    rate = optimizer.lr
    return float(rate.value if isinstance(rate, Variable) else rate)


def set_rate(optimizer: Any, rate: float) -> None:
    """Sets the learning rate of an optimizer; a variable gets the value."""
    if isinstance(optimizer.lr, Variable):
        optimizer.lr.value = rate
    else:
        optimizer.lr = rate


def say(epoch: int, text: str) -> None:
    """Prints what a callback did after `epoch`, counted from 0, in the form of Keras."""
    print(f"\nEpoch {epoch + 1:05d}: {text}")


def upwards(amount: float, better: Callable[[Any, Any], Any]) -> float:
    """An improvement by `amount`, which is negative where less is better. better: of `comparison`."""
    return amount if better is np.greater else -amount


def worst(better: Callable[[Any, Any], Any]) -> float:
    """The value that every other value is better than. better: of `comparison`."""
    return upwards(-np.inf, better)
