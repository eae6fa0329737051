"""Self-test: known errors, planted one at a time in a copy of the target, that verification must catch and locate.

A verification that cannot fail proves nothing. What provably changes nothing (a symmetric kernel that is reversed)
is no error, and is counted apart.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..conversion.binding import Binding, bind
from ..conversion.passes.hazards import calls
from ..errors import KconvertError, Problem
from ..formats import hdf5
from ..formats.checkpoint import Checkpoint, InMemory
from ..layers.base import Layer, layer_config
from ..layers.registry import layer_from_config
from ..network.architecture import model_config
from ..network.network import LayerPath, Network
from .matching import FilePath, Match, places
from .mistakes import Arrays, Mistake, in_other_order, misread, mistakes, pads_nothing
from .planted import CAUGHT, HARMLESS, LOCATED, MISSED, REFUSED, Planted, SelfTest
from .tolerance import DEFAULT_TOLERANCE, Tolerance
from .value import Report
from .verifier import Pairing, Verifier

log = logging.getLogger(__name__)


def self_test(
    verifier: Verifier,
    source_path: FilePath,
    target_path: FilePath,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    **options: Any,
) -> SelfTest:
    """Plants every known error in a copy of the target and verifies each copy. options: those of `Verifier.pair`.

    An error after which the weights do not fit the architecture, or the outputs have other shapes, is not planted:
    such a file cannot be taken for the right one. Raises KconvertError where the files do not agree to begin
    with: then nothing can be learned.
    """
    pairing = verifier.pair(source_path, target_path, **options)
    ours = verifier.source(pairing)
    if not verifier.report(pairing, tolerance, source=ours).equal:
        raise KconvertError("the files differ already", str(target_path), "verify them first", Problem.USAGE)
    files = {**options, "inputs": pairing.inputs}
    planted = []
    with TemporaryDirectory(prefix="kconvert-") as folder, hdf5.read(target_path) as checkpoint:
        for error in _errors(pairing.match, checkpoint):
            log.info("planting: %s: %s", "/".join(error.path), error.words)
            layer, copy = "/".join(error.path), error.write(Path(folder, "copy.h5"))
            if copy is None:
                planted.append(Planted(layer, error.words, HARMLESS))
                continue
            try:
                damaged = verifier.pair(source_path, copy.path, **{**files, **copy.options})
                planted.append(_outcome(error, damaged, verifier.report(damaged, tolerance, source=ours)))
            except KconvertError as refusal:
                planted.append(Planted(layer, error.words, REFUSED, refusal.what))
    return SelfTest(planted)


@dataclass(frozen=True)
class _Copy:
    """A damaged file; options: of `Verifier.pair`, where it is the architecture beside it that is damaged."""

    path: Path
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Error:
    """An error that can be planted in the layer at `path`; `write` gives None where it changes nothing."""

    path: LayerPath
    words: str
    write: Callable[[Path], _Copy | None]


def _outcome(error: _Error, pairing: Pairing, report: Report) -> Planted:
    layer = "/".join(error.path)
    if report.equal:
        return Planted(layer, error.words, MISSED)
    first = next(iter(report.causes), None)
    if first is None:
        return Planted(layer, error.words, CAUGHT)
    located = any(error.path[: len(path)] == path for path in places(pairing.match, first.name))
    return Planted(layer, error.words, LOCATED if located else CAUGHT, str(first), first.alone)


def _errors(files: Match, checkpoint: Checkpoint) -> Iterator[_Error]:
    """Every error that the weights and the architecture of the target allow."""
    held = {binding.path: binding for binding in bind(files.model, checkpoint, files.goal)[0]}
    reordered = in_other_order(files.model)
    for leaf in files.model.weight_table():
        bindings = {path[-1]: binding for path, binding in held.items() if path[:-1] == leaf.path}
        right = {name: binding.canonical() for name, binding in bindings.items()}
        for mistake in mistakes(leaf, reordered):
            yield _Error(leaf.path, mistake.words, partial(_with_mistake, checkpoint, bindings, right, mistake))
    inside: dict[str, Layer] = {}
    shapes: dict[str, list[Any]] = {}
    for name, layer, shape in calls(files.model):
        inside[name] = layer
        shapes.setdefault(name, []).append(shape)
    config = layer_config(files.model)
    for path, config_path, key, value in _misreadings(config):
        name, words = "/".join(path), f"{key} is read as {value!r}"
        changed = _read(_with_value(config, (*config_path, key), value))
        if key == "padding" and name in inside and pads_nothing(inside[name], shapes[name], files.goal.facts):
            yield _Error(path, words, lambda copy: None)
        elif changed is not None and _same_surface(files.model, changed):
            yield _Error(path, words, partial(_with_architecture, checkpoint, files, changed))


# ------------------------------------------------------------ wrong weights ----


def _with_mistake(
    checkpoint: Checkpoint, bindings: Mapping[str, Binding], right: Arrays, mistake: Mistake, path: Path
) -> _Copy | None:
    """A copy in which weights of a layer are written down wrongly; right: all of that layer's, canonical."""
    wrong = mistake.made(right)
    if all(np.array_equal(right[name], array, equal_nan=True) for name, array in wrong.items()):
        return None
    new = {
        id(old): InMemory(old.name, array.astype(old.dtype))
        for name, canonical in wrong.items()
        for old, array in zip(bindings[name].arrays, bindings[name].stored.chain.inverse.apply(canonical), strict=True)
    }
    groups = [replace(group, arrays=[new.get(id(a), a) for a in group.arrays]) for group in checkpoint.groups]
    return _Copy(hdf5.write(path, replace(checkpoint, groups=groups, path=None), force=True))


# ------------------------------------------------------- wrong architecture ----


Keys = tuple[str | int, ...]


def _misreadings(
    item: Mapping[str, Any], path: LayerPath = (), keys: Keys = ()
) -> Iterator[tuple[LayerPath, Keys, str, Any]]:
    """(layer, where its configuration is, key, wrong value) for each layer inside a configuration."""
    config = item["config"]
    for key, value in misread(item["class_name"], config):
        yield path, (*keys, "config"), key, value
    for key, inner in config.items():
        for i, one in enumerate(inner) if isinstance(inner, list) else [(None, inner)]:
            if isinstance(one, Mapping) and isinstance(one.get("config"), Mapping) and "class_name" in one:
                where: Keys = (*keys, "config", key) if i is None else (*keys, "config", key, i)
                yield from _misreadings(one, (*path, one["config"].get("name", key)), where)


def _with_value(item: Any, keys: Keys, value: Any) -> Any:
    """A copy of a configuration with one value in the place of another."""
    if not keys:
        return value
    copy = item.copy()
    copy[keys[0]] = _with_value(item[keys[0]], keys[1:], value)
    return copy


def _read(item: Mapping[str, Any]) -> Network | None:
    """The model of a configuration, None where it is none."""
    try:
        return layer_from_config(item)  # type: ignore[return-value]
    except KconvertError:
        return None


def _same_surface(model: Network, changed: Network) -> bool:
    """Whether the changed model takes the same weights and has outputs of the same shape: it would be read and run."""
    try:
        weights, shapes = _weight_shapes(changed), changed.shapes()
    except KconvertError:
        return False
    before = model.shapes()
    return weights == _weight_shapes(model) and all(shapes[ref] == before[ref] for ref in model.output_refs)


def _weight_shapes(model: Network) -> list[tuple[int, ...]]:
    return [weight.shape for leaf in model.weight_table() for weight in leaf.weights]


def _with_architecture(checkpoint: Checkpoint, files: Match, changed: Network, path: Path) -> _Copy:
    """A copy with another architecture in it, or beside it where it holds weights alone."""
    version = checkpoint.keras_version or files.goal.generation.last_release
    config = model_config(changed, files.goal.format, version, files.goal.backend)
    if checkpoint.model_config is not None:
        return _Copy(hdf5.write(path, replace(checkpoint, model_config=config, path=None), force=True))
    beside = path.with_suffix(".json")
    beside.write_text(json.dumps(config), encoding="utf-8")
    return _Copy(Path(files.target), {"target_arch": beside})
