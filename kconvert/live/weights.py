"""load_weights: the weights of a file of any convention for a live model, converted while they are loaded."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..conversion.partial import Selection
from ..conversion.passes.left_out import listed
from ..conversion.planning import Plan
from ..conversion.source import Source
from ..errors import KconvertError, Problem
from ..formats.hdf5.handles import path_to_read
from ..layers.as_is import AsIs
from ..layers.base import Layer
from ..lazy_dataclasses import dataclass
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
from .wiring import connections

log = logging.getLogger(__name__)

MENTIONED = 3  # the number of layers that an error names


@dataclass(frozen=True)
class Loaded:
    """The result of `load_weights`."""

    weights: Mapping[str, Sequence[str]]
    """For each weight of the model, by its path `dense_1/kernel`, the arrays of the file that it was made from."""
    notes: Sequence[str]
    """What a user should know."""
    partial: Selection | None = None
    """With by_name: which layers were taken, and why the others were not."""

    @classmethod
    def of(cls, plan: Plan, notes: Sequence[str] = ()) -> Loaded:
        """The result of a plan that was applied."""
        weights = {"/".join(step.path): [array.name for array in step.sources] for step in plan.steps}
        return cls(weights, [*plan.notes, *notes], plan.partial)


def load_weights(
    model: Any,
    path: Any,
    source: str | None = None,
    by_name: bool = False,
    skip_mismatch: bool = False,
    source_data_format: str | None = None,
    source_release: str | None = None,
) -> Loaded:
    """Sets the weights of a live model of Keras 3, tf_keras or kconvert from a file of any convention.

    The weights are converted to the convention and the data format of the model, as `convert` does it. Says which
    arrays of the file went where; notes are also logged as warnings.

    path: of the file; or an open `h5py.File` or group of one, or a stream of bytes.
    source: the backend that saved the file, for files that do not state it. by_name: whether to set the weights of
    those layers alone that the file has under the same name. skip_mismatch: with by_name, whether layers whose weights
    have another number or shape stay as they are. source_data_format: the data format of the weights, for files of
    weights alone; by default that of the model. source_release: the release that saved the file, for files that do
    not state it.
    Raises KconvertError, which names the first layer that does not fit, where the file is not of this model, and where
    a layer of the model computes differently on its backend; then no weight has changed.
    """
    if skip_mismatch and not by_name:
        raise KconvertError("skip_mismatch needs by_name=True", str(path), problem=Problem.USAGE)
    with path_to_read(path) as place:
        said = Source(place, source, source_data_format, release=source_release, partial=by_name)
        return _load(model, said, skip_mismatch)


def _load(model: Any, said: Source, skip_mismatch: bool) -> Loaded:
    """Sets the weights of a live model from the file that `said` describes."""
    if isinstance(model, Model):
        model.load_weights(
            said.path,
            said.partial,
            skip_mismatch,
            source=said.backend,
            source_data_format=said.data_format,
            source_release=said.release,
        )
        assert model.conversion is not None
        return Loaded.of(model.conversion)
    library = library_of(model)
    if library is None:
        what = f"an object of the type {type(model).__name__} is no model of Keras 3, tf_keras or kconvert"
        raise KconvertError(what, fix="give the model itself", problem=Problem.USAGE)
    network = described(model, library)
    variables = variables_of(model, network, library.convention)
    taker = Taker(library.convention, library.format, same_as(library), _stored)
    with explained(network, said):
        done = read_weights(taker, [network], said, skip_mismatch)
        if not taker.same(done.plan.result.model, network):
            raise _rewritten(done.plan, network, library, str(said.path))
        if done.other is not None:
            _refuse_other_classes(done.other, network, said.partial)
        arrays = dict(walk(done.arrays))
        for where, array in arrays.items():
            _check(where, array, variables)
    for where, array in arrays.items():
        variables[where].assign(array)
    notes = list(_rounded(variables))
    notes += [] if done.other is None or said.partial else _differences(done, network)
    for note in notes:
        log.warning("%s: %s", said.path, note)
    return Loaded.of(done.plan, notes)


def _rounded(variables: Mapping[tuple[str, ...], Any]) -> Iterator[str]:
    """A note on variables that hold less than float32, in which the weights of a file are converted."""
    names: dict[str, dict[str, None]] = {}
    for path, variable in variables.items():
        dtype = str(getattr(variable.dtype, "name", variable.dtype))  # a str in Keras 3, a DType in tf_keras
        names.setdefault(dtype, {})["/".join(path[:-1])] = None
    for dtype in sorted(names.keys() & {"float16", "bfloat16"}):
        yield f"{listed(list(names[dtype]))}: the weights are rounded to {dtype}, in which the model has them"


def _differences(done: Restored, live: Network) -> Iterator[str]:
    """What a live model computes differently from the file, activations at their layers if these have weights."""
    assert done.other is not None
    named = list(differences(done.other, live))
    yield from named
    if done.made is not None:
        others = list(unweighted(done.made, live, activations=not named))
        yield from others or connections(done.made, live)


def _refuse_other_classes(other: Network, live: Network, by_name: bool) -> None:
    """Refuses weights of a known layer for a layer of a class that kconvert does not know: what becomes of them?"""
    ours = {layer.name: layer for layer in other.sublayers if isinstance(layer, AsIs) or _has_weights(layer, other)}
    theirs = [layer for layer in live.sublayers if _has_weights(layer, live)]
    same_names = by_name or {layer.name for layer in theirs} <= ours.keys()
    pairs = [(ours.get(one.name), one) for one in theirs] if same_names else zip(ours.values(), theirs, strict=False)
    for layer, taking in pairs:
        if layer and isinstance(taking, AsIs) and _bare(layer) != _bare(taking):
            raise KconvertError(
                f"the layer of the model is a {_bare(taking)}, a class that kconvert does not know, and {layer.name} of"
                f" the file is a {layer.class_name}",
                f"layer {taking.name}",
                "set the weights of this layer yourself, and those of the others with by_name=True",
                Problem.UNSUPPORTED,
            )


def _bare(layer: Layer) -> str:
    """The name of the class without that of its package."""
    return layer.class_name.rpartition(">")[2]


def _has_weights(layer: Layer, network: Network) -> bool:
    return any(leaf.path[0] == layer.name for leaf in network.weight_table())


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
