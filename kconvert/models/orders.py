"""Refuses files whose weights would be assigned in another order than the file's own network has."""

from __future__ import annotations

import numpy as np

from ..conversion.planning import Plan
from ..conversion.steps import Step
from ..errors import KconvertError, Problem


def refuse_other_orders(plan: Plan, converted: Plan, where: str) -> None:
    """Raises KconvertError where `plan`, for a network with other layers, gives a weight in another order.

    converted: the conversion of the file's own network.
    """
    theirs = {tuple(array.name for array in step.sources): step for step in converted.steps}
    for step in plan.steps:
        other = theirs.get(tuple(array.name for array in step.sources))
        if other is not None and step.target_shapes == other.target_shapes and not _same(step, other):
            raise KconvertError(
                f"the features of {'/'.join(step.path[:-1])} have another order in the file, which has a Flatten where"
                " the model has none",
                where,
                "build the model with a Flatten there, as the file has it",
                Problem.UNSUPPORTED,
            )


def _same(one: Step, other: Step) -> bool:
    """Whether two steps put every element in the same place."""
    if one.chain.simplified == other.chain.simplified:
        return True
    numbered = [np.arange(np.prod(shape), dtype="int32").reshape(shape) for shape in one.source_shapes]
    return all(map(np.array_equal, one.chain.apply(*numbered), other.chain.apply(*numbered)))
