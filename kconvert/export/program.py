"""Traces a network as a TensorFlow program: a function with a signature, and the weights as its variables."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ..arguments import argument
from ..backend import tensorflow_compat
from ..backend.base import Step, Tensor
from ..backend.tensorflow_backend import TensorflowBackend
from ..errors import KconvertError
from ..layers.lists import as_list, one_or_list
from ..layers.phase import Phase
from ..lazy_dataclasses import dataclass
from ..network.nested import Arrays, nest, walk
from ..network.network import Network
from ..network.signature import input_names, output_names

tf = tensorflow_compat.load()

_FORBIDDEN = re.compile(r"[^A-Za-z0-9._-]")
"""Characters that no name of TensorFlow has."""


class _UnrolledBackend(TensorflowBackend):
    """A TensorFlow backend that unrolls every loop."""

    def rnn(
        self,
        step: Step,
        inputs: Tensor,
        states: list[Tensor],
        mask: Tensor | None = None,
        go_backwards: bool = False,
        unroll: bool = False,
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        if inputs.shape[1] is None:
            raise KconvertError("the number of time steps is free", fix=f"state it with {argument('input_shape')}")
        return super().rnn(step, inputs, states, mask, go_backwards, unroll=True)


@dataclass(frozen=True)
class Program:
    """A function of TensorFlow that computes a network."""

    module: Any
    """The `tf.Module` with the function `call` and its variables."""
    signature: list[Any]
    """The specs of its inputs."""


def traced(network: Network, arrays: Arrays, batch: int | None = None, unroll: bool = False) -> Program:
    """The program of a network with the weights `arrays`, in the form in which layers run on TensorFlow.

    batch: the number of samples of each batch; None: any. unroll: write loops out. Raises KconvertError where a layer
    cannot run, or has states that no program keeps.
    """
    refuse_states(network)
    backend = _UnrolledBackend() if unroll else TensorflowBackend()
    module = tf.Module()
    paths = [path for path, _ in walk(arrays)]
    module.weights = [tf.Variable(_as_it_runs(array), name=_scope(path)) for path, array in walk(arrays)]
    specs = zip(input_names(network), network.input_specs, strict=True)
    signature = [tf.TensorSpec((spec.shape[0] or batch, *spec.shape[1:]), spec.dtype, name) for name, spec in specs]

    def call(*inputs: Tensor) -> dict[str, Tensor]:
        weights = nest(zip(paths, map(tf.convert_to_tensor, module.weights), strict=True))
        outputs = as_list(network.call(backend, weights, one_or_list(list(inputs)), None, Phase(backend)))
        # an output that is an input itself needs an op of its own
        return {name: tf.identity(y) for name, y in zip(output_names(network), outputs, strict=True)}

    module.call = tf.function(call, input_signature=signature, autograph=False)
    module.call.get_concrete_function()
    return Program(module, signature)


def _as_it_runs(array: np.ndarray) -> np.ndarray:
    """Weights of any precision as float32, in which layers compute; integers stay."""
    return array.astype("float32", copy=False) if array.dtype.kind == "f" else array


def refuse_states(network: Network) -> None:
    """Refuses layers that carry states from one batch to the next."""
    stateful = sorted({"/".join(path[:-1]) for path in network.state_shapes()})
    if stateful:
        raise KconvertError(
            f"a program keeps no states from one batch to the next, and {', '.join(stateful)} has them",
            fix="write the model as .h5 or .keras, or make the layer not stateful",
        )


def _scope(path: tuple[str, ...]) -> str:
    """The name of a variable: what TensorFlow allows.

    >>> _scope(("größe 1", "kernel")), _scope(("_a", "bias"))
    ('gr__e_1/kernel', 'x_a/bias')
    """
    name = "/".join(_FORBIDDEN.sub("_", one) for one in path)
    return name if name[0].isalnum() else f"x{name}"
