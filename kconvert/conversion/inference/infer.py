"""Weights without an architecture: which layers they belong to, by names, number and shapes of the arrays.

A layer is proposed for every class whose weights could look like that, and kept where its weights, written
down by the file's convention, have exactly the names and shapes of the file. What is kept then counts by
what it would do to the arrays: where all that fits does the same, nothing needs to be decided. A kernel is
turned only if the layer's name or its set of arrays says what it is, never because its shape would allow it.

The result is a `Loose` model: weights as every model lists them, and no graph. So its data format is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import groupby
from typing import Any

from ... import layers as L
from ...conventions.backends import DATA_FORMATS
from ...conventions.generations import GENERATIONS, KERAS1_NAMES, Convention
from ...conventions.roles import GRU_GATES, LSTM_GATES, Weight, map_parameter
from ...conventions.storage import Storage, slot_name
from ...conventions.words.rules import RULES
from ...errors import KconvertError, Problem
from ...formats.checkpoint import Checkpoint, Group, LazyArray
from ...kernels import Chain, Shape
from ...layers.base import Layer
from ...layers.registry import LAYERS, known_layers
from ...network.network import LeafWeights, Network
from ..binding import leaf_storage, places
from .readers import READERS, Stored

AS_IS = "as-is"
CERTAIN, LIKELY, UNDECIDED = "certain", "likely", "undecided"
MENTIONED = 3  # layers that a refusal names
PLAIN = frozenset({"kernel", "bias", "W", "b"})  # names that layers of a user have as well


@dataclass(frozen=True)
class Inferred:
    """What one layer is: the classes that fit and are stored alike (none: undecided), how sure that is, and why."""

    path: tuple[str, ...]
    classes: tuple[str, ...]
    confidence: str
    evidence: str

    def __str__(self) -> str:
        what = " or ".join(self.classes) or "unknown"
        return f"layer {'/'.join(self.path)} is {what} ({self.confidence}): {self.evidence}"


@dataclass(eq=False, kw_only=True)
class Loose(Network):
    """Layers without a graph.

    calls: (path, layer, input shape) of each, sizes None where not known. image_formats: of the layers
    that take images; None where it is not known.
    """

    table: list[LeafWeights]
    calls: list[tuple[str, Layer, Any]]
    inferred: list[Inferred]
    image_formats: frozenset[str | None]

    def _check_ends(self) -> None:
        """There is no graph to check."""

    def weight_table(self) -> list[LeafWeights]:
        return self.table

    def get_config(self, form: str = "keras2") -> dict[str, Any]:
        """There is no architecture to write."""
        return {}

    def refuse_other(self, data_format: str | None) -> None:
        """Raises KconvertError where images would have to be brought to another `data_format`."""
        if data_format is None or self.image_formats <= {data_format}:
            return
        raise KconvertError(
            f"without the architecture nothing can be brought to {data_format}: it is not known what follows a Flatten",
            where=self.name,
            fix="give it with --arch, or keep the data format: --data-format keep",
        )


@dataclass(eq=False)
class _AsIs(Layer):
    """Arrays of a layer that only the user knows: nothing happens to them."""

    shapes: Mapping[str, Shape] = field(default_factory=dict)

    def weight_specs(self, shape: Any) -> list[Weight]:
        return [Weight(name, size, map_parameter(len(size))) for name, size in self.shapes.items()]


# -------------------------------------------------------------------- names ----

# A layer that is given no name is called after its class: convolution2d_1, conv2d_1, batch_normalization_3.
_CLASSES = {cls.__name__: cls for cls in READERS}
_AUTOMATIC = {rule.old.lower(): rule.new for rule in RULES} | {name.lower(): name for name in LAYERS}
_AROUND_OTHERS = {"TimeDistributed", "Bidirectional", "RNN", "Model", "Sequential"}  # their name tells nothing

# What users call layers: block1_conv1, conv_2, local3.
_WORDS: Mapping[str, tuple[type[Layer], ...]] = {
    "conv": (L.Conv1D, L.Conv2D, L.Conv3D),
    "convolution": (L.Conv1D, L.Conv2D, L.Conv3D),
    "deconv": (L.Conv2DTranspose, L.Conv3DTranspose),
    "local": (L.LocallyConnected1D, L.LocallyConnected2D),
}


def automatic_class(name: str) -> str | None:
    """The class that Keras calls so.

    >>> automatic_class("convolution2d_1"), automatic_class("conv_lst_m2d_2"), automatic_class("fc_1")
    ('Conv2D', 'ConvLSTM2D', None)
    """
    stem = re.sub(r"^(forward|backward)_|_\d+$", "", name)
    found = _AUTOMATIC.get(stem.replace("_", ""))
    return None if found in _AROUND_OTHERS else found


def words_for(name: str) -> list[type[Layer]]:
    """The classes that words in a name speak for."""
    words = {re.sub(r"\d+$", "", word.lower()) for word in re.split(r"[^A-Za-z0-9]+", name)}
    return [cls for word, classes in _WORDS.items() if word in words for cls in classes]


_KERAS1_SLOTS = "|".join(
    sorted(
        {*KERAS1_NAMES.values(), "gamma", "beta", "depthwise_kernel", "pointwise_kernel"}
        | {"t_left", "a_left", "t_right", "a_right"},
        key=len,
        reverse=True,
    )
)
_KERAS1_NAME = re.compile(rf"(.+?)_((?:{_KERAS1_SLOTS})(?:_[{LSTM_GATES}{GRU_GATES}])?)")


def split_name(name: str, form: str, group: str) -> tuple[str, str]:
    """The scope and the slot of the name of an array in `group`.

    >>> split_name("forward_lstm_1_W_i:0", "keras1", "bidirectional_1")
    ('forward_lstm_1', 'W_i')
    >>> split_name("bidirectional_1/forward_lstm_1/kernel:0", "keras2", "bidirectional_1")
    ('bidirectional_1/forward_lstm_1', 'kernel')
    """
    stem = name.removesuffix(":0")
    if GENERATIONS[form].scoped_names:
        scope, _, slot = stem.rpartition("/")
        return scope, slot
    found = _KERAS1_NAME.fullmatch(stem)
    return (found[1], found[2]) if found else (group, stem.removeprefix(f"{group}_"))


# ---------------------------------------------------------------- inferring ----


@dataclass(frozen=True)
class Candidate:
    """A layer that fits, the shape of its input, its weights, and what happens to which of its arrays.

    data_format: that it was read for.
    """

    layer: Layer
    shape: Any
    weights: list[Weight]
    stored: list[Storage]
    ways: frozenset[tuple[tuple[str, ...], Chain]]
    data_format: str | None

    @property
    def name(self) -> str:
        return AS_IS if isinstance(self.layer, _AsIs) else self.layer.class_name

    @property
    def moves(self) -> bool:
        return any(len(chain) for _, chain in self.ways) or any(len(weight.role.unpack) for weight in self.weights)


@dataclass(frozen=True)
class _Leaf:
    """Arrays of one layer of the file, by slot.

    frozen: it stands behind arrays that never train. scope: what its names begin with. order: the scopes
    of its group as they follow one another.
    """

    path: tuple[str, ...]
    arrays: Mapping[str, LazyArray]
    frozen: bool
    scope: str
    order: tuple[str, ...]

    @property
    def title(self) -> str:
        return "/".join(self.path)

    @property
    def shapes(self) -> dict[str, Shape]:
        return {slot: tuple(array.shape) for slot, array in self.arrays.items()}


class _Undecided(Exception):
    """Nothing says what a layer is; data_format: nothing but its data format is open."""

    def __init__(self, why: str, data_format: bool = False) -> None:
        super().__init__(why)
        self.data_format = data_format


def infer(
    checkpoint: Checkpoint,
    origin: Convention,
    goal: Convention,
    said: Sequence[str] = (),
    source_data_format: str | None = None,
) -> Loose:
    """The layers of a file of weights alone, as far as is needed to bring it from `origin` to `goal`.

    said: 'NAME=Class' or 'NAME=as-is' for what cannot be told, NAME with * and ? for several.
    source_data_format: for kernels of Keras 1 whose shape does not tell.
    Raises KconvertError naming the layers that cannot be told, and how to tell them.
    """
    where = str(checkpoint.path or "checkpoint")
    _refuse_nameless(origin, where)
    given = _given(said)
    inference = _Inference(origin, goal, source_data_format)
    leaves = {group.name: _leaves(group, origin.format, where) for group in checkpoint.groups}
    table, calls, inferred, formats = [], [], [], set[str | None]()
    undecided: list[tuple[_Leaf, _Undecided]] = []
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
    model = Loose(
        layers=[Layer(name=name) for name in leaves],
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


def surmise(
    checkpoint: Checkpoint, origin: Convention, goal: Convention, source_data_format: str | None = None
) -> list[Inferred]:
    """What the arrays of a file of weights alone tell of each layer, or why they do not tell.

    Raises KconvertError where they tell of no layer at all.
    """
    where = str(checkpoint.path or "checkpoint")
    _refuse_nameless(origin, where)
    inference = _Inference(origin, goal, source_data_format)
    found = []
    for leaf in (leaf for group in checkpoint.groups for leaf in _leaves(group, origin.format, where)):
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
            "give the architecture with --arch: what model.to_json() or to_yaml() wrote",
        )


def _given(said: Iterable[str]) -> dict[str, str]:
    """'NAME=Class' by name; classes in Keras 2's words."""
    found = {}
    for text in said:
        pattern, equals, name = text.rpartition("=")
        name = {rule.old: rule.new for rule in RULES}.get(name, name)
        if not equals or not pattern or (name != AS_IS and name not in known_layers()):
            known = ", ".join((*_CLASSES, AS_IS))
            raise KconvertError(
                f"{text!r} names no layer and class", fix=f"NAME=Class, Class one of: {known}", problem=Problem.USAGE
            )
        found[pattern] = name
    return found


def _names(pattern: str, leaf: _Leaf) -> bool:
    return any(fnmatchcase(name, pattern) for name in (leaf.title, *leaf.path))


def _leaves(group: Group, form: str, where: str) -> list[_Leaf]:
    """The layers whose arrays a group holds: one, or several where it is a wrapper's or a nested model's."""
    scopes: dict[str, dict[str, LazyArray]] = {}
    order: list[str] = []
    frozen: dict[str, bool] = {}
    fixed = {slot_name(form, name) for name in ("moving_mean", "moving_variance")}
    passed = False
    for array in group.arrays:
        scope, slot = split_name(array.name, form, group.name)
        frozen.setdefault(scope, passed)  # Keras puts frozen layers behind, among the arrays that never train
        passed = passed or slot in fixed
        if slot in scopes.setdefault(scope, {}):
            raise KconvertError(
                f"two arrays are called {slot}", f"{where}, layer {group.name}", "give the architecture with --arch"
            )
        scopes[scope][slot] = array
        order.append(scope)
    places = tuple(scope for scope, _ in groupby(order))
    short = [scope.rpartition("/")[2] for scope in scopes]
    return [
        _Leaf(_path(group.name, scope, last if short.count(last) == 1 else scope), arrays, frozen[scope], scope, places)
        for (scope, arrays), last in zip(scopes.items(), short, strict=True)
    ]


def _path(group: str, scope: str, last: str) -> tuple[str, ...]:
    return (group,) if scope == group or scope.endswith(f"/{group}") else (group, last)


def _check_order(model: Loose, leaves: Mapping[str, Sequence[_Leaf]], origin: Convention, where: str) -> None:
    """Refuses a group whose layers do not follow one another as Keras of `origin` would put them."""
    for name, found in places(model, origin):
        by_scope = {leaf.scope: leaf.path for leaf in leaves[name]}
        theirs = [by_scope[scope] for leaf in leaves[name][:1] for scope in leaf.order]
        if [path for path, _ in groupby(place.leaf for place in found)] != theirs:
            raise KconvertError(
                "the order of its arrays cannot be understood without the architecture",
                f"{where}, layer {name}",
                "give it with --arch",
            )


@dataclass(frozen=True)
class _Inference:
    origin: Convention
    goal: Convention
    data_format: str | None

    def decide(self, leaf: _Leaf, said: str | None) -> tuple[Candidate, Inferred]:
        """What a layer is. Raises _Undecided, and KconvertError where what is said of it cannot be."""
        arrays = " ".join(f"{slot} {shape}" for slot, shape in leaf.shapes.items())
        if said == AS_IS:
            (chosen,) = self._fitting(leaf, [_AsIs])
            return chosen, Inferred(leaf.path, (AS_IS,), CERTAIN, "as given")
        if said:
            fitting = self._fitting(leaf, [known_layers()[said]])
            if not fitting:
                raise KconvertError(
                    f"its arrays ({arrays}) are not those of a {said}", fix="correct --layer", problem=Problem.USAGE
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

    def _only(self, leaf: _Leaf, fitting: Sequence[Candidate], confidence: str, why: str) -> tuple[Candidate, Inferred]:
        """The first of several that do the same to the arrays."""
        names = tuple(dict.fromkeys(candidate.name for candidate in fitting))
        if len({candidate.ways for candidate in fitting}) > 1:
            if len(names) == 1:
                raise _Undecided(f"{names[0]} of either data format", data_format=True)
            raise _Undecided(f"it may be a {' or '.join(names)}")
        for weight in fitting[0].weights:
            if weight.role.values.get((self.origin.format, self.origin.backend)):
                raise _Undecided(f"what its {weight.name} means is stated in the architecture alone")
        return fitting[0], Inferred(leaf.path, names, confidence, why)

    def _fitting(self, leaf: _Leaf, classes: Iterable[type[Layer]]) -> list[Candidate]:
        """The layers of `classes` whose weights are stored exactly so."""
        return [candidate for cls in classes for candidate in self._readings(leaf, cls)]

    def _readings(self, leaf: _Leaf, cls: type[Layer]) -> list[Candidate]:
        if cls is _AsIs:
            return [self._candidate(leaf, _AsIs(name=leaf.path[-1], shapes=leaf.shapes), None, None)]
        reader = next((READERS[base] for base in cls.__mro__ if base in READERS), None)
        if reader is None:
            raise KconvertError(
                f"what arrays a {cls.__name__} has is not known", fix="give the architecture with --arch, or as-is"
            )
        found = []
        for data_format in DATA_FORMATS:
            try:
                layer, shape = reader(cls, Stored(leaf.shapes, self.origin.format, data_format))
                layer.name = leaf.path[-1]
                candidate = self._candidate(leaf, layer, shape, data_format)
            except (KconvertError, LookupError, TypeError, ValueError):
                continue
            shapes = {slot: size for s in candidate.stored for slot, size in zip(s.slots, s.shapes, strict=True)}
            if shapes == leaf.shapes:
                found.append(candidate)
        preferred = [candidate for candidate in found if candidate.data_format == self.data_format]
        return preferred or found

    def _candidate(self, leaf: _Leaf, layer: Layer, shape: Any, data_format: str | None) -> Candidate:
        weights = layer.weight_specs(shape)
        source, target = (
            leaf_storage(LeafWeights(leaf.path, layer, weights, True), convention)
            for convention in (self.origin, self.goal)
        )
        ways = frozenset(
            (ours.slots, (ours.chain >> theirs.chain.inverse).simplified)
            for ours, theirs in zip(source, target, strict=True)
        )
        return Candidate(layer, shape, weights, source, ways, data_format)

    def image_formats(self, leaf: _Leaf, chosen: Candidate) -> set[str | None]:
        """The data format of a layer that takes images, as far as it is known: by the kernel's shape, or as given."""
        layer: Any = chosen.layer
        if isinstance(layer, _AsIs):
            return {None} if any(len(shape) > 2 for shape in leaf.shapes.values()) else set()
        if not hasattr(layer, "data_format") or len(layer.kernel_size) < 2:
            return set()
        fitting = {candidate.data_format for candidate in self._readings(leaf, type(layer))}
        return fitting if len(fitting) == 1 else {None}


def _refusal(undecided: Sequence[tuple[_Leaf, _Undecided]], where: str) -> KconvertError:
    told = [f"{leaf.title} ({why})" for leaf, why in undecided]
    more = f", and {len(told) - MENTIONED} more" if len(told) > MENTIONED else ""
    name = undecided[0][0].title
    fix = (
        "say which with --source-data-format channels_first or channels_last"
        if all(why.data_format for _, why in undecided)
        else f"say --layer {name}=Class, --layer {name}={AS_IS} to leave its arrays alone, or give --arch"
    )
    return KconvertError(f"nothing tells what these layers are: {', '.join(told[:MENTIONED])}{more}", where, fix)
