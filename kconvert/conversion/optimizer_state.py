"""The optimizer's state of a whole-model file, taken through the same plan as the weights.

Keras stores a few scalars and then one array for every trainable parameter, once for each kind of
moment it keeps (keras-facts: optimizer-slots). A moment is rearranged as its parameter is
(keras-facts: moments-are-elementwise). The parameters stand in the order of the layers or of their
names, by the release of the file (keras-facts: optimizer-order).

Where the state cannot be converted it is dropped, and a note gives the reason: it is never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from ..conventions.generations import Convention, sorts_optimizer
from ..conventions.optimizers import CUSTOM, STRUCTURES, Structure, plain_name
from ..formats.checkpoint import Checkpoint, InMemory, LazyArray
from ..network.graph import LayerPath
from ..network.network import Network
from .binding import Binding, Place, places
from .steps import Step

Key = tuple[LayerPath, str]  # path of the layer, stored name of one of its arrays
Item = TypeVar("Item")


class StateDropped(Exception):
    """The state of an optimizer cannot be read or written; the message is the reason."""


@dataclass(frozen=True)
class State:
    """The state of one optimizer as its file stores it."""

    # the class of the optimizer
    name: str
    scalars: Sequence[LazyArray]
    # for each kind of moment, the array of every parameter
    slots: Sequence[dict[Key, LazyArray]]
    # for each kind of moment, the number of a group whose arrays the file has parameter by parameter
    groups: Sequence[int]


# ----------------------------------------------------------------- reading ----


def read_state(
    checkpoint: Checkpoint, model: Network, bindings: Sequence[Binding], origin: Convention, release: str
) -> State:
    """The optimizer's state of a file that `release` wrote. Raises StateDropped where it cannot be understood."""
    stated = checkpoint.optimizer_class or ""
    name = plain_name(stated)
    if name not in STRUCTURES:
        raise StateDropped(f"the optimizer {stated or '(not stated)'} is not known")
    if not origin.generation.moments_together:
        raise StateDropped(f"Keras {release} keeps it in another order")
    scalars = [array for array in checkpoint.optimizer if array.shape == ()]
    moments = [array for array in checkpoint.optimizer if array.shape != ()]
    arrays = {
        (binding.path[:-1], slot): array
        for binding in bindings
        for slot, array in zip(binding.stored.slots, binding.arrays, strict=True)
    }
    keys = [(place.leaf, place.slot) for place in _trainable(model, origin)]
    order = _in_order(keys, lambda key: arrays[key].name, release)
    groups: Sequence[int] = range(len(STRUCTURES[name].slots))
    if stated.startswith(CUSTOM):
        moments, groups = _in_slots(moments, STRUCTURES[name])
    if not order or len(moments) % len(order):
        raise StateDropped(f"{len(moments)} arrays cannot be divided among {len(order)} trainable parameters")
    slots = [dict(zip(order, moments[i : i + len(order)], strict=True)) for i in range(0, len(moments), len(order))]
    for slot in slots:
        if not _is_empty(slot) and any(tuple(slot[key].shape) != tuple(arrays[key].shape) for key in order):
            raise StateDropped("its arrays do not have the shapes of the parameters")
    return State(name, scalars, slots, groups)


def _in_slots(moments: Sequence[LazyArray], structure: Structure) -> tuple[list[LazyArray], list[int]]:
    """Moments of TensorFlow 2.11 and later with all of a slot together, and the group of each slot.

    The name of each says which slot it is of, such as `Adam/m/dense/kernel:0` (keras-facts: optimizer-slots).
    """
    found: dict[str, list[LazyArray]] = {word: [] for group in structure.words for word in group}
    for array in moments:
        _, word, *_ = [*array.name.split("/"), ""]
        if word not in found:
            raise StateDropped(f"its array {array.name} is not known")
        found[word].append(array)
    if len({len(arrays) for arrays in found.values() if arrays}) > 1:
        raise StateDropped("it does not have all arrays of each kind")
    groups = [number for number, group in enumerate(structure.words) for _ in group]
    return [array for arrays in found.values() for array in arrays], groups


def _is_empty(slot: dict[Key, LazyArray]) -> bool:
    """Whether the slot is not used: one element a parameter (keras-facts: empty-vhat)."""
    return all(tuple(array.shape) == (1,) for array in slot.values())


def _trainable(model: Network, convention: Convention) -> list[Place]:
    return [place for _, found in places(model, convention) for place in found if place.trainable]


def _in_order(parameters: Iterable[Item], name: Callable[[Item], str], release: str) -> list[Item]:
    """Parameters, given in the order of the layers, as an optimizer of `release` stores its arrays."""
    return sorted(parameters, key=name) if sorts_optimizer(release) else list(parameters)


# ----------------------------------------------------------------- writing ----


def write_state(
    state: State,
    model: Network,
    steps: Sequence[Step],
    bindings: Sequence[Binding],
    goal: Convention,
    release: str,
    complete: bool,
) -> list[LazyArray]:
    """The state in the order and layout of the target.

    steps: what happens to each weight. release: that of the reader. complete: write all that Keras 2.3 expects, under
    its names; a state that an older release did not keep starts at zero. Else arrays keep their names. Raises
    StateDropped where the state cannot be written.
    """
    if any(not op.rearranges for step in steps for op in step.chain):
        raise StateDropped("some weights are computed anew, not only moved")
    structure = STRUCTURES[state.name]
    scalars, slots = list(state.scalars), list(state.slots)
    if complete and not scalars:
        scalars = [InMemory("iterations", np.array(0, "int64"))]
    if complete and len(scalars) != len(structure.scalars):
        raise StateDropped(f"this release did not keep all that {state.name} of Keras 2.3 needs")
    by_path = {binding.path: binding for binding in bindings}
    order = _target_order(model, goal, release)
    written: list[LazyArray] = [
        _Renamed(_name(name, goal) if complete else goal.array_name(array.name), array)
        for name, array in zip(structure.scalars, scalars, strict=False)
    ]
    moved: dict[int, list[list[LazyArray]]] = {}
    for name, slot, group in zip(structure.slots, slots, state.groups, strict=False):
        made = _moved(slot, steps, by_path)
        kept = [goal.array_name(array.name) for array in slot.values()]
        names = [_name(name, goal, i) for i in range(len(order))] if complete else kept
        renamed: list[LazyArray] = [_Renamed(new, made[key]) for new, key in zip(names, order, strict=True)]
        moved.setdefault(len(moved) if complete else group, []).append(renamed)
    written += [array for group in moved.values() for together in zip(*group, strict=True) for array in together]
    if complete:
        for name in structure.slots[len(slots) :]:
            zeros = np.zeros(1, "float32")
            written += [InMemory(_name(name, goal, i), zeros) for i in range(len(order))]
    return written


def laid_out(
    name: str,
    scalars: Mapping[str, np.ndarray],
    slots: Mapping[str, Mapping[LayerPath, np.ndarray]],
    model: Network,
    goal: Convention,
) -> list[LazyArray]:
    """The state that optimizer `name` has in training, slots by the path of their weight, as Keras 2 stores it."""
    structure, order = STRUCTURES[name], _target_order(model, goal, goal.generation.last_release)
    written: list[LazyArray] = [InMemory(_name(key, goal), np.asarray(scalars[key])) for key in structure.scalars]
    for key in structure.slots:
        written += [InMemory(_name(key, goal, i), slots[key][path]) for i, (path, _) in enumerate(order)]
    return written


def taken_apart(
    structure: Structure, arrays: Sequence[LazyArray], model: Network, goal: Convention
) -> tuple[dict[str, LazyArray], dict[str, dict[LayerPath, LazyArray]]]:
    """The inverse of `laid_out`: scalars by name, and the slots by the path of their weight. Empty without arrays."""
    if not arrays:
        return {}, {}
    order, rest = _target_order(model, goal, goal.generation.last_release), iter(arrays)
    scalars = {name: next(rest) for name in structure.scalars}
    return scalars, {name: {path: next(rest) for path, _ in order} for name in structure.slots}


def _name(name: str, goal: Convention, number: int | None = None) -> str:
    """What a file calls a scalar, or the slot of parameter `number`."""
    suffix = "" if goal.facts.convolves else ":0"
    return f"optimizer/{name}{suffix}" if number is None else f"optimizer/{name}_{number}{suffix}"


def _target_order(model: Network, goal: Convention, release: str) -> list[tuple[LayerPath, int]]:
    """(weight, which of its arrays) in the order that `release` reads."""
    order = _in_order(_trainable(model, goal), lambda place: place.name(goal), release)
    return [(place.path, place.index) for place in order]


def _moved(
    slot: dict[Key, LazyArray], steps: Sequence[Step], by_path: dict[LayerPath, Binding]
) -> dict[tuple[LayerPath, int], LazyArray]:
    """One slot's arrays, each through the chain of its parameter; empty ones as they are."""
    made: dict[tuple[LayerPath, int], LazyArray] = {}
    for step in steps:
        keys = [(step.path[:-1], name) for name in by_path[step.path].stored.slots]
        if not all(key in slot for key in keys):
            continue
        for i in range(len(step.targets)):
            if _is_empty(slot):
                made[step.path, i] = slot[keys[min(i, len(keys) - 1)]]
            else:
                moment = replace(step, sources=tuple(slot[key] for key in keys))
                made[step.path, i] = moment.result(i)
    return made


@dataclass(frozen=True, eq=False)
class _Renamed:
    """An array under another name."""

    name: str
    array: LazyArray

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    def read(self, rows: Any = None) -> np.ndarray:
        return self.array.read(rows)
