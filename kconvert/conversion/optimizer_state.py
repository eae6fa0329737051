"""The optimizer's state of a whole-model file, taken through the same plan as the weights.

Keras stores a few scalars and then one array for every trainable parameter, once for each kind of
moment it keeps. The moments are elementwise, so a parameter's chain is right for them too. What must be
known is the order of the parameters, and that depends on who wrote the file:

    Keras 2                  the order of the layers
    Keras 1 on TensorFlow    sorted by the names of the weights
    Keras 1 on Theano        sorted by counters that are not in the file: known only where shapes tell

Where the order cannot be known the state is dropped, and a note says so: it is never guessed.
(Source: `collect_trainable_weights` and `optimizers.py` of Keras 1.2.2, 2.0.9 and 2.3.1.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..conventions.generations import Convention
from ..conventions.optimizers import STRUCTURES
from ..formats.checkpoint import Checkpoint, InMemory, LazyArray
from ..network.network import LayerPath, Network
from ..network.sequential import Sequential
from .binding import Binding, Place, places
from .steps import Step

Key = tuple[LayerPath, str]


@dataclass(frozen=True)
class State:
    """Scalars, and for each slot the array of every parameter (by layer path and stored slot name)."""

    name: str
    scalars: Sequence[LazyArray]
    slots: Sequence[dict[Key, LazyArray]]


def read_state(checkpoint: Checkpoint, model: Network, bindings: Sequence[Binding], origin: Convention) -> State | str:
    """The optimizer's state of a file, or the reason why it cannot be understood."""
    config = (checkpoint.training_config or {}).get("optimizer_config", {})
    name = config.get("class_name", "")
    if name not in STRUCTURES:
        return f"the optimizer {name or '(not stated)'} is not known"
    scalars = [array for array in checkpoint.optimizer if array.shape == ()]
    moments = [array for array in checkpoint.optimizer if array.shape != ()]
    arrays = {
        (binding.path[:-1], slot): array
        for binding in bindings
        for slot, array in zip(binding.stored.slots, binding.arrays, strict=True)
    }
    order = _source_order(model, origin, arrays, moments)
    if order is None:
        return "Keras 1 on Theano stores it in an order that the file does not tell"
    if not order or len(moments) % len(order):
        return f"{len(moments)} arrays are no whole number for each of {len(order)} trainable parameters"
    slots = [dict(zip(order, moments[i : i + len(order)], strict=True)) for i in range(0, len(moments), len(order))]
    for slot in slots:
        if not _is_empty(slot) and any(tuple(slot[key].shape) != tuple(arrays[key].shape) for key in order):
            return "its arrays do not have the shapes of the parameters"
    return State(name, scalars, slots)


def _is_empty(slot: dict[Key, LazyArray]) -> bool:
    """Keras 2.1.4+ stores one element a parameter for the vhat of an Adam without amsgrad."""
    return all(tuple(array.shape) == (1,) for array in slot.values())


def _trainable(model: Network, convention: Convention) -> list[Place]:
    return [place for _, found in places(model, convention) for place in found if place.trainable]


def _source_order(
    model: Network, origin: Convention, arrays: dict[Key, LazyArray], moments: Sequence[LazyArray]
) -> list[Key] | None:
    """The parameters in the order of the file; None where it cannot be known."""
    order = [(place.leaf, place.slot) for place in _trainable(model, origin)]
    if not origin.format.startswith("keras1"):
        return order
    if not origin.facts.convolves:
        return sorted(order, key=lambda key: arrays[key].name)
    shapes = [tuple(array.shape) for array in moments[: len(order)]]
    turned = [order[i:] + order[:i] for i in range(len(order))]
    fitting = [keys for keys in turned if [tuple(arrays[key].shape) for key in keys] == shapes]
    return fitting[0] if isinstance(model, Sequential) and len(fitting) == 1 else None


# ----------------------------------------------------------------- writing ----


def write_state(
    state: State, model: Network, steps: Sequence[Step], bindings: Sequence[Binding], goal: Convention, complete: bool
) -> list[LazyArray] | str:
    """The state in the order and layout of the target, or the reason why it cannot be written.

    steps: what happens to each weight. complete: give it all that Keras 2.3 expects (a state that an
    older release did not keep starts at zero).
    """
    if goal.format.startswith("keras1") and goal.facts.convolves:
        return "Keras 1 on Theano reads it in an order that a file cannot state"
    if any(not op.rearranges for step in steps for op in step.chain):
        return "some weights are computed anew, not only moved"
    structure = STRUCTURES[state.name]
    scalars, slots = list(state.scalars), list(state.slots)
    if complete and not scalars:
        scalars = [InMemory("iterations", np.array(0, "int64"))]
    if complete and len(scalars) != len(structure.scalars):
        return f"this release did not keep all that {state.name} of Keras 2.3 needs"
    by_path = {binding.path: binding for binding in bindings}
    order = _target_order(model, goal)
    written: list[LazyArray] = [
        _Renamed(_name(name, goal), array) for name, array in zip(structure.scalars, scalars, strict=False)
    ]
    for name, slot in zip(structure.slots, slots, strict=False):
        made = _moved(slot, steps, by_path)
        written += [_Renamed(_name(name, goal, i), made[key]) for i, key in enumerate(order)]
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
    structure, order = STRUCTURES[name], _target_order(model, goal)
    written: list[LazyArray] = [InMemory(_name(key, goal), np.asarray(scalars[key])) for key in structure.scalars]
    for key in structure.slots:
        written += [InMemory(_name(key, goal, i), slots[key][path]) for i, (path, _) in enumerate(order)]
    return written


def _name(name: str, goal: Convention, number: int | None = None) -> str:
    """What a file calls a scalar, or the slot of parameter `number`."""
    suffix = "" if goal.facts.convolves else ":0"
    return f"optimizer/{name}{suffix}" if number is None else f"optimizer/{name}_{number}{suffix}"


def _target_order(model: Network, goal: Convention) -> list[tuple[LayerPath, int]]:
    """(weight, which of its arrays) in the order that Keras of `goal` reads."""
    found = _trainable(model, goal)
    if goal.format.startswith("keras1"):
        found = sorted(found, key=lambda place: place.name(goal))
    return [(place.path, place.index) for place in found]


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
