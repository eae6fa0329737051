"""Prediction: the outputs of a model, computed batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..backend.base import Backend, Tensor
from ..layers.lists import as_list, one_or_list
from ..layers.phase import Phase
from ..network.network import Network
from ..network.outputs import Activations
from ..network.sample_inputs import check_batch, checked_inputs, size_of_batches
from .runtime import Runtime
from .training.callbacks import CallbackList
from .training.data import is_stream, stream_of


def predict(runtime: Runtime, x: Any, batch_size: int | None, steps: int | None, listeners: CallbackList) -> Any:
    """The outputs for `x`. Parameters and errors: see `Model.predict`."""
    network = runtime.network

    def build(K: Backend, weights: Any, inputs: list[Tensor], phase: Phase) -> list[Tensor]:
        return as_list(network.call(K, weights, one_or_list(inputs), None, phase))

    # The function is compiled when the first batch is there, so wrong inputs are refused before that.
    outputs = []
    listeners.on_predict_begin({})
    for number, batch in enumerate(_batches(network, x, batch_size, steps)):
        logs = {"batch": number, "size": len(batch[0])}
        listeners.on_predict_batch_begin(number, logs)
        outputs.append(runtime.compiled_function("predict", build)(batch))
        listeners.on_predict_batch_end(number, {**logs, "outputs": outputs[-1]})
    listeners.on_predict_end({})
    return one_or_list([np.concatenate(parts) for parts in zip(*outputs, strict=True)])


def activations(runtime: Runtime, x: Any, replaced: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
    """The output of every layer by name, for one batch `x`. Parameters and errors: see `Model.activations`."""
    backend = runtime.start()
    function = Activations(runtime.network, backend, runtime.arrays, replaced)
    return function(runtime.arrays, as_list(x), replaced)


def _batches(network: Network, x: Any, batch_size: int | None, steps: int | None) -> Iterator[list[np.ndarray]]:
    """The checked inputs of each batch; for a stream of tuples (x, y, ...) the first item."""
    if is_stream(x):
        count, stream = stream_of(x, steps, "steps")
        for _ in range(count):
            item = next(stream)
            batch = checked_inputs(network, item[0] if isinstance(item, tuple) else item)
            check_batch(network, len(batch[0]))
            yield batch
        return
    xs = checked_inputs(network, x, as_many_as_first=True)
    size = size_of_batches(network, batch_size, len(xs[0]))
    n = len(xs[0]) if steps is None else min(len(xs[0]), steps * size)
    for i in range(0, n, size):
        yield [a[i : i + size] for a in xs]
