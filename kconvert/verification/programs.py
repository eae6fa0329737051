"""Matches a source with a program that was made from it: only inputs and outputs can be matched."""

from __future__ import annotations

from ..conversion.opening import open_source
from ..conversion.planning import Plan
from ..conversion.programs import plan_program
from ..conversion.source import Source
from ..conversion.target import Wanted
from ..formats.limits import limits
from .matching import Match


def match_program(source: Source, target: Source, plan: Plan | None = None) -> Match:
    """The two, with the conversion that makes the network of the program.

    plan: that conversion, if it is known; otherwise the usual one for such a file.
    """
    bound = limits().bytes if plan is None else None
    if plan is None:
        wanted = Wanted().target(str(target.path))
        with open_source(source) as checkpoint:
            plan = plan_program(checkpoint, source, wanted)
    return Match(
        source=source,
        target=target,
        plan=plan,
        model=plan.result.model,
        convention=plan.target,
        reader=None,
        arrays=0,
        weight_errors={},
        faults={},
        bound=bound,
    )
