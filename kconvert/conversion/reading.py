"""Reading the architecture of a source: the network that is bound to the arrays, converted and verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from ..arguments import argument
from ..errors import KconvertError
from ..formats.architectures import architecture_json
from ..formats.checkpoint import Checkpoint
from ..layers.base import Layer, Shape
from ..lazy_dataclasses import dataclass
from ..network.architecture import model_from_config
from ..network.input_shapes import with_input_shape
from ..network.network import Network
from .binding import bind
from .call_limit import bounded
from .data_formats import unused_format
from .first_shapes import shape_for, with_adapted_sizes
from .given_architecture import as_saved
from .passes.order import read
from .source import Origin, Source, decide
from .unknown import assume_shapes, learn_weights, left_as_given


def network_of(checkpoint: Checkpoint, source: Source | None = None) -> Network:
    """The network of a file, saying what the release that saved it computed on its backend.

    Raises KconvertError where the file is not what `source` says, or has no architecture that can be read.
    """
    source = source or Source()
    found = read_source(checkpoint, source)
    return read(found.network, found.origin).model


@dataclass(frozen=True, eq=False)
class SourceRead:
    """A source with its architecture."""

    origin: Origin
    """What the file is."""
    network: Network
    """The network that its arrays belong to."""
    stated: Network
    """The network as the architecture describes it; where that was made elsewhere, it may be another one."""

    @property
    def is_as_stated(self) -> bool:
        """Whether the arrays belong to the network that the architecture describes."""
        return self.network is self.stated or self.network.stored_config() == self.stated.stored_config()


def read_source(checkpoint: Checkpoint, source: Source) -> SourceRead:
    """What a file is, and its network.

    Raises KconvertError where it cannot be known, or where there is no architecture that can be read.
    """
    origin, stated = decide(checkpoint, source), described_network(checkpoint, source)
    stated = left_as_given(stated, source.layers)
    network = stated if source.input_shape is None else with_input_shape(stated, source.input_shape)
    for one in dict.fromkeys((stated, network)):
        learn_weights(one, checkpoint, origin.convention)
        assume_shapes(one, checkpoint, partial(_fits, one, checkpoint, origin))
    if not origin.arch_given:
        notes = [*origin.notes, *unused_format(stated, source.data_format)]
        return SourceRead(replace(origin, notes=notes), network, stated)
    return SourceRead(*as_saved(network, checkpoint, source, origin), stated)


def _fits(network: Network, checkpoint: Checkpoint, origin: Origin) -> bool:
    """Whether the arrays have the shapes of the network's weights."""
    try:
        bind(read(network, origin).model, checkpoint, origin.convention)
    except KconvertError:
        return False
    return True


def described_network(checkpoint: Checkpoint, source: Source) -> Network:
    """The network as its architecture describes it. Raises KconvertError where there is none that can be read."""
    if source.arch is not None:
        found = read_architecture(str(source.arch), source.data_format, shape_for(checkpoint, source.input_shape))
        return with_adapted_sizes(found, checkpoint)
    where = str(checkpoint.path or "checkpoint")
    if checkpoint.model_config is None:
        raise KconvertError(
            "the file holds weights alone, without the architecture they belong to",
            where=where,
            fix=f"give what model.to_json() wrote with {argument('arch', 'FILE.json')}",
        )
    try:
        first = shape_for(checkpoint, source.input_shape)
        found = model_from_config(checkpoint.model_config, checkpoint.keras_version, source.data_format, first)
        network = with_adapted_sizes(found, checkpoint)
    except KconvertError as error:
        raise error.within(where) from None
    return bounded(network, where)


def read_architecture(
    path: str, data_format: str | None = None, shape_for: Callable[[Layer], Shape | None] = lambda layer: None
) -> Network:
    """The network of a file with an architecture (`architecture_json`).

    shape_for: the shape of the input of a Sequential that states none, from its first layer.
    """
    try:
        network = model_from_config(architecture_json(path), data_format=data_format, shape_for=shape_for)
    except KconvertError as error:
        raise error.in_file(path) from None
    return bounded(network, path)
