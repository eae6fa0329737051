"""Finds the layer of a model that a file does not fit, and the most similar layer of the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from difflib import SequenceMatcher
from math import log, prod

from ..conventions.generations import Convention
from ..conversion.binding import places
from ..conversion.opening import open_source
from ..conversion.passes.parts import split_part
from ..conversion.source import Source, decide
from ..errors import KconvertError, Problem
from ..layers import Bidirectional, TimeDistributed
from ..layers.base import Layer, layer_config
from ..layers.options import remade
from ..lazy_dataclasses import dataclass
from ..network.network import Network
from ..network.rewrite import changed, rebuilt

Shapes = Sequence[tuple[int, ...]]

MENTIONED = 3  # the number of layers that a message names


@dataclass(frozen=True)
class _Layer:
    """A layer by its name and the shapes of its arrays, as files of one convention have them."""

    name: str
    shapes: Shapes

    def fits(self, other: _Layer) -> bool:
        """Whether the arrays have the same sizes: their axes have other orders in another data format."""
        return list(map(sorted, self.shapes)) == list(map(sorted, other.shapes))

    def distance(self, other: _Layer) -> tuple[bool, float, float]:
        """How different two layers are: in the number of arrays, in their sizes, in their names."""
        pairs = zip(self.shapes, other.shapes, strict=False)
        sizes = sum(abs(log(1 + prod(a)) - log(1 + prod(b))) + (len(a) != len(b)) for a, b in pairs)
        unlike = sizes + (not self.fits(other))
        names = 1 - SequenceMatcher(None, self.name, other.name).ratio()
        return len(self.shapes) != len(other.shapes), unlike, names


@contextmanager
def explained(network: Network, source: Source) -> Iterator[None]:
    """While it is open, an error of arrays that do not fit `network` names the first layer, and the nearest one.

    source: the file that is read.
    """
    try:
        yield
    except KconvertError as error:
        if error.problem is not Problem.UNREADABLE or source.partial:  # by name, other layers are no misfit
            raise
        words = _first_misfit(network, source)
        if not words:
            raise
        fix = "load the weights into the model that they were saved from, or give by_name=True"
        raise KconvertError(words, str(source.path), fix, Problem.UNREADABLE) from error


def _first_misfit(network: Network, source: Source) -> str:
    """The message about the first layer of a network that a file does not fit; '' if none is found."""
    try:
        with open_source(source, lambda: layer_config(network)) as checkpoint:
            convention = decide(checkpoint, source).convention
            found = [
                _Layer(group.name, [tuple(array.shape) for array in group.arrays])
                for group in checkpoint.groups
                if group.arrays
            ]
    except KconvertError:
        return ""
    expected = [_Layer(name, shapes) for name, shapes in _expected(network, convention)]
    if nesting := _nesting(expected, found):
        return nesting
    by_name = {layer.name: layer for layer in found}
    paired = [by_name.get(layer.name) for layer in expected]
    if not all(paired):
        paired = [*found, *[None] * len(expected)][: len(expected)]
    for ours, theirs in zip(expected, paired, strict=True):
        if theirs is None or not ours.fits(theirs):
            return _words(ours, theirs, found) + _hint(network, ours, theirs, convention)
    others = [layer.name for layer in found if layer not in paired]
    return f"the model has no layer for the weights of {', '.join(others[:MENTIONED])} in the file" if others else ""


def _expected(network: Network, convention: Convention) -> Iterator[tuple[str, Shapes]]:
    """The layers of a network that have weights, with the shapes of their arrays."""
    for name, own in places(network, convention):
        if own:
            yield name, [place.stored.shapes[place.index] for place in own]


def _nesting(ours: Sequence[_Layer], theirs: Sequence[_Layer]) -> str:
    """The message if the same arrays are in more or fewer layers, because some of these are in nested models."""
    arrays = [sorted(map(sorted, (shape for layer in one for shape in layer.shapes))) for one in (ours, theirs)]
    if len(ours) == len(theirs) or arrays[0] != arrays[1]:
        return ""
    names = [
        ", ".join(layer.name for layer in one[:MENTIONED]) + ", ..." * (len(one) > MENTIONED) for one in (ours, theirs)
    ]
    return (
        f"the file has the same weights in {len(theirs)} layers ({names[1]}) and the model in {len(ours)} ({names[0]}):"
        " a model within a model counts as one layer, so they have to be nested alike"
    )


def _hint(network: Network, ours: _Layer, theirs: _Layer | None, convention: Convention) -> str:
    """The option with which the layer would fit, such as reset_after of a GRU; '' if there is none."""
    for option, layer in _variants(network.by_name[ours.name]) if theirs else ():
        with suppress(KconvertError):  # other layers may not take what this one gives then
            other = rebuilt(network, {**network.by_name, ours.name: layer})
            shapes = dict(_expected(other, convention)).get(ours.name, ())
            if theirs and _Layer(ours.name, shapes).fits(theirs):
                return f"; it fits with {option}"
    return ""


def _variants(layer: Layer) -> Iterator[tuple[str, Layer]]:
    """The layer with each of its boolean options inverted."""
    if isinstance(layer, (TimeDistributed, Bidirectional)):
        yield from ((option, remade(layer, layer=one)) for option, one in _variants(layer.layer))
        return
    for name, value in layer.stored_config().items():
        if isinstance(value, bool) and name not in ("trainable", "stateful"):
            yield f"{name}={not value}", changed(layer, **{name: not value})


def _title(layer: _Layer) -> str:
    """The name of a layer of the model; one that makes up a layer of the file with others is told by that, too."""
    found = split_part(layer.name)
    return f"{layer.name}, a part of the {found[1]} {found[0]}," if found else layer.name


def _words(ours: _Layer, theirs: _Layer | None, found: Sequence[_Layer]) -> str:
    there = f"{theirs.name} of the file has {_shapes(theirs)}" if theirs else "the file has no further layer"
    nearest = min(found, key=ours.distance, default=None)
    if nearest is None:
        return f"layer {_title(ours)} of the model has weights of shapes {_shapes(ours)}, and the file has no weights"
    fits = "fits" if ours.fits(nearest) else "is the nearest"
    last = "" if nearest is theirs else f"; {nearest.name} of the file {fits}, with {_shapes(nearest)}"
    return f"layer {_title(ours)} of the model has weights of shapes {_shapes(ours)}, and {there}{last}"


def _shapes(layer: _Layer) -> str:
    return ", ".join(map(str, layer.shapes))
