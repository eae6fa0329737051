"""plot_model: the graph of a network as a picture, drawn by Graphviz."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from .._version import install
from ..errors import KconvertError, Problem
from ..layers import Layer
from ..layers.base import Shape
from ..layers.lists import one_or_list
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
    path = Path(to_file)
    if not model.output_refs:
        fix = "give the first layer input_shape=..., or build the model"
        raise KconvertError("the model does not know the shape of its input", model.name, fix, Problem.USAGE)
    graph = _graphviz().Digraph(
        node_attr={"shape": "plain", "fontname": "Helvetica", "fontsize": "11"},
        graph_attr={"rankdir": rankdir, "dpi": str(dpi), "fontname": "Helvetica", "fontsize": "11"},
    )
    _draw(graph, model, "", _Options(show_shapes, show_layer_names, expand_nested))
    try:
        path.write_bytes(_rendered(graph, path))
    except OSError as error:
        raise KconvertError(f"cannot be written ({error.strerror})", str(path), problem=Problem.USAGE) from error
    return path


def _rendered(graph: Any, path: Path) -> bytes:
    """The graph in the format of the ending of `path`."""
    graphviz, kind = _graphviz(), path.suffix[1:].lower()
    if kind in ("dot", "gv"):
        return graph.source.encode()
    if kind not in graphviz.FORMATS:
        what = f"Graphviz does not support {path.suffix or 'file names without an ending'}"
        raise KconvertError(what, str(path), "end the file name in .png, .svg, .pdf or .dot", Problem.USAGE)
    try:
        return graph.pipe(format=kind)
    except graphviz.ExecutableNotFound as error:
        fix = "install Graphviz (Debian: apt-get install graphviz), or write a .dot file"
        raise KconvertError("the program dot is not installed", str(path), fix) from error


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
