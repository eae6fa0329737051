"""What planning a conversion to the other backend does to a model of one layer, as a file of each generation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from kconvert.conventions.backends import BACKENDS, CHANNELS_LAST
from kconvert.conventions.generations import GENERATIONS, Convention
from kconvert.conventions.words.rules import RULES
from kconvert.conversion.binding import places
from kconvert.conversion.planning import Plan, plan
from kconvert.conversion.target import KEEP
from kconvert.errors import KconvertError
from kconvert.formats.checkpoint import Checkpoint, Group, InMemory
from kconvert.layers.base import layer_config
from kconvert.network.architecture import model_config
from kconvert.network.network import Network

from .examples import Example, class_title, plain

OTHER = dict(zip(BACKENDS, reversed(BACKENDS), strict=True))

NONE, AS_IS, CONVERTED, REWRITTEN, REFUSED = "", "as is", "converted", "rewritten", "**refused**"


@dataclass(frozen=True)
class Outcome:
    """The result of planning an example."""

    word: str  # what the tables say: one of NONE, AS_IS, CONVERTED, REWRITTEN, REFUSED
    made: Plan | None = None  # the plan; None if there is none
    stated: Network | None = None  # the network of the file, as its architecture states it
    why: str = ""  # why it is refused

    @property
    def layers(self) -> str:
        """The classes of the layers that are new in the result, each once; else of those that were read as new ones."""
        assert self.made and self.stated
        found = _new(self.made.result.model, self.made.model) or _new(self.made.result.model, self.stated)
        return " + ".join(f"`{name}`" for name in dict.fromkeys(found))


def _new(result: Network, before: Network) -> list[str]:
    """The classes of the layers of `result` that are not in `before`."""
    old = [layer_config(layer) for layer in before.sublayers]
    return [class_title(layer) for layer in result.sublayers if layer_config(layer) not in old]


def saved(model: Network, convention: Convention) -> Checkpoint:
    """`model` as Keras of `convention` would save it. Raises KconvertError if it does not have such a layer."""
    release = convention.generation.last_release
    groups = [
        Group(name, [InMemory(place.name(convention), np.zeros(place.stored.shapes[place.index])) for place in found])
        for name, found in places(model, convention)
    ]
    return Checkpoint(
        groups,
        named=not convention.generation.numbered,
        backend=convention.backend,
        keras_version=release,
        whole_model=True,
        model_config=model_config(model, convention.generation_name, release, convention.backend),
    )


def outcome(found: Example, convention: Convention, form: str = "keras2") -> Outcome:
    """The result of planning `found` for the other backend; form: the generation of the result."""
    try:
        checkpoint = saved(found.model, convention)
    except KconvertError:
        return Outcome(NONE)
    try:
        goal = OTHER[convention.backend]
        made = plan(checkpoint, convention.backend, goal, KEEP, form, source_data_format=CHANNELS_LAST)
    except KconvertError as error:
        return Outcome(REFUSED, why=error.what)
    if [type(layer) for layer in made.result.model.sublayers] != [type(found.layer)]:
        return Outcome(REWRITTEN, made, found.model)
    return Outcome(CONVERTED if any(len(step.chain) for step in made.steps) else AS_IS, made)


@cache
def known_to(name: str, form: str) -> bool:
    """Whether generation `form` has the class; for one that is a target, also whether no other class replaced it."""
    found = plain()[name]
    if not GENERATIONS[form].is_target:
        return outcome(found, Convention(form, "theano")).word != NONE
    older = any(rule.new == name for rule in RULES)
    return not (older and outcome(found, Convention(form, "theano")).word in (REFUSED, REWRITTEN))
