"""summary: the layers of a network as a table."""

from __future__ import annotations

import math

from rich.table import Table

from ..drawing.terminal import Console, text
from .network import Network


def table(model: Network) -> Table:
    """One row for each layer: name and class, output shape of the first call, number of weights, and inputs."""
    layers = Table(title=text(model.name), title_justify="left")
    for title in ("Layer", "Output shape", "Weights", "Connected to"):
        layers.add_column(title, justify="right" if title == "Weights" else "left")
    shapes, counts = model.shapes(), weight_counts(model)
    for layer in model.layers:
        calls = [node for node in model.nodes if node.layer == layer.name]
        shape = str(shapes[calls[0].output]) if calls else ""
        inputs = dict.fromkeys(ref.key for node in calls for ref in node.inputs)
        name = f"{layer.name} ({layer.class_name})"
        layers.add_row(text(name), shape, f"{counts.get(layer.name, 0):,}", text(", ".join(inputs)))
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


def summary(model: Network, console: Console | None = None) -> None:
    """Prints the table of the layers, and the number of weights; console: by default the standard output."""
    console = console or Console()
    total, trained = (sum(weight_counts(model, only).values()) for only in (False, True))
    console.print(table(model))
    console.print(f"{total:,} weights: {trained:,} trainable, {total - trained:,} not trainable")


def lines(model: Network, width: int | None = None) -> list[str]:
    """The lines that `summary` prints, `width` characters wide at most."""
    console = Console(width or 100)
    with console.capture() as captured:
        summary(model, console)
    return captured.get().splitlines()
