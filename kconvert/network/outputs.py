"""Computes every tensor of a network with one compiled function of its inputs and weights.

Verification and `Model.activations` use it, to compare or show the output of every layer. `Model.predict` does not: its
function (`models/predicting.py`) computes the outputs of the network alone. The weights are arguments of the function,
so it is compiled once for an architecture and used for all its files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..backend.base import Backend, InputSpec, Tensor
from ..backend.float_settings import floatx, keeping_floatx
from ..errors import KconvertError, Problem
from .nested import Arrays, nest, walk
from .network import Network
from .sample_inputs import checked_inputs

Given = Mapping[str, Sequence[np.ndarray]]
"""Outputs of calls by the name of the call."""

_NOTHING: Given = {}


class Activations:
    """A function that computes every tensor of a network, compiled for `backend`.

    arrays: nested weights; their shapes are used. replaced: tensors by name that replace those of the graph as inputs
    of other layers; their shapes and dtypes are used. given: the outputs of calls that are not made (`Network.run`),
    by name; they are not in the results. The layer that computes a replaced tensor still runs, and its
    output is in the results: if all tensors are replaced, each layer runs separately. Masks are computed from the
    tensors that are used. Raises KconvertError where the network has no tensor of such a name.
    """

    def __init__(
        self,
        model: Network,
        backend: Backend,
        arrays: Arrays,
        replaced: Mapping[str, np.ndarray] | None = None,
        given: Given = _NOTHING,
    ) -> None:
        # The names of the results; known after the function is compiled.
        self.model, self.names = model, list[str]()
        self.replaced = list(replaced or ())
        self.given = {name: len(outputs) for name, outputs in given.items()}
        if unknown := sorted(set(self.replaced) - set(model.tensor_layers())):
            raise KconvertError(f"no layer computes the tensor {unknown[0]}", where=model.name, problem=Problem.USAGE)
        self.paths = [path for path, _ in walk(arrays)]
        with keeping_floatx(model.floatx):
            self._compile(backend, arrays, replaced or {}, given)

    def _compile(self, backend: Backend, arrays: Arrays, replaced: Mapping[str, np.ndarray], given: Given) -> None:
        model, batch = self.model, self.model.fixed_batch
        specs = [
            *model.input_specs,
            *(InputSpec(array.shape) for _, array in walk(arrays)),
            *(InputSpec((batch, *x.shape[1:]), _dtype(x)) for x in replaced.values()),
            *(InputSpec((batch, *x.shape[1:]), _dtype(x)) for outputs in given.values() for x in outputs),
        ]
        self._function = backend.compile_reading(lambda _, tensors: self._build(backend, tensors), specs, [])

    def __call__(
        self,
        arrays: Arrays,
        inputs: Sequence[np.ndarray],
        replaced: Mapping[str, np.ndarray] | None = None,
        given: Given = _NOTHING,
    ) -> dict[str, np.ndarray]:
        """The tensors for inputs, by name (in nested networks `outer/inner`), in the order of the graph.

        Inputs are one batch, or batches of `Network.fixed_batch`, each of which starts with states of zero.
        arrays, replaced, given: with the names and shapes that the function was compiled for. Raises KconvertError
        where the inputs do not fit.
        """
        weights = [array for _, array in walk(arrays)]
        others = [(replaced or {})[name] for name in self.replaced]
        others += [array for name in self.given for array in given[name]]
        xs = checked_inputs(self.model, inputs)
        size = self.model.fixed_batch or len(xs[0])
        batches = [
            self._function([*(x[i : i + size] for x in xs), *weights, *(x[i : i + size] for x in others)])
            for i in range(0, len(xs[0]), size)
        ]
        results = batches[0] if len(batches) == 1 else [np.concatenate(parts) for parts in zip(*batches, strict=True)]
        return dict(zip(self.names, results, strict=True))

    def _build(self, K: Backend, tensors: Sequence[Tensor]) -> list[Tensor]:
        """All tensors of the graph; tensors: the inputs, the weights, the replacing and the given tensors."""
        inputs, weights = len(self.model.input_refs), len(self.paths)
        w = nest(zip(self.paths, tensors[inputs:], strict=False))
        others = iter(tensors[inputs + weights :])
        instead = {name: next(others) for name in self.replaced}
        given = {name: [next(others) for _ in range(count)] for name, count in self.given.items()}
        results: dict[str, Tensor] = {}

        def record(name: str, tensor: Tensor) -> Tensor:
            results[name] = tensor
            return instead.get(name, tensor)

        self.model.run(K, w, tensors[:inputs], record=record, given=given)
        self.names = list(results)
        return list(results.values())


def _dtype(x: Any) -> str:
    """The dtype of a replacing tensor: one for all floats, in which layers compute."""
    return floatx() if x.dtype.kind == "f" else str(x.dtype)
