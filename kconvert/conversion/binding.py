"""Binds stored arrays to weights: matches the groups of a file with the layers of a model.

Reading and writing use the same list of `Place`s: where Keras of a convention puts each array of a model. Reading
matches the places with the arrays of a file by name, or by layers and order if names differ (renamed.py). Writing
arranges the arrays by their places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from ..arguments import argument
from ..conventions.generations import Convention
from ..conventions.roles import Weight
from ..conventions.storage import Storage, counterparts, slot_name, slot_order, storage
from ..conventions.words.keras0 import GRAPH
from ..errors import KconvertError, Problem, errors_in
from ..formats.checkpoint import Checkpoint, Group, LazyArray
from ..layers import InputLayer, Merge
from ..layers.base import Layer
from ..lazy_dataclasses import dataclass
from ..network.graph import LayerPath, LeafWeights
from ..network.nested import Arrays, nest
from ..network.network import Network
from ..network.ordering import ordered
from .gates import agree_in_wrappers, by_gate, set_gates
from .renamed import Position, matched


@dataclass(frozen=True)
class Place:
    """One stored array: slot `slot` of the weights of `layer`, which has the path `leaf` in the model."""

    leaf: LayerPath
    layer: Layer
    slot: str
    stored: Storage
    trainable: bool

    @property
    def path(self) -> LayerPath:
        """The layer's path, and the weight's name."""
        return (*self.leaf, self.stored.weight.name)

    @property
    def index(self) -> int:
        """The index of the array among those of its weight."""
        return self.stored.slots.index(self.slot)

    def name(self, convention: Convention) -> str:
        """The name a file of `convention` gives the array."""
        return self._name(self.slot, convention)

    def names(self, convention: Convention) -> tuple[str, ...]:
        """The names a file of `convention` gives all arrays of the weight."""
        return tuple(self._name(slot, convention) for slot in self.stored.slots)

    def _name(self, slot: str, convention: Convention) -> str:
        if convention.generation.scoped_names:
            return convention.array_name(f"{'/'.join(self.leaf)}/{slot}")
        return convention.array_name(f"{self.leaf[-1]}_{slot}")


@dataclass(frozen=True)
class Binding:
    """One weight of a model and the stored arrays that it consists of, one for each slot."""

    path: LayerPath
    weight: Weight
    stored: Storage
    arrays: tuple[LazyArray, ...]

    def read(self) -> tuple[np.ndarray, ...]:
        """The arrays as they are stored."""
        return tuple(array.read() for array in self.arrays)

    def canonical(self, arrays: tuple[np.ndarray, ...] | None = None) -> np.ndarray:
        """The weight in canonical form, from `arrays` that are stored in the same way, or from its own arrays."""
        (array,) = self.stored.chain.apply(*(self.read() if arrays is None else arrays))
        return array


def leaf_storage(leaf: LeafWeights, convention: Convention) -> list[Storage]:
    """How the weights of one layer are stored in a file of `convention`."""
    return storage(
        leaf.weights,
        convention,
        getattr(leaf.layer, "data_format", None),
        fused=getattr(leaf.layer, "fused_gates", False),
    )


def places(model: Network, convention: Convention, by_name: bool | None = None) -> list[tuple[str, list[Place]]]:
    """Where a Keras of `convention` puts every array of `model`: (group, its arrays in order).

    by_name: whether layers of the same depth are sorted by name; None: as usual for the generation.
    In a group, trainable arrays come before the others (keras-facts: trainable-first). Keras 0.3 does not know this
    order: it numbers the layers of a Sequential in the order in which they were added (keras-facts: keras0-groups).
    """
    if convention.generation.numbered:
        return _numbered_places(model, convention)
    by_name = convention.generation.sorts_layers if by_name is None else by_name
    if (by_name or convention.generation.early_depths) and model.nodes:  # otherwise they keep the order of their file
        model = ordered(model, by_name, convention.generation.early_depths)
    groups: dict[str, list[Place]] = {layer.name: [] for layer in model.stored_layers}
    for leaf in model.weight_table():
        if leaf.path[0] in groups:  # a user may have taken a layer out of `model.layers`
            groups[leaf.path[0]] += _leaf_places(leaf, convention)
    return [(name, sorted(found, key=lambda place: not place.trainable)) for name, found in groups.items()]


def _numbered_places(model: Network, convention: Convention) -> list[tuple[str, list[Place]]]:
    """The places in Keras 0.3: one group for a Graph, or `layer_0` with all up to the first merge, `layer_1`, ..."""
    found: dict[str, list[Place]] = {}
    for leaf in model.weight_table():
        found.setdefault(leaf.path[0], []).extend(_leaf_places(leaf, convention))
    names = [name for name, layer in model.by_name.items() if not isinstance(layer, InputLayer)]
    if model.name == GRAPH:
        return [(GRAPH, [place for name in names for place in found.get(name, [])])]
    merges = [i for i, name in enumerate(names) if isinstance(model.by_name[name], Merge)]
    first = 1 + max(merges, default=0)
    layers = [names[:first], *([name] for name in names[first:])]
    return [
        (f"layer_{k}", [place for name in group for place in found.get(name, [])]) for k, group in enumerate(layers)
    ]


def _leaf_places(leaf: LeafWeights, convention: Convention) -> list[Place]:
    stored = leaf_storage(leaf, convention)
    order = convention.generation.weight_orders.get(leaf.layer.class_name)
    if order:
        stored = sorted(stored, key=lambda s: order.index(s.weight.name))
    by_slot = {slot: s for s in stored for slot in s.slots}
    return [
        Place(leaf.path, leaf.layer, slot, by_slot[slot], leaf.trainable and by_slot[slot].weight.trainable)
        for slot in slot_order(stored)
    ]


def layers_are_sorted(model: Network, checkpoint: Checkpoint, convention: Convention) -> bool:
    """Whether the layers of a file are sorted by name, if its generation can have both orders."""
    walked, by_name = _two_orders(model, convention)
    if not by_name:
        return convention.generation.sorts_layers
    in_file = [group.name for group in checkpoint.groups if group.arrays]
    return in_file == by_name != walked


def _two_orders(model: Network, convention: Convention) -> list[list[str]]:
    """The layers with weights, in graph order and sorted by name; [] if the generation has only one of these orders."""
    if not convention.generation.may_sort_layers:
        return [[], []]
    return [[name for name, found in places(model, convention, by_name) if found] for by_name in (False, True)]


# ----------------------------------------------------------------- reading ----

Matched = tuple[str, list[Place], Group]
"""A layer, its places, and its group."""


def bind(model: Network, checkpoint: Checkpoint, convention: Convention) -> tuple[list[Binding], list[str]]:
    """Every weight of `model` with its arrays in `checkpoint`, and notes on layers that were not matched by name.

    Raises KconvertError naming the layer where names, number or shapes of arrays do not fit.
    """
    with errors_in(checkpoint.path):
        pairs, notes = _groups_of_arrays(model, checkpoint, convention)
        ranks = _ranks(model)
        bindings = [one for pair in pairs for one in _bound(pair, convention, ranks, notes)]
    return bindings, notes


def misfits(model: Network, checkpoint: Checkpoint, convention: Convention) -> Mapping[str, KconvertError]:
    """For each layer that `model` and `checkpoint` both have by name, why it cannot be bound, if it cannot."""
    pairs, notes = _groups_of_arrays(model, replace(checkpoint, partial=True), convention)
    ranks = _ranks(model)
    found = {}
    for pair in pairs:
        try:
            with errors_in(checkpoint.path):
                _bound(pair, convention, ranks, notes)
        except KconvertError as error:
            found[pair[0]] = error
    return found


Ranks = Callable[[], Mapping[LayerPath, int]]
"""Gives the position of each layer among those with weights."""


def _ranks(model: Network) -> Ranks:
    return cache(lambda: {leaf.path: rank for rank, leaf in enumerate(model.weight_table())})


def _bound(pair: Matched, convention: Convention, ranks: Ranks, notes: list[str]) -> list[Binding]:
    """The weights of one group."""
    matched = _matched_arrays(*pair, convention, ranks, notes)
    found = {(place.leaf, place.slot): array for place, array in matched}
    return [_binding(place, found) for place, _ in matched if place.index == 0]


def _groups_of_arrays(
    model: Network, checkpoint: Checkpoint, convention: Convention
) -> tuple[list[Matched], list[str]]:
    """The layers with their groups, and notes. Settings that the layers do not state are read from the arrays."""
    pairs, notes = _matched_groups(model, checkpoint, convention)
    if _gates_were_set(model, pairs, checkpoint, convention):
        pairs, notes = _matched_groups(model, checkpoint, convention)
    while _adapted(pairs):
        pairs, notes = _matched_groups(model, checkpoint, convention)
    return pairs, notes


def _binding(place: Place, found: Mapping[tuple[LayerPath, str], LazyArray]) -> Binding:
    """The weight that has its first array at `place`. Raises KconvertError where its arrays are of several types."""
    arrays = tuple(found[place.leaf, slot] for slot in place.stored.slots)
    types = {array.dtype for array in arrays}
    if len(types) > 1:
        named = ", ".join(sorted(map(str, types)))
        what = f"the arrays of its gates have the types {named}, where a weight has one"
        raise KconvertError(what, f"weight {'/'.join(place.path)}", problem=Problem.UNREADABLE)
    return Binding(place.path, place.stored.weight, place.stored, arrays)


def _gates_were_set(model: Network, pairs: Sequence[Matched], checkpoint: Checkpoint, convention: Convention) -> bool:
    """Sets whether recurrent layers have one array for all gates, as the arrays show, where the generation has both.

    Returns whether that changed the places of a layer.
    """
    if convention.generation.fused_gates:
        return False
    changed = False
    for _, expected, group in pairs:
        names = [array.name for array in group.arrays]
        gated = {place.leaf: place.layer for place in expected if hasattr(place.layer, "fused_gates")}
        for leaf, layer in gated.items():
            roles = {
                slot_name(convention.generation_name, place.stored.weight.name): place.stored.weight.role.gates
                for place in expected
                if place.leaf == leaf
            }
            changed |= set_gates(layer, not checkpoint.named or by_gate(names, leaf[-1], roles))
    agree_in_wrappers(model)
    return changed


def _adapted(pairs: Sequence[Matched]) -> bool:
    """Whether a layer took settings from its arrays that the configuration does not state (`Layer.adapt`)."""
    for _, expected, group in pairs:
        arrays = _by_name(expected, group.arrays) or group.arrays
        for place, array in zip(expected, arrays, strict=False):
            shape, stored = place.stored.shapes[place.index], tuple(array.shape)
            if shape != stored and place.layer.adapt(shape, stored):
                return True
    return False


def _matched_groups(model: Network, checkpoint: Checkpoint, convention: Convention) -> tuple[list[Matched], list[str]]:
    """The layers with their groups, and notes: matched by name, or by order among the layers with weights."""
    expected = [(name, found) for name, found in places(model, convention) if found]
    groups = {group.name: group for group in checkpoint.groups if group.arrays}
    if checkpoint.partial:
        expected = [(name, found) for name, found in expected if name in groups]
        groups = {name: groups[name] for name, _ in expected}
    if set(groups) == {name for name, _ in expected}:
        return [(name, found, groups[name]) for name, found in expected], []
    if checkpoint.named and len(groups) == 1 < len(expected):
        ((name, group),) = groups.items()
        if (whole := _whole_model(expected, group)) is not None:
            return [(name, whole, group)], [f"the weights are those of the model in the one group {name}"]
    if len(groups) != len(expected):
        ours, theirs = {name for name, _ in expected}, set(groups)
        raise KconvertError(
            f"the file has weights for {len(groups)} layers, the architecture for {len(expected)}"
            f" (only in the file: {_some(theirs - ours)}; only in the architecture: {_some(ours - theirs)})",
            fix=f"give the architecture that the weights were saved with: {argument('arch')}",
            problem=Problem.UNREADABLE,
        )
    pairs = [(name, found, group) for (name, found), group in zip(expected, groups.values(), strict=True)]
    renamed = [f"{group.name} is {name}" for name, _, group in pairs if group.name != name]
    notes = [f"layers matched by order: {', '.join(renamed)}"]
    walked, by_name = _two_orders(model, convention)
    if walked != by_name:
        notes.append(
            "layers of one depth are taken in the order of the graph, as from Keras 1.0.8 on; before, they were in the"
            f" order of their names: state such a release with {argument('source_release')}"
        )
    return pairs, notes


def _whole_model(expected: Sequence[tuple[str, list[Place]]], group: Group) -> list[Place] | None:
    """The places of all weights in the order of the single group of a nested model: trainable ones first.

    None if the group has another number of arrays.
    """
    found = sorted((place for _, own in expected for place in own), key=lambda place: not place.trainable)
    return found if len(found) == len(group.arrays) else None


def _some(names: set[str]) -> str:
    listed = sorted(names)
    return (", ".join(listed[:3]) + (", ..." if len(listed) > 3 else "")) or "none"


def _matched_arrays(
    name: str,
    expected: Sequence[Place],
    group: Group,
    convention: Convention,
    ranks: Ranks,
    notes: list[str],
) -> list[tuple[Place, LazyArray]]:
    """The arrays of one group: matched by full name, or layer by layer, or by position."""
    if len(group.arrays) != len(expected):
        raise KconvertError(
            f"{len(group.arrays)} arrays in the file ({_some({array.name for array in group.arrays})}) where the layer"
            f" has {len(expected)} ({_some({place.slot for place in expected})})",
            where=f"layer {name}",
            fix="if its activation is a layer with weights of its own, such as PReLU, build the model with that layer"
            " behind it, load the weights into it and save that"
            if len(group.arrays) > len(expected)
            else "",
            problem=Problem.UNREADABLE,
        )
    arrays = _by_name(expected, group.arrays) or _layer_by_layer(name, expected, group.arrays, ranks(), notes)
    pairs = _counterparts(list(zip(expected, arrays, strict=True)), convention, notes)
    for place, array in pairs:
        shape = place.stored.shapes[place.index]
        if tuple(array.shape) != shape:
            raise KconvertError(
                f"array {array.name!r} has shape {tuple(array.shape)}"
                f" where {place.slot} of {place.leaf[-1]} has {shape} in {convention}",
                where=f"layer {name}",
                fix=f"check {argument('source')}, {argument('arch')} and the release that saved the file",
                problem=Problem.UNREADABLE,
            )
    return pairs


Pairs = list[tuple[Place, LazyArray]]


def _counterparts(pairs: Pairs, convention: Convention, notes: list[str]) -> Pairs:
    """The places in the file: those of a layer's counterpart (LSTM, CuDNNLSTM) if the arrays belong to that."""
    leaves: dict[LayerPath, Pairs] = {}
    for place, array in pairs:
        leaves.setdefault(place.leaf, []).append((place, array))
    found: dict[int, Place] = {}
    for leaf, own in leaves.items():
        if _fit(own):
            continue
        layer: Any = own[0][0].layer
        weights = [place.stored.weight for place, _ in own if place.index == 0]
        other = leaf_storage(LeafWeights(leaf, layer, counterparts(weights, convention), True), convention)
        by_slot = {slot: stored for stored in other for slot in stored.slots}
        as_counterpart = [(replace(place, stored=by_slot[place.slot]), array) for place, array in own if other]
        if as_counterpart and _fit(as_counterpart):
            found.update((id(place), new) for (place, _), (new, _) in zip(own, as_counterpart, strict=True))
            notes.append(f"{'/'.join(leaf)}: {_counterpart_note(layer)}")
    return [(found.get(id(place), place), array) for place, array in pairs]


def _fit(pairs: Pairs) -> bool:
    return all(tuple(array.shape) == place.stored.shapes[place.index] for place, array in pairs)


def _counterpart_note(layer: Any) -> str:
    """The note on a layer whose counterpart is in the file."""
    without = getattr(layer, "not_in_cudnn", None)
    if without is None:
        return f"the file has weights that cuDNN did not pack, for this {layer.class_name} they are packed"
    odd = f"; cuDNN does not have its {', '.join(without)}" if without else ""
    return f"the file has weights that cuDNN packed, for this {layer.class_name} they are unpacked{odd}"


def _by_name(expected: Sequence[Place], arrays: Sequence[LazyArray]) -> list[LazyArray] | None:
    """The array of each place, if layer and slot of every place are the end of exactly one array's name."""
    endings = [f"{place.leaf[-1]}_{place.slot}".replace("/", "_") for place in expected]
    fitting: dict[str, list[LazyArray]] = {ending: [] for ending in endings}
    lengths = set(map(len, fitting))
    for array in arrays:
        stem = "_" + array.name.removesuffix(":0").replace("/", "_")
        for length in lengths:
            if stem[-length:] in fitting and stem[-length - 1 : -length] == "_":
                fitting[stem[-length:]].append(array)
    chosen = [array for ending in endings for array in fitting[ending]]
    alone = all(len(found) == 1 for found in fitting.values())
    return chosen if alone and len({id(array) for array in chosen}) == len(chosen) else None


def _layer_by_layer(
    name: str,
    expected: Sequence[Place],
    arrays: Sequence[LazyArray],
    ranks: Mapping[LayerPath, int],
    notes: list[str],
) -> Sequence[LazyArray]:
    """The array of each place, if layers may have other names in the file."""
    positions = [Position(place.leaf, place.slot, ranks[place.leaf]) for place in expected]
    try:
        found = matched([array.name for array in arrays], positions)
    except KconvertError as error:
        raise error.within(f"layer {name}") from None
    if found is None:
        return arrays
    inside = [f"{old} is {new}" for old, new in found.renamed.items() if new != name]
    if inside:
        notes.append(f"layers inside {name} matched: {', '.join(inside)}")
    return [arrays[index] for index in found.order]


def arrays_for(model: Network, checkpoint: Checkpoint, source: Convention, target: Convention) -> Arrays:
    """The arrays of a checkpoint as the layers of `model` use them on the backend of `target`, nested by path."""
    bindings, _ = bind(model, checkpoint, source)
    stored = {place.path: place.stored for _, found in places(model, target) for place in found}
    leaves = []
    for binding in bindings:
        chain = (binding.stored.chain >> stored[binding.path].to_run).simplified
        (array,) = chain.apply(*binding.read())
        leaves.append((binding.path, np.asarray(array, order="C")))
    return nest(leaves)
