"""Coming back: a converted file becomes what it was before, where it still is as kconvert wrote it.

A conversion records the architecture that it starts from. What it made of that is computed again on the way back; if it
is the network of the file, the network from before takes its place, and the ops on the weights are inverted. So what
was rewritten, grown or renamed comes back without a rule of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from ..errors import KconvertError
from ..formats.architectures import architecture_json
from ..formats.checkpoint import Checkpoint
from ..kernels import Chain
from ..layers.base import Layer
from ..lazy_dataclasses import dataclass
from ..network.architecture import model_config, model_from_config
from ..network.graph import LayerPath
from ..network.layout import Layout
from ..network.network import Network
from ..network.rewritten import Rewritten
from .binding import Binding
from .passes.order import WRITE, read, write
from .passes.relayout import relayout
from .source import Origin, Source
from .target import KEEP, Goal

Json = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Earlier:
    """An earlier conversion that made a file."""

    architecture: Json
    """The architecture that it started from, as its source stated it."""
    network: Network
    """The network of that source."""
    done: Rewritten
    """What it made of that network."""
    release: str | None
    """The release of that source."""
    training: Json | None
    """The arguments of `compile` that it stated."""
    groups: Sequence[str]
    """The groups of its file."""
    reordered: frozenset[str]
    """The Flattens whose features a conversion before that one put in a new order."""


def record(network: Network, checkpoint: Checkpoint, source: Source, origin: Origin, goal: Goal) -> Json:
    """What `earlier` needs to know of a conversion, beside what the provenance says anyway.

    network: that of the source, bound to its arrays.
    """
    stated = checkpoint.model_config if source.arch is None else architecture_json(str(source.arch))
    return {
        "architecture": stated,
        "keras_version": checkpoint.keras_version if source.arch is None else None,
        "release": origin.release,
        "training": checkpoint.training_config,
        "release_stated": origin.release_stated,
        "arch_given": origin.arch_given,
        "data_format": source.data_format,
        "reordered": sorted(origin.reordered),
        "modernize": goal.modernize,
        "repair": goal.repair,
        "groups": [group.name for group in checkpoint.groups],
        "shapes": {"/".join(path): shape for path, (_, shape) in _shapes(network).items()},
    }


def _shapes(network: Network) -> dict[LayerPath, tuple[Layer, list[int]]]:
    """The canonical shape of each weight, and its layer."""
    table = network.weight_table()
    return {(*leaf.path, weight.name): (leaf.layer, list(weight.shape)) for leaf in table for weight in leaf.weights}


def earlier(network: Network, checkpoint: Checkpoint, source: Source, origin: Origin, goal: Goal) -> Earlier | None:
    """The conversion that made the file, where `goal` leads back to what it started from; otherwise None.

    network: that of the file, as its architecture describes it.
    """
    stamp = checkpoint.provenance or {}
    before = stamp.get("original")
    ends = (stamp.get("source"), stamp.get("target"))
    if (
        not before
        or goal.restore is False
        or goal.cudnn is not None
        or ends != (str(goal.convention), str(origin.convention))
    ):
        return None
    if goal.release_stated and before["release"] not in (None, goal.release):
        return None
    try:
        found = _repeated(before, stamp, origin, goal)
        written = model_config(
            found.done.model, origin.convention.generation_name, stamp["release"], origin.convention.backend
        )
        again = _read(written, stamp["release"], source.data_format, origin)
    except KconvertError:  # a layer of the user that is not registered, a rule that another version has
        return None
    unchanged = again.stored_config() == network.stored_config()
    return found if unchanged and (goal.restore or _in_data_format(found, goal.data_format)) else None


def _repeated(before: Json, stamp: Mapping[str, Any], origin: Origin, goal: Goal) -> Earlier:
    """The earlier conversion, once more."""
    start = replace(
        origin,
        convention=goal.convention,
        saved_with=goal.convention.backend,
        release=before["release"],
        release_stated=before["release_stated"],
        arch_given=before["arch_given"],
        reordered=frozenset(before["reordered"]),
    )
    end = replace(
        goal,
        convention=origin.convention,
        release=stamp["release"],
        data_format=None if stamp["data_format"] == KEEP else stamp["data_format"],
        modernize=before["modernize"],
        repair=before["repair"],
        cudnn=stamp["cudnn"],
    )
    network = _read(before["architecture"], before["keras_version"], before["data_format"], start)
    for path, (layer, shape) in _shapes(network).items():
        stored = before["shapes"]["/".join(path)]
        if stored != shape:  # a configuration may lack what the arrays show
            layer.adapt(shape, stored)
    done = write(network, start, end, WRITE)
    return Earlier(
        before["architecture"],
        network,
        done,
        before["release"],
        before["training"],
        before["groups"],
        start.reordered,
    )


def _read(architecture: Json, keras_version: str | None, data_format: str | None, origin: Origin) -> Network:
    """The network of a file that is `origin` and states an architecture."""
    return read(model_from_config(architecture, keras_version, data_format), origin).model


def _in_data_format(found: Earlier, wanted: str | None) -> bool:
    """Whether the network from before is in the data format that is wanted now (None: that of the file)."""
    if wanted is None:
        return all(layout.is_identity for layout in found.done.layouts.values())
    return relayout(found.network, wanted).model.stored_config() == found.network.stored_config()


# ------------------------------------------------------------- going back ----


def where_exact(
    found: Earlier | None, network: Network, bindings: Sequence[Binding]
) -> tuple[Earlier | None, Sequence[Binding], list[str]]:
    """The earlier conversion if it can be undone exactly, the bindings by the paths before it, and notes.

    A weight that it enlarged by zeros cannot become smaller where it was trained since.
    """
    if not found:
        return None, bindings, []
    # formats without names number layers anew
    paths = dict(zip(_shapes(network), _shapes(found.done.model), strict=True))
    before = [replace(binding, path=paths[binding.path]) for binding in bindings]
    trained = ["/".join(binding.path) for binding in before if _holds_more(binding, found)]
    if not trained:
        return found, before, []
    why = f"{', '.join(trained)}: trained since an earlier conversion enlarged it"
    return None, bindings, [f"not restored: the file stays as it is, as its zeros have other values ({why})"]


def _holds_more(binding: Binding, found: Earlier) -> bool:
    """Whether a weight holds elements that would be lost, and that are not the zeros which were added."""
    chain = found.done.weights.get(binding.path, Chain())
    (smaller,) = chain.inverse.shapes((binding.weight.shape,))
    if prod(smaller) >= prod(binding.weight.shape):
        return False
    array = binding.canonical()
    return not np.array_equal(array, (chain.inverse >> chain).apply(array)[0])


def restored(found: Earlier) -> Rewritten:
    """The network from before, and how it is made from that of the file."""
    sources = {old: new for new, old in found.done.sources.items() if isinstance(old, tuple)}
    origins = {new: old for old, new in sources.items()}
    weights = {
        origins.get(path, path): chain.inverse
        for path, chain in found.done.weights.items()
        if path in origins or path not in found.done.sources
    }
    renamed = {old: new for old, new in found.done.aliases.items() if old != new}
    names = {new: old for old, new in renamed.items()}
    names = {**{old: new for old, new in renamed.items() if old not in names}, **names}  # else another tensor's name
    layouts = {names.get(name, name): _inverse(layout) for name, layout in found.done.layouts.items()}
    return Rewritten(
        model=found.network,
        aliases=names,
        weights=weights,
        sources=sources,
        notes=["restored: the architecture and the layers are those of the file that this one was converted from"],
        layouts=layouts,
        reordered=found.reordered,
    )


def _inverse(layout: Layout) -> Layout:
    axes = tuple(map(int, np.argsort(layout.axes)))
    features = layout.features and tuple(block.inverse for block in layout.features)
    return Layout(axes, features)
