"""The part of a model that trains: the methods from `compile` to `evaluate_generator`.

They are those of Keras 2.3 (`engine/training.py` of 2.3.1). Each calls the object of `training` that does the work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from ..conventions.words.calls import accepts_old_words
from ..errors import AlsoAttributeError, AlsoRuntimeError, Problem
from ..layers.calls import Symbol
from ..layers.lists import items_of
from ..network.added import added
from ..network.functional import known_symbols
from .ends import WithEnds
from .training import optimizers
from .training.callbacks import History
from .training.data import check_modes, is_stream
from .training.executor import Executor
from .training.fit import Fit
from .training.loss_symbols import LossSymbols
from .training.objective import Objective
from .training.trainer import Trainer


class TrainedByFit(WithEnds):
    """The part of a model that `compile` and `fit` need."""

    # None until the model is compiled.
    _trainer: Trainer | None
    # Whether `fit` ends with an error where the loss becomes NaN or infinite.
    needs_finite_loss: ClassVar[bool] = True
    # Whether a callback that sets `stop_training` after a batch ends the epoch.
    stops_within_epochs: ClassVar[bool] = True
    # Whether `fit`, `evaluate` and `predict` themselves show their progress; otherwise the callbacks do.
    shows_progress: ClassVar[bool] = True
    # Whether hooks at the ends of a training get an empty dict as logs; else None.
    has_logs_at_ends: ClassVar[bool] = False

    def build(self, input_shape: Any) -> None:
        """Builds the graph of a model class of the user; it stays compiled. Other models have a graph."""
        trainer = self._trainer
        super().build(input_shape)
        self._stay_compiled(trainer)

    def _stay_compiled(self, trainer: Trainer | None) -> None:
        """Makes `trainer` train the present graph, after a new graph replaced the one it trained."""
        if trainer is not None and self._trainer is not trainer:
            trainer.use(self.runtime)
            self._trainer = trainer

    @accepts_old_words()
    def compile(
        self,
        optimizer: Any,
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        sample_weight_mode: Any = None,
        weighted_metrics: Any = None,
        target_tensors: Any = None,
        *,
        backend: str | None = None,
        seed: int | None = None,
        jit_compile: bool = False,
    ) -> None:
        """Sets the loss that training minimises, the optimizer and the metrics.

        optimizer: a name, an optimizer, or its configuration.
        loss, metrics, weighted_metrics, loss_weights: one value, a list in the order of the outputs, or a dict by their
        names.
        sample_weight_mode: None, or 'temporal' for a weight of each time step; one value, a list or a dict.
        target_tensors: for each output a placeholder, whose values are the labels, or a variable or an expression of
        `keras.backend` that the labels always are; one value, a list or a dict.
        backend: 'theano', 'tensorflow' or 'numpy' for a model that has no backend yet; None: the default one.
        seed: of the initial weights, the order of samples and random layers.
        jit_compile: whether TensorFlow compiles the steps with XLA.
        Raises KconvertError for unknown names, and where losses or metrics do not match the outputs.
        """
        check_modes(sample_weight_mode)
        trainer = Trainer(
            self.runtime,
            optimizers.get(optimizer),
            loss,
            metrics,
            loss_weights,
            sample_weight_mode,
            weighted_metrics,
            backend,
            seed,
            jit_compile,
            target_tensors,
        )
        self._take_noted()
        self._trainer = None  # where compile fails, the model is not compiled
        if self.output_refs:
            trainer.build()  # raises errors now and not in the first batch
        self._trainer = trainer

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Adds scalars to the loss: symbols that were computed from tensors of the model. inputs: has no effect.

        The model has to be compiled afterwards. Raises KconvertError for what is not a symbol of the model.
        """
        if "_builder" in self.__dict__:
            super().add_loss(losses, inputs)
        else:
            for one in items_of(losses):
                self._add(one, None)

    def add_metric(self, value: Any, name: str | None = None) -> None:
        """Adds the mean of a symbol to the metrics; parameters and errors as for `add_loss`."""
        self._add(value, name or "mean")

    def _add(self, symbol: Any, metric: str | None, noted: Any = None) -> None:
        self.added.append(added(symbol, known_symbols(self, self._symbols), self.name, metric, noted))

    def _take_noted(self) -> None:
        """Adds the losses that `add_loss` of the layers was given outside of `call`, if they are of this graph."""
        taken = {id(one.noted) for one in self.added}
        symbols = {None, *self._symbols.values()}
        for noted in (one for layer in self.sublayers for one in layer.noted_losses):
            value, inputs = noted[1:]
            if id(noted) not in taken and symbols.issuperset(inputs or [None]):
                self._add(value, None, noted)

    @property
    def is_compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._trainer is not None

    _is_compiled = is_compiled

    def _make_train_function(self) -> None:
        """Compiles nothing: the first batch does. Raises KconvertError where the model is not compiled."""
        _ = self.trainer.executor

    _make_test_function = _make_train_function

    def _make_predict_function(self) -> None:
        """Has no effect: the first batch compiles what `predict` runs."""

    @property
    def trainer(self) -> Trainer:
        """The arguments of `compile`, and the compiled steps. Raises KconvertError where the model is not compiled."""
        if self._trainer is None:
            fix = "call model.compile(optimizer, loss)"
            raise AlsoRuntimeError("the model is not compiled", self.name, fix, Problem.USAGE)
        return self._trainer

    @property
    def optimizer(self) -> Any:
        """The optimizer; None where the model is not compiled."""
        return self._trainer.optimizer if self._trainer else None

    @property
    def loss(self) -> Any:
        """The argument `loss` of `compile`; None where the model is not compiled."""
        return self._trainer.loss if self._trainer else None

    @property
    def loss_weights(self) -> Any:
        """The argument `loss_weights` of `compile`; None where the model is not compiled."""
        return self._trainer.loss_weights if self._trainer else None

    @property
    def sample_weight_mode(self) -> Any:
        """The argument `sample_weight_mode` of `compile`; None where the model is not compiled."""
        return self._trainer.sample_weight_mode if self._trainer else None

    @property
    def metrics(self) -> list[Any]:
        """The metrics that the model is compiled with."""
        return [one.metric for one in self._trainer.executor.objective.tracked] if self._trainer else []

    @property
    def _loss_symbols(self) -> LossSymbols:
        """Symbols for the loss, which are made once for each `compile`. Raises KconvertError where there was none."""
        objective = self._objective
        known = self.__dict__.get("_symbols_of_loss")
        if known is None or known[0] is not objective:
            known = self.__dict__["_symbols_of_loss"] = objective, LossSymbols(objective, self.outputs, self.losses)
        return known[1]

    @property
    def targets(self) -> list[Symbol | None]:
        """For each output, the symbol of its labels, an input of functions of `total_loss`; None without a loss."""
        return self._loss_symbols.targets

    @property
    def sample_weights(self) -> list[Symbol | None]:
        """For each output, the symbol of its sample weights, as for `targets`."""
        return self._loss_symbols.sample_weights

    @property
    def total_loss(self) -> Any:
        """The symbol of the loss, computed from the inputs of the model, `targets` and `sample_weights`.

        Raises KconvertError where the model is not compiled.
        """
        return self._loss_symbols.total

    @property
    def loss_functions(self) -> list[Any]:
        """The loss of each output as an object, None where it has none; [] where the model is not compiled."""
        return self._trainer.executor.objective.losses if self._trainer else []

    @property
    def _objective(self) -> Objective:
        """The losses and metrics of the outputs. Raises KconvertError where the model is not compiled."""
        if self._trainer is None:
            fix = "call model.compile(optimizer, loss)"
            raise AlsoAttributeError("the model is not compiled", self.name, fix, Problem.USAGE)
        return self._trainer.executor.objective

    @property
    def _trained(self) -> list[int]:
        """The positions of the outputs with a loss, for which data is given."""
        return self._objective.trained

    @property
    def loss_weights_list(self) -> list[float]:
        """The weight of the loss of each output. Raises KconvertError where the model is not compiled."""
        return self._objective.weights

    @property
    def _feed_outputs(self) -> list[Symbol]:
        return [self.outputs[i] for i in self._trained]

    @property
    def _feed_output_names(self) -> list[str]:
        return [self.output_names[i] for i in self._trained]

    @property
    def _feed_output_shapes(self) -> list[tuple[int | None, ...]]:
        return [one.shape for one in self._feed_outputs]

    @property
    def _feed_targets(self) -> list[Symbol | None]:
        return [self.targets[i] for i in self._trained]

    @property
    def _feed_sample_weights(self) -> list[Symbol | None]:
        return [self.sample_weights[i] for i in self._trained]

    @property
    def _feed_loss_fns(self) -> list[Any]:
        return [self.loss_functions[i] for i in self._trained]

    def values_in_logs(self, executor: Executor) -> dict[str, Any]:
        """What the logs of a batch have besides its loss: the losses of outputs and the metrics so far, by label."""
        return executor.running_values()

    def reset_metrics(self) -> None:
        """Sets the sums of all losses and metrics to zero."""
        self.trainer.executor.start_metrics()

    @property
    def metrics_names(self) -> list[str]:
        """The labels of the values that `evaluate` and `train_on_batch` return; before `compile`, `loss` alone."""
        return self._trainer.executor.objective.labels if self._trainer else ["loss"]

    @accepts_old_words()
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Sequence[Any] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_freq: Any = 1,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> History:
        """Trains until epoch `epochs`; returns the History with the losses and metrics of each epoch.

        x, y: inputs and labels, arrays (samples, ...); for several inputs or outputs a list, or a dict by their names.
        Instead of both, x may be a generator, an iterator or a `Sequence` of batches (x, y) or (x, y, sample_weight).
        batch_size: 32 if None. verbose: 0 silent, 1 a progress bar, 2 one line per epoch.
        validation_split: the part of the samples, from the end, for validation. validation_data: (x, y),
        (x, y, sample_weight) or batches. validation_freq: the number of epochs from one validation to the next, or a
        list of epochs, counted from 1.
        shuffle: False, True, or 'batch' to shuffle whole batches, as those of a `Sequence` are unless workers is 0.
        class_weight: weights by class, for several outputs a dict of them by output. sample_weight: (samples,), or
        (samples, time).
        initial_epoch: the first epoch, counted from 0. steps_per_epoch, validation_steps: the number of batches, needed
        for a generator; with arrays each step takes all samples. max_queue_size, workers, use_multiprocessing: have no
        further effect.
        Raises KconvertError where the data does not match the model, and where the loss becomes NaN or infinite.
        """
        trainer = self._trainer_for(x)
        trainer.warn_of_changes()
        loop = Fit(
            self,
            trainer.executor,
            x,
            y,
            batch_size,
            validation_split,
            validation_data,
            shuffle if workers or not is_stream(x) else False,
            class_weight,
            sample_weight,
            steps_per_epoch,
            validation_steps,
            validation_freq,
            trainer.seed,
        )
        return loop.run(callbacks, epochs, initial_epoch, verbose)

    @accepts_old_words()
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int = 1,
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """The loss over the data; with several losses or metrics a list, in the order of `metrics_names`.

        Parameters: as for `fit`. verbose: 1 for a progress bar. steps: the number of batches, needed for a generator;
        with arrays each step takes all samples. The options for workers have no effect.
        """
        trainer = self._trainer_for(x)
        return trainer.evaluate(self, x, y, batch_size, verbose, sample_weight, steps, callbacks)

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, reset_metrics: bool = True
    ) -> Any:
        """One step of the optimizer on one batch; returns losses and metrics before the step, as `evaluate` does.

        The metrics continue from the previous batches. reset_metrics: whether they start again after this one.
        """
        trainer = self._trainer_for(x)
        trainer.warn_of_changes()
        return trainer.on_batch(True, x, y, sample_weight, class_weight, reset_metrics)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, reset_metrics: bool = True) -> Any:
        """The losses and metrics of one batch, as `evaluate` returns them; reset_metrics: as in `train_on_batch`."""
        return self._trainer_for(x).on_batch(False, x, y, sample_weight, None, reset_metrics)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as `predict` returns them."""
        first = next(iter(x.values())) if isinstance(x, Mapping) else x[0] if isinstance(x, list) else x
        return self.predict(x, batch_size=np.shape(first)[0])

    def _trainer_for(self, x: Any) -> Trainer:
        """The trainer, after a model without an input shape got that of the data `x`."""
        trainer = self.trainer
        self.complete(x)
        return trainer

    # ----------------------------------------------------------- generators ----

    @accepts_old_words()
    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Sequence[Any] | None = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        validation_freq: Any = 1,
        class_weight: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: bool | str = True,
        initial_epoch: int = 0,
    ) -> History:
        """`fit` for a generator, under its older name.

        max_queue_size, use_multiprocessing: have no effect; batches are made in this process.
        """
        return self.fit(
            generator,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            shuffle=shuffle,
            class_weight=class_weight,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_freq=validation_freq,
            workers=workers,
        )

    @accepts_old_words()
    def evaluate_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: int = 0,
    ) -> Any:
        """`evaluate` for a generator, under its older name; the options for workers have no effect."""
        return self.evaluate(generator, steps=steps, verbose=verbose, callbacks=callbacks)
