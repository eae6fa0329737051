"""Converts the optimizer state of a whole-model file with the same plan as the weights.

Keras stores a few scalars and then one array for every trainable parameter, once for each kind of
moment it keeps (keras-facts: optimizer-slots), or all moments of a parameter together (keras-facts:
slots-in-turn). A moment is rearranged as its parameter is (keras-facts: moments-are-elementwise). The
parameters stand in the order of the layers or of their names, by the release of the file (keras-facts:
optimizer-order).

Where the state cannot be converted it is dropped, and a note gives the reason: it is never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from ..conventions.generations import Convention, sorts_optimizer
from ..conventions.optimizers import CUSTOM, RATE, STARTS, STRUCTURES, Structure, plain_name
from ..formats.checkpoint import Checkpoint, InMemory, LazyArray
from ..formats.parts import Part
from ..lazy_dataclasses import dataclass
from ..network.graph import LayerPath
from ..network.network import Network
from ..network.rewritten import Rewritten
from .binding import Binding, Place, places
from .steps import Step

Key = tuple[LayerPath, str]  # path of the layer, stored name of one of its arrays
Item = TypeVar("Item")


class StateDropped(Exception):
    """The optimizer state cannot be read or written; the message is the reason."""


@dataclass(frozen=True)
class State:
    """The state of one optimizer as its file stores it."""

    # the class of the optimizer
    name: str
    scalars: Sequence[LazyArray]
    # for each kind of moment, the array of every parameter
    slots: Sequence[dict[Key, LazyArray]]


# ----------------------------------------------------------------- reading ----


def read_state(
    checkpoint: Checkpoint, model: Network, bindings: Sequence[Binding], origin: Convention, release: str
) -> State:
    """The optimizer state of a file that `release` wrote. Raises StateDropped if it cannot be read."""
    stated = checkpoint.optimizer_class or ""
    name = plain_name(stated)
    if name not in STRUCTURES:
        raise StateDropped(f"the optimizer {stated or '(not stated)'} is not known")
    scalars = [array for array in checkpoint.optimizer if array.shape == ()]
    moments = [array for array in checkpoint.optimizer if array.shape != ()]
    arrays = {
        (binding.path[:-1], slot): array
        for binding in bindings
        for slot, array in zip(binding.stored.slots, binding.arrays, strict=True)
    }
    structure = STRUCTURES[name]
    keys = [(place.leaf, place.slot) for place in _trainable(model, origin)]
    order = _in_order(keys, lambda key: arrays[key].name, release)
    if _in_turn_by(origin, stated):
        moments = _together(moments, len(order), structure)
        scalars = _without_rate(scalars, checkpoint.training_config or {})
    if not order or len(moments) % len(order):
        raise StateDropped(f"{len(moments)} arrays cannot be divided among {len(order)} trainable parameters")
    slots = [dict(zip(order, moments[i : i + len(order)], strict=True)) for i in range(0, len(moments), len(order))]
    for slot in slots:
        if not _is_empty(slot) and any(tuple(slot[key].shape) != tuple(arrays[key].shape) for key in order):
            raise StateDropped("its arrays do not have the shapes of the parameters")
    return State(name, scalars, slots)


def _in_turn_by(convention: Convention, class_name: str) -> bool:
    """Whether the moments of an optimizer that is stated as `class_name` are stored parameter by parameter."""
    return class_name.startswith(CUSTOM) or not convention.generation.moments_together


def _without_rate(scalars: Sequence[LazyArray], stated: Mapping[str, Any]) -> list[LazyArray]:
    """The scalars of Keras 3 without the learning rate, which follows the iteration where it is a number."""
    config = (stated.get("optimizer_config") or {}).get("config") or {}
    return [*scalars[:1], *scalars[2 if isinstance(config.get(RATE), (int, float)) else 1 :]]


def _together(moments: Sequence[Item], parameters: int, structure: Structure) -> list[Item]:
    """Moments of TensorFlow 2.11 and later with all of a slot together.

    (keras-facts: slots-in-turn) The inverse of a group: `_in_turn`.
    """
    found: list[Item] = []
    for group in structure.groups:
        turns = moments[len(found) : len(found) + parameters * len(group)]
        found += [moment for slot in range(len(group)) for moment in turns[slot :: len(group)]]
    if len(found) < len(moments):
        raise StateDropped(f"{len(moments)} arrays are more than the {len(found)} of its kinds")
    return found


def _in_turn(slots: Sequence[Sequence[Item]]) -> list[Item]:
    """The arrays of the slots of a group, parameter by parameter.

    >>> _in_turn([["m0", "m1"], ["v0", "v1"]])
    ['m0', 'v0', 'm1', 'v1']
    """
    return [array for together in zip(*slots, strict=True) for array in together]


def _is_empty(slot: dict[Key, LazyArray]) -> bool:
    """Whether the slot is not used: its arrays have one element each (keras-facts: empty-vhat)."""
    return all(tuple(array.shape) == (1,) for array in slot.values())


def _trainable(model: Network, convention: Convention) -> list[Place]:
    return [place for _, found in places(model, convention) for place in found if place.trainable]


def _in_order(parameters: Iterable[Item], name: Callable[[Item], str], release: str) -> list[Item]:
    """Parameters, given in the order of the layers, as an optimizer of `release` stores its arrays."""
    return sorted(parameters, key=name) if sorts_optimizer(release) else list(parameters)


# ----------------------------------------------------------------- writing ----


def write_state(
    state: State,
    result: Rewritten,
    steps: Sequence[Step],
    bindings: Sequence[Binding],
    goal: Convention,
    release: str,
    complete: bool,
    optimizer: Mapping[str, Any],
) -> list[LazyArray]:
    """The state in the order and layout of the target.

    result: the network of the target. steps: what happens to each weight. release: that of the reader. complete: write
    all that Keras 2.3 expects, under its names; a state that an older release did not keep starts at zero. Otherwise
    arrays
    keep their names. optimizer: what the target states of it. Raises StateDropped where the state cannot be written.
    """
    if any(not op.rearranges for step in steps for op in step.chain):
        raise StateDropped("some weights are computed anew, not only moved")
    structure, config = STRUCTURES[state.name], optimizer.get("config") or {}
    by_path = {binding.path: binding for binding in bindings}
    sources = {step.path: result.sources.get(step.path, step.path) for step in steps}
    origins = {path: by_path.get(one) if isinstance(one, tuple) else None for path, one in sources.items()}
    order = _target_order(result.model, goal, release)
    slots = [_moved(slot, steps, origins) for slot in state.slots]
    if any(key not in slot for slot in slots for key in order):
        raise StateDropped("some layers are written as others, which have weights of their own")
    arrays = [[slot[key] for key in order] for slot in slots]
    if not goal.generation.moments_together:
        return _for_keras3(state, structure, arrays, goal, config)
    if complete:
        shapes = {(step.path, i): step.result(i).shape for step in steps for i in range(len(step.targets))}
        return _for_keras2(state, structure, arrays, goal, [shapes[key] for key in order])
    groups: Sequence[tuple[str, ...]] = [(name,) for name in structure.slots]
    left_out: set[str] = set()
    if _in_turn_by(goal, str(optimizer.get("class_name"))):
        groups, left_out = structure.groups, set(structure.shrunk).difference(structure.slots_for(config))
    written: list[LazyArray] = [_Renamed(goal.array_name(array.name), array) for array in state.scalars]
    named = {
        name: _renamed([goal.array_name(array.name) for array in slot.values()], moved)
        for name, slot, moved in zip(structure.slots, state.slots, arrays, strict=False)
        if name not in left_out
    }
    for group in groups:
        written += _in_turn([named[name] for name in group if name in named])
    return written


def _for_keras2(
    state: State,
    structure: Structure,
    slots: Sequence[Sequence[LazyArray]],
    goal: Convention,
    shapes: Sequence[tuple[int, ...]],
) -> list[LazyArray]:
    """All that Keras 2.3 stores; missing arrays get their initial values. shapes: those of the parameters."""
    written = _renamed([_name(name, goal) for name in structure.scalars], _all_scalars(state, structure))
    for number, name in enumerate(structure.slots):
        new = [_name(name, goal, i) for i in range(len(shapes))]
        if number < len(slots):
            written += _renamed(new, slots[number])
        else:
            zeros = [np.zeros(1 if name in structure.shrunk else shape, "float32") for shape in shapes]
            written += [InMemory(one, array) for one, array in zip(new, zeros, strict=True)]
    return written


def _for_keras3(
    state: State,
    structure: Structure,
    slots: Sequence[Sequence[LazyArray]],
    goal: Convention,
    config: Mapping[str, Any],
) -> list[LazyArray]:
    """The iteration, the learning rate where it is a number, the slots that are used, parameter by parameter, and
    what else is a scalar.
    """
    used = structure.slots_for(config)
    unused = [name for name, slot in zip(structure.slots, state.slots, strict=False) if _is_empty(slot)]
    known = [name for name in structure.slots[: len(slots)] if name not in unused]
    if any(name not in known for name in used):
        raise StateDropped(f"the file does not have all that {state.name} of Keras 3 needs")
    iteration, *products = _all_scalars(state, structure)
    written: list[LazyArray] = [InMemory(_name("iteration", goal), np.array(iteration.read(), "int64"))]
    if isinstance(config.get(RATE), (int, float)):
        written.append(InMemory(_name(RATE, goal), np.array(config[RATE], "float32")))
    named = {
        name: _renamed([_name(name, goal, i) for i in range(len(slot))], slot)
        for name, slot in zip(structure.slots, slots, strict=False)
    }
    for group in structure.groups:
        written += _in_turn([named[name] for name in group if name in used])
    return written + _renamed([_name(name, goal) for name in structure.scalars[1:]], products)


def _all_scalars(state: State, structure: Structure) -> list[LazyArray]:
    """The scalars of a structure. Those that the release of the file does not store have their initial values."""
    if len(state.scalars) > len(structure.scalars):
        raise StateDropped(f"{len(state.scalars)} scalars are more than {state.name} has")
    missing = structure.scalars[len(state.scalars) :]
    return [*state.scalars, *(InMemory(name, STARTS[name]) for name in missing)]


def _renamed(names: Sequence[str], arrays: Sequence[LazyArray]) -> list[LazyArray]:
    return [_Renamed(name, array) for name, array in zip(names, arrays, strict=True)]


def laid_out(
    structure: Structure,
    scalars: Mapping[str, np.ndarray],
    slots: Mapping[str, Mapping[LayerPath, tuple[np.ndarray, ...]]],
    model: Network,
    goal: Convention,
) -> list[LazyArray]:
    """The state of an optimizer in training, as Keras stores it.

    slots: by the path of their weight, the arrays in the form of files.
    """
    order = _target_order(model, goal, goal.generation.last_release)
    structure = structure if goal.generation.whole_optimizers else structure.of_keras1
    written: list[LazyArray] = [InMemory(_name(key, goal), np.asarray(scalars[key])) for key in structure.scalars]
    for key in structure.slots:
        written += [InMemory(_name(key, goal, i), slots[key][path][index]) for i, (path, index) in enumerate(order)]
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
    slot: dict[Key, LazyArray], steps: Sequence[Step], origins: Mapping[LayerPath, Binding | None]
) -> dict[tuple[LayerPath, int], LazyArray]:
    """The arrays of one slot, each converted by the chain of its parameter; empty ones unchanged.

    origins: the weight of the file that each weight of the result is made from.
    """
    made: dict[tuple[LayerPath, int], LazyArray] = {}
    for step in steps:
        origin = origins[step.path]
        keys = [(origin.path[:-1], name) for name in origin.stored.slots] if origin else []
        if not origin or not all(key in slot for key in keys):
            continue
        arrays = tuple(slot[key] for key in keys)
        if len({array.dtype for array in arrays}) > 1:
            raise StateDropped("the arrays of the gates of one weight have several types")
        for i in range(len(step.targets)):
            empty = _is_empty(slot)
            made[step.path, i] = arrays[min(i, len(keys) - 1)] if empty else replace(step, sources=arrays).result(i)
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

    @property
    def order(self) -> tuple[int, ...]:
        return self.array.order

    def read(self, part: Part | None = None) -> np.ndarray:
        return self.array.read(part)
