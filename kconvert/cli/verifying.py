"""The commands verify, report and diff."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .group import main
from .options import PATH, Reporting, as_json, inputs, keep, reporting, running, sides, tolerance, verification_option
from .output import DIFFERS, EQUAL, conclude, files_to_write, print_json
from .progress import progress

if TYPE_CHECKING:
    from ..conversion.source import Source
    from ..verification.pairing import Inputs
    from ..verification.tolerance import Tolerance
    from ..verification.value import Report, Summary
    from ..verification.verifier import Running

SOURCE = click.argument("source_file", metavar="SOURCE", type=PATH)
RESULT = click.argument("target_file", metavar="RESULT", type=PATH)


@main.command()
@SOURCE
@RESULT
@sides
@inputs
@tolerance
@running
@keep
@verification_option("--self-test", is_flag=True, help="Plant each known error in a copy of RESULT; all must be found.")
@reporting
def verify(
    source_file: str,
    target_file: str,
    sides: tuple[Source, Source],
    inputs: Inputs,
    tolerance: Tolerance,
    running: Running,
    keep: str | None,
    self_test: bool,
    reporting: Reporting,
) -> int:
    """Runs two files, each on its own backend, and compares every layer.

    SOURCE and RESULT may be directories: each file of SOURCE is compared with the one of the same name in RESULT.
    """
    from ..formats import files
    from ..formats.atomic import refuse_collisions
    from ..verification.folders import verify_folders
    from ..verification.verifier import Verifier

    source, target = replace(sides[0], path=source_file), replace(sides[1], path=target_file)
    refuse_collisions(files_to_write(reporting, keep), [*source.files, *target.files, *inputs.files])
    if self_test:
        if reporting.paths:
            raise click.UsageError("--self-test writes no --report; --json prints what it found")
        return _self_test(source, target, tolerance, inputs, running, reporting)
    with progress(), Verifier(running) as verifier:
        if all(os.path.isdir(path) and not files.is_weights(Path(path)) for path in (source_file, target_file)):
            done: Report | Summary = verify_folders(verifier, source, target, tolerance, inputs, keep)
        else:
            done = verifier.verify(source, target, tolerance, inputs, keep)
    return conclude(done, reporting)


def _self_test(
    source: Source, target: Source, tolerance: Tolerance, inputs: Inputs, running: Running, reporting: Reporting
) -> int:
    from ..drawing.terminal import show
    from ..verification import selftest
    from ..verification.report import terminal
    from ..verification.verifier import Verifier

    with progress(), Verifier(running) as verifier:
        done = selftest.self_test(verifier, source, target, tolerance, inputs)
    if reporting.as_json:
        print_json(done)
    else:
        show(terminal.self_test(done, brief=reporting.quiet))
    return EQUAL if done.passed else DIFFERS


@main.command()
@click.argument("folder", metavar="DIR", type=PATH)
@tolerance
@reporting
def report(folder: str, tolerance: Tolerance, reporting: Reporting) -> int:
    """Compares again what verify --keep saved; runs nothing."""
    from ..formats.atomic import refuse_collisions
    from ..verification.runs import judge
    from ..verification.saved_runs import load_runs

    refuse_collisions(files_to_write(reporting, folder), [])
    return conclude(judge(load_runs(folder), tolerance), reporting)


@main.command()
@SOURCE
@RESULT
@sides
@as_json
def diff(source_file: str, target_file: str, sides: tuple[Source, Source], as_json: bool) -> int:
    """Compares the weights of two files in any conventions; runs nothing."""
    from ..drawing.terminal import show
    from ..verification.difference import diff_files
    from ..verification.report import terminal

    found = diff_files(replace(sides[0], path=source_file), replace(sides[1], path=target_file))
    if as_json:
        print_json(found)
    else:
        show(terminal.difference(found))
    return EQUAL if found.equal else DIFFERS
