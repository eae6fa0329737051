"""Tables and lists in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from kconvert.conventions.generations import GENERATIONS


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def code(words: Iterable[object]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def span(forms: Sequence[str]) -> str:
    """Names of generations; neighbours as 'first to last'."""
    order = list(GENERATIONS)
    runs = [[form for _, form in run] for _, run in groupby(enumerate(forms), lambda at: order.index(at[1]) - at[0])]
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else run[0] for run in runs)
