"""The structure of the package, measured from its imports: rooms, floors and circles.

    python -m docs.structure              prints the figures
    python -m docs.structure --root DIR   prints the figures of another checkout
    python -m docs.structure --write      writes the table and the drawing of the rooms into docs/architecture.md

A room is an entry at the top of `kconvert/`: a folder, or a single module. The graph holds every import: at the head
of a module, inside a function, under TYPE_CHECKING, by `import_module`, in a string of code, and by `python -m`.
Names in annotations are not imports.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import resolve_name
from itertools import pairwise
from pathlib import Path

import networkx as nx

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "architecture.md"
PACKAGE = "kconvert"

BASE = ("errors", "arguments", "lazy_dataclasses", "_version")
"""Rooms that every room may import."""

ROOMS: dict[str, tuple[str, ...]] = {
    "errors": (),
    "arguments": (),
    "lazy_dataclasses": (),
    "_version": (),
    "drawing": (),
    "kernels": (),
    "conventions": ("kernels",),
    "backend": ("conventions",),
    "formats": ("backend",),
    "layers": ("backend",),
    "network": ("layers", "drawing"),
    "conversion": ("network", "formats"),
    "models": ("conversion",),
    "keras": ("models",),
    "keras1": ("keras",),
    "export": ("conversion",),
    "verification": ("conversion",),
    "batches": ("verification",),
    "live": ("models",),
    "scripts": ("keras1",),
    "cli": ("scripts", "export", "batches"),
    "pytest_plugin": ("models", "verification"),
}
"""Each room and the rooms it stands on. It may import these, what these stand on, and BASE. A new room is a new row."""

OUTSIDE = ("__init__", "__main__")
"""Entries at the top of the package that only pass names on; `__init__` does so when a name is first used."""

BEGIN, END = "<!-- Written by `python -m docs.structure --write`: do not edit. -->", "<!-- End of the written part. -->"
"""The lines of docs/architecture.md between which the table and the drawing are."""

_IN_A_STRING = re.compile(
    rf"(?:^|;)\s*(?:import\s+({PACKAGE}\b[^\n;]*)|from\s+({PACKAGE}[\w.]*)\s+import\b\s*(\([^)]*\)|[^\n;]*))", re.M
)
"""An import statement in a string: what follows `import`, or the module and the names of `from ... import`."""


def sources(root: Path = ROOT) -> dict[str, Path]:
    """The file of each module of the package, by the full name of the module."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


def room(module: str) -> str:
    """The room of a module: `kernels` of `kconvert.kernels.axes`, `__init__` of the package itself."""
    return module.split(".")[1] if "." in module else "__init__"


@cache
def imports(module: str, path: Path) -> tuple[str, ...]:
    """The full name of everything that a module imports, wherever the import stands."""
    return tuple(_imports(module, path))


def _imports(module: str, path: Path) -> Iterator[str]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    nodes = [*ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    docstrings = {node.value for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute("." * node.level + (node.module or ""), package)
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call):
            yield from _imported_by_call(node, package)
        elif isinstance(node, ast.List | ast.Tuple):
            yield from _run_by_command(node.elts)
        elif isinstance(node, ast.Constant) and node not in docstrings:
            yield from _imported_by_text(_literal(node))


def _imported_by_text(text: str) -> Iterator[str]:
    """What the import statements in a string import: code for `exec` or for `python -c`."""
    for modules, base, names in _IN_A_STRING.findall(text):
        found = [words[0] for part in (modules or names).strip("()").split(",") if (words := part.split())]
        yield from (f"{base}.{name}" if base else name for name in found)


def _run_by_command(words: Sequence[ast.expr]) -> Iterator[str]:
    """The modules of the package that a command runs by `-m`."""
    texts = [_literal(word) for word in words]
    yield from (name for flag, name in pairwise(texts) if flag == "-m" and name.split(".")[0] == PACKAGE)


def _imported_by_call(node: ast.Call, package: str) -> Iterator[str]:
    """The module of `import_module("...")` with a name that is known. A package that is not known is the module's."""
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if called in ("import_module", "__import__"):
        given = dict(zip(("name", "package"), map(_literal, node.args), strict=False))
        given |= {keyword.arg: _literal(keyword.value) for keyword in node.keywords if keyword.arg}
        if given.get("name"):
            yield _absolute(given["name"], given.get("package") or package)


def _absolute(name: str, package: str) -> str:
    """The full name of a module; "" if a relative name leads out of the package, where the import itself fails."""
    try:
        return resolve_name(name, package)
    except ImportError:
        return ""


def _literal(node: ast.expr) -> str:
    """The text of a string, or the known beginning of an f-string."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]  # type: ignore[assignment]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def graph(root: Path = ROOT) -> nx.DiGraph:
    """The modules of the package, with an edge from each to every module that it imports."""
    files = sources(root)
    found = nx.DiGraph()
    found.add_nodes_from(files)
    for module, path in files.items():
        for name in imports(module, path):
            target = next((n for n in (name, name.rpartition(".")[0]) if n in files), None)
            if target and target != module:
                found.add_edge(module, target)
    return found


def rooms_of(modules: nx.DiGraph) -> nx.DiGraph:
    """The rooms, with an edge from each to every room that one of its modules imports."""
    found = nx.DiGraph()
    for module in modules:
        found.add_node(room(module))
    found.add_edges_from((room(a), room(b)) for a, b in modules.edges if room(a) != room(b))
    return found


def circles(modules: nx.DiGraph) -> list[list[str]]:
    """The groups of modules that import each other, directly or through others, largest first."""
    groups = [sorted(group) for group in nx.strongly_connected_components(modules) if len(group) > 1]
    return sorted(groups, key=len, reverse=True)


def allowed(name: str) -> set[str]:
    """The rooms that a room may import."""
    below = {inner for other in ROOMS.get(name, ()) for inner in (other, *allowed(other))}
    return below | ({*BASE} - {name})


def arrows_up(modules: nx.DiGraph) -> list[str]:
    """The imports of rooms that a room does not stand on."""
    pairs = ((a, b) for a, b in modules.edges if room(a) not in OUTSIDE and room(a) != room(b))
    return sorted(f"{a} imports {b}" for a, b in pairs if room(b) not in allowed(room(a)))


def floors(modules: nx.DiGraph) -> int:
    """The number of floors: the longest way down from room to room, a circle counted as one."""
    inside = modules.subgraph(module for module in modules if room(module) not in OUTSIDE)
    return int(nx.dag_longest_path_length(nx.condensation(rooms_of(inside)))) + 1


def page(text: str, root: Path = ROOT) -> str:
    """`text` of docs/architecture.md, with the table and the drawing made from the code."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table(root)}\n\n{drawing(graph(root))}\n\n{END}{after}"


def table(root: Path = ROOT) -> str:
    """The rooms in the order of ROOMS: what each is for, by the first line of its docstring, and what it stands on."""
    files = sources(root)
    rows = ["| room | purpose | stands on |", "|---|---|---|"]
    for name, below in ROOMS.items():
        if path := files.get(f"{PACKAGE}.{name}"):
            entry = f"{name}/" if path.name == "__init__.py" else f"{name}.py"
            rows.append(f"| `{entry}` | {_purpose(path)} | {', '.join(f'`{other}`' for other in below)} |")
    return "\n".join(rows)


def _purpose(path: Path) -> str:
    """The first line of a module's docstring, without the full stop."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].removesuffix(".")


def drawing(modules: nx.DiGraph) -> str:
    """The rooms and their imports in Mermaid: an arrow that a longer way of arrows implies is left out."""
    rooms = rooms_of(modules)
    drawn = nx.DiGraph((a, b) for a, b in rooms.edges if b in allowed(a) and b not in BASE)
    arrows = sorted(nx.transitive_reduction(drawn).edges, key=lambda arrow: [*map([*ROOMS].index, arrow)], reverse=True)
    return "\n".join(["```mermaid", "flowchart TD", *(f"    {a} --> {b}" for a, b in arrows), "```"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    if given.write:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    modules = graph(given.root)
    found = [name for name in rooms_of(modules) if name not in OUTSIDE]
    print(f"{len(modules)} modules, {modules.number_of_edges()} imports between them")
    print(f"{len(found)} entries at the top on {floors(modules)} floors")
    groups = circles(modules)
    print(
        f"{len(groups)} circles" + (f", of {', '.join(str(len(group)) for group in groups)} modules" if groups else "")
    )
    for group in groups:
        print("   " + " ".join(name.removeprefix(f"{PACKAGE}.") for name in group))
    up = arrows_up(modules)
    print(f"{len(up)} imports of a room that the importing room does not stand on")
    for arrow in up:
        print(f"   {arrow}")


if __name__ == "__main__":
    main()
