"""Plain text: what the terminal shows, without colours."""

from __future__ import annotations

import io

from rich.console import Console

from ..value import Report, Summary
from . import terminal

WIDTH = 120


def render(done: Report | Summary) -> str:
    lines = io.StringIO()
    console = Console(file=lines, width=WIDTH, color_system=None, highlight=False, markup=False, emoji=False)
    console.print(terminal.shown(done))
    return "".join(f"{line.rstrip()}\n" for line in lines.getvalue().splitlines())
