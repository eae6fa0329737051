"""Self-test: plants known errors, one at a time, in a copy of the target; the verification must locate each.

An error that changes nothing (a symmetric kernel that is reversed) is
counted as harmless.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..conversion.binding import Binding, bind
from ..conversion.opening import open_source
from ..conversion.passes.hazards import calls
from ..conversion.source import Source
from ..errors import KconvertError, Problem
from ..formats import hdf5
from ..formats.atomic import scratch
from ..formats.checkpoint import Checkpoint, InMemory
from ..layers.base import Layer, layer_config
from ..layers.registry import layer_from_config
from ..lazy_dataclasses import dataclass
from ..network.architecture import model_config
from ..network.graph import LayerPath
from ..network.network import Network
from .matching import Match
from .mistakes import Arrays, Mistake, in_other_order, misread, mistakes, pads_nothing
from .pairing import Inputs, Pairing
from .planted import CAUGHT, HARMLESS, LOCATED, MISSED, REFUSED, Planted, SelfTest
from .tolerance import DEFAULT_TOLERANCE, Tolerance
from .value import EQUAL, Report
from .verifier import Verifier

log = logging.getLogger(__name__)


def self_test(
    verifier: Verifier,
    source: Source,
    target: Source,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    inputs: Inputs | None = None,
) -> SelfTest:
    """Plants every known error in a copy of the target and verifies each copy.

    An error after which the weights do not fit the architecture, or the outputs have other shapes, is not planted:
    such a file would be refused. Raises KconvertError where the files differ already: then the self-test would show
    nothing.
    """
    pairing = verifier.pair(source, target, inputs)
    result = verifier.run_source(pairing)
    if verifier.report(pairing, tolerance, source=result).word != EQUAL:
        raise KconvertError("the files differ already", str(target.path), "verify them first", Problem.USAGE)
    same_inputs = Inputs(arrays=pairing.inputs)
    planted = []
    with scratch() as folder, open_source(target) as checkpoint:
        total = sum(1 for _ in _errors(pairing.match, checkpoint))
        for number, error in enumerate(_errors(pairing.match, checkpoint)):
            log.info("planting: %s: %s", "/".join(error.path), error.words, extra={"progress": (number, total)})
            layer, copy = "/".join(error.path), error.write(Path(folder, "copy.h5"))
            if copy is None:
                planted.append(Planted(layer, error.words, HARMLESS))
                continue
            try:
                damaged = verifier.pair(source, copy, same_inputs).left_out_as_in(pairing)
                planted.append(_outcome(error, damaged, verifier.report(damaged, tolerance, source=result)))
            except KconvertError as refusal:
                planted.append(Planted(layer, error.words, REFUSED, refusal.what))
    return SelfTest(planted)


@dataclass(frozen=True)
class _Error:
    """An error that can be planted in a layer."""

    path: LayerPath
    words: str
    write: Callable[[Path], Source | None]  # writes the copy, or returns None where the error changes nothing


def _outcome(error: _Error, pairing: Pairing, report: Report) -> Planted:
    layer = "/".join(error.path)
    if report.word == EQUAL:
        return Planted(layer, error.words, MISSED)
    first = next(iter(report.causes), None)
    if first is None:
        return Planted(layer, error.words, CAUGHT)
    located = any(error.path[: len(path)] == path for path in pairing.match.layers_behind(first.name))
    return Planted(layer, error.words, LOCATED if located else CAUGHT, str(first), first.alone)


def _errors(files: Match, checkpoint: Checkpoint) -> Iterator[_Error]:
    """Every error that the weights and the architecture of the target allow."""
    checkpoint = replace(checkpoint, partial=files.target.partial)
    yield from _weight_errors(files, checkpoint)
    yield from _configuration_errors(files, checkpoint)


# ------------------------------------------------------------ wrong weights ----


def _weight_errors(files: Match, checkpoint: Checkpoint) -> Iterator[_Error]:
    all_bindings = {binding.path: binding for binding in bind(files.model, checkpoint, files.convention)[0]}
    reordered = in_other_order(files.model)
    for leaf in files.model.weight_table():
        bindings = {path[-1]: binding for path, binding in all_bindings.items() if path[:-1] == leaf.path}
        if not bindings:  # a layer that a partial file does not have
            continue
        right = {name: binding.canonical() for name, binding in bindings.items()}
        for mistake in mistakes(leaf, reordered):
            if leaf.layer.unread.issuperset(mistake.weights):
                yield _Error(leaf.path, mistake.words, lambda copy: None)
                continue
            yield _Error(leaf.path, mistake.words, partial(_with_mistake, checkpoint, files, bindings, right, mistake))


def _with_mistake(
    checkpoint: Checkpoint, files: Match, bindings: Mapping[str, Binding], right: Arrays, mistake: Mistake, path: Path
) -> Source | None:
    """A copy in which weights of a layer are wrong; right: the canonical arrays of that layer."""
    wrong = mistake.apply(right)
    if all(np.array_equal(right[name], array, equal_nan=True) for name, array in wrong.items()):
        return None
    new = {
        id(old): InMemory(old.name, array.astype(old.dtype))
        for name, canonical in wrong.items()
        for old, array in zip(bindings[name].arrays, bindings[name].stored.chain.inverse.apply(canonical), strict=True)
    }
    groups = [replace(group, arrays=[new.get(id(a), a) for a in group.arrays]) for group in checkpoint.groups]
    return _written(replace(checkpoint, groups=groups), files, path)


# ------------------------------------------------------- wrong architecture ----


Keys = tuple[str | int, ...]


def _configuration_errors(files: Match, checkpoint: Checkpoint) -> Iterator[_Error]:
    inside: dict[str, Layer] = {}
    shapes: dict[str, list[Any]] = {}
    for name, layer, shape in calls(files.model):
        inside[name] = layer
        shapes.setdefault(name, []).append(shape)
    config = layer_config(files.model)
    for path, config_path, key, value in _misreadings(config):
        name, words = "/".join(path), f"{key} is read as {value!r}"
        changed = _read(_with_value(config, (*config_path, key), value))
        if key == "padding" and name in inside and pads_nothing(inside[name], shapes[name], files.convention.facts):
            yield _Error(path, words, lambda copy: None)
        elif changed is not None and _same_surface(files.model, changed):
            yield _Error(path, words, partial(_with_architecture, checkpoint, files, changed))


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
    """A copy of a configuration with one value replaced."""
    if not keys:
        return value
    copy = item.copy()
    copy[keys[0]] = _with_value(item[keys[0]], keys[1:], value)
    return copy


def _read(item: Mapping[str, Any]) -> Network | None:
    """The model of a configuration; None where it is not valid."""
    try:
        return layer_from_config(item)  # type: ignore[return-value]
    except KconvertError:
        return None


def _same_surface(model: Network, changed: Network) -> bool:
    """Whether the changed model takes the same weights and has outputs of the same shape: it can be verified."""
    try:
        weights, shapes = _weight_shapes(changed), changed.shapes()
    except KconvertError:
        return False
    before = model.shapes()
    return weights == _weight_shapes(model) and all(shapes[ref] == before[ref] for ref in model.output_refs)


def _weight_shapes(model: Network) -> list[tuple[int, ...]]:
    return [weight.shape for leaf in model.weight_table() for weight in leaf.weights]


def _with_architecture(checkpoint: Checkpoint, files: Match, changed: Network, path: Path) -> Source:
    """A copy with another architecture in it, or beside it where it holds weights alone."""
    convention = files.convention
    version = checkpoint.keras_version or convention.generation.last_release
    config = model_config(changed, convention.generation_name, version, convention.backend)
    if checkpoint.model_config is not None:
        return _written(replace(checkpoint, model_config=config), files, path)
    beside = path.with_suffix(".json")
    beside.write_text(json.dumps(config), encoding="utf-8")
    return replace(files.target, arch=beside)


def _written(checkpoint: Checkpoint, files: Match, path: Path) -> Source:
    """A damaged copy of the target, to be verified."""
    copy = hdf5.write(path, replace(checkpoint, path=None), files.convention.generation, force=True)
    return replace(files.target, path=copy)
