"""Options that several commands share, in groups: each group reaches its command as one value.

A group is built from its options when a command runs; what it needs of the library is imported then.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import click

from ..lazy_dataclasses import dataclass
from .command import Option
from .pages import check_pages

if TYPE_CHECKING:
    from ..conversion.source import Source
    from ..conversion.target import Wanted
    from ..export.files import Options
    from ..network.input_shapes import InputShape
    from ..verification.pairing import Inputs
    from ..verification.tolerance import Tolerance
    from ..verification.verifier import Running

Command = Callable[..., Any]

# Options of each group of the help.
conversion_option, source_option, result_option, verification_option, report_option = (
    partial(click.option, cls=Option, section=section)
    for section in ("Conversion", "Source", "Result", "Verification", "Reports")
)


def together(name: str, build: Callable[..., Any], *options: Command) -> Command:
    """Options that several commands share; `build` makes the argument `name` of the command from their values."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def grouped(**values: Any) -> Any:
            return command(**{name: build(**{key: values.pop(key) for key in keys})}, **values)

        before = len(getattr(grouped, "__click_params__", []))
        for one in reversed(options):
            one(grouped)
        parameters = grouped.__click_params__[before:]  # type: ignore[attr-defined]
        keys = [parameter.name for parameter in parameters if parameter.expose_value]
        return grouped

    return decorate


class NumberRange(click.FloatRange):
    """A number in a range, which NaN is not in: comparisons with it are false."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        return self.fail(f"{value!r} is not a number.", param, ctx) if math.isnan(number) else number


BACKEND = click.Choice(["theano", "tensorflow"])
SAVED_WITH = click.Choice([*BACKEND.choices, "cntk", "jax", "torch"])
PATH = click.Path(path_type=str)

DATA_FORMATS = click.Choice(["channels_first", "channels_last"])


# -------------------------------------------------------------------- files ----

_CONVERSION = (
    source_option("--from", "source", type=SAVED_WITH, help="Backend that saved SOURCE, if the file does not show it."),
    conversion_option(
        "--to", "target", type=BACKEND, help="Backend to convert for; optional for Keras 3 and tf_keras."
    ),
    conversion_option(
        "--format",
        type=click.Choice(["keras2", "same", "keras3", "tf_keras"]),
        help="Generation of RESULT; same: that of SOURCE. By default given by the extension of RESULT (.h5: keras2).",
    ),
    conversion_option(
        "--data-format",
        type=click.Choice(["native", "keep", *DATA_FORMATS.choices]),
        metavar="FORMAT",
        default="native",
        help="Data format of RESULT: native (the usual one of its backend), keep, channels_first, channels_last.",
    ),
    conversion_option(
        "--repair/--no-repair",
        default=True,
        help="Rewrite layers that the two backends compute differently, or refuse them.",
    ),
    conversion_option(
        "--cudnn/--no-cudnn",
        default=None,
        help="Write LSTM and GRU as CuDNNLSTM and CuDNNGRU, or the other way round; by default only if necessary.",
    ),
    conversion_option("--drop-optimizer", is_flag=True, help="Drop the optimizer state."),
    source_option(
        "--layer",
        "layers",
        multiple=True,
        metavar="NAME=CLASS",
        help="Class of a layer that the weights alone do not show; NAME=as-is copies it unchanged. May be repeated.",
    ),
    source_option(
        "--partial",
        is_flag=True,
        help="Convert only layers that SOURCE and --arch both have, by name; RESULT holds only their weights.",
    ),
    conversion_option("--force", is_flag=True, help="Use --from even if SOURCE contradicts it; replace RESULT."),
)


def _export_options(batch: int | None, quantize: str | None) -> Options:
    from ..export.files import Options

    return Options(batch, quantize)


exporting = together(
    "exporting",
    _export_options,
    conversion_option(
        "--batch",
        type=click.IntRange(1),
        metavar="N",
        help="Batch size of a .tflite (1 by default), .onnx or saved_model/ (any by default).",
    ),
    conversion_option(
        "--quantize",
        metavar="KIND",
        help="Reduce the precision of the weights of a .tflite: float16, or dynamic for 8-bit integers.",
    ),
)


def _import(context: click.Context, parameter: click.Parameter, modules: tuple[str, ...]) -> None:
    if not modules or context.resilient_parsing:
        return
    from ..layers.registry import load_module

    for module in modules:
        load_module(module)


def _input_shape(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> InputShape | None:
    """The shape of `224,224,3`, or {name: shape} of several `NAME=224,224,3`; a name may hold an equals sign."""
    from ..network.input_shapes import check_input_shape

    found: dict[str, list[int]] = {}
    for text in texts:
        name, _, sizes = text.rpartition("=")
        if name in found:
            raise click.BadParameter(f"{text!r}: the shape of this input is given twice")
        if not all(re.fullmatch("[0-9]{1,9}", size.strip()) for size in sizes.split(",")):
            raise click.BadParameter(f"{text!r} is not a shape, such as 224,224,3 or NAME=224,224,3")
        found[name] = [int(size) for size in sizes.split(",")]
    if "" in found and len(found) > 1:
        raise click.BadParameter("of several shapes, each is NAME=224,224,3")
    shape: InputShape | None = found.get("") or found or None
    if shape is not None:
        check_input_shape(shape)
    return shape


def _limit(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> None:
    """Raises limits, of `NAME=VALUE` each, while the command runs."""
    from ..formats.limits import limited

    limits: dict[str, int] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if not re.fullmatch("[0-9]{1,18}", value):
            raise click.BadParameter(f"{text!r} is not a limit, such as calls=1000000")
        limits[name] = int(value)
    context.with_resource(limited(**limits))


_ARCHITECTURE = (
    source_option(
        "--arch",
        type=PATH,
        metavar="JSON",
        help="Architecture, if SOURCE holds only weights: output of model.to_json() or to_yaml(), or a whole model.",
    ),
    source_option(
        "--custom",
        multiple=True,
        metavar="MODULE",
        expose_value=False,
        callback=_import,
        help="Module, or file such as layers.py, that registers your layers and functions. May be repeated.",
    ),
    source_option(
        "--source-data-format",
        type=DATA_FORMATS,
        metavar="FORMAT",
        help="channels_first or channels_last: that of the weights of SOURCE, where layers do not state it or --arch "
        "was made on another backend.",
    ),
    source_option(
        "--source-release", metavar="RELEASE", help="Release of Keras that saved SOURCE, if it does not state it."
    ),
    source_option(
        "--input-shape",
        multiple=True,
        metavar="[NAME=]SIZES",
        callback=_input_shape,
        help="Shape of an input, such as 224,224,3, if SOURCE leaves sizes free. May be repeated.",
    ),
    source_option(
        "--limit",
        multiple=True,
        metavar="NAME=NUMBER",
        expose_value=False,
        callback=_limit,
        help="Raise a limit for reading SOURCE: bytes, arrays, chunks, chunk, text, json, calls. May be repeated.",
    ),
)


def _source(
    arch: str | None, source_data_format: str | None, source_release: str | None, input_shape: InputShape | None
) -> Source:
    from ..conversion.source import Source

    return Source(arch=arch, data_format=source_data_format, release=source_release, input_shape=input_shape)


def _conversion(
    source: str | None,
    target: str | None,
    format: str | None,
    data_format: str,
    repair: bool,
    cudnn: bool | None,
    drop_optimizer: bool,
    layers: tuple[str, ...],
    partial: bool,
    force: bool,
    arch: str | None,
    source_data_format: str | None,
    source_release: str | None,
    input_shape: InputShape | None,
) -> tuple[Source, Wanted]:
    from ..conversion.source import Source
    from ..conversion.target import Wanted

    return (
        Source(None, source, source_data_format, arch, layers, force, source_release, partial, input_shape=input_shape),
        Wanted(target, format, data_format, repair, cudnn, drop_optimizer),
    )


def _sides(
    source: str | None,
    target: str | None,
    arch: str | None,
    target_arch: str | None,
    source_data_format: str | None,
    source_release: str | None,
    input_shape: InputShape | None,
    partial: bool,
) -> tuple[Source, Source]:
    from ..conversion.source import Source

    release, shape = source_release, input_shape
    first = Source(None, source, source_data_format, arch, release=release, partial=partial, input_shape=shape)
    return first, Source(None, target, source_data_format, target_arch, partial=partial, arch_belongs=True)


# Files without their paths, which are the arguments of the command.
architecture = together("source", _source, *_ARCHITECTURE)
conversion = together("conversion", _conversion, *_CONVERSION, *_ARCHITECTURE)
sides = together(
    "sides",
    _sides,
    source_option("--from", "source", type=SAVED_WITH, help="Backend that saved SOURCE, if the file does not show it."),
    result_option("--to", "target", type=BACKEND, help="Backend of RESULT, if the file does not show it."),
    result_option("--target-arch", type=PATH, metavar="JSON", help="--arch of RESULT; by default that of SOURCE."),
    source_option("--partial", is_flag=True, help="Compare only the layers that SOURCE and --arch both have, by name."),
    *_ARCHITECTURE,
)


# ------------------------------------------------------------- verification ----


def _running(
    required: bool,
    timeout: float | None,
    theano_python: str | None,
    tensorflow_python: str | None,
    package: str | None,
    keras_backend: str | None,
    keras_python: str | None,
    in_process: bool = False,
) -> Running:
    """On the command line each side has a process of its own, unless asked otherwise."""
    from ..verification.verifier import Running

    pythons = {"theano": theano_python, "tensorflow": tensorflow_python}
    given = {name: path for name, path in pythons.items() if path}
    return Running(not in_process, timeout, given, package, required, keras_backend, keras_python)


_RUNNING = (
    verification_option(
        "--require-backends",
        "required",
        is_flag=True,
        help="Fail if a backend or Keras 3 is missing; otherwise it is emulated.",
    ),
    verification_option(
        "--timeout", type=NumberRange(0, min_open=True), metavar="S", help="Seconds that a side may run."
    ),
    verification_option(
        "--theano-python", metavar="PATH", help="Python with kconvert or an old Keras, to run Theano's side."
    ),
    verification_option("--tensorflow-python", metavar="PATH", help="The same for TensorFlow's side."),
    verification_option(
        "--runner",
        "package",
        type=click.Choice(["keras", "tf_keras", "kconvert"]),
        help="Package that runs RESULT; by default the one that RESULT is for.",
    ),
    verification_option(
        "--keras-backend", type=click.Choice(["tensorflow", "jax", "torch"]), help="Backend of Keras 3."
    ),
    verification_option("--keras-python", metavar="PATH", help="Python whose Keras runs RESULT."),
)
running = together(
    "running",
    _running,
    *_RUNNING,
    verification_option("--in-process", is_flag=True, help="Run both sides in this process, not each in its own."),
)
running_in_workers = together("running", partial(_running, in_process=True), *_RUNNING)


def _inputs(inputs: str | None, seed: int, samples: int) -> Inputs:
    from ..verification.pairing import Inputs

    return Inputs(samples, seed, inputs)


inputs = together(
    "inputs",
    _inputs,
    verification_option("--inputs", type=PATH, metavar="NPZ", help="Inputs of the models: .npz, or .npy for one."),
    verification_option("--seed", type=click.IntRange(0), metavar="N", default=0, help="Seed of the random inputs."),
    verification_option("--samples", type=click.IntRange(1), metavar="N", default=4, help="How many inputs."),
)


def _numbers(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, float]:
    """{name: number} of `NAME=NUMBER`; a name may hold an equals sign."""
    found = {}
    for text in texts:
        name, equals, number = text.rpartition("=")
        try:
            found[name] = float(number)
        except ValueError:
            equals = ""
        if not name or not equals or not found[name] >= 0:
            raise click.BadParameter(f"{text!r} is not NAME=NUMBER")
    return found


def _tolerance(atol: float, rtol: float, layer_rtol: dict[str, float]) -> Tolerance:
    from ..verification.tolerance import Tolerance

    return Tolerance(atol, rtol, layer_rtol)


tolerance = together(
    "tolerance",
    _tolerance,
    verification_option(
        "--atol", type=NumberRange(0), metavar="X", default=1e-5, help="Error allowed for every layer."
    ),
    verification_option(
        "--rtol",
        type=NumberRange(0),
        metavar="X",
        default=1e-4,
        help="Error allowed, as a fraction of a layer's largest output.",
    ),
    verification_option(
        "--layer-rtol",
        multiple=True,
        metavar="NAME=X",
        callback=_numbers,
        help="Another --rtol for one layer. May be repeated.",
    ),
)


# ------------------------------------------------------------------- output ----

as_json = report_option("--json", "as_json", is_flag=True, is_eager=True, help="Print JSON.")


def _check_reports(context: click.Context, parameter: click.Parameter, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Refuses a report that cannot be written before anything runs."""
    if paths and not context.resilient_parsing:
        from ..verification.report.writing import check_report

        for path in paths:
            check_report(path)
    return paths


@dataclass(frozen=True)
class Reporting:
    """How a command reports."""

    paths: tuple[str, ...]  # reports to write
    as_json: bool  # print JSON
    quiet: bool  # print the verdict only

    @property
    def silent(self) -> bool:
        """Whether nothing is printed but the report."""
        return self.as_json or self.quiet


reporting = together(
    "reporting",
    Reporting,
    report_option(
        "--report",
        "paths",
        multiple=True,
        type=PATH,
        metavar="PATH",
        is_eager=True,  # what fails after it is written into the reports
        callback=_check_reports,
        help="Write a report: .html, .md, .xml (JUnit), .json or .txt. May be repeated.",
    ),
    as_json,
    report_option("-q", "--quiet", is_flag=True, help="Print the verdict only."),
)

page_paths = report_option(
    "--report",
    "paths",
    multiple=True,
    type=PATH,
    metavar="PATH",
    is_eager=True,
    callback=check_pages,
    help="Write a page: .html, or .json or .txt. May be repeated.",
)


def _check_folder(context: click.Context, parameter: click.Parameter, folder: str | None) -> str | None:
    """Refuses a directory that nothing can be saved in before anything runs."""
    if folder is not None and not context.resilient_parsing:
        from ..formats.atomic import check_directory

        check_directory(folder)
    return folder


keep = report_option(
    "--keep",
    type=PATH,
    metavar="DIR",
    callback=_check_folder,
    help="Save inputs and outputs, for kconvert report.",
)
