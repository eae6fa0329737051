"""The calls of a network that cannot run (`Layer.cannot_run`), and random tensors in place of what they compute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zlib import crc32

import numpy as np

from ..conventions.words.call_arguments import always_trains
from ..layers.base import Layer, Shape
from ..lazy_dataclasses import dataclass
from .graph import Node, by_call
from .network import Network
from .sample_inputs import sample_tensor


@dataclass(frozen=True, eq=False)
class Unrunnable:
    """A call that cannot run."""

    # The name of the call, which is that of its first output; in nested networks `outer/inner`.
    name: str
    layer: Layer
    # Why it cannot run, and what would make it run.
    reason: str
    # What the layers after it may be run on: random tensors of the shapes that the call has for its outputs.
    outputs: Sequence[np.ndarray]


def unrunnable(model: Network, inputs: Sequence[Shape], samples: int, prefix: str = "") -> Iterator[Unrunnable]:
    """The calls of `model` that cannot run on inputs of the shapes `inputs`, in the order of the graph.

    The random tensors depend on the name of the call alone.
    """
    if not model.cannot_run:
        return
    shapes = model.shapes(inputs)
    refs = by_call(shapes)

    def outputs(node: Node) -> list[np.ndarray]:
        seed = crc32(f"{prefix}{node.output.key}".encode())
        return [sample_tensor(model, ref, shapes[ref], samples, (seed, ref.tensor)) for ref in refs[node.output.call]]

    for node in model.nodes:
        layer, name = model.by_name[node.layer], prefix + node.output.key
        if isinstance(layer, Network) and not always_trains(node.kwargs, ""):
            yield from unrunnable(layer, [shapes[ref] for ref in node.inputs], samples, f"{name}/")
        elif error := model.refused_call(node):
            yield Unrunnable(name, layer, "; ".join(filter(None, (error.what, error.fix))), outputs(node))
