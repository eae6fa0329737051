"""Callbacks that do the same in Keras 1.2.2 and 2.3.1, and those with the arguments of 1.2.2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...backend import default_backend
from ...errors import AlsoRuntimeError, AlsoTypeError, Problem
from ...keras.own import callbacks as callbacks_of_keras2
from ...models.training import callbacks
from ...models.training.callbacks import Callback as Callback
from ...models.training.callbacks import CallbackList as CallbackList
from ...models.training.callbacks import CSVLogger as CSVLogger
from ...models.training.callbacks import History as History
from ...models.training.callbacks.base import HOOKS, Logs
from .progress import Progbar as Progbar
from .progress import ProgbarLogger as ProgbarLogger

_WORDS = {"epochs": "nb_epoch", "samples": "nb_sample"}
"""The parameters of a training that have other names than in Keras 2."""


class Words(Callback):
    """Gives the callbacks after it parameters and logs as Keras 1.2.2 does.

    samples: of an epoch of a generator, None without one. The parameters have its words; the logs of a batch have the
    metrics of that batch alone; the model has the arrays of the validation.
    """

    def __init__(self, samples: int | None = None) -> None:
        self.samples = samples

    def set_params(self, params: Mapping[str, Any]) -> None:
        super().set_params(params)
        assert isinstance(params, dict)
        del params["steps"]
        params.update((own, params.pop(word)) for word, own in _WORDS.items())
        if self.samples is not None:
            params.pop("batch_size", None)
            params["nb_sample"] = self.samples
            names = [name for name in params["metrics"] if not name.startswith("val_")]
            params["metrics"] = [*names, *(f"val_{name}" for name in names)]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.model.validation_data = self.validation_data or None
        params = self.params or {}
        if self.samples is None and self.validation_data and params["verbose"]:
            print(f"Train on {params['nb_sample']} samples, validate on {len(self.validation_data[0])} samples")

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        assert logs is not None
        for tracked in self.model.trainer.executor.objective.tracked:
            logs[tracked.label] = tracked.metric.of_last_batch()


class BaseLogger(callbacks_of_keras2.BaseLogger):
    """Puts the means of the losses and metrics over the samples of an epoch into its logs."""

    def __init__(self) -> None:
        super().__init__()


class LambdaCallback(callbacks.LambdaCallback):
    """A callback made of functions, each for the hook of its name; other arguments are attributes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        others = {name: kwargs.pop(name) for name in set(kwargs) - set(HOOKS)}
        super().__init__(*args, **kwargs)
        self.__dict__.update(others)


class RemoteMonitor(callbacks.RemoteMonitor):
    """Sends the logs of each epoch to a server, with the arguments of Keras 1.2.2."""

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        kinds = {"Accept": "application/json", "Content-Type": "application/json"}
        super().__init__(root, path, field, kinds if headers is None else headers)


class EarlyStopping(callbacks.EarlyStopping):
    """The callback of Keras 1.2.2, which waits for one epoch more than that of Keras 2.3.1."""

    rising = ("fmeasure",)

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
    ) -> None:
        super().__init__(monitor, min_delta, patience, verbose, mode)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Raises KconvertError, a TypeError too, where the logs do not have the value."""
        if self.monitor not in (logs or {}):
            fix = f"the logs have: {', '.join(logs or {})}"
            raise AlsoTypeError(f"EarlyStopping needs {self.monitor!r}", None, fix, Problem.USAGE)
        super().on_epoch_end(epoch, logs)

    def worse(self) -> bool:
        stops = self.wait >= self.patience
        self.wait += 1
        return stops

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Prints the number of the last epoch, counted from 0, where `patience` ended the training."""
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch:05d}: early stopping")


class LearningRateScheduler(callbacks.LearningRateScheduler):
    """Sets the learning rate of each epoch to `schedule(epoch)`; it is not in the logs."""

    def __init__(self, schedule: Callable[[int], float]) -> None:
        super().__init__(schedule)

    def _takes_two(self) -> bool:
        return False

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None: ...


class ModelCheckpoint(callbacks.ModelCheckpoint):
    """The callback of Keras 1.2.2, which counts epochs from 0 in `filepath`."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        super().on_epoch_end(epoch - 1, logs)

    def not_improved(self) -> str:
        return f"{self.monitor} did not improve"

    def _say(self, epoch: int, text: str) -> None:
        if self.verbose:
            print(f"Epoch {epoch + 1:05d}: {text}")


class ReduceLROnPlateau(callbacks.ReduceLROnPlateau):
    """The callback of Keras 1.2.2, which waits for one epoch more before the first reduction after an improvement."""

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        epsilon: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0,
    ) -> None:
        super().__init__(monitor, factor, patience, verbose, mode, epsilon, cooldown, min_lr)
        self.epsilon = epsilon

    def worse(self, rate: float) -> bool:
        """Counts an epoch without an improvement; returns whether the rate is to be reduced.

        The epoch of a reduction counts towards the next one, and rates within 1e-4 of the lowest one stay.
        """
        reduces = self.wait >= self.patience and rate > self.min_lr * (1 + 1e-4)
        self.wait = 1 if reduces else self.wait + 1
        return reduces

    def report(self, epoch: int, rate: float) -> None:
        print(f"\nEpoch {epoch:05d}: reducing learning rate to {rate}.")

    def _reset(self) -> None:
        """Forgets the best value, and the epochs since."""
        self.on_train_begin()


class TensorBoard(callbacks.TensorBoard):
    """Writes event files for TensorBoard, with the arguments of Keras 1.2.2.

    Raises KconvertError, a RuntimeError too, on other backends than TensorFlow, as Keras 1.2.2 does.
    """

    def __init__(
        self,
        log_dir: str = "./logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
    ) -> None:
        if (backend := default_backend()) != "tensorflow":
            what, fix = f"TensorBoard of Keras 1.2.2 does not work on {backend}", "use CSVLogger"
            raise AlsoRuntimeError(what, None, fix, Problem.UNSUPPORTED)
        super().__init__(log_dir, histogram_freq, None, write_graph, write_images=write_images)
