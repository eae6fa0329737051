"""An architecture that the user gives may come from another release or backend than the weights.

The meaning of the weights depends on the release, the backend and the data format that they were trained with. The
arrays show where the architecture differs from these. If they do not show it and the answer matters, an error asks the
user.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from .. import layers as L
from ..arguments import argument
from ..conventions.backends import BACKENDS, CHANNELS_FIRST, KERNELS_OF
from ..conventions.generations import GENERATIONS, Convention, numbers_of
from ..errors import KconvertError, Problem
from ..formats.architectures import architecture_json
from ..formats.checkpoint import Checkpoint
from ..layers.base import Layer
from ..network.network import Network
from ..network.rewrite import NewLayer, changed, rewrite
from .binding import bind, leaf_storage
from .data_formats import affected, in_format, other_format, stated_format
from .evidence import akin, kept_from
from .source import Origin, Source

MENTIONED = 3  # the number of layers that an error names
FLATTEN_STATES = (2, 2, 0)
"""The first release whose Flatten has a data format (keras-facts: flatten-data-format)."""


def as_saved(network: Network, checkpoint: Checkpoint, source: Source, origin: Origin) -> tuple[Origin, Network]:
    """The convention of the weights and their network, with notes on where the given architecture differs.

    Raises KconvertError where the data format of the weights is not known and matters.
    """
    origin = by_arrays(network, checkpoint, origin)
    notes: list[str] = []
    network = _flattening(network, source, origin, notes)
    network = _in_format_of_weights(network, checkpoint, source, origin, notes)
    return replace(origin, notes=[*origin.notes, *notes]), network


def _fits(network: Network, checkpoint: Checkpoint, convention: Convention) -> bool:
    """Whether the arrays have the shapes that the weights of a network have in a convention."""
    try:
        bind(network, checkpoint, convention)
    except (KconvertError, LookupError, TypeError, ValueError):
        return False
    return True


# --------------------------------------------------------------- generation ----


def by_arrays(network: Network, checkpoint: Checkpoint, origin: Origin) -> Origin:
    """The generation whose arrays have these shapes, among generations that only the release distinguishes."""
    taken = origin.convention
    if origin.release_stated or _fits(network, checkpoint, taken):
        return origin
    for row in reversed(list(GENERATIONS.values())):
        other = Convention(row.name, taken.backend)
        if akin(row, taken.generation) and _fits(network, checkpoint, other):
            note = f"the shapes of the arrays are those of {other.generation_name}, not of {taken.generation_name}"
            return replace(origin, convention=other, release=None, notes=[*origin.notes, note])
    return origin


# ------------------------------------------------------------------ Flatten ----


def _flattening(network: Network, source: Source, origin: Origin, notes: list[str]) -> Network:
    """Removes the data format of Flatten layers if the release of the weights did not have it."""
    row = origin.convention.generation
    version = numbers_of(origin.release or row.last_release)
    if version >= FLATTEN_STATES:
        notes += _unstated_flattens(network, source)
    stating = [layer for _, layer in network.leaves() if isinstance(layer, L.Flatten) and layer.data_format]
    if version >= FLATTEN_STATES or not stating:
        return network
    moving = [layer.name for layer in stating if layer.data_format == CHANNELS_FIRST]
    if moving:
        notes.append(f"{', '.join(moving)}: the Flatten of the release that saved the weights moves no axis")
    return rewrite(network, _without_data_format).model


def _unstated_flattens(network: Network, source: Source) -> Iterator[str]:
    """A note if the release of the architecture has no data format for Flatten, and it would matter."""
    theirs = str(architecture_json(str(source.arch)).get("keras_version"))
    names = [layer.name for _, layer in network.leaves() if isinstance(layer, L.Flatten) and not layer.data_format]
    if () < numbers_of(theirs) < FLATTEN_STATES and names and stated_format(network) == CHANNELS_FIRST:
        yield (
            f"{', '.join(names)}: the Flatten of the release that saved the weights has a data format, which an"
            f" architecture of Keras {theirs} does not state; it is taken for one that moves no axis"
        )


def _without_data_format(layer: Layer, shape: Any) -> list[NewLayer] | None:
    return [NewLayer(changed(layer, data_format=None))] if isinstance(layer, L.Flatten) else None


# -------------------------------------------------------------- data format ----


def _in_format_of_weights(
    network: Network, checkpoint: Checkpoint, source: Source, origin: Origin, notes: list[str]
) -> Network:
    """The network in the data format that the weights were trained with."""
    stated = stated_format(network)
    kept = kept_from(checkpoint)
    belongs = source.arch_belongs or (checkpoint.provenance is not None and kept is None)
    if belongs or stated is None or source.data_format == stated:
        return network
    fits = _fits(network, checkpoint, origin.convention)
    trained_on = kept or origin.convention.backend
    if source.data_format is None and fits and BACKENDS[trained_on].data_format == stated:
        return network
    where, other = str(checkpoint.path or "checkpoint"), other_format(stated)
    ways = in_format(network, other, lambda made: _fits(made, checkpoint, origin.convention))
    if source.data_format and fits and not ways:
        raise KconvertError(
            f"the arrays do not fit the architecture in {other}, but in {stated}",
            where=where,
            fix=f"leave {argument('source_data_format')} out",
            problem=Problem.USAGE,
        )
    if ways and (source.data_format or not fits):
        how = "as given" if source.data_format else "as the shapes of the arrays show"
        notes.append(f"the network is taken in {other}, {how}; the architecture says {stated}")
        return _only(ways, where)
    if ways:
        layers = sorted({name for way in ways for name in _different(network, way, other, origin.convention)})
        notes += _doubt(source, trained_on, stated, layers, where) if layers else []
    return network


def _doubt(source: Source, backend: str, stated: str, layers: Sequence[str], where: str) -> list[str]:
    """Raises KconvertError if the architecture was written on another backend than the weights."""
    other = other_format(stated)
    writer = KERNELS_OF.get(str(architecture_json(str(source.arch)).get("backend")))
    if writer == backend:
        return []
    names = ", ".join(layers[:MENTIONED]) + (", ..." if len(layers) > MENTIONED else "")
    what = f"the weights are those of {backend}, and the architecture says {stated}"
    if writer is None:
        return [f"{what}; in {other} {names} would compute otherwise ({argument('source_data_format', other)})"]
    raise KconvertError(
        f"{what}, as it was written on {writer}; in {other} {names} would compute otherwise",
        where=where,
        fix="say which one the weights were trained with:"
        f" {argument('source_data_format', 'channels_first', 'channels_last')}",
        problem=Problem.USAGE,
    )


def _only(ways: Sequence[Network], where: str) -> Network:
    """The one network that the arrays fit."""
    if len(ways) > 1:
        raise KconvertError(
            "the arrays do not show along which axes its layers work in the data format of the weights",
            where=where,
            fix=f"give the architecture as the backend that saved the weights writes it: {argument('arch')}",
        )
    return ways[0]


def _different(network: Network, way: Network, data_format: str, convention: Convention) -> Iterator[str]:
    """The layers that compute something else in the other data format, or whose arrays are read differently."""
    yield from affected(network, way, data_format)
    for ours, theirs in zip(network.weight_table(), way.weight_table(), strict=True):
        chains = [[stored.chain for stored in leaf_storage(leaf, convention)] for leaf in (ours, theirs)]
        if chains[0] != chains[1]:
            yield ours.path[-1]
