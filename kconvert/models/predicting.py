"""Prediction: the outputs of a model, computed batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..layers.lists import as_list, one_or_list
from ..network.outputs import Activations
from ..network.sample_inputs import checked_inputs
from .runtime import Runtime
from .training.data import is_stream, stream_of


def predict(runtime: Runtime, x: Any, batch_size: int | None = None, steps: int | None = None) -> Any:
    """The outputs for `x`. Parameters and errors: see `Model.predict`."""
    network = runtime.network
    function = runtime.function(
        "predict", lambda K, w, inputs, phase: as_list(network.call(K, w, one_or_list(inputs), None, phase))
    )
    outputs = [function(batch) for batch in _batches(runtime, x, batch_size or 32, steps)]
    return one_or_list([np.concatenate(parts) for parts in zip(*outputs, strict=True)])


def activations(runtime: Runtime, x: Any, replaced: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
    """The output of every layer by name, for one batch `x`. Parameters and errors: see `Model.activations`."""
    backend = runtime.start()
    function = Activations(runtime.network, backend, runtime.arrays, replaced)
    return function(runtime.arrays, as_list(x), replaced)


def _batches(runtime: Runtime, x: Any, size: int, steps: int | None) -> Iterator[list[np.ndarray]]:
    """The inputs of each batch; for a stream of tuples (x, y, ...) the first item."""
    if is_stream(x):
        count, stream = stream_of(x, steps, "steps")
        for _ in range(count):
            item = next(stream)
            yield checked_inputs(runtime.network, item[0] if isinstance(item, tuple) else item)
        return
    xs = checked_inputs(runtime.network, x)
    n = len(xs[0]) if steps is None else min(len(xs[0]), steps * size)
    for i in range(0, n, size):
        yield [a[i : i + size] for a in xs]
