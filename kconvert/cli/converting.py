"""The main job, and the commands inspect, plan and backends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from ..errors import KconvertError, Problem
from .group import Kconvert, main
from .options import (
    PATH,
    Reporting,
    architecture,
    as_json,
    conversion,
    conversion_option,
    exporting,
    inputs,
    keep,
    page_paths,
    reporting,
    running,
    tolerance,
    verification_option,
)
from .output import EQUAL, conclude, conclude_unverified, files_to_write, print_json
from .pages import write_pages
from .progress import progress

if TYPE_CHECKING:
    from ..conversion.files import Conversion
    from ..conversion.planning import Plan
    from ..conversion.source import Source
    from ..conversion.target import Target, Wanted
    from ..export.files import Options
    from ..formats.atomic import NamedPath
    from ..verification.pairing import Inputs
    from ..verification.tolerance import Tolerance
    from ..verification.verifier import Running


@main.command(Kconvert.MAIN, hidden=True)
@click.argument("file", metavar="SOURCE", type=PATH)
@conversion_option(
    "-o",
    "--output",
    type=PATH,
    metavar="RESULT",
    help="File to write: .h5, .hdf5, .safetensors, .keras (a model of Keras 3), .weights.h5 (its weights), "
    "or a program: .tflite, .onnx, saved_model/ (a new directory); "
    "by default NAME.BACKEND.h5 beside SOURCE.",
)
@conversion
@exporting
@verification_option("--no-verify", is_flag=True, help="Convert only.")
@inputs
@tolerance
@running
@keep
@reporting
def convert(
    file: str,
    output: str | None,
    conversion: tuple[Source, Wanted],
    exporting: Options,
    no_verify: bool,
    inputs: Inputs,
    tolerance: Tolerance,
    running: Running,
    keep: str | None,
    reporting: Reporting,
) -> int:
    """Converts SOURCE, then runs both files and compares every layer."""
    from ..drawing.terminal import show
    from ..verification.saved_runs import check_folder
    from ..verification.verifier import Verifier
    from . import drawing

    source, target = replace(conversion[0], path=file), conversion[1].target(output)
    exporting.check(target)
    if not no_verify:
        inputs.check()
        if keep is not None:
            check_folder(keep)
    if not reporting.silent and source.backend is None:
        show(drawing.source(file, _evidence(source)), "")
    with progress():
        if tolerance.layers and not no_verify:
            tolerance.check_layers(_planned(source, target).model.tensor_layers())
        done = _written(source, target, output, exporting, files_to_write(reporting, keep), inputs.files)
    if not reporting.silent:
        files = [path for path in (done.target, done.architecture) if path]
        show(drawing.summary(done.plan), *map(drawing.written, files), "")
    if no_verify:
        return conclude_unverified(done, reporting)
    try:
        with progress(), Verifier(running) as verifier:
            report = verifier.verify(*done.sides(source), tolerance, inputs, keep, done.plan)
    except KconvertError as error:
        what = f"{done.target} is written but not verified: {error}"
        raise KconvertError(what, problem=Problem.UNVERIFIED) from None
    return conclude(report, reporting)


def _written(
    source: Source,
    target: Target,
    output: str | None,
    exporting: Options,
    written: Sequence[NamedPath],
    read: Sequence[NamedPath],
) -> Conversion:
    """Writes the result: a weight file or a program."""
    from ..conversion.files import convert_file
    from ..export.files import export_file

    if target.form.runtime is None or output is None:
        return convert_file(source, target, output, written, read)
    return export_file(source, target, output, exporting, written, read)


@main.command()
@click.argument("file", metavar="SOURCE", type=PATH)
@architecture
@page_paths
@as_json
def inspect(file: str, source: Source, paths: tuple[str, ...], as_json: bool) -> int:
    """Shows what a file is, with the evidence."""
    from ..conversion.inspection import inspect
    from ..drawing.terminal import show
    from . import drawing

    _refuse_replacing(paths, replace(source, path=file))
    found = inspect(file, source.arch, source.data_format, source.release, input_shape=source.input_shape)
    if paths:
        write_pages(paths, found, drawing.inspection(found))
    if as_json:
        print_json(found)
    else:
        show(drawing.inspection(found))
    return EQUAL


def _refuse_replacing(paths: tuple[str, ...], source: Source) -> None:
    """Refuses a page that would replace a file that is read."""
    if paths:
        from ..formats.atomic import refuse_collisions

        refuse_collisions([("report", path) for path in paths], source.files)


@main.command()
@click.argument("file", metavar="SOURCE", type=PATH)
@conversion
@page_paths
@as_json
def plan(file: str, conversion: tuple[Source, Wanted], paths: tuple[str, ...], as_json: bool) -> int:
    """Shows what a conversion does to each weight; writes nothing."""
    from ..conversion.opening import open_source
    from ..conversion.planning import plan_conversion
    from ..drawing.terminal import show
    from . import drawing

    source, target = replace(conversion[0], path=file), conversion[1].target()
    _refuse_replacing(paths, source)
    with open_source(source) as checkpoint:
        found = plan_conversion(checkpoint, source, target)
        if paths:
            write_pages(paths, found, drawing.plan(found, file))
    if as_json:
        print_json(found)
    else:
        show(drawing.plan(found, file))
    return Problem.UNSUPPORTED if found.hazards else EQUAL


@main.command()
@as_json
def backends(as_json: bool) -> int:
    """Lists the backends, and how to install those that are missing."""
    from ..backend import probe
    from ..drawing.terminal import show
    from . import drawing

    found = probe()
    if as_json:
        click.echo(json.dumps({name: one.to_json() for name, one in found.items()}, indent=2))
    else:
        show(drawing.backends(found))
    return EQUAL


def _planned(source: Source, target: Target) -> Plan:
    from ..conversion.opening import open_source
    from ..conversion.planning import plan_conversion

    with open_source(source) as checkpoint:
        return plan_conversion(checkpoint, source, target)


def _evidence(source: Source) -> list[str]:
    from ..conversion.opening import open_source
    from ..conversion.source import decide

    with open_source(source) as checkpoint:
        return list(decide(checkpoint, source).evidence)
