"""What compares two files, or judges what was computed before: verify, report, diff."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from .group import main
from .options import BACKEND, PATH, architecture, as_json, inputs, keep, reporting, running, together, tolerance
from .output import DIFFERS, EQUAL, conclude, print_json, progress

if TYPE_CHECKING:
    from ..verification import Running
    from ..verification.tolerance import Tolerance
    from ..verification.value import Report, Summary

A = click.argument("source_file", metavar="A", type=PATH)
B = click.argument("target_file", metavar="B", type=PATH)

sides = together(
    "sides",
    click.option("--from", "source", type=BACKEND, help="Backend of A, where A does not tell."),
    click.option("--to", "target", type=BACKEND, help="Backend of B, where B does not tell."),
    click.option("--target-arch", type=PATH, metavar="JSON", help="--arch of B; by default what A's becomes."),
)


@main.command()
@A
@B
@sides
@architecture
@inputs
@tolerance
@running
@keep
@click.option("--self-test", is_flag=True, help="Plant every known error in a copy of B: each must be found.")
@reporting
def verify(
    source_file: str,
    target_file: str,
    sides: dict[str, Any],
    architecture: dict[str, Any],
    inputs: dict[str, Any],
    tolerance: dict[str, Any],
    running: dict[str, Any],
    keep: str | None,
    self_test: bool,
    reporting: dict[str, Any],
) -> int:
    """Runs A and B, each on its own backend, and compares every layer.

    A and B may be directories: each file of A is compared with the one of the same name in B.
    """
    from ..verification import Verifier, verify_folders
    from ..verification import self_test as plant
    from ..verification.report import terminal

    options = {**sides, **architecture, **inputs}
    within = the_tolerance(**tolerance)
    with progress(), Verifier(the_running(**running)) as verifier:
        if self_test:
            tested = plant(verifier, source_file, target_file, within, **options)
        elif os.path.isdir(source_file) and os.path.isdir(target_file):
            done: Report | Summary = verify_folders(verifier, source_file, target_file, within, folder=keep, **options)
        else:
            done = verifier.verify(source_file, target_file, within, folder=keep, **options)
    if not self_test:
        return conclude(done, **reporting)
    if reporting["as_json"]:
        print_json(tested)
    else:
        terminal.show(terminal.self_test(tested, brief=reporting["quiet"]))
    return EQUAL if tested.passed else DIFFERS


@main.command()
@click.argument("folder", metavar="DIR", type=PATH)
@tolerance
@reporting
def report(folder: str, tolerance: dict[str, Any], reporting: dict[str, Any]) -> int:
    """Judges again what verify --keep DIR has kept, without running anything."""
    from ..verification import judge, kept

    return conclude(judge(kept(folder), the_tolerance(**tolerance)), **reporting)


@main.command()
@A
@B
@sides
@architecture
@as_json
def diff(
    source_file: str,
    target_file: str,
    sides: dict[str, Any],
    architecture: dict[str, Any],
    as_json: bool,
) -> int:
    """Compares the weights of A and B, whatever their conventions, without running them."""
    from ..verification import diff
    from ..verification.report import terminal

    found = diff(source_file, target_file, **sides, **architecture)
    if as_json:
        print_json(found)
    else:
        terminal.show(terminal.difference(found))
    return EQUAL if found.equal else DIFFERS


def the_tolerance(atol: float | None, rtol: float | None, layer_rtol: dict[str, float]) -> Tolerance:
    from ..verification.tolerance import tolerance

    return tolerance(atol, rtol, layer_rtol)


def the_running(in_process: bool, theano_python: str | None, tensorflow_python: str | None, **given: Any) -> Running:
    """On the command line each side has a process of its own, unless asked otherwise."""
    from ..verification import Running

    pythons = {"theano": theano_python, "tensorflow": tensorflow_python}
    return Running(not in_process, pythons={name: path for name, path in pythons.items() if path}, **given)
