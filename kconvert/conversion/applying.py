"""Applying a plan: the converted checkpoint, whose arrays are read and rearranged when they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..arguments import argument
from ..errors import KconvertError
from ..formats.checkpoint import Checkpoint, Group
from ..network.architecture import model_config
from ..network.graph import LayerPath
from .binding import Place
from .planning import Plan
from .steps import Step

MENTIONED = 3  # the number of hazards that an error names; the plan has them all


def apply(plan: Plan, checkpoint: Checkpoint, provenance: dict[str, Any] | None = None) -> Checkpoint:
    """The converted checkpoint; its arrays are computed when they are read.

    Raises KconvertError where the plan has hazards: there is no exact conversion.
    """
    refuse_hazards(plan, checkpoint)
    checkpoint = plan.partial.of(checkpoint) if plan.partial else checkpoint
    steps = {step.path: step for step in plan.steps}
    layers = plan.layers
    if plan.partial:
        layers = [(name, found) for name, found in layers if not found or found[0].path in steps]
    stored = {group.name: [array.name for array in group.arrays] for group in checkpoint.groups}
    groups = [
        _group(name, _in_order(found, stored.get(name), plan, steps), steps, plan.target.generation_name)
        for name, found in layers
    ]
    if plan.restored:
        groups = _groups_as_before(groups, plan.restored.groups)
    holds = plan.holds_architecture
    leaves_numbers = holds and plan.source.generation.architecture_beside
    return replace(
        checkpoint,
        named=not plan.target.generation.numbered,
        whole_model=checkpoint.whole_model or leaves_numbers or plan.goal.form.whole is True,
        groups=groups,
        backend=plan.target.backend,
        keras_version=plan.goal.release,
        stated_in={},
        model_config=written_architecture(plan) if holds or plan.goal.form.needs_architecture else None,
        training_config=plan.training,
        optimizer=plan.optimizer,
        provenance=provenance,
    )


def refuse_hazards(plan: Plan, checkpoint: Checkpoint) -> None:
    """Refuses a plan with layers that the two backends compute differently; the error names them."""
    if plan.hazards:
        more = len(plan.hazards) - MENTIONED
        raise KconvertError(
            "these layers cannot be converted exactly: "
            + "; ".join(str(hazard) for hazard in plan.hazards[:MENTIONED])
            + (f"; and {more} more layers" if more > 0 else ""),
            where=str(checkpoint.path or "checkpoint"),
            fix=f"let them be repaired (no {argument('repair', False)}), or keep the model on {plan.source.backend}",
        )


def _group(name: str, found: Sequence[Place], steps: Mapping[LayerPath, Step], generation: str) -> Group:
    """The arrays of one layer, each with its name and its facts."""
    arrays = [steps[place.path].result(place.index) for place in found]
    return Group(name, arrays, [_facts(place, generation) for place in found])


def _facts(place: Place, generation: str) -> dict[str, Any]:
    """The facts on an array: its weight, and the names of its axes and gates if each axis has one."""
    role = place.stored.weight.role
    axes = role.stored_axes(generation, getattr(place.layer, "data_format", None))
    gates = role.gates if len(place.stored.slots) == 1 else place.slot.rpartition("_")[2]
    facts = {
        "layer": "/".join(place.leaf),
        "class": place.layer.class_name,
        "weight": place.stored.weight.name,
        "role": role.name,
        "axes": axes if len(axes) == len(place.stored.shapes[place.index]) else "",
        "gates": gates if role.gates else "",
    }
    return {key: value for key, value in facts.items() if value}


def _groups_as_before(groups: Sequence[Group], names: Sequence[str]) -> list[Group]:
    """The groups in the order of the original file. Groups without arrays that this file does not have are left out."""
    rank = {name: i for i, name in enumerate(names)}
    kept = [group for group in groups if group.arrays or group.name in rank]
    return sorted(kept, key=lambda group: rank.get(group.name, len(rank)))


def _in_order(
    found: Sequence[Place], stored: Sequence[str] | None, plan: Plan, steps: Mapping[LayerPath, Step]
) -> Sequence[Place]:
    """The arrays of a group in the order of the source, if the result keeps the generation and the architecture.

    The order depends on the release (keras-facts: trainable-first).
    """
    sources = [steps[place.path].sources[place.index : place.index + 1] for place in found]
    names = [array.name for arrays in sources for array in arrays]
    anew = plan.goal.modernize or plan.origin.arch_given
    if anew or stored is None or sorted(names) != sorted(stored):
        return found
    return [place for _, place in sorted(zip(map(stored.index, names), found, strict=True), key=lambda pair: pair[0])]


def written_architecture(plan: Plan) -> dict[str, Any]:
    """The architecture JSON of the target."""
    if plan.restored:
        return plan.restored.architecture
    return model_config(plan.result.model, plan.target.generation_name, plan.goal.release, plan.target.backend)
