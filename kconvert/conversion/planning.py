"""Plans a conversion: combines two chains for every weight.

`plan` reads no array. For each weight, it states the stored arrays, the ops on them, and the arrays of the result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property
from os import PathLike
from typing import Any

from ..arguments import argument
from ..conventions.generations import Convention, release_of_tensorflow
from ..conventions.optimizers import STRUCTURES, plain_name
from ..drawing.notebook import Shown
from ..drawing.words import plural
from ..errors import KconvertError, Problem, errors_in
from ..formats.checkpoint import Checkpoint, InMemory, LazyArray, optimizer_class
from ..kernels import Chain
from ..layers.registry import with_custom_objects
from ..lazy_dataclasses import dataclass
from ..network.differences import differing_layers
from ..network.input_shapes import InputShape
from ..network.known_shapes import known_shapes
from ..network.network import Network
from ..network.rewritten import Hazard, Rewritten
from .binding import Binding, Place, bind, layers_are_sorted, places
from .compiled import for_keras2, for_keras3, keyed_by
from .inference.infer import infer
from .opening import open_source
from .optimizer_state import StateDropped, read_state, write_state
from .partial import Selection, selected
from .passes.lambdas import blamed_on_lambdas
from .passes.left_out import every
from .passes.order import WITHOUT_GRAPH, WRITE, WritePass, read, write
from .reading import read_source
from .restoring import Earlier, Json, earlier, record, restored, where_exact
from .source import Origin, Source, decide
from .steps import Step
from .target import KEEP, KERAS2, NATIVE, Goal, Target, decide_goal


@dataclass(frozen=True, eq=False)
class Plan(Shown):
    """A planned conversion, which can be inspected before it is applied."""

    origin: Origin
    """The facts about the source, with their evidence."""
    goal: Goal
    """What is written."""
    model: Network
    """The network of the source."""
    result: Rewritten
    """The network of the target, and how it was made from that of the source."""
    layers: Sequence[tuple[str, list[Place]]]
    """Where the target has its arrays: its groups, in order."""
    steps: Sequence[Step]
    """The steps: the conversion of each weight."""
    optimizer: Sequence[LazyArray]
    """The optimizer's state of the target."""
    training: Json | None
    """The arguments of `compile` that the target states."""
    notes: Sequence[str]
    """Notes for the user."""
    holds_architecture: bool
    """Whether the file of the target holds the architecture, and not the weights alone."""
    differing: Sequence[str] = ()
    """The layers of a target of weights alone that differ from the architecture of the source or that the user gave."""
    original: Json | None = None
    """What a later conversion needs to undo this one; None if that is not possible."""
    partial: Selection | None = None
    """The selected layers of the source, for a partial conversion."""
    restored: Earlier | None = None
    """The earlier conversion that is undone."""
    unwrapped: bool = False
    """Whether the network was nested in the network of the file."""

    _page = "conversion.pages.plan_page"

    def __repr__(self) -> str:
        changed = sum(len(step.chain) > 0 for step in self.steps)
        counts = [plural(len(self.steps), "weight"), f"{changed} rearranged"]
        counts += [f"{plural(len(self.hazards), 'layer')} that cannot be converted"] if self.hazards else []
        return f"<Plan {self.source} -> {self.target}, {self.goal.data_format or KEEP}: {', '.join(counts)}>"

    @property
    def architecture_beside(self) -> bool:
        """Whether the architecture is written into a file of its own: the user does not have it yet."""
        return not self.holds_architecture and (
            self.goal.convention.generation.architecture_beside
            or self.goal.form.needs_architecture
            or bool(self.goal.reader and not self.partial and self.origin.arch_given)
            or bool(self.differing)
        )

    @property
    def source(self) -> Convention:
        """The convention of the source."""
        return self.origin.convention

    @property
    def target(self) -> Convention:
        """The convention of the target."""
        return self.goal.convention

    @property
    def evidence(self) -> Sequence[str]:
        """How the source's convention is known."""
        return self.origin.evidence

    @property
    def aliases(self) -> Mapping[str, str]:
        """The name in the target of each tensor that another layer computes there."""
        return self.result.aliases

    @property
    def hazards(self) -> Sequence[Hazard]:
        """The layers that the two backends compute differently and that were not repaired."""
        return self.result.hazards

    @cached_property
    def changes(self) -> bool:
        """Whether the target differs from the source in anything."""
        moves = (
            bool(self.partial)
            or any(len(step.chain) for step in self.steps)
            or any(layer.left_out for layer in every(self.model))
        )
        named = self.origin.saved_with != self.target.backend
        return (
            moves
            or named
            or self.unwrapped
            or (self.source, self.origin.reader) != (self.target, self.goal.reader)
            or self.result.model.stored_config() != self.model.stored_config()
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "source": str(self.source),
            "target": str(self.target),
            "data_format": self.goal.data_format or KEEP,
            "evidence": list(self.evidence),
            "notes": list(self.notes),
            "hazards": [str(hazard) for hazard in self.hazards],
            "differing": list(self.differing),
            "partial": None if self.partial is None else self.partial.to_json(),
            "weights": [step.to_json() for step in self.steps],
        }


def plan(
    checkpoint: Checkpoint | str | PathLike[str],
    source: str | None,
    target: str,
    data_format: str = NATIVE,
    format: str = KERAS2,
    arch: str | PathLike[str] | None = None,
    source_data_format: str | None = None,
    source_release: str | None = None,
    repair: bool = True,
    drop_optimizer: bool = False,
    force: bool = False,
    layers: Sequence[str] = (),
    cudnn: bool | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    partial: bool = False,
    input_shape: InputShape | None = None,
) -> Plan:
    """The conversion of a checkpoint, which nothing has been done of yet.

    checkpoint: the path of a file, or the weights, as `kconvert.formats` reads them.
    source: the backend that saved the file; None: as the file shows.
    target: the backend to convert for, 'theano' or 'tensorflow'.
    data_format: 'native' (as usual on the target: theano channels_first, tensorflow channels_last), 'keep', or one of
    the two.
    format: 'keras2', 'same' (the generation of the source), 'keras3' or 'tf_keras'.
    arch: the file with the architecture (JSON, YAML, or a whole model), for files of weights alone.
    source_data_format: the data format of the weights, where layers do not state it or `arch` was made on another
    backend.
    source_release: the release of Keras that saved the file, where the file does not state it.
    repair: whether layers that the two backends compute differently are rewritten; otherwise they are refused when the
    plan is applied.
    drop_optimizer: whether the state of the optimizer is left out.
    force: whether `source` holds even where the file says otherwise.
    layers: 'NAME=Class' or 'NAME=as-is' for layers whose class the weights alone do not show.
    cudnn: whether LSTM and GRU are written as CuDNN layers (True), or those as LSTM and GRU (False); by default what
    the target has.
    custom_objects: your functions and classes of layers, by their names in the file, as in Keras; a Lambda that is
    stored as code finds its function under the name of the layer.
    partial: whether only the layers are taken that the file and `arch` both have, by name; `Plan.partial` lists them
    and the others.
    input_shape: the shape of the input without the batch axis, or a dict of them by the names of inputs, for networks
    that leave sizes free.

    Raises KconvertError where the source is unknown or contradicted, or something cannot be converted.
    """
    said = Source(
        checkpoint.path if isinstance(checkpoint, Checkpoint) else checkpoint,
        source,
        source_data_format,
        arch,
        tuple(layers),
        force,
        source_release,
        partial,
        input_shape=input_shape,
    )
    wanted = Target(target, format, data_format, repair, cudnn, drop_optimizer)
    with (
        with_custom_objects(custom_objects),
        nullcontext(checkpoint) if isinstance(checkpoint, Checkpoint) else open_source(said) as opened,
    ):
        return plan_conversion(opened, said, wanted)


def plan_conversion(checkpoint: Checkpoint, source: Source, target: Target) -> Plan:
    """The conversion of `checkpoint`, which is the file `source`, for `target`.

    An input shape that is given holds for the result where the conversion depends on it; otherwise the result leaves
    sizes free as the source does. Raises KconvertError where the source is unknown or contradicted, or something
    cannot be converted.
    """
    with errors_in(checkpoint.path):
        return _planned_as_free(checkpoint, source, target)


def _planned_as_free(checkpoint: Checkpoint, source: Source, target: Target) -> Plan:
    planned = _planned(checkpoint, source, target)
    if source.input_shape is None or target.form.runtime is not None:  # a program has the sizes that are given
        return planned
    try:
        free = _planned(checkpoint, replace(source, input_shape=None), target)
    except KconvertError:  # for inputs of this shape, the conversion is possible
        free = planned
    if free is planned or free.hazards:
        shapes = ", ".join(str(shape[1:]) for shape in planned.model.input_shapes)
        note = f"the sizes of the inputs are fixed, to {shapes} in the source: the conversion depends on them"
        return _with_note(planned, note)
    if free.model.input_shapes == planned.model.input_shapes:
        return free
    return _with_note(free, "the sizes of the inputs stay free: the conversion does not depend on them")


def _with_note(planned: Plan, note: str) -> Plan:
    return replace(planned, notes=[*planned.notes, note])


def _planned(checkpoint: Checkpoint, source: Source, target: Target) -> Plan:
    """`plan_conversion`, for inputs of the shapes that the source has or is given."""
    partial = selected(checkpoint, source) if source.partial else None
    if partial:
        _refuse_incomplete(
            decide_goal(target, decide(checkpoint, source)),
            source,
            "needs the weights of all layers",
            f"leave {argument('partial')} out, or write a file .h5 with {argument('format', 'keras2')}",
        )
    checkpoint = partial.of(checkpoint) if partial else checkpoint
    if source.arch is None and checkpoint.model_config is None:
        if source.input_shape is not None:
            what = "the file holds weights alone, to which an input shape does not apply"
            raise KconvertError(what, fix=f"give the architecture: {argument('arch')}", problem=Problem.USAGE)
        origin = decide(checkpoint, source)
        goal = decide_goal(target, origin)
        _refuse_incomplete(
            goal,
            source,
            "needs the architecture, and the file holds weights alone",
            f"give what model.to_json() wrote with {argument('arch', 'FILE.json')}",
        )
        layers = infer(checkpoint, origin.convention, goal.convention, source.layers, source.data_format)
        origin = replace(origin, evidence=[*origin.evidence, *map(str, layers.inferred)])
        if target.data_format != NATIVE or not layers.has_other_images(goal.data_format):
            return plan_network(checkpoint, origin, goal, Rewritten(layers), WITHOUT_GRAPH)
        kept = layers.kept(goal.data_format, goal.convention.backend)
        goal = replace(goal, data_format=None)
        return plan_network(checkpoint, origin, goal, Rewritten(layers, notes=[kept]), WITHOUT_GRAPH)
    read_as = read_source(checkpoint, source)
    origin, goal = read_as.origin, decide_goal(target, read_as.origin)
    found = read(read_as.network, origin)
    before = None if partial else earlier(found.model, checkpoint, source, origin, goal)
    planned = plan_network(checkpoint, origin, goal, found, WRITE, before)
    if partial:
        planned = as_partial(planned, partial)
    whole = not partial and found.unwrapped is None
    as_stated = whole and read_as.is_as_stated
    if not planned.restored and as_stated and goal.convention.generation == origin.convention.generation:
        planned = replace(planned, original=record(found.model, checkpoint, source, origin, goal))
    return planned if planned.holds_architecture else _compared(planned, read_as.stated, source)


def as_partial(planned: Plan, partial: Selection) -> Plan:
    """The plan for the weights of some layers, which are weights alone."""
    return replace(planned, partial=partial, holds_architecture=False, notes=[*partial.notes, *planned.notes])


def _refuse_incomplete(goal: Goal, source: Source, reason: str, fix: str) -> None:
    """Raises KconvertError where the target needs a whole model, which the source does not give.

    reason: what the target needs, after the name of its runtime or its generation.
    """
    if goal.form.needs_architecture or goal.convention.generation.expresses:
        runtime = goal.form.runtime
        target = f"a program for {runtime.title}" if runtime else goal.convention.generation_name
        raise KconvertError(f"{target} {reason}", str(source.path or "checkpoint"), fix, Problem.USAGE)


def _compared(planned: Plan, given: Network, source: Source) -> Plan:
    """The same plan, which states where the architecture of its weights differs from that of the source.

    given: the network as the architecture of the user or that of the file describes it.
    """
    differing = differing_layers(given, planned.result.model)
    if not differing:
        return planned
    note = (
        "the result holds weights alone, for the architecture that is written beside it and not for "
        f"{source.arch or 'that of the file'}: {', '.join(differing)}"
    )
    return replace(planned, differing=differing, notes=[*planned.notes, note])


def plan_network(
    checkpoint: Checkpoint,
    origin: Origin,
    goal: Goal,
    found: Rewritten,
    passes: Sequence[WritePass],
    before: Earlier | None = None,
) -> Plan:
    """The conversion of a network, as it was read, by `passes`; back to the network from `before`, where that is exact.

    Raises KconvertError where the arrays of `checkpoint` do not match the network, or a pass cannot convert a layer.
    """
    model = found.model
    if found.unwrapped and checkpoint.training_config:
        checkpoint = replace(checkpoint, training_config=keyed_by(checkpoint.training_config, found.unwrapped))
    bindings: Sequence[Binding]
    with blamed_on_lambdas(model):
        bindings, matched = bind(model, checkpoint, origin.convention)
        if goal.convention.generation == origin.convention.generation:
            goal = replace(goal, sorts_layers=layers_are_sorted(model, checkpoint, origin.convention))
        before, bindings, kept = where_exact(before, model, bindings)
        if before:
            goal = replace(goal, release=before.release or goal.release)
        with known_shapes():  # no pass changes a network that it is given
            result = restored(before) if before else write(model, origin, goal, passes)
            groups = places(result.model, goal.convention, goal.sorts_layers)
    notes = [*origin.notes, *matched, *found.notes, *kept, *result.notes]
    if goal.convention.generation.architecture_beside:
        notes.append("Keras 0.3 has weights alone in a file: the architecture is written beside it, as .json")
    steps = _steps(bindings, groups, result, goal)
    training, left_out = _training(checkpoint, origin, goal, before)
    notes += left_out
    state: Sequence[LazyArray] = ()
    if checkpoint.optimizer:
        try:
            state = _optimizer(checkpoint, training, model, result, bindings, steps, origin, goal)
        except StateDropped as why:
            notes.append(f"the optimizer's state is dropped: {why}")
    holds = _holds_architecture(checkpoint, origin, goal)
    return Plan(
        origin,
        goal,
        model,
        result,
        groups,
        steps,
        state,
        training,
        notes,
        holds,
        restored=before,
        unwrapped=found.unwrapped is not None,
    )


def _holds_architecture(checkpoint: Checkpoint, origin: Origin, goal: Goal) -> bool:
    """Whether the file of the target holds the architecture.

    The form of the file decides. If it allows both, the result is what the source is; a source of Keras 0.3, whose
    files cannot hold the architecture, becomes a whole model.
    """
    if goal.form.whole is not None:
        return goal.form.whole
    if goal.convention.generation.architecture_beside:
        return False
    return checkpoint.model_config is not None or origin.convention.generation.architecture_beside


def _training(
    checkpoint: Checkpoint, origin: Origin, goal: Goal, before: Earlier | None
) -> tuple[Json | None, list[str]]:
    """The arguments of `compile` for the target, and notes."""
    stated = checkpoint.training_config
    if not stated:
        return None, []
    from_new, to_new = origin.convention.generation.expresses, goal.convention.generation.expresses
    if to_new and not goal.form.whole:  # (keras-facts: compiled-for-keras3)
        return None, ["how the model was compiled is left out, which Keras 3 reads from a .keras file alone"]
    later = bool(release_of_tensorflow(goal.release)) and (to_new or not goal.modernize)
    if before and before.training and later and for_keras2(before.training, True, to_new)[0] == stated:
        return before.training, []
    if later and from_new == to_new:
        return stated, []
    has_slots = any(array.shape for array in checkpoint.optimizer)
    is_later = bool(release_of_tensorflow(origin.release))
    keras2, notes = for_keras2(stated, has_slots, from_new) if is_later else (stated, [])
    if not to_new or not keras2:
        return keras2, notes
    keras3, more = for_keras3(keras2)
    return keras3, [*notes, *more]


def _optimizer(
    checkpoint: Checkpoint,
    training: Json | None,
    model: Network,
    result: Rewritten,
    bindings: Sequence[Binding],
    steps: Sequence[Step],
    origin: Origin,
    goal: Goal,
) -> Sequence[LazyArray]:
    """The optimizer's state for the target. Raises StateDropped where it cannot be kept, or is not wanted."""
    if goal.drop_optimizer:
        raise StateDropped("as asked")
    of_user = plain_name(checkpoint.optimizer_class or "") not in STRUCTURES
    if of_user and training and training == checkpoint.training_config and not any(len(one.chain) for one in steps):
        return checkpoint.optimizer  # what it means is not known, and no weight changes
    release = origin.release or origin.convention.generation.last_release
    state = read_state(checkpoint, model, bindings, origin.convention, release)
    if training is None and checkpoint.training_config:
        raise StateDropped("how the model was compiled is left out")
    if not training or plain_name(optimizer_class(training)) != state.name:
        raise StateDropped(f"the result states {optimizer_class(training) or 'none'}, which keeps another state")
    optimizer = training["optimizer_config"]
    return write_state(state, result, steps, bindings, goal.convention, goal.release, goal.modernize, optimizer)


def _steps(
    bindings: Sequence[Binding],
    groups: Sequence[tuple[str, list[Place]]],
    result: Rewritten,
    goal: Goal,
) -> list[Step]:
    """One step a weight: from its stored form to the canonical one, through the passes, and to the stored form."""
    by_path = {binding.path: binding for binding in bindings}
    steps = []
    for place in (place for _, found in groups for place in found if place.index == 0):
        source, ops = result.sources.get(place.path, place.path), result.weights.get(place.path, Chain())
        if not isinstance(source, tuple):
            arrays: tuple[LazyArray, ...] = (InMemory(place.stored.weight.name, source),)
            chain, names = ops, place.names(goal.convention)
        elif source not in by_path:  # a layer that is not taken
            continue
        else:
            binding = by_path[source]
            arrays, chain, names = binding.arrays, binding.stored.chain >> ops, _names(binding, place, goal)
        steps.append(Step(place.path, arrays, (chain >> place.stored.chain.inverse).simplified, names))
    return steps


def _names(binding: Binding, place: Place, goal: Goal) -> tuple[str, ...]:
    """The names of a weight's arrays: as they are stored, where the generation stays and has the same arrays."""
    convention, same_arrays = goal.convention, place.stored.slots == binding.stored.slots
    if same_arrays and not (goal.modernize or convention.generation.numbered):
        return tuple(convention.array_name(array.name) for array in binding.arrays)
    return place.names(convention)
