"""Terminal output: the console, and the tables and lines that fit into 80 columns.

Names come from files, so they are shown as plain text, with control characters escaped.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable, Sequence

import rich.console
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ..errors import printable

GOOD, WARN, BAD, DIM, HEAD = "green", "yellow", "bold red", "dim", "bold"
WIDE = 160  # columns, where the output is not a terminal
TEXT_WIDTH = 120  # columns of a text file


class Console(rich.console.Console):
    """Plain text where the output is not a terminal; a closed pipe raises BrokenPipeError for the caller."""

    def __init__(self, width: int | None = None) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, width=width)
        if width is None and not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = WIDE

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def show(*parts: RenderableType) -> None:
    """Prints renderables on the standard output."""
    console = Console()
    if console.is_terminal and "GITHUB_ACTIONS" not in os.environ:
        for part in parts:
            console.print(part)
        return
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    lines = without_blanks(captured.get())
    console.file.write(without_commands(lines) if "GITHUB_ACTIONS" in os.environ else lines)
    console.file.flush()  # what follows on the standard error stands below


def without_commands(lines: str) -> str:
    r"""Lines that GitHub Actions cannot read as commands, although they may contain names from files.

    >>> without_commands("::error::x")
    '\u200b::error::x'
    """
    return re.sub(r"(?m)^(\s*)(?=::|##\[)", "\\1\u200b", lines)


def without_blanks(lines: str) -> str:
    r"""Lines without the blanks at their ends, with which tables are filled.

    >>> without_blanks("a  \n\nb")
    'a\n\nb'
    """
    return re.sub(r"[ \t]+$", "", lines, flags=re.MULTILINE)


def plain_text(part: RenderableType) -> str:
    """A renderable as text without colours, as it is written to a file, which may be printed in a log of GitHub."""
    lines = io.StringIO()
    console = rich.console.Console(
        file=lines, width=TEXT_WIDTH, color_system=None, highlight=False, markup=False, emoji=False
    )
    console.print(part)
    return without_commands(without_blanks(lines.getvalue()))


def text(value: object, style: str = "") -> Text:
    """A value as plain text."""
    return Text(printable(str(value)), style)


def table(*columns: str, numbers: Sequence[str] = ()) -> Table:
    """A table without lines; long names are folded, never cut. The columns in `numbers` are aligned on the right."""
    found = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style=HEAD)
    for column in columns:
        right = column in numbers
        found.add_column(column, justify="right" if right else "left", overflow="fold", no_wrap=right)
    return found


def facts(rows: Iterable[tuple[str, object, object]]) -> Table:
    """A table of facts: their name, their value, and a remark on it."""
    found = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    found.add_column(style=DIM, no_wrap=True)
    found.add_column(overflow="fold", min_width=14)
    found.add_column(style=DIM, overflow="fold")
    for name, value, remark in rows:
        found.add_row(name, text(value), text(remark))
    return found


def hanging(mark: str, line: object, style: str = "") -> RenderableType:
    """A line after a mark; where it is folded, its other lines are indented."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(mark, style), text(line, style))
    return grid


def lines(values: Iterable[object], style: str = "", mark: str = "") -> list[RenderableType]:
    """A line for each value, each after the same mark."""
    return [hanging(mark, value, style) for value in values]


def notes(values: Sequence[str]) -> list[RenderableType]:
    """Notes below an empty line; nothing where there are none."""
    return [Text(), *lines(values, mark="note:")] if values else []
