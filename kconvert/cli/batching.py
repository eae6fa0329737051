"""batch: many files at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from .group import main
from .options import PATH, Reporting, conversion, inputs, reporting, running_in_workers, tolerance
from .output import conclude, files_to_write

if TYPE_CHECKING:
    from ..batches.run import Watch
    from ..conversion.source import Source
    from ..conversion.target import Wanted
    from ..verification.pairing import Inputs
    from ..verification.tolerance import Tolerance
    from ..verification.value import Entry
    from ..verification.verifier import Running


@main.command()
@click.argument("sources", metavar="SOURCE...", type=PATH, nargs=-1, required=True)
@click.option("--out", required=True, type=PATH, metavar="DIR", help="Directory to write to: a path, s3:// or gs://.")
@conversion
@click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    default=os.cpu_count() or 1,
    help="Processes that work; by default one for each processor.",
)
@click.option(
    "--verify",
    metavar="WHICH",
    default="all",
    show_default=True,
    help="Which results to verify: all, none, or sample:N for N of them.",
)
@click.option("--fail-fast", is_flag=True, help="End with the first file that fails.")
@click.option("--scheduler", metavar="URL", help="Run on the Dask cluster of this scheduler, such as tcp://host:8786.")
@inputs
@tolerance
@running_in_workers
@reporting
def batch(
    sources: tuple[str, ...],
    out: str,
    conversion: tuple[Source, Wanted],
    jobs: int,
    verify: str,
    fail_fast: bool,
    scheduler: str | None,
    inputs: Inputs,
    tolerance: Tolerance,
    running: Running,
    reporting: Reporting,
) -> int:
    """Converts many files into DIR and verifies them; a run that was ended goes on where it was.

    SOURCE is a file, a directory, a pattern such as 'models/**/*.h5', a manifest (.csv or .jsonl with options for each
    file), or a URL: s3://, gs://, http(s)://.
    """
    from contextlib import nullcontext

    from ..batches.cluster import connected
    from ..batches.run import Job, run_batch
    from ..batches.work import Setup
    from ..formats.atomic import refuse_collisions
    from ..layers.registry import custom_modules

    refuse_collisions(files_to_write(reporting), [*(("source", one) for one in sources), *inputs.files])
    setup = Setup(tolerance, inputs, replace(running, timeout=None), custom_modules())
    with nullcontext() if scheduler is None else connected(scheduler) as client, _display() as watch:
        job = Job(sources, out, *conversion, setup, verify, jobs, running.timeout, fail_fast, client)
        done = run_batch(job, watch)
    return conclude(done, reporting)


@contextmanager
def _display() -> Iterator[Watch]:
    """One line on the standard error, where that is a terminal: how many files are done and failed, rate, time left."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    console = Console(file=sys.stderr, highlight=False)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as progress:
        line = progress.add_task("converting", total=None, failed=0, rate="")
        failed = 0

        def watch(done: int, total: int, entry: Entry | None) -> None:
            nonlocal failed
            failed += entry is not None and entry.state in ("error", "differs", "unproved")
            speed = progress.tasks[line].speed
            rate = f"{speed:.1f}/s" if speed else ""
            progress.update(line, completed=done, total=total, failed=failed, rate=rate)

        yield watch
