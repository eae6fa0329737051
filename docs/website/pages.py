"""Markdown for the site: docstrings, the pages of the reference, links to the repository, and drawings of graphs."""

from __future__ import annotations

import ast
import re
import runpy
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
REPOSITORY = runpy.run_path(str(ROOT / "kconvert" / "_version.py"))["REPOSITORY"]

REFERENCE = {
    "converting": ("Converting", ("conversion", "export", "batches", "formats", "errors")),
    "verifying": ("Verifying", ("verification",)),
    "models": ("Models", ("models", "live", "network", "backend")),
    "training": ("Training", ("models.training",)),
    "layers": ("Layers", ("layers",)),
}
"""Each page of the reference: its title, and the modules whose public names it describes."""

_LINK = re.compile(r"(\]\()(?!https?:|#)([^)#\s]+)")
_PARAMETER = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*): (?=\S)")
_GRAPH = re.compile(r"^```mermaid\nflowchart TD\n(.*?)^```$", re.M | re.S)
_WIDE, _HIGH, _GAP = 118, 26, 34  # a box, and the space between two rows of boxes


def docstring(text: str) -> str:
    """A docstring as Markdown: lines `name: words` become a list, and a session with `>>>` a block of code."""
    first, *others = re.split(r"\n\s*\n", text.strip("\n"))
    return "\n\n".join([first, *map(_paragraph, others)])


def _paragraph(text: str) -> str:
    if text.lstrip().startswith(">>>"):
        return f"```pycon\n{text}\n```"
    lines = text.split("\n")
    if not _PARAMETER.match(lines[0]):
        return text
    items = (_PARAMETER.sub(r"- `\1`: ", line) for line in lines)
    return "\n".join(f"\n{line}" if line.startswith("Raises ") else line for line in items)


def public_names() -> Mapping[str, str]:
    """Each public name, and the module that defines it: `_HOMES` of the package, which is not imported."""
    tree = ast.parse((ROOT / "kconvert" / "__init__.py").read_text(encoding="utf-8"))
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    (homes,) = (node.value for node in assigned if ast.unparse(node.targets[0]) == "_HOMES")
    return ast.literal_eval(homes)


def page_of(home: str) -> str:
    """The page of the reference on the names of a module: that of the longest path in REFERENCE."""
    rooms = [(room, page) for page, (_, named) in REFERENCE.items() for room in named]
    fitting = [(len(room), page) for room, page in rooms if f"{home}.".startswith(f"{room}.")]
    return max(fitting)[1]


def reference() -> dict[str, str]:
    """The Markdown of each page of the reference."""
    pages = {page: f"# {title}\n" for page, (title, _) in REFERENCE.items()}
    for name, home in public_names().items():
        path = ROOT / "kconvert" / home.replace(".", "/")
        module = name == path.name and (path.is_dir() or path.with_suffix(".py").exists())
        pages[page_of(home)] += f"\n::: kconvert.{home}\n" if module else f"\n::: kconvert.{home}.{name}\n"
    return pages


def outward(text: str, folder: Path) -> str:
    """The text of a page in `folder` with links to the repository where the site does not have the file."""

    def link(found: re.Match[str]) -> str:
        target = (folder / found[2]).resolve()
        on_site = DOCS in target.parents and target.suffix in (".md", ".svg", ".png")
        return found[0] if on_site else f"{found[1]}{REPOSITORY}/blob/HEAD/{target.relative_to(ROOT)}"

    return _LINK.sub(link, text)


def with_drawings(text: str) -> str:
    """A page whose graphs in Mermaid, which would need a script, are drawings."""
    return _GRAPH.sub(lambda found: drawing(re.findall(r"(\w+) --> (\w+)", found[1])), text)


def drawing(arrows: Sequence[tuple[str, str]]) -> str:
    """A graph without circles as SVG: each box is below all that point to it."""
    rows: dict[str, int] = dict.fromkeys([name for arrow in arrows for name in arrow], 0)
    for _ in rows:
        for start, end in arrows:
            rows[end] = max(rows[end], rows[start] + 1)
    by_row = [[name for name in rows if rows[name] == row] for row in range(max(rows.values()) + 1)]
    width = max(map(len, by_row)) * (_WIDE + 12)
    at = {
        name: (width * (i + 0.5) / len(names), row * (_HIGH + _GAP) + _HIGH / 2 + 1)
        for row, names in enumerate(by_row)
        for i, name in enumerate(names)
    }
    lines = [
        f'<line x1="{at[a][0]:g}" y1="{at[a][1] + _HIGH / 2:g}" x2="{at[b][0]:g}" y2="{at[b][1] - _HIGH / 2:g}"/>'
        for a, b in arrows
    ]
    boxes = [
        f'<rect x="{x - _WIDE / 2:g}" y="{y - _HIGH / 2:g}" width="{_WIDE}" height="{_HIGH}" rx="4"/>'
        f'<text x="{x:g}" y="{y + 4:g}">{name}</text>'
        for name, (x, y) in at.items()
    ]
    height = len(by_row) * (_HIGH + _GAP) - _GAP + 2
    return f'<svg class="graph" viewBox="0 0 {width} {height}" role="img">{"".join(lines + boxes)}</svg>'
