"""Trainer: the arguments of `compile`, and the executor that is made from them when it is first needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...backend.seeds import stated_or_present
from ...errors import warn
from ...lazy_dataclasses import dataclass
from ..runtime import Runtime, refuse_empty
from .callbacks import CallbackList
from .callbacks.progress import shown_loop
from .data import Batch, Division, checked_batch, is_stream, parts, refuse_with_stream, stream_of, taken
from .executor import Executor, trained_paths
from .fit import test
from .objective import Objective
from .optimizer import Optimizer
from .user_optimizers import OfUser

_KEPT = ("slot", "scalar", "seed")
"""The kinds of variables that a copy of a trainer has from the original."""


@dataclass(eq=False)
class Trainer:
    """The training of a compiled model. All fields but the runtime are the arguments of `Model.compile`."""

    runtime: Runtime
    optimizer: Optimizer
    loss: Any
    metrics: Any = None
    loss_weights: Any = None
    sample_weight_mode: Any = None
    weighted_metrics: Any = None
    # The backend for a model that does not have one yet; None: the default backend.
    backend: str | None = None
    # The seed of the initial weights, the order of samples and the random layers.
    seed: int | None = None
    # Whether TensorFlow compiles the steps with XLA.
    jit_compile: bool = False
    target_tensors: Any = None
    _executor: Executor | None = None
    # The state of the optimizer and of random layers, for the executor that is built next; by kind of variable.
    _state: Mapping[str, Any] | None = None
    # Which layers were trainable when the executor was built.
    _trainable: Sequence[bool] = ()

    def __getstate__(self) -> dict[str, Any]:
        """The state of a deep copy or a pickle: the arguments of `compile` and the state of the optimizer."""
        executor = self._executor
        state = {kind: executor.read(kind) for kind in _KEPT} if executor else self._state
        return {**self.__dict__, "runtime": None, "_executor": None, "_state": state}

    @property
    def executor(self) -> Executor:
        """The steps of training. Raises KconvertError where losses or metrics do not match the outputs."""
        return self._executor or self.build()

    def build(self) -> Executor:
        """Builds the steps: the weights as they are, the optimizer in its initial state. Raises as `executor` does."""
        self.runtime.start(self.backend, self.seed)
        network = self.runtime.network
        refuse_empty(network)
        objective = Objective(
            network,
            self.loss,
            self.loss_weights,
            self.metrics,
            self.weighted_metrics,
            self.sample_weight_mode,
            self.target_tensors,
        )
        seed = int(np.random.default_rng(stated_or_present(self.seed)).integers(2**31))
        optimizer = OfUser(own=self.optimizer) if self.optimizer.has_own_updates() else self.optimizer
        self._executor = executor = Executor(self.runtime, objective, optimizer, seed, self.jit_compile)
        for kind, arrays in (self._state or {}).items():
            executor.write(kind, arrays)
        self._state, self._trainable = None, _trainable(network)
        return executor

    def use(self, runtime: Runtime) -> None:
        """Continues with `runtime`, whose network or variables are new; steps and the optimizer start again."""
        self.runtime, self._executor = runtime, None

    def warn_of_changes(self) -> None:
        """Warns where `trainable` of a layer was changed after `compile`, which has no effect, as in Keras."""
        network, executor = self.runtime.network, self.executor
        if _trainable(network) != self._trainable and trained_paths(network) != executor.trained:
            what = "Discrepancy: `trainable` was changed after `compile`; it has no effect before the next one"
            warn(what)

    # -------------------------------------------------------------- batches ----

    def evaluate(
        self,
        model: Any,
        x: Any,
        y: Any,
        batch_size: int | None,
        verbose: int,
        sample_weight: Any,
        steps: int | None,
        callbacks: Any,
    ) -> Any:
        """The loss over the data; with several losses or metrics, a list in the order of `Objective.labels`.

        model: for the callbacks. The other arguments are those of `Model.evaluate`.
        """
        executor = self.executor
        source: Iterable[Batch]
        params: dict[str, Any]
        if is_stream(x):
            count, stream = stream_of(x, steps, "steps")
            refuse_with_stream("evaluate", y=y, sample_weight=sample_weight)
            source = (self._checked(*parts(item)) for item in taken(stream, count))
            params = {"steps": count}
        else:
            data = self._checked(x, y, sample_weight)
            division = Division.of(self.runtime.network, len(data), batch_size, steps, "steps")
            source, params = division.batches(data), vars(division)
        shown = shown_loop(verbose if model.shows_progress else 0, params["steps"], params.get("samples"))
        labels = list(executor.objective.labels)
        listeners = CallbackList.of(callbacks, model, **params, verbose=verbose, metrics=labels)
        return _listed(test(executor, source, listeners, model, shown))

    def on_batch(
        self,
        training: bool,
        x: Any,
        y: Any,
        sample_weight: Any = None,
        class_weight: Any = None,
        reset_metrics: bool = True,
    ) -> Any:
        """Runs one batch; returns losses and metrics as `evaluate` does, computed with the weights before the step.

        The total loss is that of this batch; the metrics and the losses of outputs go on from what was there. training:
        whether the optimizer changes the weights. reset_metrics: whether they begin anew afterwards, as in Keras.
        """
        executor = self.executor
        batch = self._checked(x, y, sample_weight, class_weight)
        executor.reset_loss()
        executor.step(training, batch.x, batch.y, batch.weights)
        results = executor.results()
        if reset_metrics:
            executor.start_metrics()
        return _listed(results)

    def _checked(self, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None) -> Any:
        return checked_batch(self.runtime.network, self.executor.objective, x, y, sample_weight, class_weight)


def _trainable(layer: Any) -> list[bool]:
    """Whether a layer and each layer inside it are trainable."""
    return [layer.trainable, *(flag for inner in layer.sublayers for flag in _trainable(inner))]


def _listed(results: Mapping[str, float]) -> Any:
    """The only value, or the list of all values, as Keras returns them."""
    values = list(results.values())
    return values[0] if len(values) == 1 else values
