"""Weights without an architecture: which layers they belong to, by names, number and shapes of the arrays.

A class is a candidate if its weights, stored in the convention of the file, have exactly the names and shapes of the
arrays. The candidates are compared by what the conversion would do to the arrays. If all do the same, no decision is
needed. A kernel is reversed only if the name of the layer or its set of arrays says what it is, never because its shape
would allow it.

There is no graph, so the data format is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import field, replace
from fnmatch import fnmatchcase
from itertools import groupby
from typing import Any

from ...arguments import argument
from ...conventions.backends import DATA_FORMATS
from ...conventions.generations import Convention
from ...conventions.roles import Weight
from ...conventions.storage import Storage
from ...conventions.words.rules import RULES
from ...errors import KconvertError, Problem
from ...formats.checkpoint import Checkpoint
from ...kernels import Chain, Shape
from ...layers.as_is import AsIs
from ...layers.base import Layer
from ...layers.registry import known_layers
from ...lazy_dataclasses import dataclass
from ...network.graph import LeafWeights
from ..binding import leaf_storage, places
from .leaves import Leaf, leaves_of
from .names import automatic_class, words_for
from .readers import READERS, Stored
from .without_graph import CERTAIN, LIKELY, UNDECIDED, Inferred, WithoutGraph

AS_IS = "as-is"
MENTIONED = 3  # the number of layers that an error names
PLAIN = frozenset({"kernel", "bias", "W", "b"})  # names that layers of users also have


@dataclass(frozen=True)
class Candidate:
    """A layer whose weights have the names and shapes of the stored arrays."""

    layer: Layer
    shape: Any
    """The shape of its input."""
    weights: list[Weight]
    stored: list[Storage]
    """How the file stores them."""
    conversions: frozenset[tuple[tuple[str, ...], Chain]]
    """The names of the arrays of each weight, and the chain that converts them."""
    data_format: str | None
    """The data format that the arrays were read for."""

    @property
    def name(self) -> str:
        return AS_IS if isinstance(self.layer, AsIs) else self.layer.class_name

    @property
    def moves(self) -> bool:
        """Whether the conversion changes its arrays."""
        chains = [*(chain for _, chain in self.conversions), *(weight.role.unpack for weight in self.weights)]
        return any(len(chain) for chain in chains)


class _Undecided(Exception):
    """It is not known what a layer is. data_format: only its data format is not known."""

    def __init__(self, why: str, data_format: bool = False) -> None:
        super().__init__(why)
        self.data_format = data_format


def infer(
    checkpoint: Checkpoint,
    origin: Convention,
    goal: Convention,
    said: Sequence[str] = (),
    source_data_format: str | None = None,
) -> WithoutGraph:
    """The layers of a file of weights alone, as far as a conversion from `origin` to `goal` needs them.

    said: 'NAME=Class' or 'NAME=as-is' for layers that cannot be inferred; NAME may contain * and ?.
    source_data_format: for kernels of Keras 1 whose shape does not show it.
    Raises KconvertError that names the layers that cannot be inferred, and the option to give.
    """
    where = str(checkpoint.path or "checkpoint")
    _refuse_nameless(origin, where)
    given = _given(said)
    inference = _Inference(origin, goal, source_data_format)
    leaves = {group.name: leaves_of(group, origin.generation_name, where) for group in checkpoint.groups}
    table, calls, inferred, formats = [], [], [], set[str | None]()
    undecided: list[tuple[Leaf, _Undecided]] = []
    for leaf in (leaf for found in leaves.values() for leaf in found):
        named = [pattern for pattern in given if _names(pattern, leaf)]
        try:
            chosen, known = inference.decide(leaf, given[named[-1]] if named else None)
        except _Undecided as why:
            undecided.append((leaf, why))
            continue
        except KconvertError as error:
            raise error.within(f"{where}, layer {leaf.title}") from None
        table.append(LeafWeights(leaf.path, chosen.layer, chosen.weights, not leaf.frozen))
        calls.append((leaf.title, chosen.layer, chosen.shape))
        inferred.append(known)
        formats |= inference.image_formats(leaf, chosen)
    for pattern in given:
        if not any(_names(pattern, leaf) for found in leaves.values() for leaf in found):
            raise KconvertError(
                f"no layer of the file is called {pattern!r}", where, "kconvert inspect lists them", Problem.USAGE
            )
    if undecided:
        raise _refusal(undecided, where)
    model = WithoutGraph(
        all_layers=[Layer(name=name) for name in leaves],
        nodes=[],
        input_refs=[],
        output_refs=[],
        name=where,
        table=table,
        calls=calls,
        inferred=inferred,
        image_formats=frozenset(formats),
    )
    _check_order(model, leaves, origin, where)
    return model


def guess(
    checkpoint: Checkpoint, origin: Convention, goal: Convention, source_data_format: str | None = None
) -> list[Inferred]:
    """What the arrays of a file of weights alone show of each layer, or why they show nothing.

    Raises KconvertError if they show no layer at all.
    """
    where = str(checkpoint.path or "checkpoint")
    _refuse_nameless(origin, where)
    inference = _Inference(origin, goal, source_data_format)
    found = []
    for leaf in (leaf for group in checkpoint.groups for leaf in leaves_of(group, origin.generation_name, where)):
        try:
            found.append(inference.decide(leaf, None)[1])
        except _Undecided as why:
            found.append(Inferred(leaf.path, (), UNDECIDED, str(why)))
    return found


def _refuse_nameless(origin: Convention, where: str) -> None:
    if origin.generation.numbered:
        raise KconvertError(
            "files of Keras 0.2 - 0.3 name neither layers nor weights",
            where,
            f"give the architecture with {argument('arch')}: what model.to_json() or to_yaml() wrote",
        )


def _given(said: Iterable[str]) -> dict[str, str]:
    """The classes by NAME, with their names in Keras 2."""
    found = {}
    for text in said:
        pattern, equals, name = text.rpartition("=")
        name = {rule.old: rule.new for rule in RULES}.get(name, name)
        if not equals or not pattern or (name != AS_IS and name not in known_layers()):
            known = ", ".join((*(cls.__name__ for cls in READERS), AS_IS))
            raise KconvertError(
                f"{text!r} does not name a layer and a known class",
                fix=f"NAME=Class, Class one of: {known}",
                problem=Problem.USAGE,
            )
        found[pattern] = name
    return found


def _names(pattern: str, leaf: Leaf) -> bool:
    return any(fnmatchcase(name, pattern) for name in (leaf.title, *leaf.path))


def _check_order(model: WithoutGraph, leaves: Mapping[str, Sequence[Leaf]], origin: Convention, where: str) -> None:
    """Refuses a group whose layers do not follow one another as Keras of `origin` would put them."""
    for name, found in places(model, origin):
        by_scope = {leaf.scope: leaf.path for leaf in leaves[name]}
        theirs = [by_scope[scope] for leaf in leaves[name][:1] for scope in leaf.order]
        if [path for path, _ in groupby(place.leaf for place in found)] != theirs:
            raise KconvertError(
                "the order of its arrays cannot be understood without the architecture",
                f"{where}, layer {name}",
                f"give it with {argument('arch')}",
            )


@dataclass(frozen=True)
class _Inference:
    origin: Convention
    goal: Convention
    data_format: str | None
    known: dict[tuple[type[Layer], tuple[tuple[str, Shape], ...]], list[Candidate]] = field(default_factory=dict)
    """The candidates of each class for arrays of these names and shapes, which many layers of a deep network share."""

    def decide(self, leaf: Leaf, said: str | None) -> tuple[Candidate, Inferred]:
        """The class of a layer. Raises _Undecided, and KconvertError if the class that the user gives does not fit."""
        chosen, inferred = self._decide(leaf, said)
        layer = copy(chosen.layer)
        layer.name = leaf.path[-1]
        return replace(chosen, layer=layer), inferred

    def _decide(self, leaf: Leaf, said: str | None) -> tuple[Candidate, Inferred]:
        arrays = " ".join(f"{slot} {shape}" for slot, shape in leaf.shapes.items())
        if said == AS_IS:
            (chosen,) = self._fitting(leaf, [AsIs])
            return chosen, Inferred(leaf.path, (AS_IS,), CERTAIN, "as given")
        if said:
            own = replace(leaf, arrays=leaf.plain or leaf.arrays)
            fitting = self._fitting(leaf, [known_layers()[said]]) or self._fitting(own, [known_layers()[said]])
            if not fitting:
                raise KconvertError(
                    f"its arrays ({arrays}) are not those of a {said}",
                    fix=f"correct {argument('layers')}",
                    problem=Problem.USAGE,
                )
            return self._only(leaf, fitting, CERTAIN, "as given")
        fitting = self._fitting(leaf, READERS)
        automatic = automatic_class(leaf.path[-1])
        named = [candidate for candidate in fitting if candidate.name == automatic]
        if automatic and not named:
            raise _Undecided(f"it is called like a {automatic}, and its arrays are {arrays}")
        if not fitting:
            raise _Undecided(f"no layer is known that has the arrays {arrays}")
        if named:
            return self._only(leaf, named, CERTAIN, f"Keras's own name for it, and the arrays fit ({arrays})")
        if not any(candidate.moves for candidate in fitting):
            return self._only(leaf, fitting, CERTAIN, f"the arrays fit ({arrays}), and nothing happens to them")
        speaks = [candidate for candidate in fitting if type(candidate.layer) in words_for(leaf.path[-1])]
        if speaks:
            return self._only(leaf, speaks, LIKELY, f"its name says so, and the arrays fit ({arrays})")
        if set(leaf.shapes) <= PLAIN:
            names = " or ".join(dict.fromkeys(candidate.name for candidate in fitting))
            raise _Undecided(f"{arrays} may be a {names}, or a layer of your own")
        return self._only(leaf, fitting, CERTAIN, f"no other layer has such arrays ({arrays})")

    def _only(self, leaf: Leaf, fitting: Sequence[Candidate], confidence: str, why: str) -> tuple[Candidate, Inferred]:
        """The first of several candidates that do the same to the arrays."""
        names = tuple(dict.fromkeys(candidate.name for candidate in fitting))
        if len({candidate.conversions for candidate in fitting}) > 1:
            if len(names) == 1:
                raise _Undecided(f"{names[0]} of either data format", data_format=True)
            raise _Undecided(f"it may be a {' or '.join(names)}")
        for weight in fitting[0].weights:
            if weight.role.values.get((self.origin.generation_name, self.origin.backend)):
                raise _Undecided(f"what its {weight.name} means is stated in the architecture alone")
        return fitting[0], Inferred(leaf.path, names, confidence, why)

    def _fitting(self, leaf: Leaf, classes: Iterable[type[Layer]]) -> list[Candidate]:
        """The layers of `classes` whose weights are stored exactly so."""
        shapes = leaf.shapes
        return [candidate for cls in classes for candidate in self._candidates(cls, shapes)]

    def _candidates(self, cls: type[Layer], shapes: Mapping[str, Shape]) -> list[Candidate]:
        key = cls, tuple(shapes.items())
        if key not in self.known:
            self.known[key] = self._readings(cls, shapes)
        return self.known[key]

    def _readings(self, cls: type[Layer], shapes: Mapping[str, Shape]) -> list[Candidate]:
        if cls is AsIs:
            return [self._candidate(AsIs(shapes=shapes), None, None)]
        reader = next((READERS[base] for base in cls.__mro__ if base in READERS), None)
        if reader is None:
            raise KconvertError(
                f"what arrays a {cls.__name__} has is not known",
                fix=f"give the architecture with {argument('arch')}, or as-is",
            )
        if cls.of_tf_keras and not self.origin.generation.is_target:
            return []
        found = []
        for data_format in DATA_FORMATS:
            try:
                layer, shape = reader(cls, Stored(shapes, self.origin.generation_name, data_format))
                candidate = self._candidate(layer, shape, data_format)
            except (KconvertError, LookupError, TypeError, ValueError):
                continue
            stored = {slot: size for s in candidate.stored for slot, size in zip(s.slots, s.shapes, strict=True)}
            if stored == shapes:
                found.append(candidate)
        preferred = [candidate for candidate in found if candidate.data_format == self.data_format]
        return preferred or found

    def _candidate(self, layer: Layer, shape: Any, data_format: str | None) -> Candidate:
        weights = layer.weight_specs(shape)
        source, target = (
            leaf_storage(LeafWeights((layer.name,), layer, weights, True), convention)
            for convention in (self.origin, self.goal)
        )
        conversions = frozenset(
            (ours.slots, (ours.chain >> theirs.chain.inverse).simplified)
            for ours, theirs in zip(source, target, strict=True)
        )
        return Candidate(layer, shape, weights, source, conversions, data_format)

    def image_formats(self, leaf: Leaf, chosen: Candidate) -> set[str | None]:
        """The data format of a layer that takes images, as far as it is known: by the kernel's shape, or as given."""
        layer: Any = chosen.layer
        if isinstance(layer, AsIs):
            return {None} if any(len(shape) > 2 for shape in leaf.shapes.values()) else set()
        if not hasattr(layer, "data_format") or len(layer.kernel_size) < 2:
            return set()
        fitting = {candidate.data_format for candidate in self._candidates(type(layer), leaf.shapes)}
        return fitting if len(fitting) == 1 else {None}


def _refusal(undecided: Sequence[tuple[Leaf, _Undecided]], where: str) -> KconvertError:
    told = [f"{leaf.title} ({why})" for leaf, why in undecided]
    more = f", and {len(told) - MENTIONED} more" if len(told) > MENTIONED else ""
    name = undecided[0][0].title
    fix = (
        f"give {argument('source_data_format', 'channels_first', 'channels_last')}"
        if all(why.data_format for _, why in undecided)
        else f"give {argument('layers', [f'{name}=Class'])}, or {argument('layers', [f'{name}={AS_IS}'])} to leave its"
        f" arrays alone, or {argument('arch')}"
    )
    return KconvertError(f"cannot determine what these layers are: {', '.join(told[:MENTIONED])}{more}", where, fix)
