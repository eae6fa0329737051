"""The loops of training, over epochs and batches, and of testing, over batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from ...backend.seeds import of_batches, of_samples
from ...errors import KconvertError, Problem
from . import callbacks as cb
from .data import Batch, Division, checked_batch, is_stream, parts, refuse_with_stream, shuffle_order, split, stream_of
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
        self.freq = validation_freq
        # Whether the logs of all batches have the metrics, which takes time to read.
        self.shows_metrics = False
        # What shows the progress; None where nothing does.
        self.progress: cb.ProgbarLogger | None = None
        # Whether the data is a stream of batches, and the number of samples of an epoch where streams count them.
        self.is_stream, self.samples = is_stream(x), getattr(x, "epoch_samples", None)
        # The number of batches of an epoch where it is stated, and their size; in a stream, that of the last batch.
        self.steps: int | None = None
        self.batch_size: int | None = None
        self.rng = of_samples(seed)
        held_out = None
        if self.is_stream:
            split_given = validation_split or None
            refuse_with_stream(
                "fit", y=y, sample_weight=sample_weight, batch_size=batch_size, validation_split=split_given
            )
            steps, stream = stream_of(x, steps_per_epoch, "steps_per_epoch", of_batches(seed) if shuffle else None)
            self.steps, self.epoch = steps, self._from_stream(stream, steps, class_weight)
        else:
            data = checked_batch(executor.network, executor.objective, x, y, sample_weight, class_weight)
            if 0.0 < validation_split < 1.0 and validation_data is None:
                data, held_out = split(data, validation_split)
            division = Division.of(executor.network, len(data), batch_size, steps_per_epoch, "steps_per_epoch")
            self.samples, self.batch_size, self.steps = len(data), division.batch_size, division.steps
            self.epoch = self._from_arrays(data, division, shuffle)
            self._check_steps(validation_data is not None or held_out is not None, validation_steps)
        # What callbacks get as `validation_data`.
        self.validation_arrays: list[np.ndarray] | None = None if self.is_stream else []
        self.validation = self._validation(held_out, validation_data, validation_steps)

    # -------------------------------------------------------------- sources ----

    def _check_steps(self, validates: bool, validation_steps: int | None) -> None:
        """Raises KconvertError unless the steps of training and validation are both stated, or neither."""
        if validation_steps and self.steps is None:
            what, fix = "validation_steps was given without steps_per_epoch", "give both or none"
            raise KconvertError(what, "fit", fix, Problem.USAGE)
        if validates and self.steps and not validation_steps:
            what, fix = "steps_per_epoch was given without validation_steps", "give both or none"
            raise KconvertError(what, "fit", fix, Problem.USAGE)

    def _from_arrays(self, data: Batch, division: Division, shuffle: bool | str) -> Source:
        order = np.arange(len(data))

        def epoch() -> Iterator[Batch]:
            if shuffle and division.batch_size:
                shuffle_order(order, shuffle, division.batch_size, self.rng)
                return division.batches(data, order)
            return division.batches(data)

        return epoch

    def _from_stream(self, stream: Iterator[Any], steps: int, class_weight: Any, of_training: bool = True) -> Source:
        def batch(item: Any) -> Batch:
            x, y, weight = parts(item)
            checked = checked_batch(self.executor.network, self.executor.objective, x, y, weight, class_weight)
            if of_training:
                self.batch_size = len(checked)
            return checked

        return lambda: (batch(item) for item in islice(stream, steps))

    def _validation(self, held_out: Batch | None, data: Any, steps: int | None) -> Source | None:
        """The source of the batches for validation; None without validation.

        held_out: the samples of `validation_split`. data, steps: the arguments of `fit`.
        """
        if data is None:
            if held_out is None:
                return None
            self.validation_arrays = _arrays(held_out)
            return lambda: self._validation_batches(held_out, steps)
        if is_stream(data):
            number, stream = stream_of(data, steps, "validation_steps")
            return self._from_stream(stream, number, None, of_training=False)
        if not isinstance(data, (tuple, list)) or not 2 <= len(data) <= 3:
            raise KconvertError("validation_data must be (x, y) or (x, y, sample_weight)", problem=Problem.USAGE)
        whole = checked_batch(self.executor.network, self.executor.objective, *data)
        self.validation_arrays = _arrays(whole)
        return lambda: self._validation_batches(whole, None if self.is_stream else steps)

    def _validation_batches(self, data: Batch, steps: int | None) -> Iterator[Batch]:
        """The batches of `data`, of the size of those of the training; or `steps` times all samples."""
        size = None if steps else self.batch_size
        return Division.of(self.executor.network, len(data), size, steps, "validation_steps").batches(data)

    # ----------------------------------------------------------------- loop ----

    def run(self, callbacks: Sequence[Any] | None, epochs: int, initial_epoch: int, verbose: int) -> cb.History:
        """Trains from epoch `initial_epoch` (counted from 0) to `epochs`; returns the History of losses and metrics."""
        history = cb.History()
        labels = self.executor.objective.labels
        self.shows_metrics = bool(callbacks)
        if verbose and self.model.shows_progress:
            self._say_samples()
            by_samples = self.samples is not None and (self.is_stream or not self.steps)
            self.progress = cb.ProgbarLogger("samples" if by_samples else "steps", labels[1:])
        listeners = cb.CallbackList([*filter(None, [self.progress]), *(callbacks or []), history])
        listeners.set_model(self.model)
        listeners.set_params(self._params(labels, epochs, verbose))
        for callback in listeners:
            callback.validation_data = self.validation_arrays
        self.model.history, self.model.stop_training = history, False
        listeners.on_train_begin({} if self.model.has_logs_at_ends else None)
        for epoch in range(initial_epoch, epochs):
            listeners.on_epoch_begin(epoch, {})
            self.executor.start_metrics()
            completes = self._train(listeners, epoch)
            logs = self.executor.results()
            if completes and self.validation and should_run_validation(self.freq, epoch):
                self.executor.start_metrics()
                results = test(self.executor, self.validation(), listeners, self.model)
                logs.update((f"val_{label}", value) for label, value in results.items())
            listeners.on_epoch_end(epoch, logs)
            if self.model.stop_training:
                break
        listeners.on_train_end({} if self.model.has_logs_at_ends else None)
        return history

    def _params(self, labels: Sequence[str], epochs: int, verbose: int) -> dict[str, Any]:
        """The parameters of callbacks, as Keras gives them for arrays and for streams."""
        validates = self.validation is not None
        validated = [f"val_{label}" for label in labels] if validates or self.is_stream else []
        common = {"epochs": epochs, "verbose": verbose, "do_validation": validates, "metrics": [*labels, *validated]}
        if self.is_stream:
            counted = {} if self.samples is None else {"samples": self.samples}
            return {**common, "steps": self.steps, **counted}
        return {**common, "batch_size": self.batch_size, "steps": self.steps, "samples": self.samples}

    def _say_samples(self) -> None:
        """Prints the numbers of samples for training and validation, where there are arrays for both."""
        if self.validation_arrays and not self.is_stream:
            print(f"Train on {self.samples} samples, validate on {len(self.validation_arrays[0])} samples")

    def _train(self, listeners: cb.CallbackList, epoch: int) -> bool:
        """Trains for one epoch; returns whether no callback stopped it before the last batch."""
        number = -1
        for number, batch in enumerate(self.epoch()):
            listeners.on_batch_begin(number, {"batch": number, "size": len(batch)})
            losses = self.executor.step(True, batch.x, batch.y, batch.weights)
            logs: dict[str, Any] = {"batch": number, "size": len(batch), **self._logs(losses)}
            if self.shows_metrics or (self.progress and self.progress.is_due):
                logs.update(self.model.values_in_logs(self.executor))
            listeners.on_batch_end(number, logs)
            if self.model.stop_training and self.model.stops_within_epochs:
                return number + 1 == (self.steps or math.ceil((self.samples or 0) / (self.batch_size or 1)))
            if self.model.needs_finite_loss and not math.isfinite(logs["loss"]):
                raise _loss_error(logs["loss"], number, epoch, batch)
        if number < 0:
            what = f"x gave no batch for epoch {epoch + 1}"
            raise KconvertError(what, "fit", "give a generator with more batches", Problem.USAGE)
        return True

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


def test(
    executor: Executor,
    source: Iterable[Batch],
    listeners: cb.CallbackList,
    model: Any,
    shown: Callable[[int], None] = lambda size: None,
) -> dict[str, float]:
    """The losses and metrics over all batches of `source`, by label.

    model: says what the logs of batches have. shown: is called with the size of each batch.
    """
    executor.start_metrics()
    listeners.on_test_begin()
    for number, batch in enumerate(source):
        logs: dict[str, Any] = {"batch": number, "size": len(batch)}
        listeners.on_test_batch_begin(number, logs)
        losses = executor.step(False, batch.x, batch.y, batch.weights)
        logs.update(zip(executor.objective.loss_labels, map(float, losses), strict=True))
        if listeners.callbacks:
            logs.update(model.values_in_logs(executor))
        listeners.on_test_batch_end(number, logs)
        shown(len(batch))
    listeners.on_test_end()
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
