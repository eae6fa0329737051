"""The names of the layers that make up one layer: NAME__CLASS__PART, after its name and class."""

from __future__ import annotations

from ...layers.base import Layer

AXES = "bhwdcefg"
"""The letters of the axes of a tensor in the equation of an EinsumDense, the batch first."""

ZEROS = "zeros"
"""The part that multiplies a sequence by its mask."""


def part(layer: Layer, what: str) -> str:
    """The name of one of the layers that make up `layer`.

    >>> from kconvert.layers import Highway
    >>> part(Highway(name="one"), "gate")
    'one__Highway__gate'
    """
    return f"{layer.name}__{layer.class_name}__{what}"


def is_part(layer: Layer, what: str) -> bool:
    """Whether a layer has the name of such a part `what`; the first of several counts."""
    return layer.name.count("__") > 1 and layer.name.rpartition("__")[2].startswith(what)


def part_of(layer: Layer) -> tuple[str, str, str] | None:
    """The name and the class of the layer that `layer` is a part of, and which part it is; None for other layers.

    >>> from kconvert.layers import Dense
    >>> part_of(Dense(2, name="one__Highway__gate"))
    ('one', 'Highway', 'gate')
    """
    return split_part(layer.name)


def split_part(name: str) -> tuple[str, str, str] | None:
    """`part_of`, for the name of a layer."""
    found = tuple(name.rsplit("__", 2))
    return found if len(found) == 3 else None
