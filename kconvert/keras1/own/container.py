"""Container of Keras 1.2.2: the methods that all models have, with their arguments, their order and their defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import AlsoTypeError, KconvertError, Problem
from ...keras.own.training_data import standardize_class_weights, standardize_sample_weights
from ...layers.calls import calls_behind
from ...layers.lists import items_of
from ...models import model
from ...models.training.executor import Executor
from .callbacks import ProgbarLogger, Words
from .compile_arguments import as_named, by_output, metrics_by_output
from .generators import Counted, cut
from .graph import WithGraph
from .ignored import THEANO_OPTIONS
from .layer_utils import node_name, print_summary
from .metrics import metrics as metrics_of
from .objectives import objective
from .optimizers import optimizer as optimizer_of
from .progress import TestBar
from .settings import GENERATION
from .topology import item_of_layer


class Container(WithGraph, model.Model):
    """The class of all models: what those of both kinds share."""

    generation = GENERATION
    needs_finite_loss = False
    stops_within_epochs = False
    shows_progress = False
    has_logs_at_ends = True

    def values_in_logs(self, executor: Executor) -> dict[str, Any]:
        """What the logs of a batch have besides its losses: the metrics."""
        return executor.metric_values()

    def compile(  # type: ignore[override]
        self,
        optimizer: Any,
        loss: Any,
        metrics: Any = None,
        loss_weights: Any = None,
        sample_weight_mode: Any = None,
        **kwargs: Any,
    ) -> None:
        """Sets loss, optimizer and metrics.

        kwargs: options of `theano.function`, which have no effect. Raises KconvertError for other arguments.
        """
        if unknown := sorted(set(kwargs) - THEANO_OPTIONS):
            raise KconvertError(f"compile has no argument {unknown[0]!r}", fix="leave it out", problem=Problem.USAGE)
        if not self.output_refs:
            fix = "give the first layer input_shape=..."
            raise KconvertError("the input shape of the model is not known", self.name, fix, Problem.USAGE)
        if not isinstance(loss_weights, (Mapping, list, tuple, type(None))):
            what = "loss_weights must be a list or a dict"
            raise AlsoTypeError(what, "compile(loss_weights=...)", problem=Problem.USAGE)
        names = self.output_names
        losses = [objective(one) for one in by_output(loss, names, "loss")]
        shapes = [symbol.shape for symbol in self.outputs]
        _check_modes(sample_weight_mode, names, shapes)
        wanted = [
            [one for named in items_of(spec) for one in metrics_of(named, of_output, shape)]
            for spec, of_output, shape in zip(metrics_by_output(metrics, names), losses, shapes, strict=True)
        ]
        super().compile(optimizer_of(optimizer), losses, wanted, loss_weights, sample_weight_mode)
        self._stated = {
            "loss": loss,
            "metrics": metrics,
            "sample_weight_mode": sample_weight_mode,
            "loss_weights": loss_weights,
        }

    @property
    def weights(self) -> list[Any]:
        """The variables of the weights: those that training changes first."""
        return [*self.trainable_weights, *self.non_trainable_weights]

    @property
    def uses_learning_phase(self) -> bool:
        """Whether a layer of the model computes differently in training."""
        return any(getattr(layer, "uses_learning_phase", False) for layer in self.sublayers)

    @property
    def loss(self) -> Any:
        """The argument of `compile`; None before it."""
        return self.__dict__.get("_stated", {}).get("loss")

    @property
    def metrics(self) -> Any:
        """The argument of `compile`; an empty list where there is none, or before it."""
        return self.__dict__.get("_stated", {}).get("metrics") or []

    @property
    def loss_functions(self) -> list[Any]:
        """The objective of each output, a function; [] where the model is not compiled."""
        return [loss.run for loss in super().loss_functions]

    def summary(  # type: ignore[override]
        self, line_length: int = 100, positions: Sequence[float] | None = None
    ) -> None:
        """Prints a table of the layers: see `print_summary`."""
        calls = calls_behind(self.outputs) if self.output_refs else []
        names = {node_name(call) for call in calls}
        print_summary(getattr(self, "flattened_layers", self.layers), names, line_length, positions)

    def training_config(self) -> dict[str, Any]:
        """The arguments of `compile` as files of Keras 1.2.2 state them: functions by their names."""
        stated = {key: as_named(value) for key, value in self._stated.items()}
        return {"optimizer_config": self.trainer.optimizer.to_config(), **stated}

    def get_config(self) -> Any:
        """The graph of the layers in the words of Keras 1.2.2."""
        config = self.stored_config()
        for entry, layer in zip(config["layers"], self.all_layers, strict=True):
            calls = [[ref[:3] for ref in refs] for refs in entry["inbound_nodes"]]
            entry.update(item_of_layer(layer), inbound_nodes=calls)
        return config

    def save(self, filepath: Any, overwrite: bool = True) -> None:  # type: ignore[override]
        """Writes architecture, weights and the optimizer with its state into a file of Keras 1.2.2."""
        super().save(filepath, overwrite)

    def load_weights(self, filepath: Any, by_name: bool = False, **said: Any) -> Any:  # type: ignore[override]
        """Sets the weights from a file of any Keras.

        by_name: of layers that have the names of those in the file. said: what the file does not state, as in
        `kconvert.Model.load_weights`.
        """
        return super().load_weights(filepath, by_name=by_name, **said)

    def save_weights_to_hdf5_group(self, f: Any) -> None:
        """Writes the weights into an open HDF5 file, or into a group of one, as `save_weights` does."""
        self.save_weights(f)

    def load_weights_from_hdf5_group(self, f: Any) -> None:
        """Sets the weights from an open HDF5 file, or from a group of one, as `load_weights` does."""
        self.load_weights(f)

    def load_weights_from_hdf5_group_by_name(self, f: Any) -> None:
        """Sets the weights of the layers that an open HDF5 file, or a group of one, has under their names."""
        self.load_weights(f, by_name=True)

    def fit(  # type: ignore[override]
        self,
        x: Any,
        y: Any,
        batch_size: int = 32,
        nb_epoch: int = 10,
        verbose: int = 1,
        callbacks: Sequence[Any] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
    ) -> Any:
        """Trains for the epochs from `initial_epoch` to `nb_epoch`; returns the History.

        sample_weight: replaces class_weight.
        """
        return super().fit(
            x,
            y,
            batch_size,
            nb_epoch,
            verbose,
            listeners(callbacks, verbose),
            0.0 if validation_data else validation_split,
            validation_data or None,
            shuffle,
            self._classes(class_weight, sample_weight),
            sample_weight,
            initial_epoch,
        )

    def evaluate(  # type: ignore[override]
        self, x: Any, y: Any, batch_size: int = 32, verbose: int = 1, sample_weight: Any = None
    ) -> Any:
        """The loss over the data, with metrics a list."""
        return super().evaluate(x, y, batch_size, verbose, sample_weight, callbacks=self._bars(x, verbose))

    def train_on_batch(  # type: ignore[override]
        self, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None
    ) -> Any:
        """One step of the optimizer on one batch; returns losses and metrics before the step."""
        self.reset_metrics()
        return super().train_on_batch(x, y, sample_weight, self._classes(class_weight, sample_weight))

    def test_on_batch(self, x: Any, y: Any, sample_weight: Any = None) -> Any:  # type: ignore[override]
        """The losses and metrics of one batch."""
        self.reset_metrics()
        return super().test_on_batch(x, y, sample_weight)

    def predict(self, x: Any, batch_size: int = 32, verbose: int = 0) -> Any:  # type: ignore[override]
        """The outputs for `x`."""
        return super().predict(x, batch_size, verbose, callbacks=self._bars(x, verbose))

    def _bars(self, x: Any, verbose: int) -> list[TestBar]:
        """The callbacks that show the progress of `evaluate` and `predict`."""
        if verbose != 1:
            return []
        several = len(self.inputs) > 1 or isinstance(x, Mapping) or (isinstance(x, list) and len(x) == 1)
        return [TestBar(len(first_of(x) if several else x))]

    def _classes(self, class_weight: Any, sample_weight: Any) -> Any:
        """The weights of classes by output (keras-facts: weights-in-keras1).

        Weights of the samples of an output replace those of its classes; what is not a dict has no effect.
        """
        of_classes = standardize_class_weights(class_weight, self.output_names)
        of_samples = standardize_sample_weights(sample_weight, self.output_names)
        used = {
            name: classes
            for name, classes, samples in zip(self.output_names, of_classes, of_samples, strict=True)
            if isinstance(classes, Mapping) and samples is None
        }
        return used or None

    # ----------------------------------------------------------- generators ----

    def fit_generator(  # type: ignore[override]
        self,
        generator: Any,
        samples_per_epoch: int,
        nb_epoch: int,
        verbose: int = 1,
        callbacks: Sequence[Any] | None = None,
        validation_data: Any = None,
        nb_val_samples: int | None = None,
        class_weight: Any = None,
        max_q_size: int = 10,
        nb_worker: int = 1,
        pickle_safe: bool = False,
        initial_epoch: int = 0,
    ) -> Any:
        """`fit` for a generator; an epoch ends when it has had `samples_per_epoch` samples.

        max_q_size, nb_worker, pickle_safe: have no effect; batches are made in this process.
        """
        classes = self._classes(class_weight, None)
        train = Counted(generator, samples_per_epoch, "samples_per_epoch", classes, self.output_names)
        validation = None
        if validation_data is not None:
            streams = hasattr(validation_data, "__next__")
            given = validation_data if streams else cut(validation_data, lambda: train.size)
            count = nb_val_samples if streams else len(first_of(validation_data[0]))
            validation = Counted(given, count, "nb_val_samples")
        return super().fit(
            train,
            epochs=nb_epoch,
            verbose=verbose,
            callbacks=listeners(callbacks, verbose, samples_per_epoch),
            validation_data=validation,
            initial_epoch=initial_epoch,
            steps_per_epoch=train.samples,
            validation_steps=None if validation is None else validation.samples,
        )

    def evaluate_generator(  # type: ignore[override]
        self, generator: Any, val_samples: int, max_q_size: int = 10, nb_worker: int = 1, pickle_safe: bool = False
    ) -> Any:
        """`evaluate` for the batches of a generator, until there were `val_samples` samples."""
        batches = list(Counted(generator, val_samples, "val_samples"))
        return super().evaluate(iter(batches), steps=len(batches), verbose=0)

    def predict_generator(  # type: ignore[override]
        self, generator: Any, val_samples: int, max_q_size: int = 10, nb_worker: int = 1, pickle_safe: bool = False
    ) -> Any:
        """The outputs for the batches of a generator, which together have `val_samples` samples."""
        counted = Counted(generator, val_samples, "val_samples")
        outputs = [self.predict_on_batch(item[0] if isinstance(item, tuple) else item) for item in counted]
        several = isinstance(outputs[0], list)
        columns = zip(*outputs, strict=True) if several else [outputs]
        joined = [np.concatenate(column) for column in columns]
        if len(joined[0]) != val_samples:
            what = f"the batches of the generator have {len(joined[0])} samples, and val_samples is {val_samples}"
            raise KconvertError(what, fix="give a multiple of the batch size", problem=Problem.USAGE)
        return joined if several else joined[0]


def listeners(callbacks: Sequence[Any] | None, verbose: int, samples: int | None = None) -> list[Any]:
    """The callbacks of a training. samples: of an epoch of a generator."""
    return [Words(samples), *(callbacks or ()), *([ProgbarLogger()] if verbose else ())]


def _check_modes(modes: Any, names: Sequence[str], shapes: Sequence[Sequence[int | None]]) -> None:
    """Raises KconvertError where an output has no `sample_weight_mode`, or no time steps to weigh."""
    for name, mode, shape in zip(names, by_output(modes, names, "sample_weight_mode"), shapes, strict=True):
        if mode == "temporal" and len(shape) < 3:
            what = f"sample_weight_mode 'temporal' needs an output with time steps, not {tuple(shape)}"
            raise KconvertError(what, f"output {name}", "leave it out", Problem.USAGE)


def first_of(data: Any) -> Any:
    """The first of several arrays."""
    if isinstance(data, Mapping):
        return next(iter(data.values()))
    return data[0] if isinstance(data, (list, tuple)) else data
