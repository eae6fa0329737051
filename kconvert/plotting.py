"""The graph of a model as a picture, drawn by Graphviz."""

from __future__ import annotations

from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from .errors import KconvertError, Problem
from .model import Model
from .nested import one_or_list

_CELL = '<td align="left" border="1">{}</td>'


def plot_model(
    model: Model,
    to_file: str | PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
) -> Path:
    """Draws `model` into `to_file`, in the format of its ending: png, svg, pdf, ..., or dot (the source).

    show_shapes: of what goes into each layer and comes out. rankdir: 'TB' from top to bottom, 'LR' from left to
    right. Raises KconvertError where Graphviz is missing, or does not know the format.
    """
    path = Path(to_file)
    graph = _graph(model, show_shapes, show_layer_names, rankdir)
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
        raise KconvertError("graphviz is not installed", "plot_model", "pip install 'kconvert[plot]'") from error
    return graphviz


def _graph(model: Model, shapes: bool, names: bool, rankdir: str) -> Any:
    """One box for each layer, one arrow for each tensor that a layer takes; names from files are only text."""
    if not model.outputs:
        fix = "give the first layer input_shape=..., or build the model"
        raise KconvertError("the model does not know the shape of its input", model.name, fix, Problem.USAGE)
    graph = _graphviz().Digraph(
        node_attr={"shape": "plain", "fontname": "Helvetica", "fontsize": "11"}, graph_attr={"rankdir": rankdir}
    )
    number = {layer.name: str(i) for i, layer in enumerate(model.layers)}
    known = model.shapes()
    for layer in model.layers:
        calls = [node for node in model.nodes if node.layer == layer.name]
        title = f"{layer.name}: {layer.class_name}" if names else layer.class_name
        rows = [f'<tr><td border="1" colspan="2"><b>{escape(title)}</b></td></tr>']
        for call in calls if shapes else ():
            given = [known[ref] for ref in call.inputs]
            made = [shape for ref, shape in known.items() if ref[:2] == call.output[:2]]
            pairs = [("input", given)] * bool(given) + [("output", made)]
            rows += [f"<tr>{_CELL.format(word)}{_CELL.format(one_or_list(found))}</tr>" for word, found in pairs]
        graph.node(number[layer.name], f'<<table border="0" cellspacing="0" cellpadding="4">{"".join(rows)}</table>>')
    for node in model.nodes:
        for ref in node.inputs:
            graph.edge(number[ref.layer], number[node.layer])
    return graph
