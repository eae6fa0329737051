"""Callbacks that write files: the model, a table of the logs, and event files for TensorBoard.

Source: `callbacks/callbacks.py` of Keras 2.3.1.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from ....backend import get_backend
from ....conventions.generations import Convention
from ....conversion.binding import places
from ....errors import AlsoKeyError, KconvertError, Problem, warn
from ....lazy_dataclasses import dataclass
from .base import Callback, Logs, comparison, monitored, say, worst


@dataclass(eq=False)
class ModelCheckpoint(Callback):
    """Saves the model after every `period` epochs, or after the epochs in which `monitor` improved."""

    # A format string with `epoch` (counted from 1) and the names in the logs: "weights.{epoch:02d}-{val_loss:.2f}.h5".
    filepath: str | PathLike[str]
    # The name of the value in the logs, for `save_best_only`.
    monitor: str = "val_loss"
    # 1: prints each file.
    verbose: int = 0
    # Whether to save only after an improvement of `monitor`.
    save_best_only: bool = False
    # Whether to save the weights alone, without architecture and optimizer.
    save_weights_only: bool = False
    # Whether greater values are better: 'min', 'max' or 'auto' (see `base.comparison`).
    mode: str = "auto"
    # The number of epochs from one file to the next.
    period: int = 1

    def __post_init__(self) -> None:
        self.monitor_op = comparison(self.mode, self.monitor, ("fmeasure",))
        self.best: Any = worst(self.monitor_op)
        self.epochs_since_last_save = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epochs_since_last_save += 1
        if self.epochs_since_last_save < self.period:
            return
        self.epochs_since_last_save = 0
        path = self._path(epoch, logs or {})
        if self.save_best_only:
            value = monitored(logs, self.monitor, "ModelCheckpoint")
            if value is None:
                return
            if not self.monitor_op(value, self.best):
                self._say(epoch, self.not_improved())
                return
            self._say(epoch, f"{self.monitor} improved from {self.best:.5f} to {value:.5f}, saving model to {path}")
            self.best = value
        else:
            self._say(epoch, f"saving model to {path}")
        (self.model.save_weights if self.save_weights_only else self.model.save)(path)

    def not_improved(self) -> str:
        """What is printed after an epoch without an improvement."""
        return f"{self.monitor} did not improve from {self.best:.5f}"

    def _path(self, epoch: int, logs: Logs) -> str:
        try:
            return fspath(self.filepath).format(epoch=epoch + 1, **logs)
        except KeyError as error:
            raise AlsoKeyError(
                f"the file name {fspath(self.filepath)!r} of ModelCheckpoint needs {error}",
                fix=f"the logs have: {', '.join(['epoch', *logs])}",
                problem=Problem.USAGE,
            ) from None

    def _say(self, epoch: int, text: str) -> None:
        if self.verbose:
            say(epoch, text)


@dataclass(eq=False)
class CSVLogger(Callback):
    """Writes the logs into a CSV file: a line for each epoch, a column for each name in the logs of the first epoch."""

    filename: str | PathLike[str]
    # Separates the columns.
    separator: str = ","
    # Whether to append to an existing file, without a second header.
    append: bool = False

    def __post_init__(self) -> None:
        self.file: Any = None
        self.keys: list[str] = []

    @property
    def sep(self) -> str:
        """`separator`, under the name of the attribute in Keras."""
        return self.separator

    def on_train_begin(self, logs: Logs | None = None) -> None:
        path = Path(self.filename)
        self.has_header = self.append and path.exists() and path.stat().st_size > 0
        self.file = path.open("a" if self.append else "w", newline="", encoding="utf-8")
        self.keys = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        first = not self.keys
        self.keys = self.keys or sorted(logs)
        writer = csv.DictWriter(self.file, ["epoch", *self.keys], restval="NA", delimiter=self.separator)
        if first and not self.has_header:
            writer.writeheader()
        writer.writerow({"epoch": epoch, **{key: _cell(logs[key]) for key in self.keys if key in logs}})
        self.file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        self.file.close()


def _cell(value: Any) -> Any:
    """A value as a cell of the table; an array becomes one string, as in Keras."""
    if isinstance(value, str) or np.ndim(value) == 0:
        return value
    return f'"[{", ".join(map(str, value))}]"'


@dataclass(eq=False)
class TensorBoard(Callback):
    """Writes event files for TensorBoard: the logs of each epoch, in the folders `train` and `validation`.

    Raises KconvertError where TensorFlow is not installed.
    """

    log_dir: str | PathLike[str] = "./logs"
    # The number of epochs from one histogram of all weights to the next; 0: no histograms.
    histogram_freq: int = 0
    # Has no effect: the histograms are of weights, which need no batch.
    batch_size: int | None = None
    # These are not written; a warning says so for those that are not the default.
    write_graph: bool = True
    write_grads: bool = False
    write_images: bool = False
    embeddings_freq: int = 0
    embeddings_layer_names: Any = None
    embeddings_metadata: Any = None
    embeddings_data: Any = None
    # When losses of batches are written: 'epoch' (never), 'batch' (always), or the number of samples between two.
    update_freq: str | int = "epoch"

    def __post_init__(self) -> None:
        if not isinstance(self.update_freq, int) and self.update_freq not in ("epoch", "batch"):
            raise KconvertError(
                f"unknown update_freq {self.update_freq!r} of TensorBoard",
                fix="'epoch', 'batch', or a number of samples",
                problem=Problem.USAGE,
            )
        asked = [name for name in ("write_grads", "write_images", "embeddings_freq") if getattr(self, name)]
        if asked:
            warn(f"TensorBoard of kconvert has no {', '.join(asked)}: it is ignored")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        from ....backend import tensorflow_summary

        get_backend("tensorflow")  # raises KconvertError where it is not installed
        self.writers = {name: tensorflow_summary.Writer(Path(self.log_dir, name)) for name in ("train", "validation")}
        self.batches = self.seen = 0

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        logs = dict(logs or {})
        self.batches += 1
        self.seen += logs.pop("size", 1)
        logs.pop("batch", None)
        if self.update_freq != "epoch" and (self.update_freq == "batch" or self.seen >= int(self.update_freq)):
            self.seen = 0
            self.writers["train"].scalars(self.batches, {f"batch_{name}": value for name, value in logs.items()})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        values: dict[str, dict[str, Any]] = {"train": {}, "validation": {}}
        for name, value in (logs or {}).items():
            values["validation" if name.startswith("val_") else "train"][f"epoch_{name.removeprefix('val_')}"] = value
        for name, scalars in values.items():
            self.writers[name].scalars(epoch, scalars)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self.writers["train"].histograms(epoch, dict(_named_weights(self.model)))

    def on_train_end(self, logs: Logs | None = None) -> None:
        for writer in self.writers.values():
            writer.close()


def _named_weights(model: Any) -> Iterator[tuple[str, np.ndarray]]:
    """The weights of a model with their names, `layer/weight`, in the order of `get_weights`."""
    stored = [place for _, group in places(model, Convention("keras2", "tensorflow")) for place in group]
    yield from (("/".join(place.path), array) for place, array in zip(stored, model.get_weights(), strict=True))
