"""plot_model: the graph of a network as a picture, drawn by Graphviz."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from .._version import install
from ..errors import KconvertError, Problem
from ..layers import Layer
from ..layers.base import Shape
from ..layers.lists import one_or_list
from ..lazy_dataclasses import dataclass
from .graph import Node, Ref
from .network import Network

_CELL = '<td align="left" border="1">{}</td>'


@dataclass(frozen=True)
class _Options:
    """What a picture shows."""

    # The shapes of the inputs and outputs of each layer.
    shapes: bool
    # The names of the layers.
    names: bool
    # The layers of nested networks, in a frame.
    nested: bool


def plot_model(
    model: Network,
    to_file: str | PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 96,
) -> Path:
    """Draws the graph of `model` into a file, as Keras's `plot_model`. Returns the path of the file.

    to_file: its ending is the format: png, svg, pdf, ..., or dot for the Graphviz source.
    show_shapes: show the shapes of the inputs and outputs of each layer.
    show_layer_names: show the names of the layers, besides their classes.
    rankdir: 'TB' draws from top to bottom, 'LR' from left to right.
    expand_nested: draw nested models as frames around their layers.
    dpi: the resolution in dots per inch.

    Raises KconvertError where Graphviz is not installed, does not support the format, or the file cannot be written.
    """
    dot = model_to_dot(model, show_shapes, show_layer_names, rankdir, expand_nested, dpi)
    return dot.write(to_file, Path(to_file).suffix[1:].lower())


def model_to_dot(
    model: Network,
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 96,
    subgraph: bool = False,
) -> Dot:
    """The graph of `model` for Graphviz. Parameters and errors: as for `plot_model`.

    subgraph: refused where it is true.
    """
    if subgraph:
        what = "model_to_dot makes no subgraphs"
        raise KconvertError(what, fix="draw the whole model, with expand_nested=True", problem=Problem.UNSUPPORTED)
    if not model.output_refs:
        fix = "give the first layer input_shape=..., or build the model"
        raise KconvertError("the model does not know the shape of its input", model.name, fix, Problem.USAGE)
    graph = _graphviz().Digraph(
        node_attr={"shape": "plain", "fontname": "Helvetica", "fontsize": "11"},
        graph_attr={"rankdir": rankdir, "dpi": str(dpi), "fontname": "Helvetica", "fontsize": "11"},
    )
    _draw(graph, model, "", _Options(show_shapes, show_layer_names, expand_nested))
    return Dot(graph)


class Dot:
    """A graph for Graphviz, with the methods of pydot that scripts of Keras use."""

    def __init__(self, graph: Any) -> None:
        self._graph = graph

    def to_string(self) -> str:
        """The source in the language of Graphviz."""
        source: str = self._graph.source
        return source

    def create(self, prog: str = "dot", format: str = "ps", where: str | None = None) -> bytes:
        """The picture, drawn by the program `prog` of Graphviz in a format such as 'svg'.

        Raises KconvertError where Graphviz is not installed or does not support the format; where: the file, which the
        message names.
        """
        graphviz = _graphviz()
        if format in ("dot", "gv", "raw"):
            return self.to_string().encode()
        if format not in graphviz.FORMATS:
            what = f"Graphviz does not support {f'.{format}' if format else 'file names without an ending'}"
            raise KconvertError(what, where, "end the file name in .png, .svg, .pdf or .dot", Problem.USAGE)
        try:
            picture: bytes = self._graph.pipe(format=format, engine=prog)
        except graphviz.ExecutableNotFound as error:
            fix = "install Graphviz (Debian: apt-get install graphviz), or write a .dot file"
            raise KconvertError(f"the program {prog} is not installed", where, fix) from error
        return picture

    def write(self, path: str | PathLike[str], format: str = "raw", prog: str = "dot") -> Path:
        """Writes the picture into a file, by default its source. Raises KconvertError where it cannot be written."""
        file = Path(path)
        try:
            file.write_bytes(self.create(prog, format, str(file)))
        except OSError as error:
            raise KconvertError(f"cannot be written ({error.strerror})", str(file), problem=Problem.USAGE) from error
        return file


def _graphviz() -> Any:
    """The module graphviz, which is an optional dependency."""
    try:
        import graphviz
    except ImportError as error:
        raise KconvertError("graphviz is not installed", "plot_model", install("plot")) from error
    return graphviz


def _draw(graph: Any, model: Network, prefix: str, options: _Options) -> tuple[list[str], list[str]]:
    """Draws a box for each layer of `model`, and an arrow for each input of a call.

    prefix: what the keys of the boxes begin with. Returns the keys of the boxes of its inputs and of its outputs.
    Names of layers come from files, so they are escaped.
    """
    # By layer: the boxes of its inputs and of its outputs.
    ends: dict[str, tuple[list[str], list[str]]] = {}
    shapes = model.shapes() if options.shapes else {}
    for i, layer in enumerate(model.all_layers):
        key = f"{prefix}{i}"
        if options.nested and isinstance(layer, Network):
            label = _graphviz().escape(layer.name) if options.names else layer.class_name
            with graph.subgraph(name=f"cluster_{key}", graph_attr={"label": label, "style": "rounded"}) as frame:
                ends[layer.name] = _draw(frame, layer, f"{key}.", options)
        else:
            calls = [node for node in model.nodes if node.layer == layer.name]
            graph.node(key, _box(layer, calls, shapes, options))
            ends[layer.name] = [key], [key]
    for node in model.nodes:
        boxes = ends[node.layer][0]
        for i, ref in enumerate(node.inputs):
            graph.edge(_producer(ends, ref), boxes[i % len(boxes)])
    return [_producer(ends, ref) for ref in model.input_refs], [_producer(ends, ref) for ref in model.output_refs]


def _producer(ends: dict[str, tuple[list[str], list[str]]], ref: Ref) -> str:
    """The key of the box that computes tensor `ref`."""
    boxes = ends[ref.layer][1]
    return boxes[ref.tensor % len(boxes)]


def _box(layer: Layer, calls: Sequence[Node], shapes: Mapping[Ref, Shape], options: _Options) -> str:
    """The label of a layer: an HTML table with its name and, for each call, the shapes of its inputs and outputs."""
    title = f"{layer.name}: {layer.class_name}" if options.names else layer.class_name
    rows = [f'<tr><td border="1" colspan="2"><b>{escape(title)}</b></td></tr>']
    for call in calls if options.shapes else ():
        inputs = [shapes[ref] for ref in call.inputs]
        outputs = [shape for ref, shape in shapes.items() if ref.call == call.output.call]
        pairs = [("input", inputs)] * bool(inputs) + [("output", outputs)]
        rows += [f"<tr>{_CELL.format(word)}{_CELL.format(one_or_list(sizes))}</tr>" for word, sizes in pairs]
    return f'<<table border="0" cellspacing="0" cellpadding="4">{"".join(rows)}</table>>'
