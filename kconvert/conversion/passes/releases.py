"""Layers as single releases computed them, read from their files and written for them.

Each row of `ODDITIES` says how such a layer is read from a file of these releases, and how it is written for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ... import layers as L
from ...arguments import argument
from ...conventions.generations import Generation, release
from ...errors import KconvertError
from ...layers.base import Layer
from ...network.network import Network
from ...network.rewrite import NewLayer, class_names, rewrite
from ...network.rewritten import Rewritten
from . import early
from .oddities.base import Change, Oddity, Version
from .oddities.keras0 import KERAS0
from .oddities.keras1 import KERAS1
from .oddities.keras2 import KERAS2

ODDITIES = (*KERAS0, *KERAS1, *KERAS2)


def read_from_release(model: Network, version: str | None, backend: str, given: bool = False) -> Rewritten:
    """`model` of a file of release `version`, with layers that compute today what the release computed on `backend`.

    given: whether the user gave the architecture. Raises KconvertError naming a layer of which the file does not tell
    what it computed.
    """
    found = _oddities(model, version, backend)
    wanted = [one for one in found if not (given and one.in_files)]
    result = _rewritten(model, [(one, one.read) for one in wanted if not one.resizes], "read")
    resizing = [(one, one.read) for one in wanted if one.resizes]
    while (step := _rewritten(result.model, resizing, "read", most=1)).notes:
        result = result.then(step)
    return replace(result, notes=[*result.notes, *_taken([one for one in found if one not in wanted], model)])


def _taken(oddities: Sequence[Oddity], model: Network) -> list[str]:
    """A note on each layer whose options are taken from the given architecture, which that release may have written."""
    concerned = [(oddity, _concerned(model, oddity)) for oddity in oddities]
    return [
        f"{', '.join(layers)}: {oddity.releases} {oddity.does}; what the given architecture states is taken"
        for oddity, layers in concerned
        if layers
    ]


def write_for_release(model: Network, version: str, backend: str) -> Rewritten:
    """`model` with layers by which release `version` on `backend` computes what they mean today."""
    oddities = [one for one in _oddities(model, version, backend) if not one.counts_axes]
    result = _rewritten(model, [(one, one.write) for one in oddities], "written")
    early.refuse_early_layers(result.model, version, backend)
    _refuse_missing(result.model, version)
    return replace(result, notes=[*result.notes, *early.unread(result.model, version, backend)])


def write_axes_for_release(model: Network, version: str, backend: str) -> Rewritten:
    """`model` in its last data format, with the numbers of axes that release `version` on `backend` expects."""
    oddities = [one for one in _oddities(model, version, backend) if one.counts_axes]
    return _rewritten(model, [(one, one.write) for one in oddities], "written")


MISSING: tuple[tuple[Version, Version, tuple[type[Layer], ...]], ...] = (
    ((1, 0, 0), (1, 0, 7), (L.Cropping1D, L.Cropping2D, L.Cropping3D)),
)
"""Layers that a rewriting may need and that the releases from the first to the last lack (keras-facts: no-cropping)."""


def _refuse_missing(network: Network, version: str) -> None:
    for path, layer in network.leaves():
        for first, last, classes in MISSING:
            if first <= release(version) <= last and isinstance(layer, classes):
                raise KconvertError(
                    f"Keras {version} has no {layer.class_name} layer, which is needed to compute the same",
                    where=f"layer {path}",
                    fix=f"use {argument('format', 'keras2')}",
                )


def of_unknown_release(model: Network, generation: Generation, backend: str, given: bool) -> Rewritten:
    """`model` of a file of unknown release, with a note on each layer that some release computed differently."""
    major = release(generation.last_release)[0]
    notes = []
    for oddity in ODDITIES:
        if oddity.first[0] != major or oddity.backend not in (None, backend) or (given and oddity.in_files):
            continue
        found = _concerned(model, oddity) if oddity.holds_in(model) else []
        if found:
            notes.append(
                f"{', '.join(found)}: {oddity.releases} {oddity.does}; nothing tells the release, and a later one is"
                f" taken: state it with {argument('source_release')}"
            )
    return Rewritten(model, notes=notes)


def _concerned(model: Network, oddity: Oddity) -> list[str]:
    """The layers, with their classes, that would be read as other ones."""
    found: dict[str, None] = {}

    def look(layer: Layer, shape: Any) -> None:
        if not isinstance(layer, oddity.classes):
            return
        try:
            changes = oddity.read(layer, shape) is not None
        except KconvertError:
            changes = True
        if changes:
            found[f"{layer.name} ({layer.class_name})"] = None

    rewrite(model, look)
    return list(found)


def _oddities(model: Network, version: str | None, backend: str) -> list[Oddity]:
    numbers = release(version)
    return [one for one in ODDITIES if numbers and one.holds(numbers, backend) and one.holds_in(model)]


def _rewritten(
    model: Network, changes: Sequence[tuple[Oddity, Change]], verb: str, most: int | None = None
) -> Rewritten:
    """`model` with the `changes`; most: how many layers are changed at most."""
    leaves = [layer for _, layer in model.leaves()]
    fitting = [(oddity, change) for oddity, change in changes if any(isinstance(one, oddity.classes) for one in leaves)]
    notes: list[str] = []
    done: dict[str, None] = {}

    def apply(layer: Layer, shape: Any) -> Sequence[NewLayer] | None:
        if len(done) == most and layer.name not in done:
            return None
        for oddity, change in fitting:
            new = change(layer, shape) if isinstance(layer, oddity.classes) else None
            if new is not None:
                why = f"{layer.class_name} of {oddity.releases} {oddity.does}"
                done[layer.name] = None
                notes.append(f"{layer.name}: {verb} as {class_names(new)}, for {why}")
                return new
        return None

    return replace(rewrite(model, apply), notes=list(dict.fromkeys(notes))) if fitting else Rewritten(model)
