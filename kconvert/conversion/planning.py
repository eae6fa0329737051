"""Planning and applying a conversion: two chains put together for every weight.

`plan` reads no array: it says for each weight which stored arrays it is made of, what happens to them
and where they go. `apply` gives the converted checkpoint, whose arrays are read and rearranged when
they are written. `convert` does both, from file to file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

from .. import layers as L
from .._version import __version__
from ..conventions.backends import DATA_FORMATS
from ..conventions.generations import Convention
from ..conventions.words.files import architecture_json
from ..errors import KconvertError, Problem
from ..formats import endings, hdf5
from ..formats.checkpoint import Checkpoint, Group, LazyArray
from ..kernels import Chain
from ..network.architecture import model_config, model_from_config, read_architecture
from ..network.network import LayerPath, Network
from ..network.rewrite import Rewritten
from .binding import Binding, Place, bind, places, source_convention
from .inference.infer import CERTAIN, Loose, infer
from .optimizer_state import StateDropped, read_state, write_state
from .passes.cudnn import for_cudnn, loose_for_cudnn
from .passes.hazards import Hazard, hazards, hazards_of
from .passes.modernize import modern, modernize
from .passes.relayout import Relayout, relayout
from .passes.releases import read_as, write_for
from .passes.repair import repair as mend
from .steps import Step

NATIVE, KEEP = "native", "keep"
SAME = "same"
MENTIONED = 3  # hazards that a refusal names; the plan has them all


@dataclass(frozen=True, eq=False)
class Plan:
    """A conversion that can be looked at before anything is done.

    model: the architecture of the source; result: that of the target, with the layouts of its tensors.
    evidence: how the source's convention is known; notes: what a user should know; hazards: layers that
    the two backends compute differently and that were not repaired; aliases: the target's name of
    each tensor that another layer makes there. cudnn: whether CuDNN layers were asked for, or against.
    """

    source: Convention
    target: Convention
    data_format: str | None
    model: Network
    result: Relayout
    steps: Sequence[Step]
    optimizer: Sequence[LazyArray]
    evidence: Sequence[str]
    notes: Sequence[str]
    hazards: Sequence[Hazard]
    aliases: Mapping[str, str]
    keras_version: str
    cudnn: bool | None = None

    @property
    def changes(self) -> bool:
        """Whether anything would be another than it is."""
        moves = any(len(step.chain) for step in self.steps)
        return moves or self.source != self.target or self.result.model.get_config() != self.model.get_config()

    def to_json(self) -> dict[str, Any]:
        return {
            "source": str(self.source),
            "target": str(self.target),
            "data_format": self.data_format or KEEP,
            "evidence": list(self.evidence),
            "notes": list(self.notes),
            "hazards": [str(hazard) for hazard in self.hazards],
            "weights": [step.to_json() for step in self.steps],
        }


def plan(
    checkpoint: Checkpoint,
    source: str | None,
    target: str,
    data_format: str = NATIVE,
    format: str = "keras2",
    arch: str | PathLike[str] | None = None,
    source_data_format: str | None = None,
    repair: bool = True,
    drop_optimizer: bool = False,
    force: bool = False,
    layers: Sequence[str] = (),
    cudnn: bool | None = None,
) -> Plan:
    """The conversion of `checkpoint` from backend `source` (None: as the file shows) to `target`.

    data_format: 'native' (the target's own: theano channels_first, tensorflow channels_last), 'keep',
    or one of the two. format: 'keras2', or 'same' for the file's own generation. arch: architecture
    JSON, for files of weights alone. source_data_format: what Keras 1 layers used that did not store
    it. repair: rewrite layers that the two backends compute differently, else they are refused when the
    plan is applied. drop_optimizer: leave the optimizer's state out. force: take `source` even where the
    file says otherwise. layers: 'NAME=Class' or 'NAME=as-is' for what a file of weights alone does not tell.
    cudnn: write LSTM and GRU as CuDNN layers (True), those as LSTM and GRU (False), or as the target has it.
    Raises KconvertError where the source is unknown or contradicted, or something cannot be converted.
    """
    origin, evidence = source_convention(checkpoint, source, force, stated_release(arch))
    form = origin.format if format == SAME else format
    goal = Convention(form, target)
    stated = checkpoint.keras_version if format == SAME else None
    version = stated or goal.generation.last_release
    wanted = _wanted_data_format(data_format, goal)
    meant = _source_model(checkpoint, origin, goal, arch, source_data_format, layers)
    model = meant.model
    bindings, matched = bind(model, checkpoint, origin)
    if isinstance(model, Loose):
        evidence += map(str, model.inferred)
        carried = _kept(model, origin, goal, wanted, format, checkpoint.keras_version is not None, cudnn)
    else:
        reordered = frozenset((checkpoint.provenance or {}).get("reordered", ()))
        carried = _carried(model, origin, goal, wanted, format, version, reordered, repair, cudnn)
    result, notes = carried.result, [*matched, *meant.notes, *carried.notes]
    if goal.generation.architecture_beside:
        notes.append("Keras 0.3 has weights alone in a file: the architecture is written beside it, as .json")
    steps = _steps(bindings, places(result.model, goal), carried.weights, goal)
    state: Sequence[LazyArray] = ()
    if checkpoint.optimizer:
        try:
            state = _optimizer(checkpoint, model, result.model, bindings, steps, origin, goal, drop_optimizer, format)
        except StateDropped as why:
            notes.append(f"the optimizer's state is dropped: {why}")
    return Plan(
        source=origin,
        target=goal,
        data_format=wanted,
        model=model,
        result=result,
        steps=steps,
        optimizer=state,
        evidence=evidence,
        notes=notes,
        aliases=carried.aliases,
        hazards=carried.hazards,
        keras_version=version,
        cudnn=cudnn,
    )


@dataclass(frozen=True, eq=False)
class _Carried:
    """What becomes of a model: its new layout, the ops on its canonical weights, and what to say of it."""

    result: Relayout
    weights: Mapping[LayerPath, Chain] = field(default_factory=dict)
    notes: Sequence[str] = ()
    hazards: Sequence[Hazard] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)


def _carried(
    model: Network,
    origin: Convention,
    goal: Convention,
    data_format: str | None,
    format: str,
    version: str,
    reordered: frozenset[str],
    repair: bool,
    cudnn: bool | None,
) -> _Carried:
    """A graph in the words of the target's generation, mended, and brought to the data format."""
    said = Rewritten(model) if format == SAME else modernize(model)
    plain = for_cudnn(said.model, goal, version, cudnn)
    found = hazards(plain.model, origin.backend, goal.backend) if repair else []
    mended = mend(plain.model, found, origin.backend, goal.backend, goal.format)
    told = write_for(mended.model, version, goal.backend)
    result = relayout(told.model, data_format, reordered)
    return _Carried(
        result,
        _ops(plain.weights, _ops(mended.weights, _ops(told.weights, result.weights))),
        [*said.notes, *plain.notes, *mended.notes, *told.notes, *result.notes],
        hazards(told.model, origin.backend, goal.backend),
        {**mended.aliases, **{old: mended.aliases.get(new, new) for old, new in said.aliases.items()}},
    )


def _kept(
    model: Loose,
    origin: Convention,
    goal: Convention,
    data_format: str | None,
    format: str,
    known: bool,
    cudnn: bool | None,
) -> _Carried:
    """Layers without a graph, as they are. known: whether the file states its release."""
    model.refuse_other(data_format)
    if cudnn is not None:
        raise KconvertError("--cudnn and --no-cudnn need the architecture", where=model.name, fix="give it with --arch")
    if format != SAME:
        for leaf in model.table:
            modern(leaf.layer, None)
    likely = [known for known in model.inferred if known.confidence != CERTAIN]
    notes = [
        f"no architecture: {len(model.inferred)} layers by names and shapes, {len(likely)} of them not for certain"
    ]
    notes += map(str, likely)
    if origin.backend != goal.backend:
        notes.append("what the two backends pad differently (padding='same') cannot be seen without the architecture")
    if not known and any(isinstance(leaf.layer, L.BatchNormalization) for leaf in model.table):
        notes.append(f"the release is not known: {origin.format} is taken, before 1.0.8 running_std was no variance")
    found = hazards_of(model.calls, origin.backend, goal.backend)
    plain = loose_for_cudnn(model, goal)
    result = Relayout(plain.model, [], [], {}, {}, frozenset(), [])
    return _Carried(result, plain.weights, [*notes, *plain.notes], found)


def _source_model(
    checkpoint: Checkpoint,
    origin: Convention,
    goal: Convention,
    arch: str | PathLike[str] | None,
    source_data_format: str | None,
    layers: Sequence[str],
) -> Rewritten:
    """The architecture of a file, or what its arrays tell of its layers."""
    if arch is None and checkpoint.model_config is None:
        return Rewritten(infer(checkpoint, origin, goal, layers, source_data_format))
    if layers:
        raise KconvertError("the architecture says what each layer is", fix="leave --layer out", problem=Problem.USAGE)
    return _meant(checkpoint, arch, source_data_format, origin.backend)


def _ops(first: Mapping[LayerPath, Chain], then: Mapping[LayerPath, Chain]) -> dict[LayerPath, Chain]:
    """The ops on canonical weights of two rewritings, one after the other."""
    return {path: first.get(path, Chain()) >> then.get(path, Chain()) for path in {**first, **then}}


def _optimizer(
    checkpoint: Checkpoint,
    model: Network,
    result: Network,
    bindings: Sequence[Binding],
    steps: Sequence[Step],
    origin: Convention,
    goal: Convention,
    drop: bool,
    format: str,
) -> Sequence[LazyArray]:
    """The optimizer's state for the target. Raises StateDropped where there is none."""
    if drop:
        raise StateDropped("as asked")
    state = read_state(checkpoint, model, bindings, origin)
    return write_state(state, result, steps, bindings, goal, complete=format != SAME)


def architecture(
    checkpoint: Checkpoint,
    arch: str | PathLike[str] | None = None,
    source_data_format: str | None = None,
    backend: str | None = None,
) -> Network:
    """The model of a file: its own architecture, or that of the JSON file `arch`.

    It says what the release that saved the file computed on `backend` (default: the one the file shows).
    """
    return _meant(checkpoint, arch, source_data_format, backend or checkpoint.found_backend or "").model


def _meant(
    checkpoint: Checkpoint, arch: str | PathLike[str] | None, source_data_format: str | None, backend: str
) -> Rewritten:
    """The architecture in words that mean today what the release computed on `backend`."""
    model, version = _read_architecture(checkpoint, arch, source_data_format)
    return read_as(model, version, backend, given=arch is not None)


def stated_release(arch: str | PathLike[str] | None) -> str | None:
    """The release that an architecture of the user says it is from."""
    version = architecture_json(str(arch)).get("keras_version") if arch is not None else None
    return version if isinstance(version, str) else None


def _read_architecture(
    checkpoint: Checkpoint, arch: str | PathLike[str] | None, source_data_format: str | None
) -> tuple[Network, str | None]:
    """The model as it is described, and the release that described it."""
    where = str(checkpoint.path or "checkpoint")
    if arch is not None:
        return read_architecture(str(arch), source_data_format), checkpoint.keras_version or stated_release(arch)
    if checkpoint.model_config is None:
        raise KconvertError(
            "the file holds weights alone, without the architecture they belong to",
            where=where,
            fix="give what model.to_json() wrote with --arch FILE.json",
        )
    try:
        version = checkpoint.keras_version or checkpoint.model_config.get("keras_version")
        return model_from_config(checkpoint.model_config, checkpoint.keras_version, source_data_format), version
    except KconvertError as error:
        raise error.within(where) from None


def _wanted_data_format(data_format: str, goal: Convention) -> str | None:
    if data_format == KEEP:
        return None
    wanted = goal.facts.data_format if data_format == NATIVE else data_format
    if wanted not in DATA_FORMATS:
        known = ", ".join((NATIVE, KEEP, *DATA_FORMATS))
        raise KconvertError(f"unknown data format {wanted!r}", fix=f"one of: {known}", problem=Problem.USAGE)
    return wanted


def _steps(
    bindings: Sequence[Binding],
    groups: Sequence[tuple[str, list[Place]]],
    moved: Mapping[LayerPath, Chain],
    goal: Convention,
) -> list[Step]:
    """One step a weight: from its stored form to the canonical one, carried over, and to the target's."""
    by_path = {binding.path: binding for binding in bindings}
    steps = []
    for place in (place for _, found in groups for place in found if place.index == 0):
        binding = by_path[place.path]
        chain = binding.stored.chain >> moved.get(place.path, Chain()) >> place.stored.chain.inverse
        names = tuple(replace(place, slot=slot).name(goal) for slot in place.stored.slots)
        steps.append(Step(place.path, binding.arrays, chain.simplified, names))
    return steps


# ---------------------------------------------------------------- applying ----


def apply(plan: Plan, checkpoint: Checkpoint, provenance: dict[str, Any] | None = None) -> Checkpoint:
    """The converted checkpoint; its arrays are computed when they are read.

    Raises KconvertError where the plan has hazards: there is no exact conversion.
    """
    if plan.hazards:
        more = len(plan.hazards) - MENTIONED
        raise KconvertError(
            "no exchange of weights makes the backends agree on "
            + "; ".join(str(hazard) for hazard in plan.hazards[:MENTIONED])
            + (f"; and {more} more layers" if more > 0 else ""),
            where=str(checkpoint.path or "checkpoint"),
            fix=f"let them be repaired (no --no-repair), or keep the model on {plan.source.backend}",
        )
    steps = {step.path: step for step in plan.steps}
    groups = [
        Group(name, [steps[place.path].result(place.index) for place in found])
        for name, found in places(plan.result.model, plan.target)
    ]
    beside = plan.target.generation.architecture_beside
    leaves_numbers = plan.source.generation.architecture_beside and not beside
    with_config = not beside and (checkpoint.model_config is not None or leaves_numbers)
    return replace(
        checkpoint,
        format=plan.target.format,
        whole_model=checkpoint.whole_model or leaves_numbers,
        groups=groups,
        backend=plan.target.backend,
        keras_version=plan.keras_version,
        model_config=_written_config(plan) if with_config else None,
        optimizer=plan.optimizer,
        provenance=provenance,
    )


def _written_config(plan: Plan) -> dict[str, Any]:
    return model_config(plan.result.model, plan.target.format, plan.keras_version, plan.target.backend)


# ------------------------------------------------------------- files, models ----


@dataclass(frozen=True, eq=False)
class Conversion:
    """A finished conversion: what was done, from where to where.

    architecture: the JSON file beside the target, where that cannot hold its architecture itself (Keras 0.3).
    """

    plan: Plan
    source: Path
    target: Path
    architecture: Path | None = None


def convert(
    path: str | PathLike[str],
    out: str | PathLike[str] | None = None,
    source: str | None = None,
    target: str | None = None,
    data_format: str = NATIVE,
    format: str = "keras2",
    arch: str | PathLike[str] | None = None,
    source_data_format: str | None = None,
    repair: bool = True,
    drop_optimizer: bool = False,
    force: bool = False,
    layers: Sequence[str] = (),
    cudnn: bool | None = None,
) -> Conversion:
    """Converts the weight file `path` for backend `target` and writes `out` (default: beside it, `NAME.TARGET.h5`).

    `out` ends in .h5 or .hdf5. The other arguments are those of `plan`; force also overwrites `out`. The file is
    written whole or not at all, and `path` is never written to.
    Raises KconvertError where the file cannot be read or converted; then nothing is written.
    """
    if target is None:
        raise KconvertError(
            "which backend to convert for?", fix="give target='tensorflow' or 'theano'", problem=Problem.USAGE
        )
    if out is not None:
        endings.check(out)
    origin = Path(path)
    result = Path(out) if out is not None else default_target(origin, target)
    with hdf5.read(origin) as checkpoint:
        refuse_converted(checkpoint, source, target, force)
        made = plan(
            checkpoint,
            source,
            target,
            data_format,
            format,
            arch,
            source_data_format,
            repair,
            drop_optimizer,
            force,
            layers,
            cudnn,
        )
        refuse_unchanged(made, origin)
        with ThreadPoolExecutor(1) as beside:  # hashing takes about as long as all the rest
            provenance = _provenance(made, beside.submit(hdf5.sha256, origin))
            beside_it = _architecture_path(made, result, force)
            hdf5.write(result, apply(made, checkpoint, provenance), force=force)
    if beside_it:
        beside_it.write_text(json.dumps(_written_config(made)), encoding="utf-8")
    return Conversion(made, origin, result, beside_it)


def _architecture_path(made: Plan, target: Path, force: bool) -> Path | None:
    """Where the architecture goes, beside weights of a format that has no place for it."""
    if not made.target.generation.architecture_beside:
        return None
    path = target.with_suffix(".json")
    if path.exists() and not force:
        raise KconvertError("exists already", str(path), "pass --force to replace it", Problem.USAGE)
    return path


def default_target(path: Path, target: str) -> Path:
    """`model.h5` for TensorFlow -> `model.tensorflow.h5`."""
    return path.with_name(f"{endings.stem(path)}.{target}{endings.ENDINGS[0]}")


def refuse_converted(checkpoint: Checkpoint, source: str | None, target: str, force: bool) -> None:
    """A file that kconvert already made for `target` must not be converted for it again."""
    stamp = checkpoint.provenance or {}
    made_for = str(stamp.get("target", "")).split("/")[-1]
    if made_for == target and source not in (None, target) and not force:
        raise KconvertError(
            f"kconvert {stamp.get('kconvert', '')} already converted this file from {stamp.get('source')} "
            f"to {stamp.get('target')}",
            where=str(checkpoint.path),
            fix="use it as it is",
            problem=Problem.USAGE,
        )


def refuse_unchanged(made: Plan, path: Path) -> None:
    """A file that is already what is asked for needs no conversion."""
    if not made.changes:
        raise KconvertError(
            f"the file already is in the convention {made.target}, data format {made.data_format or KEEP}",
            where=str(path),
            fix="use it as it is",
            problem=Problem.USAGE,
        )


def _provenance(made: Plan, sha256: Future[str]) -> dict[str, Any]:
    return {
        "kconvert": __version__,
        "source_sha256": sha256,
        "source": str(made.source),
        "target": str(made.target),
        "data_format": made.data_format or KEEP,
        "reordered": sorted(made.result.reordered),
        "cudnn": made.cudnn,
    }
