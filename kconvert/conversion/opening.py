"""Opens the file of a source. Arrays without names get names from the architecture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from ..arguments import argument
from ..conventions.generations import GENERATIONS, Convention
from ..errors import KconvertError, Problem
from ..formats import files
from ..formats.architectures import architecture_json
from ..formats.checkpoint import Architecture, Checkpoint, LazyArray, renamed
from ..layers.as_is import AsIs
from ..network.architecture import model_from_config
from ..network.network import Network
from .binding import Place, places
from .evidence import ONLY_BACKEND
from .source import Source


@contextmanager
def open_source(source: Source, architecture: Architecture | None = None) -> Iterator[Checkpoint]:
    """The checkpoint of a source, whose arrays can be read until the `with` block ends.

    architecture: reads the user's architecture, if `source` does not name a file. Raises KconvertError where the file
    cannot be read.
    """
    if source.arch is not None:
        architecture = partial(architecture_json, str(source.arch))
    with files.read(source.path or "", architecture) as checkpoint:
        if checkpoint.slots:
            yield checkpoint
        else:
            yield _with_slots(checkpoint, architecture)


def _with_slots(checkpoint: Checkpoint, architecture: Architecture | None) -> Checkpoint:
    """The same arrays, named after the weights of their layers; unchanged if the architecture cannot be read.

    The architecture is that of the file, or that of the user if the file has none.
    """
    try:
        network = _network(checkpoint, architecture)
        placed = places(network, Convention(list(GENERATIONS)[-1], ONLY_BACKEND))
    except KconvertError:
        return checkpoint  # reading the architecture says why
    layers: dict[str, list[Place]] = {}
    for place in (place for _, found in placed for place in found):
        layers.setdefault("/".join(place.leaf), []).append(place)
    unknown = {layer.name: layer for layer in network.all_layers if isinstance(layer, AsIs)}
    for group in checkpoint.groups:
        if group.arrays and group.name in unknown:  # its arrays have no names
            raise unknown[group.name].cannot_run.in_file(checkpoint.path)
    groups = [
        replace(group, arrays=_named(group.arrays, layers, f"{checkpoint.path}, layer {group.name}"))
        for group in checkpoint.groups
    ]
    return replace(checkpoint, groups=groups, slots=True)


def _network(checkpoint: Checkpoint, architecture: Architecture | None) -> Network:
    if checkpoint.model_config is not None:
        try:
            return model_from_config(checkpoint.model_config, checkpoint.keras_version)
        except KconvertError:
            if architecture is None:
                raise
    return model_from_config(architecture() if architecture else {})


def _named(arrays: Sequence[LazyArray], layers: Mapping[str, Sequence[Place]], where: str) -> list[LazyArray]:
    """The arrays of a group. Raises KconvertError where a layer has more or fewer than the file."""
    stored: dict[str, list[LazyArray]] = {}
    for array in arrays:
        stored.setdefault(array.name.rpartition("/")[0], []).append(array)
    for layer, own in stored.items():
        expected = layers.get(layer, ())
        if len(own) != len(expected):
            raise KconvertError(
                f"the file has {len(own)} arrays for {layer}, where the architecture has {len(expected)}",
                where,
                f"give the architecture that the weights were saved with: {argument('arch')}",
                Problem.UNREADABLE,
            )
    return [
        renamed(array, f"{layer}/{place.slot}:0")
        for layer, own in stored.items()
        for array, place in zip(own, layers[layer], strict=True)
    ]
