"""Prediction: the outputs of a model, computed batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..backend.base import Backend, Tensor
from ..layers.lists import as_list, one_or_list
from ..layers.phase import Phase
from ..network.network import Network
from ..network.outputs import Activations
from ..network.sample_inputs import check_batch, checked_inputs
from .runtime import Runtime
from .training.callbacks import CallbackList
from .training.callbacks.progress import shown_loop
from .training.data import Batch, Division, is_stream, parts, stream_of, taken


def predict(
    model: Any,
    runtime: Runtime,
    x: Any,
    batch_size: int | None,
    verbose: int,
    steps: int | None,
    callbacks: Sequence[Any] | None,
) -> Any:
    """The outputs for `x`. Parameters and errors: see `Model.predict`; model: for the callbacks."""
    network = runtime.network

    def build(K: Backend, weights: Any, inputs: list[Tensor], phase: Phase) -> list[Tensor]:
        return as_list(network.call(K, weights, one_or_list(inputs), None, phase))

    # The function is compiled when the first batch is there, so wrong inputs are refused before that.
    outputs = []
    batches, params = _batches(network, x, batch_size, steps)
    listeners = CallbackList.of(callbacks, model, **params, verbose=verbose)
    shown = shown_loop(verbose if model.shows_progress else 0, params["steps"], params.get("samples"))
    listeners.on_predict_begin()
    for number, batch in enumerate(batches):
        logs = {"batch": number, "size": len(batch[0])}
        listeners.on_predict_batch_begin(number, logs)
        results = runtime.compiled_function("predict", build)(batch)
        outputs.append([_of_samples(one, len(batch[0])) for one in results])
        listeners.on_predict_batch_end(number, {**logs, "outputs": outputs[-1]})
        shown(len(batch[0]))
    listeners.on_predict_end()
    return one_or_list([np.concatenate(parts) for parts in zip(*outputs, strict=True)])


def _of_samples(output: Any, samples: int) -> np.ndarray:
    """An output of a batch; a single number for the whole batch is repeated for each sample, as in Keras."""
    return np.full(samples, output) if np.ndim(output) == 0 else output


def activations(runtime: Runtime, x: Any, replaced: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
    """The output of every layer by name, for one batch `x`. Parameters and errors: see `Model.activations`."""
    backend = runtime.start()
    function = Activations(runtime.network, backend, runtime.arrays, replaced)
    return function(runtime.arrays, as_list(x), replaced)


def _batches(
    network: Network, x: Any, batch_size: int | None, steps: int | None
) -> tuple[Iterator[list[np.ndarray]], dict[str, Any]]:
    """The checked inputs of each batch, and the parameters of callbacks that say how many there are."""
    if is_stream(x):
        count, stream = stream_of(x, steps, "steps")
        return (_checked(network, item) for item in taken(stream, count)), {"steps": count}
    data = Batch(checked_inputs(network, x, as_many_as_first=True), [], [])
    division = Division.of(network, len(data), batch_size, steps, "steps")
    return (batch.x for batch in division.batches(data)), vars(division)


def _checked(network: Network, item: Any) -> list[np.ndarray]:
    """The checked inputs in an item of a stream: the first part of a tuple (x, y, ...)."""
    batch = checked_inputs(network, parts(item)[0] if isinstance(item, tuple) else item)
    check_batch(network, len(batch[0]))
    return batch
