"""Pages of inspections and plans: the forms that `--report` of these commands writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import KconvertError, Problem

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMS = (".html", ".json", ".txt")


def check_pages(context: click.Context, parameter: click.Parameter, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Refuses a page that cannot be written before anything is read."""
    if paths and not context.resilient_parsing:
        from ..formats.atomic import refuse_collisions
        from ..verification.report.writing import check_report

        for path in paths:
            if Path(path).suffix not in FORMS:
                what = f"no page has the suffix {Path(path).suffix!r}"
                raise KconvertError(what, path, f"one of: {', '.join(FORMS)}", Problem.USAGE)
            check_report(path)
        refuse_collisions([("report", path) for path in paths], [])
    return paths


def write_pages(paths: Sequence[str], value: Any, drawn: RenderableType) -> None:
    """Writes an inspection or a plan. drawn: what the terminal shows."""
    from ..drawing.terminal import plain_text
    from ..formats.atomic import write_text

    texts = {
        ".html": lambda: value.page(),
        ".json": lambda: json.dumps(value.to_json(), indent=2) + "\n",
        ".txt": lambda: plain_text(drawn),
    }
    for path in paths:
        write_text(Path(path), texts[Path(path).suffix]())
