"""Options that several commands share, in groups: each group reaches its command as one dict."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

Command = Callable[..., Any]


def together(name: str, *options: Command) -> Command:
    """Options that several commands share; their values reach the command as one dict, the argument `name`."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def packed(**given: Any) -> Any:
            return command(**{name: {key: given.pop(key) for key in keys}}, **given)

        before = len(getattr(packed, "__click_params__", []))
        for option in reversed(options):
            option(packed)
        parameters = packed.__click_params__[before:]  # type: ignore[attr-defined]
        keys = [parameter.name for parameter in parameters if parameter.expose_value]
        return packed

    return decorate


BACKEND = click.Choice(["theano", "tensorflow"])
PATH = click.Path(path_type=str)

DATA_FORMATS = click.Choice(["channels_first", "channels_last"])

conversion = together(
    "conversion",
    click.option("--from", "source", type=BACKEND, help="Backend that saved FILE; may be left out where FILE tells."),
    click.option("--to", "target", type=BACKEND, required=True, help="Backend to convert for."),
    click.option(
        "--format",
        type=click.Choice(["keras2", "same"]),
        default="keras2",
        show_default=True,
        help="Generation of the result; same: that of FILE.",
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
    click.option("--force", is_flag=True, help="Take --from though FILE says otherwise; replace OUT."),
)


def _import(context: click.Context, parameter: click.Parameter, modules: tuple[str, ...]) -> None:
    from ..layers.registry import load_module

    for module in modules:
        load_module(module)


architecture = together(
    "architecture",
    click.option(
        "--arch", type=PATH, metavar="JSON", help="What model.to_json() or to_yaml() wrote, for weights alone."
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
        help="channels_first or channels_last, for Keras 1 layers of FILE that do not state theirs.",
    ),
)

running = together(
    "running",
    click.option("--require-backends", "required", is_flag=True, help="No NumPy in the place of a missing backend."),
    click.option("--in-process", is_flag=True, help="Run both sides in this process, not each in its own."),
    click.option(
        "--timeout", type=click.FloatRange(0, min_open=True), metavar="S", help="Seconds that a side may run."
    ),
    click.option(
        "--theano-python", metavar="PATH", help="Interpreter with kconvert or an old Keras to run Theano's side."
    ),
    click.option("--tensorflow-python", metavar="PATH", help="The same for TensorFlow's side."),
    click.option(
        "--runner", "package", type=click.Choice(["keras", "tf_keras"]), help="Run the target in this Keras instead."
    ),
)

inputs = together(
    "inputs",
    click.option("--inputs", type=PATH, metavar="NPZ", help="Inputs for the models: .npz, or .npy for one input."),
    click.option(
        "--seed", type=click.IntRange(0), metavar="N", default=0, show_default=True, help="Seed of the random inputs."
    ),
    click.option(
        "--samples", type=click.IntRange(1), metavar="N", default=4, show_default=True, help="How many inputs."
    ),
)


def _numbers(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, float]:
    """{name: number} of `NAME=NUMBER`; a name may hold an equals sign."""
    found = {}
    for text in given:
        name, equals, number = text.rpartition("=")
        try:
            found[name] = float(number)
        except ValueError:
            equals = ""
        if not name or not equals or not found[name] >= 0:
            raise click.BadParameter(f"{text!r} is not NAME=NUMBER")
    return found


tolerance = together(
    "tolerance",
    click.option("--atol", type=click.FloatRange(0), metavar="X", help="Error allowed in any case."),
    click.option(
        "--rtol", type=click.FloatRange(0), metavar="X", help="Error allowed, as a part of a layer's largest output."
    ),
    click.option(
        "--layer-rtol",
        multiple=True,
        metavar="NAME=X",
        callback=_numbers,
        help="Another --rtol for one layer. May be repeated.",
    ),
)


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _check_reports(context: click.Context, parameter: click.Parameter, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Refuses a report that cannot be written before anything runs."""
    if paths:
        from ..verification.report import writing

        for path in paths:
            writing.check(path)
    return paths


reporting = together(
    "reporting",
    click.option(
        "--report",
        "paths",
        multiple=True,
        type=PATH,
        metavar="PATH",
        callback=_check_reports,
        help="Write a report: .html, .md, .xml (JUnit), .json or .txt. May be repeated.",
    ),
    as_json,
    click.option("-q", "--quiet", is_flag=True, help="Print the verdict alone."),
)

keep = click.option("--keep", type=PATH, metavar="DIR", help="Keep what was computed, for kconvert report.")
