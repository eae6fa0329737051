"""load_weights: the weights of a file of any convention for a live model, converted while they are loaded."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np

from ..conversion.partial import Selection
from ..conversion.planning import Plan
from ..conversion.source import Source
from ..errors import KconvertError, Problem
from ..models.model import Model
from ..models.restoring import Restored, Taker, read_weights
from ..network.differences import differing_layers
from ..network.nested import Arrays, nest, walk
from ..network.network import Network
from .description import described, differences, same_as
from .libraries import Library, library_of
from .misfit import explained
from .unweighted import unweighted
from .variables import variables_of

log = logging.getLogger(__name__)

MENTIONED = 3  # layers that a refusal names


@dataclass(frozen=True)
class Loaded:
    """What `load_weights` did."""

    weights: Mapping[str, Sequence[str]]
    """The arrays of the file that each weight of the model was made of, by its path, `dense_1/kernel`."""
    notes: Sequence[str]
    """What a user should know."""
    partial: Selection | None = None
    """With by_name: which layers were taken, and why the others were not."""

    @classmethod
    def of(cls, plan: Plan, notes: Sequence[str] = ()) -> Loaded:
        """What a plan says, once it is done."""
        weights = {"/".join(step.path): [array.name for array in step.sources] for step in plan.steps}
        return cls(weights, [*plan.notes, *notes], plan.partial)


def load_weights(
    model: Any,
    path: str | PathLike[str],
    source: str | None = None,
    by_name: bool = False,
    skip_mismatch: bool = False,
    source_data_format: str | None = None,
    source_release: str | None = None,
) -> Loaded:
    """Sets the weights of a live model of Keras 3, tf_keras or kconvert from a file of any convention.

    The weights are converted to the convention and the data format of the model, as `convert` does it. Says which
    arrays of the file went where; notes are also logged as warnings.

    source: the backend that saved the file, for files that do not state it. by_name: whether to set the weights of
    those layers alone that the file has under the same name. skip_mismatch: with by_name, whether layers whose weights
    have another number or shape stay as they are. source_data_format: the data format of the weights, for files of
    weights alone; by default that of the model. source_release: the release that saved the file, for files that do
    not state it.
    Raises KconvertError, which names the first layer that does not fit, where the file is not of this model, and where
    a layer of the model computes otherwise on its backend; then no weight has changed.
    """
    if isinstance(model, Model):
        model.load_weights(
            path,
            by_name,
            skip_mismatch,
            source=source,
            source_data_format=source_data_format,
            source_release=source_release,
        )
        assert model.conversion is not None
        return Loaded.of(model.conversion)
    if skip_mismatch and not by_name:
        raise KconvertError("skip_mismatch needs by_name=True", str(path), problem=Problem.USAGE)
    library = library_of(model)
    if library is None:
        what = f"an object of the type {type(model).__name__} is no model of Keras 3, tf_keras or kconvert"
        raise KconvertError(what, fix="give the model itself", problem=Problem.USAGE)
    network = described(model, library)
    variables = variables_of(model, network, library.convention)
    said = Source(path, source, source_data_format, release=source_release, partial=by_name)
    taker = Taker(library.convention, library.format, same_as(library), _stored)
    with explained(network, said):
        done = read_weights(taker, [network], said, skip_mismatch)
        if not taker.same(done.plan.result.model, network):
            raise _rewritten(done.plan, network, library, str(path))
        arrays = dict(walk(done.arrays))
        for where, array in arrays.items():
            _check(where, array, variables)
    for where, array in arrays.items():
        variables[where].assign(array)
    notes = [] if done.other is None or by_name else list(_differences(done, network))
    for note in notes:
        log.warning("%s: %s", path, note)
    return Loaded.of(done.plan, notes)


def _differences(done: Restored, live: Network) -> Iterator[str]:
    """What a live model computes otherwise than the file, activations at their layers if these have weights."""
    assert done.other is not None
    named = list(differences(done.other, live))
    yield from named
    if done.made is not None:
        yield from unweighted(done.made, live, activations=not named)


def _rewritten(plan: Plan, network: Network, library: Library, path: str) -> KconvertError:
    """The error for a live model that would need other layers to compute what the file's model did."""
    layers = differing_layers(network, plan.result.model)
    listed = ", ".join(layers[:MENTIONED]) + (", ..." if len(layers) > MENTIONED else "")
    return KconvertError(
        f"the model would need other layers to compute what it did on {plan.source.backend}: {listed}",
        path,
        f'take the model that kconvert.load_model(PATH, runner="{library.package}") makes',
    )


def _stored(plan: Plan) -> Arrays:
    """The weights as files of the target have them, which is how live layers hold them."""
    return nest((step.path, step.read()[0]) for step in plan.steps)


def _check(where: tuple[str, ...], array: np.ndarray, variables: Mapping[tuple[str, ...], Any]) -> None:
    own = tuple(variables[where].shape)
    if own != array.shape:
        raise KconvertError(
            f"{where[-1]} has shape {own} in the model and {array.shape} in the file",
            f"layer {'/'.join(where[:-1])}",
            problem=Problem.UNREADABLE,
        )
