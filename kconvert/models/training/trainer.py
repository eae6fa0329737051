"""Trainer: what `compile` was told of a model, and the executor that is made of it when it is first used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..runtime import Runtime
from .data import batches, checked, is_stream, parts, stream_of
from .executor import Executor
from .fit import test
from .objective import Objective
from .optimizers import Optimizer


@dataclass(eq=False)
class Trainer:
    """A compiled model. The arguments are those of `Model.compile`."""

    runtime: Runtime
    optimizer: Optimizer
    loss: Any
    metrics: Any = None
    loss_weights: Any = None
    sample_weight_mode: Any = None
    weighted_metrics: Any = None
    # Where a model without a backend runs; None for the default one.
    backend: str | None = None
    # Of the initial weights, the order of samples and the noise.
    seed: int | None = None
    jit_compile: bool = False
    _executor: Executor | None = None

    @property
    def executor(self) -> Executor:
        """The compiled steps. Raises KconvertError where loss or metrics do not fit the outputs."""
        if self._executor is None:
            self.runtime.start(self.backend, self.seed)
            network = self.runtime.network
            objective = Objective(network, self.loss, self.loss_weights, self.metrics, self.weighted_metrics)
            seed = int(np.random.default_rng(self.seed).integers(2**31))
            self._executor = Executor(self.runtime, objective, self.optimizer, seed, self.jit_compile)
        return self._executor

    def forget(self) -> None:
        """Lets go of the compiled steps: the arrays or the graph of the runtime are others now."""
        self._executor = None

    # -------------------------------------------------------------- batches ----

    def evaluate(self, x: Any, y: Any, batch_size: int | None, sample_weight: Any, steps: int | None) -> Any:
        """The loss over the data, followed by the metrics where there are some."""
        executor = self.executor
        if is_stream(x):
            count, stream = stream_of(x, steps, "steps")
            source = (self._checked(*parts(next(stream))) for _ in range(count))
            return _listed(test(executor, source))
        return _listed(test(executor, batches(self._checked(x, y, sample_weight), batch_size or 32)))

    def on_batch(self, training: bool, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None) -> Any:
        """One step on one batch; its loss (before the step), followed by the metrics."""
        executor = self.executor
        batch = self._checked(x, y, sample_weight, class_weight)
        executor.start_metrics()
        executor.step(training, batch.x, batch.y, batch.weights)
        return _listed(executor.results())

    def _checked(self, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None) -> Any:
        return checked(self.runtime.network, self.executor.objective, x, y, sample_weight, class_weight)


def _listed(results: Mapping[str, float]) -> Any:
    """One number, or all of them in order, as Keras gives them."""
    values = list(results.values())
    return values[0] if len(values) == 1 else values
