"""Plain text: what the terminal shows, without colours."""

from __future__ import annotations

from ...drawing.terminal import plain_text
from ..value import Report, Summary
from . import terminal


def render(done: Report | Summary) -> str:
    return plain_text(terminal.drawn(done))
