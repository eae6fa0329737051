"""Callbacks that do the same in Keras 1.2.2 and 2.3.1, and those with the arguments of 1.2.2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...keras.own.callbacks import BaseLogger as BaseLogger
from ...keras.own.callbacks import ProgbarLogger as ProgbarLogger
from ...keras.own.progress import Progbar as Progbar
from ...models.training import callbacks
from ...models.training.callbacks import Callback as Callback
from ...models.training.callbacks import CSVLogger as CSVLogger
from ...models.training.callbacks import History as History
from ...models.training.callbacks import LambdaCallback as LambdaCallback
from ...models.training.callbacks import RemoteMonitor as RemoteMonitor
from ...models.training.callbacks.base import Logs


class Words(Callback):
    """Gives the callbacks behind it `params` in the words of Keras 1.2.2; samples: of an epoch of a generator."""

    def __init__(self, samples: int | None = None) -> None:
        self.samples = samples

    def set_params(self, params: Mapping[str, Any]) -> None:
        super().set_params(params)
        if isinstance(params, dict):
            params["nb_epoch"], params["nb_sample"] = params["epochs"], self.samples or params["samples"]


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

    def worse(self) -> bool:
        stops = self.wait >= self.patience
        self.wait += 1
        return stops


class LearningRateScheduler(callbacks.LearningRateScheduler):
    """Sets the learning rate of each epoch to `schedule(epoch)`; it is not in the logs."""

    def __init__(self, schedule: Callable[[int], float]) -> None:
        super().__init__(lambda epoch: schedule(epoch))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None: ...


class ModelCheckpoint(callbacks.ModelCheckpoint):
    """The callback of Keras 1.2.2, which counts epochs from 0 in `filepath`."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        super().on_epoch_end(epoch - 1, logs)


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


class TensorBoard(callbacks.TensorBoard):
    """Writes event files for TensorBoard, with the arguments of Keras 1.2.2."""

    def __init__(
        self,
        log_dir: str = "./logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
    ) -> None:
        super().__init__(log_dir, histogram_freq, None, write_graph, write_images=write_images)
