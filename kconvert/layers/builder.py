"""Collects what the methods of a layer in the style of Keras add: weights, losses, updates and metrics.

The methods keep tensors on `self`, so they run on a copy of the layer, which has a `Builder` as `_builder`. So do the
layers inside it: each is a copy with a builder of its own, and all builders of one run share a `Run`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import field, replace
from typing import Any

import numpy as np

from ..backend import default_backend
from ..backend.base import Tensor
from ..backend.context import assigned
from ..backend.float_settings import floatx
from ..conventions.backends import BACKENDS
from ..conventions.roles import Role, Weight
from ..errors import AlsoTypeError, KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .adding import WeightToMake
from .names import next_name, snake_case
from .phase import Phase
from .weights import AROUND, WithWeights

Make = Callable[[int, np.ndarray], Tensor]  # (number of the weight, initial values) -> its tensor
Rank = tuple[int, ...]

_AXES = "abcdefgh"
_OPTIONS = ("initializer", "regularizer", "constraint")
"""The arguments of `add_weight` that are components of training."""
_WORDS = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")
"""The parameters of `add_weight` in Keras 2.3.1, in their order."""
_WORDS_OF_KERAS1 = ("shape", "initializer", "name", "trainable", "regularizer", "constraint")
"""Those in Keras 1.2.2."""
_KNOWN = frozenset({*_WORDS, "sparse", "aggregation", "synchronization", "use_resource", "getter"})
_LISTS = ("trainable_weights", "non_trainable_weights", "_trainable_weights", "_non_trainable_weights")
"""The attributes in which a class of Keras 1 lists the variables that are its weights."""
_APPENDED = ("_trainable_weights", "_non_trainable_weights")
"""Those that `build` of a class of Keras 2 appends to."""
ADOPTING: ContextVar[Builder | None] = ContextVar("adopting", default=None)
"""The builder whose `build` or `call` runs: layers that are made meanwhile are inside its layer."""
MADE = "_made"
"""The attribute of a layer of the user with the layers that its `build` and `call` make."""
_NO_LAYERS = frozenset({"extra", "left_out", "unstated", AROUND, MADE})
"""Attributes that hold no layers inside a layer."""


@dataclass(frozen=True, eq=False)
class Made:
    """A variable that was made in a run."""

    tensor: Tensor
    weight: Weight
    # Whether `add_weight` made it; another one, as of `K.variable`, is a weight if the layer lists it.
    stated: bool
    # The builder of its layer.
    builder: Builder

    @property
    def rank(self) -> Rank:
        """Where its layer is: () for the outermost one, (0,) for the first layer inside it, ..."""
        return self.builder.rank


@dataclass(eq=False)
class Run:
    """Everything that one run creates, in all layers."""

    make: Make
    # The phase; None where there is none, as while weights are counted.
    phase: Phase | None = None
    # Whether only the weights matter: layers of Keras inside give zeros in the shape of their output.
    counts: bool = False
    made: list[Made] = field(default_factory=list)
    losses: list[Tensor] = field(default_factory=list)
    updates: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    metrics: list[tuple[str, Tensor]] = field(default_factory=list)
    # The states that the outermost layer keeps from batch to batch, by name, and their new values.
    kept: dict[str, Tensor] = field(default_factory=dict)
    renewed: dict[str, Tensor] = field(default_factory=dict)
    # The arrays that `set_weights` was called with, by the rank of the layer.
    given: dict[Rank, list[Any]] = field(default_factory=dict)
    # The names of the layers inside which are called, as in the names of variables in Keras.
    scope: list[str] = field(default_factory=list)
    # Tensors with their masks: a call of a layer without a mask takes that of its input.
    masks: list[tuple[Any, Any]] = field(default_factory=list)
    # The layers inside the outermost one.
    layers: list[Any] = field(default_factory=list)
    # How many layers of a class got their names from this run.
    named: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def inside(self, layer: Any) -> Iterator[None]:
        """The scope of a call of `layer`, which gets a name if it has none: `build` may make it anew in each run."""
        if not layer.name:
            word = snake_case(layer.class_name)
            self.named[word] += 1
            layer.name = f"{word}_{self.named[word]}"
        self.scope.append(f"{layer.name}/")
        try:
            yield
        finally:
            self.scope.pop()

    def mask_of(self, x: Any) -> Any:
        """The mask of a tensor or a list of tensors; None where it has none."""
        if isinstance(x, list):
            masks = [self.mask_of(one) for one in x]
            return None if all(mask is None for mask in masks) else masks
        return next((mask for tensor, mask in self.masks if tensor is x), None)

    def note_mask(self, x: Any, mask: Any) -> None:
        """Notes the mask of a tensor, or the masks of a list of tensors."""
        pairs = zip(x, mask, strict=True) if isinstance(x, list) and isinstance(mask, list) else [(x, mask)]
        self.masks += [(tensor, one) for tensor, one in pairs if one is not None]

    def weights(self, outer: Any) -> list[Weight | None]:
        """One entry for each variable that was made: the weight of the layer `outer`, or None if it is no weight."""
        listed = {
            id(one.tensor): trains for one in self.made if (trains := one.builder.trains_attribute(one)) is not None
        }
        listed |= {id(tensor): "non" not in name for name in _LISTS for tensor in outer.__dict__.get(name) or ()}
        weights = [_weight(one, listed.get(id(one.tensor))) for one in self.made]
        constraints = {id(tensor): constraint for tensor, constraint in outer.__dict__["constraints"].items()}
        for number, one in enumerate(self.made):
            weight = weights[number]
            if weight is not None and id(one.tensor) in constraints:
                weights[number] = replace(weight, constraint=constraints[id(one.tensor)])
        for rank, arrays in self.given.items():
            numbers = [i for i, one in enumerate(self.made) if one.rank[: len(rank)] == rank and weights[i]]
            values = _with_values([weights[i] for i in numbers], arrays, outer)
            for i, weight in zip(numbers, values, strict=True):
                weights[i] = weight
        return weights

    def in_order(self, weights: Sequence[Weight | None], outer: Any) -> list[Weight]:
        """The weights among `weights` in the order of Keras: a layer's own before those of the layers inside it.

        Those that `outer` lists itself are in the order of its lists.
        """
        places = {id(tensor): i for i, tensor in enumerate(_listed(outer))}
        found = [
            ((places.get(id(one.tensor), -1), one.rank), weight)
            for one, weight in zip(self.made, weights, strict=True)
            if weight
        ]
        return [weight for _, weight in sorted(found, key=lambda pair: pair[0])]

    def report(self, layer: Any) -> None:
        """Tells the phase what was added. Updates are those of training.

        Raises KconvertError where the target of an update is no weight of `layer`.
        """
        phase = self.phase
        if phase is None:
            return
        for loss in self.losses:
            phase.add(loss)
        for name, value in self.metrics:
            phase.measure(name, value)
        for name, value in self.renewed.items():
            phase.update(name, value)
        names = {id(one.tensor): one.weight.name for one in self.made}
        for target, value in self.updates if phase else ():
            if id(target) not in names:
                what = "add_update was given a tensor that is not a weight of the layer"
                raise KconvertError(what, f"layer {layer.name}", "make it with add_weight", Problem.USAGE)
            phase.update(names[id(target)], phase.K.stop_gradient(value))


class Builder:
    """Creates the weights of one layer in a run."""

    def __init__(self, layer: Any, run: Run, original: Any, around: Builder | None = None) -> None:
        self._layer, self.run, self._around = layer, run, around
        # The layer of which `layer` is a copy; None for a model that is made anew in each run.
        self.original = original
        self._inside = 0
        self.rank: Rank = ()
        if around is not None:
            self.rank = (*around.rank, around._inside)
            around._inside += 1
        for name in _APPENDED:
            layer.__dict__.setdefault(name, [])

    @property
    def is_inside(self) -> bool:
        """Whether the layer is inside another one."""
        return self._around is not None

    @property
    def holder(self) -> Any:
        """The layer that may hold arrays for a layer that is inside another one; None for the outermost one."""
        return self.original if self.is_inside else None

    @property
    def tracked(self) -> bool:
        """Whether its weights are those of the outermost layer, as in Keras those of layers that are attributes."""
        around = self._around
        return around is None or (around.tracked and around._layer.tracks_layers and around.has_attribute(self._layer))

    def has_attribute(self, value: Any) -> bool:
        """Whether `value` is an attribute of its layer, not only in a list."""
        return any(one is value for name, one in vars(self._layer).items() if name not in _NO_LAYERS)

    def trains_attribute(self, made: Made) -> bool | None:
        """Whether a variable of `K.variable` is trained because it is an attribute of its layer; None: it is not one.

        (keras-facts: variables-as-attributes)
        """
        is_weight = not made.stated and self.tracked and self._layer.tracks_layers and self.has_attribute(made.tensor)
        return BACKENDS[default_backend()].trains_variables if is_weight else None

    def is_independent(self, shape: Any) -> bool:
        """Whether its layer, called on an input of `shape`, has weights that are none of the outermost layer."""
        if self.tracked or self.original is None:
            return False
        listed = {id(tensor) for tensor in _listed(self._outermost()._layer)}
        made = [one for one in self.run.made if one.rank[: len(self.rank)] == self.rank]
        return not any(id(one.tensor) in listed for one in made) and bool(self.original.weight_specs(shape))

    def _outermost(self) -> Builder:
        return self if self._around is None else self._around._outermost()

    def make_inside(self, cls: Any, arguments: Any, make: Callable[[], Any]) -> Any:
        """A layer of class `cls` that `build` or `call` of its layer makes: a copy of one that stays the same.

        The user has the same object in each run, if `arguments` of the constructor are the same; make: calls it.
        """
        if cls.is_network or self.original is None:
            return self.adopt(make(), None)
        kept: dict[Any, Any] = self.original.__dict__.setdefault(MADE, {})
        key = (self._inside, cls, _plain(arguments))
        if key not in kept:
            with assigned(ADOPTING, None):
                kept[key] = layer = make()
            layer.name = layer.name or next_name(layer.class_name)
            layer.__dict__[AROUND] = self.original
        return self.adopt(copy(kept[key]), kept[key])

    def adopt(self, layer: Any, original: Any) -> Any:
        """Gives `layer` a builder in the same run, as a layer inside this one, and returns it."""
        builder = layer.__dict__["_builder"] = Builder(layer, self.run, original, self)
        layer.__dict__.pop("built", None)
        self.run.layers.append(layer)
        builder.adopt_attributes()
        return layer

    def adopt_attributes(self) -> None:
        """Puts copies of the layers that are attributes in their places, if the layer is written as in Keras.

        Weights that `add_weight` described in `__init__` are made.
        """
        copies: dict[int, Any] = {}
        if not is_in_keras_style(self._layer):
            return
        for name, value in self._layer.__dict__.items():
            if name not in _NO_LAYERS and not name.startswith("_builder"):
                self._layer.__dict__[name] = self._with_copies(value, copies)

    def _with_copies(self, value: Any, copies: dict[int, Any]) -> Any:
        if isinstance(value, WithWeights) and not value.__dict__.get("_inbound"):  # else it is a layer of the model
            if id(value) not in copies:
                copies[id(value)] = self.adopt(copy(value), value)
            return copies[id(value)]
        if isinstance(value, WeightToMake):
            if id(value) not in copies:
                copies[id(value)] = self.add_weight(*value.args, **value.kwargs)
            return copies[id(value)]
        if type(value) in (list, tuple):
            return type(value)(self._with_copies(one, copies) for one in value)
        if type(value) is dict:
            return {key: self._with_copies(one, copies) for key, one in value.items()}
        return value

    def weights_of(self, weights: Sequence[Weight | None]) -> list[Weight]:
        """The weights of the layer and of the layers inside it, in the order of Keras; weights: those of the run."""
        depth = len(self.rank)
        own = [
            (one.rank, weight)
            for one, weight in zip(self.run.made, weights, strict=True)
            if weight and one.rank[:depth] == self.rank
        ]
        return [weight for _, weight in sorted(own, key=lambda pair: pair[0])]

    def take(self, weights: Sequence[Any]) -> None:
        """Takes the arrays of `set_weights` as the initial values of the weights of the layer."""
        self.run.given[self.rank] = list(weights)

    def add_weight(self, *args: Any, **kwargs: Any) -> Tensor:
        """The weight that `add_weight` of Keras makes. A first argument that is a shape is that of Keras 1."""
        of_keras1 = bool(args) and isinstance(args[0], (tuple, list))
        words = _WORDS_OF_KERAS1 if of_keras1 else _WORDS
        if len(args) > len(words) or not set(kwargs) <= _KNOWN:
            what = f"add_weight has no argument {next(iter(set(kwargs) - _KNOWN), len(words) + 1)!r}"
            raise AlsoTypeError(what, f"layer {self._layer.name}", problem=Problem.USAGE)
        stated = {**dict(zip(words, args, strict=False)), **kwargs}
        shape = tuple(int(n) for n in stated.get("shape") or ())
        options = {"initializer": "glorot_uniform"} | {key: stated[key] for key in _OPTIONS if stated.get(key)}
        options["trainable"] = bool(stated.get("trainable", True))
        return self._add(stated.get("name"), np.zeros(shape, floatx()), True, **options)

    def variable(self, value: Any, name: str | None) -> Tensor:
        """A variable of `K.variable`, which is a weight if the layer lists it as one."""
        values = np.asarray(value, floatx())
        return self._add(name, values, False, initializer=constant(values))

    def add_native(self, name: str, weight: Weight) -> Made:
        """A weight that a class of Keras has, with its role."""
        options = {key: getattr(weight, key) for key in ("role", "trainable", *_OPTIONS)}
        self._add(name, np.zeros(weight.shape, floatx()), True, **options)
        return self.run.made[-1]

    def _add(self, name: str | None, values: np.ndarray, stated: bool, **options: Any) -> Tensor:
        """A weight; stated: see `Made`. options: the other fields of `Weight`."""
        made = self.run.made
        own = name or f"weight_{len(made)}"
        own = own.removeprefix(f"{self._layer.name}_") if self._layer.name else own
        options = {"role": Role("as stored", _AXES[: values.ndim]), **options}
        tensor = self.run.make(len(made), values)
        weight = Weight(self._free("".join(self.run.scope) + own), values.shape, **options)
        made.append(Made(tensor, weight, stated, self))
        return tensor

    def _free(self, name: str) -> str:
        """`name`, with a number if a variable of the run has it already, as in Keras."""
        taken = {one.weight.name for one in self.run.made}
        numbered = (f"{name}_{number}" for number in range(1, len(taken) + 1))
        return name if name not in taken else next(one for one in numbered if one not in taken)


def _listed(layer: Any) -> list[Tensor]:
    """The variables that `build` of a layer lists as its weights."""
    return [tensor for name in _LISTS for tensor in layer.__dict__.get(name) or ()]


def is_in_keras_style(layer: Any) -> bool:
    """Whether the `call` of a layer is written as in Keras."""
    return hasattr(type(layer).call, "in_keras")


def constant(values: np.ndarray) -> Callable[..., np.ndarray]:
    """An initializer of one weight, which gives `values` in canonical form."""
    return lambda shape, **_: values


@dataclass(frozen=True, eq=False)
class AsStored:
    """The initializer of a weight whose value was given as a file of the backend stores it."""

    values: np.ndarray


def _weight(made: Made, listed: bool | None) -> Weight | None:
    """Returns the weight that belongs to a variable; None if the variable is no weight.

    listed: True if a list of trained weights contains the variable, False if a list of other weights does, None if no
    list does.
    """
    if made.stated and made.builder.tracked:
        return made.weight
    return None if listed is None else replace(made.weight, trainable=listed)


def _plain(value: Any) -> Any:
    """Returns constructor arguments in a form that can be compared: other objects than numbers and texts are types."""
    if isinstance(value, (str, int, float, type(None))):
        return value
    if isinstance(value, (list, tuple)):
        return tuple(_plain(one) for one in value)
    if isinstance(value, dict):
        return tuple((key, _plain(one)) for key, one in value.items())
    return type(value)


def _with_values(weights: Sequence[Any], values: Sequence[Any], layer: Any) -> list[Weight]:
    """`weights` with initial values, in the order of `get_weights`. Raises KconvertError where they do not fit."""
    arrays = [np.asarray(value, floatx()) for value in values]
    order = sorted(weights, key=lambda weight: not weight.trainable)
    wanted, found = [weight.shape for weight in order], [array.shape for array in arrays]
    if wanted != found:
        what = f"set_weights in build takes arrays of the shapes {wanted}, not {found}"
        raise KconvertError(what, f"layer {layer.name}", "give one array for each weight", Problem.USAGE)
    made: Mapping[str, Weight] = {
        weight.name: replace(weight, initializer=AsStored(array)) for weight, array in zip(order, arrays, strict=True)
    }
    return [made[weight.name] for weight in weights]
