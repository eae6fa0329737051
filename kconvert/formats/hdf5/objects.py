"""Weights that tf.keras 2.12 - 2.15 stores by objects and classes: `layers/conv2d_1/vars/0`.

They are the `model.weights.h5` of a `.keras` file, and the file of `model.save_weights("NAME.weights.h5")`
(keras-facts: weights-by-objects).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ...arguments import argument
from ...lazy_dataclasses import dataclass
from ..checkpoint import LazyArray
from ..failures import unreadable
from ..objects import Item, Tree, snake_case
from .safely import StoredGroup

LAYERS = ("layers", "_layer_checkpoint_dependencies")
"""The names of the group of a model's layers: that of tf.keras 2.13 and later, and that of 2.12."""
VARS = "vars"
OPTIMIZER = "optimizer"
"""The object of a model that keeps the optimizer's state."""
NAME = "name"
"""An attribute of the groups `vars` that only Keras 3 writes (keras-facts: weights-by-objects)."""


def is_by_objects(root: StoredGroup) -> bool:
    """Whether a file stores weights by objects."""
    return any(name in root for name in LAYERS)


@dataclass(frozen=True, eq=False)
class StoredObject(Tree):
    """The object of a group of a file (`formats.objects.Tree`)."""

    group: StoredGroup

    def weights(self) -> dict[str, LazyArray]:
        """The arrays of the object itself, by number."""
        if VARS not in self.group:
            return {}
        stored = self.group.group(VARS)
        names = sorted(stored.members(), key=lambda name: (len(name), name))
        if names != [str(number) for number in range(len(names))]:
            raise unreadable(f"its arrays are not numbered: {', '.join(names[:4])}", stored.where)
        return {name: stored.array(name) for name in names}

    def member(self, name: str) -> StoredObject | None:
        return StoredObject(self.group.group(name)) if name in self.group else None

    def layers(self, items: Sequence[Item]) -> list[StoredObject]:
        found = next((self.group.group(name) for name in LAYERS if name in self.group), None)
        if found is None:
            raise unreadable("holds no layers of a model", self.group.where)
        return _by_class(found, items)

    def cells(self, items: Sequence[Item]) -> list[StoredObject]:
        return _by_class(self.group, items)

    def check_names(self, pairs: Sequence[tuple[str, Tree]]) -> None:
        """Checks nothing: such a file has no names of layers."""


def _by_class(group: StoredGroup, items: Sequence[Item]) -> list[StoredObject]:
    """The object of each item: those of one class are numbered in the order of the layers, perhaps with gaps."""
    numbered: dict[str, list[tuple[int, str]]] = {}
    known = sorted({snake_case(item.class_name) for item in items}, key=len, reverse=True)
    for name in group.members():
        stem, number = _parts(name, known)
        numbered.setdefault(stem, []).append((number, name))
    places: Mapping[str, Iterator[str]] = {
        stem: iter([name for _, name in sorted(found)]) for stem, found in numbered.items()
    }
    for stem in (*numbered, *known):
        ours = [item for item in items if snake_case(item.class_name) == stem]
        if len(ours) != len(numbered.get(stem, ())):
            raise unreadable(
                f"the file has {len(numbered.get(stem, ()))} layers {stem!r} where the architecture has {len(ours)}",
                group.where,
                f"give the architecture that the weights were saved with: {argument('arch')}",
            )
    return [StoredObject(group.group(next(places[snake_case(item.class_name)]))) for item in items]


def _parts(name: str, known: Sequence[str]) -> tuple[str, int]:
    """The class of a group, as its name has it, and its number among those of one class."""
    if name in known:
        return name, 0
    found = re.fullmatch(r"(.+)_(\d{1,9})", name)
    return (found[1], int(found[2])) if found else (name, 0)
