"""Checkpoints of TensorFlow 1, whose arrays have the names of variables: 'conv2d/kernel', 'conv2d/kernel/Adam'."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..arguments import argument
from ..conventions.words.items import Json
from .checkpoint import Group, LazyArray, renamed
from .failures import unreadable
from .objects import Item, item_of

_CELL = re.compile(r"(?:.*_cell|cell_\d+)(?:_\d+)?")
"""What stands between the name of a recurrent layer and that of its weight: 'lstm/lstm_cell_3/kernel'."""

_SCALAR = re.compile(r"iter|iterations|lr|learning_rate|decay|momentum|rho|beta_[12]|epsilon|schedule_decay")
"""What an optimizer keeps for all weights."""


def grouped(variables: Mapping[str, LazyArray], architecture: Json, where: Path) -> list[Group]:
    """The variables of the layers of an architecture, which only their names distinguish.

    Variables of an optimizer are left out. Raises KconvertError where a name is not that of a layer.
    """
    model = item_of(architecture)
    owners = {name: top.name for top in model.layers or [] for name in _names(top)}
    found: dict[str, list[LazyArray]] = {top.name: [] for top in model.layers or []}
    for key in variables:
        if _is_of_optimizer(key, variables):
            continue
        *scopes, slot = key.split("/")
        layer = next((scope for scope in reversed(scopes) if not _CELL.fullmatch(scope)), None)
        if layer not in owners:
            raise unreadable(
                f"its variable {key!r} is not called after a layer of the architecture",
                where,
                f"give the architecture that the weights were saved with: {argument('arch')}",
            )
        found[owners[layer]].append(renamed(variables[key], f"{layer}/{slot}:0"))
    return [Group(name, sorted(arrays, key=_number)) for name, arrays in found.items()]


def _number(array: LazyArray) -> int:
    """The number that TensorFlow has added to a name that was taken: the weights of a second cell come later."""
    added = re.search(r"_(\d{1,9}):0$", array.name)
    return int(added[1]) if added else 0


def _names(item: Item) -> Iterator[str]:
    """The names of a layer and of all layers in it."""
    yield item.name
    for inner in item.layers or []:
        yield from _names(inner)
    inside = item.member("layer")
    if inside is not None:
        yield from _names(inside)
        yield from (f"{way}_{inside.name}" for way in ("forward", "backward"))


def _is_of_optimizer(key: str, variables: Mapping[str, LazyArray]) -> bool:
    """Whether a variable is a slot of another one, or belongs to no layer."""
    outer, _, last = key.rpartition("/")
    return not outer or outer in variables or bool(_SCALAR.fullmatch(last)) or key.startswith(("training/", "loss/"))
