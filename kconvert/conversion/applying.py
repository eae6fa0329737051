"""Applying a plan: the converted checkpoint, whose arrays are read and rearranged when they are written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..errors import KconvertError
from ..formats.checkpoint import Checkpoint, Group
from ..network.architecture import model_config
from .binding import places
from .planning import Plan

MENTIONED = 3  # hazards that a refusal names; the plan has them all


def apply(plan: Plan, checkpoint: Checkpoint, provenance: dict[str, Any] | None = None) -> Checkpoint:
    """The converted checkpoint; its arrays are computed when they are read.

    Raises KconvertError where the plan has hazards: there is no exact conversion.
    """
    refuse_hazards(plan, checkpoint)
    steps = {step.path: step for step in plan.steps}
    groups = [
        Group(name, [steps[place.path].result(place.index) for place in found])
        for name, found in places(plan.result.model, plan.target, plan.goal.sorts_layers)
    ]
    leaves_numbers = plan.holds_architecture and plan.source.generation.architecture_beside
    return replace(
        checkpoint,
        named=not plan.target.generation.numbered,
        whole_model=checkpoint.whole_model or leaves_numbers,
        groups=groups,
        backend=plan.target.backend,
        keras_version=plan.goal.release,
        stated_in={},
        model_config=written_architecture(plan) if plan.holds_architecture else None,
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
            fix=f"let them be repaired (no --no-repair), or keep the model on {plan.source.backend}",
        )


def written_architecture(plan: Plan) -> dict[str, Any]:
    """The architecture JSON of the target."""
    return model_config(plan.result.model, plan.target.generation_name, plan.goal.release, plan.target.backend)
