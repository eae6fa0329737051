"""The layers of a model as a table."""

from __future__ import annotations

import math

from rich.console import Console
from rich.table import Table

from .network import Network


def table(model: Network) -> Table:
    """One row for each layer: class, shape of its output, number of weights, and the layers before it."""
    rows = Table(title=model.name, title_justify="left")
    for title in ("Layer", "Output shape", "Weights", "Connected to"):
        rows.add_column(title, justify="right" if title == "Weights" else "left")
    shapes, counts = model.shapes(), weight_counts(model)
    for layer in model.layers:
        calls = [node for node in model.nodes if node.layer == layer.name]
        made = [str(shapes[node.output]) for node in calls]
        before = dict.fromkeys(ref.key for node in calls for ref in node.inputs)
        name = f"{layer.name} ({layer.class_name})"
        rows.add_row(name, made[0] if made else "", f"{counts.get(layer.name, 0):,}", ", ".join(before))
    return rows


def weight_counts(model: Network, trainable: bool = False) -> dict[str, int]:
    """The number of weights of each layer that has some; trainable: of those that training changes."""
    counts: dict[str, int] = {}
    for leaf in model.weight_table():
        own = [w for w in leaf.weights if not trainable or (w.trainable and leaf.trainable and model.trainable)]
        counts[leaf.path[0]] = counts.get(leaf.path[0], 0) + sum(math.prod(w.shape) for w in own)
    return counts


def summary(model: Network, console: Console | None = None) -> None:
    """Prints the table, and how many weights there are."""
    console = console or Console()
    total, trained = (sum(weight_counts(model, only).values()) for only in (False, True))
    console.print(table(model))
    console.print(f"{total:,} weights, {trained:,} of them trainable, {total - trained:,} not")
