"""Where Keras 3 stores the arrays of each layer (keras-facts: keras3-paths).

The groups of layers are called by their classes and numbered in their order: `layers/dense`, `layers/dense_1`. In it,
an inner layer is called by the attribute that holds it: `layers/bidirectional/forward_layer/cell`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..objects import snake_case

Item = Mapping[str, Any]
Path = tuple[str, ...]
"""The names of layers, from the outermost in."""

MODELS = ("Sequential", "Functional")
LAYERS = "keras.layers"

CELLS = ("SimpleRNN", "GRU", "LSTM", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
"""Layers whose weights are those of a cell inside them, and whose configuration has the options of the cell."""


def groups(model: Item) -> Iterator[tuple[Path, str]]:
    """The layers of a model that may have weights themselves, each with its group: its path, the group's.

    model: the architecture, as Keras 3 writes it.
    """
    for item, group in _children(model["config"]["layers"], "layers", model["class_name"]):
        yield from _inside(item, (item["config"]["name"],), group)


def _children(items: Sequence[Item], parent: str, owner: str = "") -> Iterator[tuple[Item, str]]:
    """Layers in a list with the groups in which each is."""
    counts: Counter[str] = Counter()
    for item in items:
        operation = item.get("module") not in (LAYERS, "keras", "keras.src.models.functional")
        if operation or (owner == "Sequential" and item["class_name"] == "InputLayer"):
            continue
        name = snake_case(item["class_name"])
        number = counts[name]
        counts[name] += 1
        yield item, f"{parent}/{name}_{number}" if number else f"{parent}/{name}"


def _inside(item: Item, path: Path, group: str) -> Iterator[tuple[Path, str]]:
    """The layers in `item` that may have weights, or `item` itself."""
    name, config = item["class_name"], item["config"]
    if name in MODELS:
        children = _children(config["layers"], f"{group}/layers", name)
    elif name == "TimeDistributed":
        children = iter([(config["layer"], f"{group}/layer")])
    elif name == "Bidirectional":
        for direction in ("forward", "backward"):
            inner = f"{direction}_{config['layer']['config']['name']}"
            yield from _inside(config["layer"], (*path, inner), f"{group}/{direction}_layer")
        return
    elif name == "RNN":
        children = iter([(config["cell"], f"{group}/cell")])
    elif name == "StackedRNNCells":
        children = _children(config["cells"], f"{group}/cells")
    else:
        yield path, f"{group}/cell" if name in CELLS else group
        return
    for child, place in children:
        yield from _inside(child, (*path, child["config"]["name"]), place)
