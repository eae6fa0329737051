"""The methods of a model that train it, as in Keras 2.3."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ...conventions.words.calls import understands
from ...errors import KconvertError, Problem

if TYPE_CHECKING:
    from ...network.network import Network
    from .data import Batch
    from .executor import Executor


class Trainable:
    """compile, fit, evaluate and their like, for `Model`."""

    executor: Executor | None = None
    optimizer: Any = None
    loss: Any = None
    history: Any = None
    stop_training: bool = False
    said: dict[str, Any] | None = None

    # -------------------------------------------------------------- compile ----

    @understands
    def compile(
        self,
        optimizer: Any,
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        sample_weight_mode: Any = None,
        weighted_metrics: Any = None,
        backend: str | None = None,
        seed: int | None = None,
        jit_compile: bool = False,
    ) -> None:
        """Says what to minimise, how, and what to measure; as in Keras 2.3, plus:

        backend: where a model without one runs ('theano', 'tensorflow'); seed: of its initial weights, the order
        of samples and the noise; jit_compile: through XLA, on TensorFlow. Raises KconvertError for unknown names.
        """
        from . import optimizers

        self.optimizer = optimizers.get(optimizer)
        self.loss, self.executor = loss, None
        self.said = {
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "backend": backend,
            "seed": seed,
            "jit_compile": jit_compile,
            "sample_weight_mode": sample_weight_mode,
        }
        try:
            if self._model.output_refs:
                self.trainer()
        except KconvertError:
            self.said = None
            raise

    @property
    def _model(self) -> Network:
        return cast("Network", self)

    def trainer(self, x: Any = None) -> Executor:
        """The executor, made at its first use; `x`: the data that a chain without an input shape learns it from."""
        from .executor import Executor
        from .initial import ready
        from .objective import Objective

        said = self.said
        if said is None:
            raise KconvertError(
                "the model is not compiled", self._model.name, "model.compile(optimizer, loss)", Problem.USAGE
            )
        if self.executor is None:
            self._model.complete(x)
            ready(self._model, said["backend"], said["seed"])
            keys = ("loss", "loss_weights", "metrics", "weighted_metrics")
            objective = Objective(self._model, **{key: said[key] for key in keys})
            seed = int(np.random.default_rng(said["seed"]).integers(2**31))
            self.executor = Executor(self._model, objective, self.optimizer, seed, said["jit_compile"])
        return self.executor

    @property
    def metrics_names(self) -> list[str]:
        """The labels of what `evaluate` and `train_on_batch` give."""
        return self.trainer().objective.labels

    # ------------------------------------------------------------------ fit ----

    @understands
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
    ) -> Any:
        """Trains for `epochs` rounds through the data; gives the History of losses and metrics.

        x: an array (a list, or a dict by input, where there are several), or what gives batches by itself: a
        generator, an iterator, or a `Sequence`. All as in Keras 2.3. Raises KconvertError where the data does
        not fit the model, and where the loss is no longer a number.
        """
        from .fit import Fit

        executor = self.trainer(x)
        loop = Fit(
            self._model,
            executor,
            x,
            y,
            batch_size,
            validation_split,
            validation_data,
            shuffle,
            class_weight,
            sample_weight,
            steps_per_epoch,
            validation_steps,
            validation_freq,
            self.said["seed"] if self.said else None,
        )
        return loop.run(callbacks, epochs, initial_epoch, verbose)

    @understands
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int = 1,
        sample_weight: Any = None,
        steps: int | None = None,
    ) -> Any:
        """The loss over the data, followed by the metrics where there are some (`metrics_names` names them)."""
        from .data import batches, checked, is_stream, parts, stream_of
        from .fit import test

        executor = self.trainer(x)
        if is_stream(x):
            count, stream = stream_of(x, steps, "steps")
            source: Iterator[Batch] = (
                checked(self._model, executor.objective, *parts(next(stream))) for _ in range(count)
            )
        else:
            whole = checked(self._model, executor.objective, x, y, sample_weight)
            source = batches(whole, batch_size or 32)
        return _listed(test(executor, source))

    # ---------------------------------------------------------- one by one ----

    def train_on_batch(self, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None) -> Any:
        """One step of the optimizer on one batch; its loss (before the step), followed by the metrics."""
        return self._on_batch(True, x, y, sample_weight, class_weight)

    def test_on_batch(self, x: Any, y: Any, sample_weight: Any = None) -> Any:
        """The loss of one batch, followed by the metrics."""
        return self._on_batch(False, x, y, sample_weight, None)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch."""
        return self._model.predict(x, batch_size=len(x[0] if isinstance(x, list) else x))

    def _on_batch(self, training: bool, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Any:
        from .data import checked

        executor = self.trainer(x)
        batch = checked(self._model, executor.objective, x, y, sample_weight, class_weight)
        executor.start_metrics()
        executor.step(training, batch.x, batch.y, batch.weights)
        return _listed(executor.results())

    # ----------------------------------------------------------- generators ----

    @understands
    def fit_generator(self, generator: Any, steps_per_epoch: int | None = None, **options: Any) -> Any:
        """`fit` under its older name for what gives batches by itself."""
        return self.fit(generator, steps_per_epoch=steps_per_epoch, **_without_workers(options))

    @understands
    def evaluate_generator(self, generator: Any, steps: int | None = None, **options: Any) -> Any:
        """`evaluate` under its older name for what gives batches by itself."""
        return self.evaluate(generator, steps=steps, **_without_workers(options))

    @understands
    def predict_generator(self, generator: Any, steps: int | None = None, **options: Any) -> Any:
        """`predict` under its older name for what gives batches by itself."""
        return self._model.predict(generator, steps=steps, **_without_workers(options))


def _listed(results: dict[str, float]) -> Any:
    """One number, or all of them in order, as Keras gives them."""
    values = list(results.values())
    return values[0] if len(values) == 1 else values


def _without_workers(options: dict[str, Any]) -> dict[str, Any]:
    """Batches are made in this process: what Keras says about others has no meaning here."""
    return {k: v for k, v in options.items() if k not in ("max_queue_size", "workers", "use_multiprocessing")}
