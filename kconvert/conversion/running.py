"""Plans for models that run here: the conversion of a file to the backend that a model runs on.

It is the conversion that `convert` makes, with other passes at its end (`RUN`): the layers of the model run on every
backend, so only what two backends compute differently has to change, and the model keeps its data format.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..conventions.generations import Convention
from ..conventions.optimizers import Structure
from ..conventions.storage import Storage
from ..errors import errors_in
from ..formats.checkpoint import Checkpoint
from ..network.graph import LayerPath
from ..network.nested import Arrays, nest
from ..network.network import Network
from .applying import refuse_hazards
from .optimizer_state import taken_apart
from .passes.order import RUN, read
from .planning import Plan, plan_network
from .source import Origin
from .target import KEEP, Target, decide_goal


def plan_to_run(
    checkpoint: Checkpoint, origin: Origin, described: Network, convention: Convention, data_format: str = KEEP
) -> Plan:
    """The conversion of a file to weights that run in `convention`.

    described: the network that the file belongs to, as its architecture describes it. Raises KconvertError where the
    arrays do not match it, and naming the layers that the backends compute differently and that cannot be rewritten.
    """
    goal = decide_goal(Target(convention.backend, convention.generation_name, data_format), origin)
    with errors_in(checkpoint.path):
        plan = plan_network(checkpoint, origin, goal, read(described, origin), RUN)
    refuse_hazards(plan, checkpoint)
    return plan


def run_arrays(plan: Plan) -> Arrays:
    """The weights of the plan's network in the form in which its layers run, nested by the names of layers."""
    stored = _storage(plan)
    leaves = []
    for step in plan.steps:
        chain = (step.chain >> stored[step.path].chain >> stored[step.path].to_run).simplified
        (array,) = chain.apply(*(source.read() for source in step.sources))
        leaves.append((step.path, np.asarray(array, order="C")))
    return nest(leaves)


def run_state(plan: Plan, structure: Structure) -> tuple[Mapping[str, Any], Mapping[LayerPath, np.ndarray]]:
    """The state of the plan's optimizer: scalars by name, and slots by the path of their weight and their name.

    A slot that the optimizer does not use is left out (keras-facts: empty-vhat).
    """
    stored = _storage(plan)
    scalars, slots = taken_apart(structure, plan.optimizer, plan.result.model, plan.target)
    found = {}
    for name, own in slots.items():
        for path, lazy in own.items():
            array, form = lazy.read(), stored[path]
            if array.shape == (1,) != form.weight.shape:
                continue
            key = (*path, name)
            found[key] = np.asarray((form.chain >> form.to_run).simplified.apply(array)[0], order="C")
    return {name: array.read() for name, array in scalars.items()}, found


def _storage(plan: Plan) -> Mapping[LayerPath, Storage]:
    """How each weight of the plan's network is stored and run in the convention of the target."""
    return {place.path: place.stored for _, found in plan.layers for place in found}
