"""Every tensor of a model as one compiled function of its inputs and its weights.

The weights are inputs of the function, too: it is compiled once for an architecture and serves every file of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..backend.base import Backend, InputSpec, Tensor
from ..errors import KconvertError, Problem
from .nested import Arrays, nest, walk
from .network import Network
from .sample_inputs import checked_inputs


class Activations:
    """The output of every layer of `model` on `backend`, compiled for weights shaped as `arrays`.

    given: tensors by name that take the place of the graph's own in all that comes after; here their shapes and
    dtypes count. The layer that makes such a tensor still runs, and what it makes is the result under its name: with
    every tensor given, each layer runs alone. Masks are those of the tensors that are used. Raises KconvertError for
    names that are no tensors of the model.
    """

    def __init__(
        self, model: Network, backend: Backend, arrays: Arrays, given: Mapping[str, np.ndarray] | None = None
    ) -> None:
        self.model, self.names = model, list[str]()
        self.given = list(given or ())
        if unknown := sorted(set(self.given) - set(model.tensor_layers())):
            raise KconvertError(f"no layer makes the tensor {unknown[0]}", where=model.name, problem=Problem.USAGE)
        self.paths = [path for path, _ in walk(arrays)]
        batch = model.input_shapes[0][0]
        specs = [
            *model.input_specs,
            *(InputSpec(array.shape) for _, array in walk(arrays)),
            *(InputSpec((batch, *x.shape[1:]), _dtype(x)) for x in (given or {}).values()),
        ]
        self._function = backend.function(lambda _, tensors: self._build(backend, tensors), specs, [])

    def __call__(
        self, arrays: Arrays, inputs: Sequence[np.ndarray], given: Mapping[str, np.ndarray] | None = None
    ) -> dict[str, np.ndarray]:
        """The tensors by name, in the order of the graph (nested models': `outer/inner`), for one batch of inputs."""
        weights = [array for _, array in walk(arrays)]
        taken = [(given or {})[name] for name in self.given]
        results = self._function([*checked_inputs(self.model, inputs), *weights, *taken])
        return dict(zip(self.names, results, strict=True))

    def _build(self, K: Backend, tensors: Sequence[Tensor]) -> list[Tensor]:
        entries, weights = len(self.model.input_refs), len(self.paths)
        w = nest(zip(self.paths, tensors[entries:], strict=False))
        instead = dict(zip(self.given, tensors[entries + weights :], strict=True))
        found: dict[str, Tensor] = {}

        def record(name: str, tensor: Tensor) -> Tensor:
            found[name] = tensor
            return instead.get(name, tensor)

        self.model.run(K, w, tensors[:entries], record=record)
        self.names = list(found)
        return list(found.values())


def _dtype(x: Any) -> str:
    """Layers compute with float32, whatever precision a tensor was kept in."""
    return "float32" if x.dtype.kind == "f" else str(x.dtype)
