"""summary: the layers of a network as the table that Keras 2.3.1 prints.

Source: `print_summary` of `utils/layer_utils.py` of Keras 2.3.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import AlsoAttributeError, KconvertError, Problem, printable
from ..layers import Layer
from ..lazy_dataclasses import dataclass
from .network import Network


@dataclass(frozen=True)
class _Columns:
    """The columns of a table, and how wide it is where nobody says it."""

    titles: Sequence[str]
    # The ends of the columns, as parts of the width.
    ends: Sequence[float]
    width: int


_CHAIN = _Columns(("Layer (type)", "Output Shape", "Param #"), (0.45, 0.85, 1.0), 65)
_GRAPH = _Columns((*_CHAIN.titles, "Connected to"), (0.33, 0.55, 0.67, 1.0), 98)


def lines(model: Network, width: int | None = None, positions: Sequence[float] | None = None) -> Iterator[str]:
    """The lines of the table of a model.

    width: of a line, in characters. positions: the ends of the columns, as parts of the width or as numbers of
    characters. A model whose layers are not one row has a column for the tensors that they are called on.
    Raises KconvertError for a model whose input shape is not known.
    """
    if not model.nodes:
        fix = "call it on an input, call build, or fit it to data"
        raise KconvertError("the model has no weights before it is built", model.name, fix, Problem.USAGE)
    columns = _CHAIN if _is_chain(model) else _GRAPH
    width = width or columns.width
    ends = list(positions or columns.ends)
    if ends[-1] <= 1:
        ends = [int(width * end) for end in ends]
    yield f'Model: "{printable(model.name)}"'
    yield "_" * width
    yield row(columns.titles, ends)
    yield "=" * width
    counts = weight_counts(model)
    for layer in model.layers:
        first, *others = _behind(model, layer) if columns is _GRAPH else [""]
        name = printable(f"{layer.name} ({type(layer).__name__})")
        yield row((name, _shape(layer), counts.get(layer.name, 0), first), ends)
        yield from (row(("", "", "", one), ends) for one in others)
        yield ("=" if layer is model.layers[-1] else "_") * width
    total, trained = sum(counts.values()), sum(weight_counts(model, trainable=True).values())
    yield f"Total params: {total:,}"
    yield f"Trainable params: {trained:,}"
    yield f"Non-trainable params: {total - trained:,}"
    yield "_" * width


def row(fields: Sequence[Any], ends: Sequence[float]) -> str:
    """One line with a column for each field, cut where it is too long; columns are a space apart.

    ends: the ends of the columns, as numbers of characters.
    """
    line = ""
    for field, end in zip(fields, ends, strict=False):
        line = f"{line[:-1]} {field}" if line else str(field)
        line = line[: int(end)].ljust(int(end))
    return line


def _is_chain(model: Network) -> bool:
    """Whether each layer of a model is called once, on the output of the one before it."""
    if model.class_name == "Sequential":
        return True
    pairs = zip(model.nodes, model.nodes[1:], strict=False)
    return len({node.layer for node in model.nodes}) == len(model.nodes) and all(
        [ref.call for ref in node.inputs] == [before.output.call] for before, node in pairs
    )


def _shape(layer: Layer) -> Any:
    """The shape of the output of a layer; 'multiple' where its calls have several."""
    try:
        return layer.output_shape
    except AlsoAttributeError:
        return "multiple"


def _behind(model: Network, layer: Layer) -> list[str]:
    """The tensors that a layer is called on, as `layer[call][output]`."""
    refs = [ref for node in model.nodes if node.layer == layer.name for ref in node.inputs]
    return [printable(f"{ref.layer}[{ref.node}][{ref.tensor}]") for ref in refs] or [""]


def weight_counts(model: Network, trainable: bool = False) -> dict[str, int]:
    """The number of elements of the weights of each layer that has weights, by the name of the layer.

    trainable: count only the weights that training changes.
    """
    counts: dict[str, int] = {}
    for leaf in model.weight_table():
        weights = [w for w in leaf.weights if not trainable or (w.trainable and leaf.trainable and model.trainable)]
        counts[leaf.path[0]] = counts.get(leaf.path[0], 0) + sum(math.prod(w.shape) for w in weights)
    return counts
