"""summary: the layers of a network as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest

from rich.table import Table

from ..drawing.terminal import Console, text
from .network import Network

_COLUMNS = ("Layer", "Output shape", "Weights", "Connected to")


def table(model: Network, widths: Sequence[int] = ()) -> Table:
    """One row for each layer: name and class, output shape of the first call, number of weights, and inputs.

    widths: of the first columns, which are shown alone; without them all columns are as wide as their content.
    """
    layers = Table(title=text(model.name), title_justify="left")
    columns = _COLUMNS[: len(widths)] if widths else _COLUMNS
    for title, width in zip_longest(columns, widths[: len(columns)]):
        layers.add_column(title, justify="right" if title == "Weights" else "left", width=width)
    shapes, counts = model.shapes(), weight_counts(model)
    for layer in model.stored_layers:
        calls = [node for node in model.nodes if node.layer == layer.name]
        shape = str(shapes[calls[0].output]) if calls else ""
        inputs = dict.fromkeys(ref.key for node in calls for ref in node.inputs)
        name = f"{layer.name} ({layer.class_name})"
        row = (text(name), shape, f"{counts.get(layer.name, 0):,}", text(", ".join(inputs)))
        layers.add_row(*row[: len(columns)])
    return layers


def weight_counts(model: Network, trainable: bool = False) -> dict[str, int]:
    """The number of elements of the weights of each layer that has weights, by the name of the layer.

    trainable: count only the weights that training changes.
    """
    counts: dict[str, int] = {}
    for leaf in model.weight_table():
        weights = [w for w in leaf.weights if not trainable or (w.trainable and leaf.trainable and model.trainable)]
        counts[leaf.path[0]] = counts.get(leaf.path[0], 0) + sum(math.prod(w.shape) for w in weights)
    return counts


def summary(model: Network, console: Console | None = None, widths: Sequence[int] = ()) -> None:
    """Prints the table of the layers, and the number of weights.

    console: by default the standard output. widths: as for `table`.
    """
    console = console or Console()
    total, trained = (sum(weight_counts(model, only).values()) for only in (False, True))
    console.print(table(model, widths))
    console.print(f"{total:,} weights: {trained:,} trainable, {total - trained:,} not trainable")


def lines(model: Network, width: int | None = None, positions: Sequence[float] | None = None) -> list[str]:
    """The lines that `summary` prints, `width` characters wide at most.

    positions: the ends of the columns, as parts of the width or as numbers of characters.
    """
    length = width or 100
    ends = [int(end * length if end <= 1 else end) for end in positions or ()]
    widths = [max(1, end - begin - _BORDER) for begin, end in zip([0, *ends], ends, strict=False)]
    console = Console(length)
    with console.capture() as captured:
        summary(model, console, widths)
    return captured.get().splitlines()


_BORDER = 3
"""The characters between the texts of two columns."""
