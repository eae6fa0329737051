"""The main job, and what looks at one file: inspect, plan, backends."""

from __future__ import annotations

from typing import Any

import click

from ..errors import KconvertError, Problem
from .group import Kconvert, complain, main
from .options import PATH, architecture, as_json, conversion, inputs, keep, reporting, running, tolerance
from .output import EQUAL, conclude, print_json, progress
from .verifying import the_running, the_tolerance


def _check_output(context: click.Context, parameter: click.Parameter, path: str | None) -> str | None:
    """Refuses a name of another format before anything runs."""
    if path is not None:
        from ..formats import endings

        endings.check(path)
    return path


@main.command(Kconvert.MAIN, hidden=True)
@click.argument("file", type=PATH)
@click.option(
    "-o",
    "--output",
    type=PATH,
    metavar="OUT",
    callback=_check_output,
    help="File to write, .h5 or .hdf5; by default NAME.BACKEND.h5 beside FILE.",
)
@conversion
@architecture
@click.option("--no-verify", is_flag=True, help="Convert only.")
@inputs
@tolerance
@running
@keep
@reporting
def convert(
    file: str,
    output: str | None,
    conversion: dict[str, Any],
    architecture: dict[str, Any],
    no_verify: bool,
    inputs: dict[str, Any],
    tolerance: dict[str, Any],
    running: dict[str, Any],
    keep: str | None,
    reporting: dict[str, Any],
) -> int:
    """Converts FILE and proves it: runs both files and compares every layer."""
    from ..conversion.files import convert
    from ..verification import verify
    from ..verification.report import terminal

    silent = reporting["as_json"] or reporting["quiet"]
    if not silent and conversion["source"] is None:
        terminal.show(terminal.found(file, _evidence(file)), "")
    with progress():
        done = convert(file, output, **conversion, **architecture)
    if not silent:
        terminal.show(terminal.summary(done.plan), terminal.written(done.target), "")
    if no_verify:
        if reporting["as_json"]:
            print_json(done.plan)
        return EQUAL
    try:
        with progress():
            report = verify(
                file,
                done.target,
                the_tolerance(**tolerance),
                the_running(**running),
                source=done.plan.source.backend,
                target=done.plan.target.backend,
                target_arch=done.architecture,
                force=conversion["force"],
                folder=keep,
                **architecture,
                **inputs,
            )
    except KconvertError as error:
        return complain(f"{done.target} is written but not verified: {error}", Problem.UNVERIFIED)
    return conclude(report, **reporting)


@main.command()
@click.argument("file", type=PATH)
@architecture
@as_json
def inspect(file: str, architecture: dict[str, Any], as_json: bool) -> int:
    """Says what FILE is, with the evidence."""
    from ..conversion.inspection import inspect
    from ..verification.report import terminal

    found = inspect(file, **architecture)
    if as_json:
        print_json(found)
    else:
        terminal.show(terminal.inspection(found))
    return EQUAL


@main.command()
@click.argument("file", type=PATH)
@conversion
@architecture
@as_json
def plan(file: str, conversion: dict[str, Any], architecture: dict[str, Any], as_json: bool) -> int:
    """Shows what would be done to each weight; writes nothing."""
    from ..conversion.planning import plan
    from ..formats import hdf5
    from ..verification.report import terminal

    with hdf5.read(file) as checkpoint:
        made = plan(checkpoint, **conversion, **architecture)
    if as_json:
        print_json(made)
    else:
        terminal.show(terminal.plan(made, file))
    return Problem.UNSUPPORTED if made.hazards else EQUAL


@main.command()
def backends() -> int:
    """Lists the backends: what is installed, and how to install what is not."""
    from ..backend import probe
    from ..verification.report import terminal

    terminal.show(terminal.backends(probe()))
    return EQUAL


def _evidence(file: str) -> list[str]:
    from ..conversion.source import Source, decide
    from ..formats import hdf5

    with hdf5.read(file) as checkpoint:
        return list(decide(checkpoint, Source(file)).evidence)
