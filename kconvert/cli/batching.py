"""batch: many files at once."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from .command import Option
from .group import main
from .options import (
    PATH,
    Reporting,
    conversion,
    conversion_option,
    inputs,
    reporting,
    running_in_workers,
    tolerance,
    verification_option,
)
from .output import conclude, files_to_write
from .progress import batch_progress

if TYPE_CHECKING:
    from ..conversion.source import Source
    from ..conversion.target import Wanted
    from ..verification.pairing import Inputs
    from ..verification.tolerance import Tolerance
    from ..verification.verifier import Running


batch_option = partial(click.option, cls=Option, section="Batch")


@main.command()
@click.argument("sources", metavar="SOURCE...", type=PATH, nargs=-1, required=True)
@conversion_option(
    "--out", required=True, type=PATH, metavar="DIR", help="Directory to write to: a path, s3:// or gs://."
)
@conversion
@batch_option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    default=os.cpu_count() or 1,
    show_default="one for each processor",
    help="Number of worker processes.",
)
@verification_option(
    "--verify",
    metavar="WHICH",
    default="all",
    help="Which results to verify: all, none, or sample:N for N of them.",
)
@batch_option("--fail-fast", is_flag=True, help="Stop at the first file that fails.")
@batch_option("--scheduler", metavar="URL", help="Run on the Dask cluster of this scheduler, such as tcp://host:8786.")
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
    """Converts and verifies many files; continues an interrupted run.

    The results go into DIR. SOURCE is a file, a directory, a pattern such as 'models/**/*.h5', a manifest (.csv or
    .jsonl with options for each file), or a URL: s3://, gs://, http(s)://.
    """
    from contextlib import nullcontext

    from ..batches.cluster import connected
    from ..batches.run import Job, run_batch
    from ..batches.work import Setup
    from ..formats.atomic import refuse_collisions
    from ..layers.registry import custom_modules

    written = files_to_write(reporting)
    refuse_collisions(written, [*(("source", one) for one in sources), *inputs.files])
    setup = Setup(tolerance, inputs, replace(running, timeout=None), custom_modules(), written=written)
    with nullcontext() if scheduler is None else connected(scheduler) as client, batch_progress() as watch:
        job = Job(sources, out, *conversion, setup, verify, jobs, running.timeout, fail_fast, client)
        done = run_batch(job, watch)
    return conclude(done, reporting)
