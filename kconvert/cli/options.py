"""Options that several commands share, in groups: each group reaches its command as one value.

A group is built from its options when a command runs; what it needs of the library is imported then.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..conversion.source import Source
    from ..conversion.target import Wanted
    from ..export.files import Options
    from ..network.input_shapes import InputShape
    from ..verification.pairing import Inputs
    from ..verification.tolerance import Tolerance
    from ..verification.verifier import Running

Command = Callable[..., Any]


def together(name: str, build: Callable[..., Any], *options: Command) -> Command:
    """Options that several commands share; `build` makes the argument `name` of the command from their values."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def grouped(**values: Any) -> Any:
            return command(**{name: build(**{key: values.pop(key) for key in keys})}, **values)

        before = len(getattr(grouped, "__click_params__", []))
        for option in reversed(options):
            option(grouped)
        parameters = grouped.__click_params__[before:]  # type: ignore[attr-defined]
        keys = [parameter.name for parameter in parameters if parameter.expose_value]
        return grouped

    return decorate


BACKEND = click.Choice(["theano", "tensorflow"])
SAVED_WITH = click.Choice([*BACKEND.choices, "cntk", "jax", "torch"])
PATH = click.Path(path_type=str)

DATA_FORMATS = click.Choice(["channels_first", "channels_last"])


# -------------------------------------------------------------------- files ----

_CONVERSION = (
    click.option("--from", "source", type=SAVED_WITH, help="Backend whose kernels FILE has, if FILE does not show it."),
    click.option("--to", "target", type=BACKEND, help="Backend to convert for; Keras 3, tf_keras: TensorFlow."),
    click.option(
        "--format",
        type=click.Choice(["keras2", "same", "keras3", "tf_keras"]),
        help="Generation of the result; same: that of FILE. By default what the ending of OUT says, keras2 for .h5.",
    ),
    click.option(
        "--data-format",
        type=click.Choice(["native", "keep", *DATA_FORMATS.choices]),
        metavar="FORMAT",
        default="native",
        show_default=True,
        help="Data format of the result: native (as usual on the target), keep, channels_first, channels_last.",
    ),
    click.option(
        "--repair/--no-repair",
        default=True,
        help="Rewrite layers that the two backends compute differently (the default), or refuse them.",
    ),
    click.option(
        "--cudnn/--no-cudnn",
        default=None,
        help="Write LSTM and GRU as CuDNNLSTM and CuDNNGRU, or those as LSTM and GRU; by default what the target has.",
    ),
    click.option("--drop-optimizer", is_flag=True, help="Leave the optimizer's state out of the result."),
    click.option(
        "--layer",
        "layers",
        multiple=True,
        metavar="NAME=CLASS",
        help="What a layer is, where weights alone do not tell; NAME=as-is leaves it alone. May be repeated.",
    ),
    click.option(
        "--partial",
        is_flag=True,
        help="Take only the layers that FILE and --arch both have, by name; the result is weights alone.",
    ),
    click.option("--force", is_flag=True, help="Use --from even where FILE says otherwise; replace OUT."),
)


def _export_options(batch: int | None, quantize: str | None) -> Options:
    from ..export.files import Options

    return Options(batch, quantize)


exporting = together(
    "exporting",
    _export_options,
    click.option(
        "--batch",
        type=click.IntRange(1),
        metavar="N",
        help="Samples of each batch of a .tflite (1 by default), .onnx or saved_model/ (any by default).",
    ),
    click.option(
        "--quantize",
        metavar="KIND",
        help="Weights of a .tflite with less precision: float16, or dynamic for integers of 8 bits.",
    ),
)


def _import(context: click.Context, parameter: click.Parameter, modules: tuple[str, ...]) -> None:
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
    click.option(
        "--arch",
        type=PATH,
        metavar="JSON",
        help="The architecture, for weights alone: what model.to_json() or to_yaml() wrote, or a whole model.",
    ),
    click.option(
        "--custom",
        multiple=True,
        metavar="MODULE",
        expose_value=False,
        callback=_import,
        help="Module that registers layers and functions of your own; imported first. May be repeated.",
    ),
    click.option(
        "--source-data-format",
        type=DATA_FORMATS,
        metavar="FORMAT",
        help="channels_first or channels_last: that of the weights of FILE, where layers do not state it or --arch was "
        "made on another backend.",
    ),
    click.option(
        "--source-release", metavar="RELEASE", help="Release of Keras that saved FILE, if FILE does not state it."
    ),
    click.option(
        "--input-shape",
        multiple=True,
        metavar="[NAME=]SIZES",
        callback=_input_shape,
        help="Sizes of an input that FILE leaves free, such as 224,224,3. May be repeated.",
    ),
    click.option(
        "--limit",
        multiple=True,
        metavar="NAME=NUMBER",
        expose_value=False,
        callback=_limit,
        help="What FILE may cost to read: bytes, arrays, chunks, text or calls, if you trust it. May be repeated.",
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
    click.option("--from", "source", type=SAVED_WITH, help="Backend of A, if A does not show it."),
    click.option("--to", "target", type=BACKEND, help="Backend of B, if B does not show it."),
    click.option("--target-arch", type=PATH, metavar="JSON", help="--arch of B; by default that of A, converted."),
    click.option("--partial", is_flag=True, help="Compare only the layers that A and --arch both have, by name."),
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
    click.option(
        "--require-backends",
        "required",
        is_flag=True,
        help="Fail where a backend or Keras 3 is missing; else kconvert stands in.",
    ),
    click.option(
        "--timeout", type=click.FloatRange(0, min_open=True), metavar="S", help="Seconds that a side may run."
    ),
    click.option(
        "--theano-python", metavar="PATH", help="Interpreter with kconvert or an old Keras, to run Theano's side."
    ),
    click.option("--tensorflow-python", metavar="PATH", help="The same for TensorFlow's side."),
    click.option(
        "--runner",
        "package",
        type=click.Choice(["keras", "tf_keras", "kconvert"]),
        help="Run the target in this Keras, or in kconvert alone; by default what a file is written for.",
    ),
    click.option(
        "--keras-backend", type=click.Choice(["tensorflow", "jax", "torch"]), help="Backend of the Keras 3 that runs."
    ),
    click.option("--keras-python", metavar="PATH", help="Interpreter whose Keras runs the target."),
)
running = together(
    "running",
    _running,
    *_RUNNING,
    click.option("--in-process", is_flag=True, help="Run both sides in this process, not each in its own."),
)
running_in_workers = together("running", partial(_running, in_process=True), *_RUNNING)


def _inputs(inputs: str | None, seed: int, samples: int) -> Inputs:
    from ..verification.pairing import Inputs

    return Inputs(samples, seed, inputs)


inputs = together(
    "inputs",
    _inputs,
    click.option("--inputs", type=PATH, metavar="NPZ", help="Inputs for the models: .npz, or .npy for one input."),
    click.option(
        "--seed", type=click.IntRange(0), metavar="N", default=0, show_default=True, help="Seed of the random inputs."
    ),
    click.option(
        "--samples", type=click.IntRange(1), metavar="N", default=4, show_default=True, help="How many inputs."
    ),
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


def _tolerance(atol: float | None, rtol: float | None, layer_rtol: dict[str, float]) -> Tolerance:
    from ..verification.tolerance import Tolerance

    return Tolerance.of_options(atol, rtol, layer_rtol)


tolerance = together(
    "tolerance",
    _tolerance,
    click.option("--atol", type=click.FloatRange(0), metavar="X", help="Error allowed for every layer."),
    click.option(
        "--rtol",
        type=click.FloatRange(0),
        metavar="X",
        help="Error allowed, as a fraction of a layer's largest output.",
    ),
    click.option(
        "--layer-rtol",
        multiple=True,
        metavar="NAME=X",
        callback=_numbers,
        help="Another --rtol for one layer. May be repeated.",
    ),
)


# ------------------------------------------------------------------- output ----

as_json = click.option("--json", "as_json", is_flag=True, is_eager=True, help="Print JSON.")


def _check_reports(context: click.Context, parameter: click.Parameter, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Refuses a report that cannot be written before anything runs."""
    if paths:
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
    click.option(
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
    click.option("-q", "--quiet", is_flag=True, help="Print the verdict only."),
)

keep = click.option("--keep", type=PATH, metavar="DIR", help="Save what was computed, for kconvert report.")
