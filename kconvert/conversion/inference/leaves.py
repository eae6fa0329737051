"""Finds the layers in a group of a file from the names of its arrays."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from ...arguments import argument
from ...conventions.storage import slot_name
from ...errors import KconvertError
from ...formats.checkpoint import Group, LazyArray
from ...kernels import Shape
from ...lazy_dataclasses import dataclass
from .names import split_name


@dataclass(frozen=True)
class Leaf:
    """The arrays of one layer of the file."""

    path: tuple[str, ...]
    arrays: Mapping[str, LazyArray]
    """Its arrays by slot."""
    frozen: bool
    """Whether it follows arrays that are never trained."""
    scope: str
    """The common prefix of the names of its arrays."""
    order: tuple[str, ...]
    """The scopes of its group as they follow one another."""
    plain: Mapping[str, LazyArray]
    """Its arrays by slot without the numbers at their end; empty if two slots would then be equal."""

    @property
    def title(self) -> str:
        return "/".join(self.path)

    @property
    def shapes(self) -> dict[str, Shape]:
        return {slot: tuple(array.shape) for slot, array in self.arrays.items()}


@dataclass(frozen=True)
class _Named:
    """An array, by the parts of its name."""

    scope: str
    slot: str
    number: str
    """What TensorFlow may have added: '_1'."""
    array: LazyArray


def leaves_of(group: Group, form: str, where: str) -> list[Leaf]:
    """The layers whose arrays a group holds: one, or several for a wrapper or a nested model."""
    named = [_Named(*split_name(array.name, form, group.name), array) for array in group.arrays]
    named = _in_their_layers(_cell_by_cell(named, slot_name(form, "recurrent_kernel")))
    scopes: dict[str, list[_Named]] = {}
    frozen: dict[str, bool] = {}
    fixed = {slot_name(form, name) for name in ("moving_mean", "moving_variance")}
    passed = False
    for one in named:
        frozen.setdefault(one.scope, passed)  # Keras puts frozen layers among the arrays that never train
        passed = passed or one.slot in fixed
        scopes.setdefault(one.scope, []).append(one)
    places = tuple(scope for scope, _ in groupby(one.scope for one in named))
    short = [scope.rpartition("/")[2] for scope in scopes]
    leaves = []
    for (scope, own), last in zip(scopes.items(), short, strict=True):
        path = _path(group.name, scope, last if short.count(last) == 1 else scope, len(scopes) == 1)
        arrays, plain = _by_slot(own, f"{where}, layer {group.name}")
        leaves.append(Leaf(path, arrays, frozen[scope], scope, places, plain))
    return leaves


def _cell_by_cell(named: Sequence[_Named], recurrent: str) -> list[_Named]:
    """The cells of an RNN with scopes of their own: in the file they share one, and TensorFlow numbers their arrays."""
    of_cells = {one.scope for one in named if one.slot == recurrent and one.number}
    seen: dict[str, list[set[str]]] = {}
    found = []
    for one in named:
        cells = seen.setdefault(one.scope, [set()])
        if one.slot in cells[-1] and one.scope in of_cells:
            cells.append(set())
        cells[-1].add(one.slot)
        first = len(cells) == 1
        found.append(one if first else _Named(f"{one.scope}/cell_{len(cells)}", one.slot, "", one.array))
    return found


_CELL = re.compile(r"(.+)/(?:lstm|gru|simple_rnn)_cell(?:_\d+)?")
"""The scope of the cell of a recurrent layer of tf.keras, (keras-facts: taken-names)."""


def _in_their_layers(named: Sequence[_Named]) -> list[_Named]:
    """The array of a cell that is alone in its layer, as one of the layer."""
    scopes = {one.scope for one in named}
    layers = {scope: found[1] for scope in scopes if (found := _CELL.fullmatch(scope))}
    alone = {
        scope: layer
        for scope, layer in layers.items()
        if layer not in scopes and sum(other.startswith(f"{layer}/") for other in scopes) == 1
    }
    return [replace(one, scope=alone.get(one.scope, one.scope)) for one in named]


def _by_slot(named: Sequence[_Named], where: str) -> tuple[dict[str, LazyArray], dict[str, LazyArray]]:
    """The arrays of a layer by slot; and without numbers. Only numbers that all arrays have are TensorFlow's."""
    plain = {one.slot: one.array for one in named}
    full = {f"{one.slot}{one.number}": one.array for one in named}
    if len(full) < len(named):
        alike = next(one.array.name for one in named if list(full.values()).count(one.array) == 0)
        raise KconvertError(f"two arrays are called {alike}", where, f"give the architecture with {argument('arch')}")
    plain = plain if len(plain) == len(named) else {}
    return (plain if plain and all(one.number for one in named) else full), plain


def _path(group: str, scope: str, last: str, alone: bool) -> tuple[str, ...]:
    """The names of the layers around an array; `alone`: the group has no other scope, which TensorFlow may number."""
    stems = {scope, re.sub(r"_\d+\Z", "", scope)} if alone else {scope}
    own = any(stem == group or stem.endswith(f"/{group}") for stem in stems)
    return (group,) if own else (group, last)
