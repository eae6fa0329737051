"""The page of a plan: the network with its hazards, and how each array is converted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...conventions.backends import BACKENDS
from ...drawing.page import environment
from ...drawing.words import sizes
from ...kernels import Shape
from ...lazy_dataclasses import dataclass
from ...network.graph import LayerPath
from ...network.picture import pictures
from ...network.rewritten import Hazard
from ..passes.hazards import hazards
from ..planning import Plan
from ..steps import Step
from ..target import KEEP
from .kernels import before_after
from .marks import HAZARD, REARRANGED, REPAIRED, legend_of, marks_of


@dataclass(frozen=True)
class Way:
    """The conversion of one weight."""

    weight: str
    stored: Sequence[str]
    ops: Sequence[str]
    result: Sequence[str]


def render(plan: Plan) -> str:
    """The page of a plan. Kernels before and after are on it where the source can still be read."""
    repaired = _repaired(plan)
    marks = marks_of(
        {
            HAZARD: [_path(hazard) for hazard in plan.hazards],
            REPAIRED: [_path(hazard) for hazard in repaired],
            REARRANGED: [step.path[:-1] for step in plan.steps if len(step.chain)],
        }
    )
    return (
        environment(__package__)
        .get_template("plan.html")
        .render(
            title=f"{plan.source} to {plan.target}",
            plan=plan,
            data_format=plan.goal.data_format or KEEP,
            pictures=list(pictures(plan.model, marks)),
            legend=legend_of(marks),
            ways=list(map(_way, plan.steps)),
            repaired=repaired,
            kernels=list(before_after(plan.steps)),
        )
    )


def _repaired(plan: Plan) -> list[Hazard]:
    """The layers of the source that the two backends compute differently, and that the plan rewrites."""
    source, target = plan.origin.computes_as, plan.target.backend
    if source == target or not {source, target} <= set(BACKENDS):
        return []
    refused = {hazard.path for hazard in plan.hazards}
    return [hazard for hazard in hazards(plan.model, source, target) if hazard.path not in refused]


def _path(hazard: Hazard) -> LayerPath:
    return tuple(hazard.path.split("/"))


def _way(step: Step) -> Way:
    return Way(
        "/".join(step.path),
        list(_arrays([array.name for array in step.sources], step.source_shapes)),
        [str(op) for op in step.chain],
        list(_arrays(step.targets, step.target_shapes)),
    )


def _arrays(names: Sequence[str], shapes: Sequence[Shape]) -> Iterator[str]:
    return (f"{name}  {sizes(shape)}" for name, shape in zip(names, shapes, strict=True))
