"""Bounds the memory of a run before it begins: a file of kilobytes can describe tensors of terabytes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..conversion.source import Source
from ..formats import files
from ..formats.limits import check_limit, expansion
from ..layers.base import Shape
from ..network.network import Network

_BYTES = 4  # of an element


def check_memory(file: Source, model: Network, inputs: Sequence[Shape]) -> None:
    """Refuses a run whose tensors would need too many bytes, as far as they exceed 100 times the stored bytes.

    file: what is run. model: its network. inputs: the shapes of the inputs, with the number of samples.

    Raises KconvertError (UNREADABLE) if the tensors exceed the limit `bytes`.
    """
    computed = _BYTES * elements(model, inputs)
    stored = files.size(file.path or "")
    samples = inputs[0][0] if inputs else 0
    what = f"computes {computed:,} bytes for {samples} samples from a file of {stored:,}; all tensors"
    check_limit("bytes", expansion(computed, stored), what, str(file.path))


def elements(model: Network, inputs: Sequence[Shape]) -> int:
    """The number of elements of all tensors, those in nested networks included; a free size counts as 1."""
    shapes = model.shapes(inputs)
    count = sum(math.prod(size or 1 for size in shape) for shape in shapes.values())
    for node in model.nodes:
        layer = model.by_name[node.layer]
        if isinstance(layer, Network):
            count += elements(layer, [shapes[ref] for ref in node.inputs])
    return count
