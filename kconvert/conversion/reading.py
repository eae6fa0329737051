"""Reading the architecture of a source: the network that is bound to the arrays, converted and verified."""

from __future__ import annotations

from ..errors import KconvertError
from ..formats.checkpoint import Checkpoint
from ..network.architecture import model_from_config, read_architecture
from ..network.network import Network
from ..network.rewrite import Rewritten
from .passes.order import read
from .source import Origin, Source, decide


def network_of(checkpoint: Checkpoint, source: Source | None = None) -> Network:
    """The network of a file, saying what the release that saved it computed on its backend.

    Raises KconvertError where the file is not what `source` says, or has no architecture that can be read.
    """
    source = source or Source()
    return read_network(checkpoint, source, decide(checkpoint, source)).model


def read_network(checkpoint: Checkpoint, source: Source, origin: Origin) -> Rewritten:
    """The same for a file that is known to be `origin`, with notes on what its release computed otherwise."""
    return read(described_network(checkpoint, source), origin)


def described_network(checkpoint: Checkpoint, source: Source) -> Network:
    """The network as its architecture describes it. Raises KconvertError where there is none that can be read."""
    if source.arch is not None:
        return read_architecture(str(source.arch), source.data_format)
    where = str(checkpoint.path or "checkpoint")
    if checkpoint.model_config is None:
        raise KconvertError(
            "the file holds weights alone, without the architecture they belong to",
            where=where,
            fix="give what model.to_json() wrote with --arch FILE.json",
        )
    try:
        return model_from_config(checkpoint.model_config, checkpoint.keras_version, source.data_format)
    except KconvertError as error:
        raise error.within(where) from None
