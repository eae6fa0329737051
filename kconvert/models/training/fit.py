"""The loops of training, over epochs and batches, and of testing, over batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import count, islice
from typing import Any

import numpy as np

from ...backend.seeds import stated_or_fresh
from ...errors import KconvertError, Problem
from ...network.sample_inputs import size_of_batches
from . import callbacks as cb
from .data import Batch, batches, checked_batch, is_stream, parts, shuffled, split, stream_of
from .executor import Executor

# Returns the batches of one epoch.
Source = Callable[[], Iterator[Batch]]


class Fit:
    """One call of `fit`: the sources of its batches, and the loop over them.

    model: for the callbacks. seed: of the order of the samples. The other arguments are those of `Model.fit`. Raises
    KconvertError where the data does not match the model.
    """

    def __init__(
        self,
        model: Any,
        executor: Executor,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_freq: Any = 1,
        seed: int | None = None,
    ) -> None:
        self.model, self.executor = model, executor
        self.batch_size, self.freq = batch_size, validation_freq
        # Whether the logs of batches have the metrics, which takes time to read.
        self.shows_metrics = False
        self.samples: int | None = None
        # The number of batches that callbacks see: as in Keras, None where samples are counted.
        self.stated_steps: int | None = steps_per_epoch
        self.rng = np.random.default_rng(stated_or_fresh(seed))
        held_out = None
        if is_stream(x):
            split_given = validation_split or None
            self._refuse_with_stream(
                y=y, sample_weight=sample_weight, batch_size=batch_size, validation_split=split_given
            )
            self.steps, stream = stream_of(x, steps_per_epoch, "steps_per_epoch")
            self.stated_steps = self.steps
            self.epoch = self._from_stream(stream, self.steps, class_weight)
        else:
            data = checked_batch(executor.network, executor.objective, x, y, sample_weight, class_weight)
            if validation_split:
                data, held_out = split(data, validation_split)
            size = size_of_batches(executor.network, batch_size, len(data))
            self.samples, self.batch_size = len(data), size
            self.steps = steps_per_epoch or math.ceil(len(data) / size)
            self.epoch = self._from_arrays(data, size, shuffle, steps_per_epoch)
        # What callbacks get as `validation_data`.
        self.validation_arrays: list[np.ndarray] | None = None
        self.validation = self._validation(held_out, validation_data, validation_steps)

    # -------------------------------------------------------------- sources ----

    def _refuse_with_stream(self, **given: Any) -> None:
        for name, value in given.items():
            if value is not None:
                raise KconvertError(
                    f"{name} cannot be combined with a generator or a Sequence",
                    "fit",
                    "leave it out: x gives whole batches",
                    Problem.USAGE,
                )

    def _from_arrays(self, data: Batch, size: int, shuffle: bool | str, steps: int | None) -> Source:
        def epoch() -> Iterator[Batch]:
            return batches(data, size, shuffled(len(data), shuffle, size, self.rng))

        if steps is None:
            return epoch
        # Each epoch takes the next `steps` batches of one endless iterator, so it continues where the last one stopped.
        endless_batches = (batch for _ in count() for batch in epoch())
        return lambda: islice(endless_batches, steps)

    def _from_stream(self, stream: Iterator[Any], steps: int, class_weight: Any) -> Source:
        def batch(item: Any) -> Batch:
            x, y, weight = parts(item)
            return checked_batch(self.executor.network, self.executor.objective, x, y, weight, class_weight)

        return lambda: (batch(item) for item in islice(stream, steps))

    def _validation(self, held_out: Batch | None, data: Any, steps: int | None) -> Source | None:
        """The source of the batches for validation; None without validation.

        held_out: the samples of `validation_split`. data, steps: the arguments of `fit`.
        """
        if data is None:
            if held_out is None:
                return None
            self.validation_arrays = _arrays(held_out)
            return lambda: batches(held_out, self._size(len(held_out)))
        if is_stream(data):
            number, stream = stream_of(data, steps, "validation_steps")
            return self._from_stream(stream, number, None)
        if not isinstance(data, (tuple, list)) or not 2 <= len(data) <= 3:
            raise KconvertError("validation_data must be (x, y) or (x, y, sample_weight)", problem=Problem.USAGE)
        whole = checked_batch(self.executor.network, self.executor.objective, *data)
        self.validation_arrays = _arrays(whole)
        return lambda: islice(batches(whole, self._size(len(whole))), steps)

    def _size(self, samples: int) -> int:
        """The size of the batches for validation."""
        return size_of_batches(self.executor.network, self.batch_size, samples)

    # ----------------------------------------------------------------- loop ----

    def run(self, callbacks: Sequence[Any] | None, epochs: int, initial_epoch: int, verbose: int) -> cb.History:
        """Trains from epoch `initial_epoch` (counted from 0) to `epochs`; returns the History of losses and metrics."""
        history = cb.History()
        progress: list[Any] = [cb.ProgressBar()] if verbose and self.model.shows_progress else []
        listeners = cb.CallbackList([*progress, *(callbacks or []), history])
        labels = self.executor.objective.labels
        validated = [f"val_{label}" for label in labels] if self.validation else []
        self.shows_metrics = bool(callbacks)
        listeners.set_model(self.model)
        listeners.set_params(
            {
                "batch_size": self.batch_size,
                "epochs": epochs,
                "steps": self.stated_steps,
                "samples": self.samples,
                "verbose": verbose,
                "do_validation": self.validation is not None,
                "metrics": [*labels, *validated],
            }
        )
        for callback in listeners:
            callback.validation_data = self.validation_arrays
        self.model.history, self.model.stop_training = history, False
        listeners.on_train_begin({})
        for epoch in range(initial_epoch, epochs):
            listeners.on_epoch_begin(epoch, {})
            self.executor.start_metrics()
            self._train(listeners, epoch)
            logs = self.executor.results()
            if self.validation and should_run_validation(self.freq, epoch):
                self.executor.start_metrics()
                results = test(self.executor, self.validation(), listeners)
                logs.update((f"val_{label}", value) for label, value in results.items())
            listeners.on_epoch_end(epoch, logs)
            if self.model.stop_training:
                break
        listeners.on_train_end({})
        return history

    def _train(self, listeners: cb.CallbackList, epoch: int) -> None:
        done = 0
        for number, batch in enumerate(self.epoch()):
            listeners.on_batch_begin(number, {"batch": number, "size": len(batch)})
            losses = self.executor.step(True, batch.x, batch.y, batch.weights)
            logs: dict[str, Any] = {"batch": number, "size": len(batch), **self._logs(losses)}
            if self.shows_metrics:
                logs.update(self.executor.metric_values())
            listeners.on_batch_end(number, logs)
            done += 1
            if self.model.stop_training and self.model.stops_within_epochs:
                return
            if self.model.needs_finite_loss and not math.isfinite(logs["loss"]):
                raise _loss_error(logs["loss"], number, epoch, batch)
        if done == 0:
            what = f"x gave no batch for epoch {epoch + 1}"
            raise KconvertError(what, "fit", "give a generator with more batches", Problem.USAGE)

    def _logs(self, losses: Sequence[Any]) -> dict[str, np.float64]:
        return {
            label: np.float64(loss) for label, loss in zip(self.executor.objective.loss_labels, losses, strict=True)
        }


def should_run_validation(validation_freq: Any, epoch: int) -> bool:
    """Whether there is a validation after `epoch`, which is counted from 0.

    validation_freq: the number of epochs from one validation to the next; or a list of epochs, counted from 1. Raises
    KconvertError for a number below 1, and for anything else.
    """
    if isinstance(validation_freq, int) and validation_freq >= 1:
        return (epoch + 1) % validation_freq == 0
    if isinstance(validation_freq, Container):
        return epoch + 1 in validation_freq
    what = f"validation_freq is a number from 1 or a list of epochs, not {validation_freq!r}"
    raise KconvertError(what, problem=Problem.USAGE)


def test(executor: Executor, source: Iterable[Batch], listeners: cb.CallbackList) -> dict[str, float]:
    """The losses and metrics over all batches of `source`, by label."""
    executor.start_metrics()
    listeners.on_test_begin({})
    for number, batch in enumerate(source):
        logs: dict[str, Any] = {"batch": number, "size": len(batch)}
        listeners.on_test_batch_begin(number, logs)
        losses = executor.step(False, batch.x, batch.y, batch.weights)
        logs.update(zip(executor.objective.loss_labels, map(float, losses), strict=True))
        if listeners.callbacks:
            logs.update(executor.metric_values())
        listeners.on_test_batch_end(number, logs)
    listeners.on_test_end({})
    return executor.results()


def _arrays(batch: Batch) -> list[np.ndarray]:
    """Inputs, labels and sample weights in one list; weights of 1 where there are none."""
    weights = [np.ones(len(batch)) if one is None else one for one in batch.weights]
    return [*batch.x, *(one for one in batch.y if one is not None), *weights]


def _loss_error(loss: float, batch: int, epoch: int, data: Batch) -> KconvertError:
    """The error for a loss that is NaN or infinite; names the data that contains such values, if any does."""
    bad = [name for name, arrays in (("x", data.x), ("y", data.y)) for a in arrays if a is not None and not _finite(a)]
    fix = f"{bad[0]} of this batch contains NaN or infinity" if bad else "lower the learning rate or clip the gradients"
    return KconvertError(f"the loss became {loss} in batch {batch + 1} of epoch {epoch + 1}", "fit", fix, Problem.USAGE)


def _finite(array: np.ndarray) -> bool:
    return bool(np.isfinite(array).all())
