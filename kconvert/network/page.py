"""The HTML page of a model: its picture, and its layers with their weights."""

from __future__ import annotations

from math import prod

from ..drawing.page import environment
from .network import Network
from .picture import pictures


def render(network: Network) -> str:
    """The self-contained HTML page of a network."""
    rows = [(leaf, [(weight.name, weight.shape) for weight in leaf.weights]) for leaf in network.weight_table()]
    parameters = sum(prod(shape) for _, weights in rows for _, shape in weights)
    template = environment(__package__).get_template("network.html")
    return template.render(
        title=network.name,
        network=network,
        pictures=list(pictures(network)),
        rows=rows,
        parameters=parameters,
    )
