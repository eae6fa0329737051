"""Draws a network for an HTML page: a box for each call of a layer, in rows from the inputs to the outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..drawing.layered import Drawing, Label, layered
from ..drawing.words import plural
from ..errors import KconvertError
from ..layers.base import Shape
from ..lazy_dataclasses import dataclass
from .graph import LayerPath, Ref
from .network import Network

MOST = 1000  # boxes of one picture
LETTERS, SMALL_LETTERS = 25, 31  # letters that fit into a box: of the name, and of the text below it

Marks = Mapping[LayerPath, Sequence[str]]
"""The CSS classes of layers, such as 'hazard', by their paths."""

_Marks = dict[LayerPath, dict[str, None]]


@dataclass(frozen=True)
class Picture:
    """The picture of a network, or of one inside it."""

    name: str
    """The path of the network; '' for the outermost."""
    boxes: int
    drawing: Drawing | None
    """None if there are more boxes than can be viewed."""


def pictures(network: Network, marks: Marks | None = None) -> Iterator[Picture]:
    """The picture of a network, then of each network inside it. A box has also the marks of what is inside it."""
    yield from _pictures(network, _with_outer(marks or {}), ())


def _pictures(network: Network, marks: _Marks, outer: LayerPath) -> Iterator[Picture]:
    count = len(network.nodes)
    yield Picture("/".join(outer), count, _drawn(network, marks, outer) if 0 < count <= MOST else None)
    for layer in network.all_layers:
        if isinstance(layer, Network):
            yield from _pictures(layer, marks, (*outer, layer.name))


def _drawn(network: Network, marks: _Marks, outer: LayerPath) -> Drawing:
    shapes = _shapes(network)
    labels = {}
    for node in network.nodes:
        layer, path = network.by_name[node.layer], (*outer, node.layer)
        shape = shapes.get(node.output)
        size = "" if shape is None else " x ".join("?" if n is None else str(n) for n in shape[1:])
        inside = f" of {plural(len(layer.all_layers), 'layer')}" if isinstance(layer, Network) else ""
        about = f"{layer.class_name}{inside}"
        kinds = list(marks.get(path, ()))
        title = f"{node.output.key} ({about}){size and f', output {size}'}{''.join(f', {kind}' for kind in kinds)}"
        lines = [_short(node.output.key, LETTERS), _short(f"{about}  {size}", SMALL_LETTERS)]
        labels[node.output.call] = Label(title, lines, kinds)
    edges = [(ref.call, node.output.call) for node in network.nodes for ref in node.inputs]
    return layered(labels, list(dict.fromkeys(edges)))


def _with_outer(marks: Marks) -> _Marks:
    """The marks of each layer, and of each network around it."""
    found: _Marks = {}
    for path, kinds in marks.items():
        for end in range(1, len(path) + 1):
            found.setdefault(path[:end], {}).update(dict.fromkeys(kinds))
    return found


def _shapes(network: Network) -> Mapping[Ref, Shape]:
    try:
        return network.shapes()
    except KconvertError:  # the sizes of an input are not known
        return {}


def _short(text: str, most: int) -> str:
    """
    >>> _short("a_layer_with_a_very_long_name_of_its_own", 25)
    'a_layer_with_a_very_lo...'
    """
    return text if len(text) <= most else f"{text[: most - 3]}..."
