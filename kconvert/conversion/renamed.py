"""Matches the layers of a group that have other names in the file than in the architecture.

Keras numbers layers anew in every session: `dense_1` and `dense_2` of a file are `dense_4` and `dense_5` of an
architecture that another session wrote. The numbers are in the order of creation, which is the same wherever the same
code ran. The order of the arrays is not: arrays that are not trained come last (keras-facts: trainable-first).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from ..arguments import argument
from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass

_ADDED_NUMBER = re.compile(r"_\d+\Z")
# A name to which TensorFlow has added a number, because its graph had that name already: dense_1_1.
_ADDED = re.compile(r"(.*_\d+)_\d+")


@dataclass(frozen=True)
class Position:
    """Where the architecture has one array of a group."""

    path: tuple[str, ...]
    """The names of the layers around the array, from the outermost in."""
    slot: str
    rank: int
    """The position of the layer among all layers that have weights."""


@dataclass(frozen=True)
class Match:
    """The arrays of a group, by the positions of the architecture."""

    order: Sequence[int]
    """For each position, the index of its array in the file."""
    renamed: Mapping[str, str]
    """The layers that have another name: the name in the architecture, by that in the file."""


@dataclass(frozen=True)
class _Array:
    """One array, by the layer that it is called after."""

    layer: str
    slot: str
    rank: int = 0


@dataclass(frozen=True)
class _Reading:
    """One way to read the names: the arrays of the file and of the architecture, and which layer is which."""

    stored: Sequence[_Array]
    expected: Sequence[_Array]
    layers: Mapping[str, str]
    """The layer of the architecture, by that of the file."""
    unlike: int
    """How many of these pairs have names that do not begin alike."""


def matched(names: Sequence[str], positions: Sequence[Position]) -> Match | None:
    """The arrays called `names`, in the order of `positions`: layers are paired by how their names begin and by number.

    positions: in the order in which the architecture would store the arrays. None where the names do not show which
    layer is which. Raises KconvertError where names and order contradict each other.
    """
    stored = _stored(names, [position.slot for position in positions])
    if stored is None:
        return None
    plain = [_Array(_ADDED.sub(r"\1", array.layer), array.slot) for array in stored]
    readings = [
        _Reading(arrays, expected, *_paired(arrays, expected))
        for arrays in (stored, plain)
        for expected in _expected(positions, {_base(array.layer) for array in arrays})
    ]
    possible = [(reading, order) for reading in readings if (order := _order(reading))]
    if not possible:
        return None
    reading, order = min(possible, key=lambda found: found[0].unlike)
    if list(order) != sorted(order) and not _told_by_numbers(reading, order):
        raise _contradiction(reading)
    return Match(order, {old: new for old, new in reading.layers.items() if old != new})


# ----------------------------------------------------------------- reading ----


def _stored(names: Sequence[str], slots: Iterable[str]) -> list[_Array] | None:
    """The arrays of the file. None where a name does not end with a slot (and a number that TensorFlow has added)."""
    longest_first = sorted(set(slots), key=len, reverse=True)
    found = [_called(name.removesuffix(":0"), longest_first) for name in names]
    return [array for array in found if array] if all(found) else None


def _called(stem: str, slots: Iterable[str]) -> _Array | None:
    """The array with a name: the last name before its slot is that of its layer."""
    without_number = _ADDED_NUMBER.sub("", stem)
    for slot in slots:
        for name in (stem, without_number):
            if name.endswith((f"/{slot}", f"_{slot}")):
                layer = name[: -len(slot) - 1].rpartition("/")[2]
                if layer:
                    return _Array(layer, slot)
    return None


def _expected(positions: Sequence[Position], bases: set[str]) -> Iterator[list[_Array]]:
    """The arrays of the architecture, called after layers whose names begin like those in the file.

    First after the innermost such layer, then after the outermost one: Keras 1 calls the weights of a TimeDistributed
    after the layer inside, Keras 2 after the wrapper.
    """
    for place in (-1, 0):
        found = []
        for position in positions:
            fitting = [name for name in position.path if _base(name) in bases] or position.path[-1:]
            found.append(_Array(fitting[place], position.slot, position.rank))
        yield found


def _base(name: str) -> str:
    return _parts(name)[0]


def _parts(name: str) -> tuple[str, int]:
    """How a name begins, and its number: tf.keras gives none to the first layer."""
    found = _ADDED_NUMBER.search(name)
    if not found or found.start() == 0 or len(found[0]) > 10:
        return name, 0
    return name[: found.start()], int(found[0][1:])


# ----------------------------------------------------------------- pairing ----


def _paired(stored: Sequence[_Array], expected: Sequence[_Array]) -> tuple[dict[str, str], int]:
    """The layers in pairs: where as many names begin alike on both sides, by number; the others by order."""
    theirs, ours = (dict.fromkeys(array.layer for array in side) for side in (stored, expected))
    first, second = (Counter(map(_base, side)) for side in (theirs, ours))
    alike = {base for base in first if first[base] == second[base]}
    left = [[name for name in side if _base(name) not in alike] for side in (theirs, ours)]
    by_number = [sorted((name for name in side if _base(name) in alike), key=_parts) for side in (theirs, ours)]
    pairs = {**dict(zip(*by_number, strict=True)), **dict(zip(*left, strict=False))}
    return pairs, max(map(len, left))


def _order(reading: _Reading) -> list[int] | None:
    """For each array of the architecture, the index of that of the file; None where the layers are not alike."""
    found = {
        key: index
        for index, key in enumerate(_keys([(reading.layers.get(a.layer, ""), a.slot) for a in reading.stored]))
    }
    wanted = _keys([(array.layer, array.slot) for array in reading.expected])
    return [found[key] for key in wanted] if set(wanted) == set(found) else None


def _keys(arrays: Sequence[tuple[str, str]]) -> list[tuple[tuple[str, str], int]]:
    """Each array with how many before it have its layer and slot (the cells of a layer may have one name)."""
    seen: Counter[tuple[str, str]] = Counter()
    keys = []
    for array in arrays:
        keys.append((array, seen[array]))
        seen[array] += 1
    return keys


def _told_by_numbers(reading: _Reading, order: Sequence[int]) -> bool:
    """Whether the numbers alone tell which layer is which, and frozen layers explain the order of the file."""
    steps = {(_base(old), _parts(new)[1] - _parts(old)[1]) for old, new in reading.layers.items() if _alike(old, new)}
    one_step_each = len(steps) == len({base for base, _ in steps})
    ranks = [reading.expected[order.index(index)].rank for index in range(len(order))]
    runs = 1 + sum(later < earlier for earlier, later in pairwise(ranks))
    return reading.unlike <= 1 and one_step_each and runs <= 2


def _alike(first: str, second: str) -> bool:
    return _base(first) == _base(second)


def _contradiction(reading: _Reading) -> KconvertError:
    theirs, ours = (list(dict.fromkeys(array.layer for array in side)) for side in (reading.stored, reading.expected))
    return KconvertError(
        f"the layers inside have other names in the file ({', '.join(theirs)}) than in the architecture"
        f" ({', '.join(ours)}), and their numbers and the order of the arrays do not agree on which is which",
        fix=f"give the architecture that was saved with the weights: {argument('arch')}",
        problem=Problem.UNREADABLE,
    )
