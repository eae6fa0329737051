"""Reads weights that a file stores by the objects of a model, with the groups and names of a Keras 2 HDF5 file.

tf.keras stores a model also as a tree of objects: a model holds its layers, a wrapper the layer inside it, a recurrent
layer its cell. The tree contains neither the classes nor the names of layers, so it is matched with the architecture.
Each format has a `Tree` that knows the names of the members of an object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from ..conventions.words.items import GRAPHS, Json, checked, is_item
from ..conventions.words.keras3_masks import is_operation
from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .checkpoint import Group, LazyArray, renamed

INPUT = "InputLayer"
SEQUENTIAL = "Sequential"
MEMBERS = ("layer", "cell", "backward_layer")
"""Keys of a configuration that hold an item, and the objects with the same names."""
FORWARD, BACKWARD = "forward_layer", "backward_layer"


class Tree(Protocol):
    """One object of a file, and those inside it."""

    def weights(self) -> Mapping[str, LazyArray]:
        """The arrays of the object itself, by the names of its weights, or by their numbers."""

    def member(self, name: str) -> Tree | None:
        """The object that is called `name` in this one."""

    def layers(self, items: Sequence[Item]) -> Sequence[Tree]:
        """The objects of the layers of a model. Raises KconvertError where the file has others."""

    def cells(self, items: Sequence[Item]) -> Sequence[Tree]:
        """The objects of the cells that are stacked in this one."""

    def check_names(self, pairs: Sequence[tuple[str, Tree]]) -> None:
        """Raises KconvertError where the file has names of layers, and they contradict those of the architecture."""


@dataclass(frozen=True)
class Item:
    """A layer or a model of an architecture."""

    class_name: str
    name: str
    config: Any

    @property
    def layers(self) -> list[Item] | None:
        """The layers of a model; None for a layer. A Sequential does not count the input that it states."""
        if self.class_name not in (SEQUENTIAL, *GRAPHS):
            return None
        listed = self.config.get("layers") if isinstance(self.config, Mapping) else self.config
        listed = checked(listed, list, f"'layers' of {self.name}")
        items = [item_of(one) for one in listed if not (is_item(one) and is_operation(one))]
        inputs = self.class_name == SEQUENTIAL and items and items[0].class_name == INPUT
        return items[1:] if inputs else items

    def member(self, key: str) -> Item | None:
        """The item that the configuration has by a key."""
        value = self.config.get(key) if isinstance(self.config, Mapping) else None
        return item_of(value) if is_item(value) else None

    @property
    def cells(self) -> list[Item] | None:
        """The cells that are stacked in a cell."""
        listed = self.config.get("cells") if isinstance(self.config, Mapping) else None
        return [item_of(one) for one in listed] if isinstance(listed, list) else None


def item_of(value: Any) -> Item:
    """An item of an architecture. Raises KconvertError where it is none."""
    if not is_item(value) or not isinstance(value["class_name"], str):
        what, fix = "the architecture is not one that Keras writes", "give the JSON that model.to_json() wrote"
        raise KconvertError(what, fix=fix, problem=Problem.UNREADABLE)
    config = value["config"]
    name = config.get("name") if isinstance(config, Mapping) else None
    return Item(value["class_name"], str(name or value.get("name") or value["class_name"]), config)


def groups(root: Tree, architecture: Json) -> list[Group]:
    """The weights of a model, a group for each layer, called after the layers of the architecture.

    Raises KconvertError where the objects are not those of the architecture.
    """
    model = item_of(architecture)
    if model.layers is None:
        raise KconvertError(
            f"the model is of the class {model.class_name}, and what that computes is in its code",
            fix="build it as a Sequential or a functional model, load the weights into it, and save that",
            problem=Problem.UNSUPPORTED,
        )
    return [Group(item.name, list(_arrays(item, tree, (item.name,)))) for item, tree in _pairs(model, root)]


def _pairs(model: Item, tree: Tree) -> list[tuple[Item, Tree]]:
    """The layers of a model with their objects."""
    items = model.layers or []
    pairs = list(zip(items, tree.layers(items), strict=True))
    tree.check_names([(item.name, one) for item, one in pairs if item.layers is None])
    return pairs


def _arrays(item: Item, tree: Tree, path: tuple[str, ...]) -> Iterator[LazyArray]:
    """The arrays of a layer and of all layers in it, called `path/kernel:0`."""
    for slot, array in tree.weights().items():
        yield renamed(array, f"{'/'.join(path)}/{slot}:0")
    if item.layers is not None:
        for inner, one in _pairs(item, tree):
            yield from _arrays(inner, one, (*path, inner.name))
        return
    for inner, one, name in _members(item, tree):
        yield from _arrays(inner, one, (*path, name) if name else path)


def _members(item: Item, tree: Tree) -> Iterator[tuple[Item, Tree, str]]:
    """The layers in a wrapper and the cells of a recurrent layer: (item, object, name), '' where it has none."""
    forward = tree.member(FORWARD)
    inside = item.member("layer")
    if forward is not None and inside is not None:
        backward, own = tree.member(BACKWARD), item.member(BACKWARD)
        yield inside, forward, f"forward_{inside.name.removeprefix('forward_') if own else inside.name}"
        if backward is not None:
            yield (own, backward, own.name) if own else (inside, backward, f"backward_{inside.name}")
        return
    for key in MEMBERS:
        member = tree.member(key)
        if member is not None:
            inner = item.member(key)
            yield (inner, member, inner.name) if inner else (Item("", "", {}), member, "")
    if item.cells is not None and (stack := tree.member("cells")) is not None:
        for cell, one in zip(item.cells, stack.cells(item.cells), strict=True):
            yield cell, one, cell.name


def snake_case(name: str) -> str:
    """The name of a class as Keras 3 and tf.keras write it into the paths of a file.

    >>> [snake_case(name) for name in ("Conv2DTranspose", "LSTMCell", "PReLU", "MaxPooling2D")]
    ['conv2d_transpose', 'lstm_cell', 'p_re_lu', 'max_pooling2d']
    """
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
