"""The graph of a model as a picture, drawn by Graphviz."""

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
from .nested import one_or_list
from .network import Network, Node, Ref

_CELL = '<td align="left" border="1">{}</td>'


@dataclass(frozen=True)
class _Shown:
    """What is shown of a model."""

    shapes: bool
    names: bool
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
    """Draws `model` into `to_file`, in the format of its ending: png, svg, pdf, ..., or dot (the source).

    show_shapes: of what goes into each layer and comes out. rankdir: 'TB' from top to bottom, 'LR' from left to
    right. expand_nested: models within the model as frames around their layers. dpi: dots an inch. Raises
    KconvertError where Graphviz is missing, or does not know the format.
    """
    path = Path(to_file)
    if not model.output_refs:
        fix = "give the first layer input_shape=..., or build the model"
        raise KconvertError("the model does not know the shape of its input", model.name, fix, Problem.USAGE)
    graph = _graphviz().Digraph(
        node_attr={"shape": "plain", "fontname": "Helvetica", "fontsize": "11"},
        graph_attr={"rankdir": rankdir, "dpi": str(dpi), "fontname": "Helvetica", "fontsize": "11"},
    )
    _draw(graph, model, "", _Shown(show_shapes, show_layer_names, expand_nested))
    try:
        path.write_bytes(_drawn(graph, path))
    except OSError as error:
        raise KconvertError(f"cannot be written ({error.strerror})", str(path), problem=Problem.USAGE) from error
    return path


def _drawn(graph: Any, path: Path) -> bytes:
    """The contents of the file `path`, by its ending."""
    graphviz, kind = _graphviz(), path.suffix[1:].lower()
    if kind in ("dot", "gv"):
        return graph.source.encode()
    if kind not in graphviz.FORMATS:
        what = f"Graphviz draws no {path.suffix or 'file without an ending'}"
        raise KconvertError(what, str(path), "end its name in .png, .svg, .pdf or .dot", Problem.USAGE)
    try:
        return graph.pipe(format=kind)
    except graphviz.ExecutableNotFound as error:
        fix = "install Graphviz (Debian: apt-get install graphviz), or write a .dot file"
        raise KconvertError("the program dot is not installed", str(path), fix) from error


def _graphviz() -> Any:
    try:
        import graphviz
    except ImportError as error:
        raise KconvertError("graphviz is not installed", "plot_model", install("plot")) from error
    return graphviz


def _draw(graph: Any, model: Network, prefix: str, shown: _Shown) -> tuple[list[str], list[str]]:
    """A box for each layer of `model`, an arrow for each tensor that a layer takes.

    Gives the boxes where its inputs enter, and those where its outputs leave. Names from files are only text.
    """
    ends: dict[str, tuple[list[str], list[str]]] = {}
    known = model.shapes() if shown.shapes else {}
    for i, layer in enumerate(model.layers):
        key = f"{prefix}{i}"
        if shown.nested and isinstance(layer, Network):
            label = _graphviz().escape(layer.name) if shown.names else layer.class_name
            with graph.subgraph(name=f"cluster_{key}", graph_attr={"label": label, "style": "rounded"}) as frame:
                ends[layer.name] = _draw(frame, layer, f"{key}.", shown)
        else:
            graph.node(key, _box(layer, [node for node in model.nodes if node.layer == layer.name], known, shown))
            ends[layer.name] = [key], [key]
    for node in model.nodes:
        entered = ends[node.layer][0]
        for i, ref in enumerate(node.inputs):
            graph.edge(_left(ends, ref), entered[i % len(entered)])
    return [_left(ends, ref) for ref in model.input_refs], [_left(ends, ref) for ref in model.output_refs]


def _left(ends: dict[str, tuple[list[str], list[str]]], ref: Ref) -> str:
    """The box that a tensor leaves."""
    boxes = ends[ref.layer][1]
    return boxes[ref.tensor % len(boxes)]


def _box(layer: Layer, calls: Sequence[Node], known: Mapping[Ref, Shape], shown: _Shown) -> str:
    """A table: the name, and for each call the shapes of what it takes and gives."""
    title = f"{layer.name}: {layer.class_name}" if shown.names else layer.class_name
    rows = [f'<tr><td border="1" colspan="2"><b>{escape(title)}</b></td></tr>']
    for call in calls if shown.shapes else ():
        given = [known[ref] for ref in call.inputs]
        made = [shape for ref, shape in known.items() if ref[:2] == call.output[:2]]
        pairs = [("input", given)] * bool(given) + [("output", made)]
        rows += [f"<tr>{_CELL.format(word)}{_CELL.format(one_or_list(found))}</tr>" for word, found in pairs]
    return f'<<table border="0" cellspacing="0" cellpadding="4">{"".join(rows)}</table>>'
