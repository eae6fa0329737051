"""Shows the progress of a command on standard error, if that is a terminal: what it does, percent, time."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ..errors import printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress

    from ..batches.run import Watch
    from ..verification.value import Entry


@contextmanager
def progress() -> Iterator[None]:
    """Shows the log of the library in the block.

    A record may carry `progress`, (how many are done, of how many), which stays until the next one; or `growing`, (a
    file that is being written, its size in the end), which holds until the next record.
    """
    if not sys.stderr.isatty():
        yield
        return
    log = logging.getLogger(__package__.partition(".")[0])
    # A descriptor of its own: while TensorFlow is imported, the standard error is redirected.
    with open(os.dup(sys.stderr.fileno()), "w") as stream, _stages(stream) as handler:
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        try:
            yield
        finally:
            log.removeHandler(handler)
            log.setLevel(logging.NOTSET)


@contextmanager
def _stages(stream: IO[str]) -> Iterator[logging.Handler]:
    """A handler that draws records on `stream`: all that is to do in the first line, the stage at hand in the last."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        Task,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column

    growing: list[tuple[Path, int]] = []

    class Display(Progress):
        def get_renderables(self) -> Iterator[RenderableType]:
            for path, _ in growing:
                with suppress(OSError):
                    self.update(stage, completed=path.stat().st_size)
            yield from super().get_renderables()

    class Bar(BarColumn):
        def render(self, task: Task) -> RenderableType:  # type: ignore[override]
            return "" if task.total is None else super().render(task)

    class Left(TimeRemainingColumn):
        """The time left, or the time that has passed where no end is known."""

        max_refresh = 0.1

        def render(self, task: Task) -> RenderableType:  # type: ignore[override]
            return TimeElapsedColumn().render(task) if task.total is None else super().render(task)

    class Stages(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            words = printable(record.getMessage())
            growing[:] = [record.__dict__["growing"]] if "growing" in record.__dict__ else []
            if "progress" in record.__dict__:
                done, total = record.__dict__["progress"]
                shown.update(overall, description=words, completed=done, total=total, visible=True)
            else:
                shown.reset(stage, description=words, total=growing[0][1] if growing else None, visible=True)

    console = Console(file=stream, force_terminal=True, markup=False, highlight=False)
    words = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))
    percent = TaskProgressColumn("{task.percentage:>3.0f}%", markup=False)
    columns = (SpinnerColumn("line"), words, Bar(bar_width=20), percent, Left())
    with Display(*columns, console=console, transient=True) as shown:
        overall = shown.add_task("", visible=False)
        stage = shown.add_task("reading", total=None)
        yield Stages()


@contextmanager
def batch_progress() -> Iterator[Watch]:
    """One line: how many files are done and failed, percent, rate, time left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    console = Console(file=sys.stderr, highlight=False)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as shown:
        yield _watching(shown)


def _watching(shown: Progress) -> Watch:
    line = shown.add_task("converting", total=None, failed=0, rate="")
    failed, by_this_run, start = 0, 0, time.monotonic()

    def watch(done: int, total: int, entry: Entry | None) -> None:
        nonlocal failed, by_this_run, start
        if entry is not None:
            by_this_run += 1
            failed += entry.state in ("error", "differs", "unproved")
        elif not by_this_run:
            start = time.monotonic()
        seconds = time.monotonic() - start
        rate = f"{by_this_run / seconds:.1f}/s" if by_this_run and seconds else ""
        shown.update(line, completed=done, total=total, failed=failed, rate=rate)

    return watch
