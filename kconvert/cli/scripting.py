"""run, compare: scripts of Keras on either backend."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from .command import Option
from .group import main
from .options import BACKEND, PATH, NumberRange, as_json, together
from .output import DIFFERS, EQUAL, print_json
from .progress import progress

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..scripts.comparing import Comparison

_AMONG_OTHERS = {"ignore_unknown_options": True}  # those are the script's
script_option = partial(click.option, cls=Option, section="Script")
_SHORTENING = (
    script_option(
        "--keras",
        "release",
        type=click.Choice(["1.2.2", "2.3.1"]),
        help="Release of Keras that SCRIPT is for; by default detected.",
    ),
    script_option(
        "--python",
        type=click.Choice(["2", "3"]),
        help="Version of Python that SCRIPT is for; by default detected.",
    ),
    script_option(
        "--data",
        type=click.Path(exists=True, file_okay=False),
        metavar="DIR",
        help="Directory of data sets, pretrained weights, and other files that SCRIPT reads.",
    ),
    script_option(
        "--samples",
        type=click.IntRange(1),
        metavar="N",
        help="Largest number of samples for fit, evaluate and data sets.",
    ),
    script_option(
        "--epochs",
        type=click.IntRange(1),
        metavar="N",
        help="Largest number of epochs for each fit, and for a loop around it.",
    ),
    script_option(
        "--no-random-layers",
        is_flag=True,
        help="Train without dropout and noise, whose random numbers differ between the backends.",
    ),
)
_SEED = click.IntRange(0, 2**32 - 1)
shortening = together("shortening", dict, *_SHORTENING)


@main.command("run", context_settings=_AMONG_OTHERS)
@click.argument("script", type=PATH)
@click.argument("arguments", metavar="[ARGUMENTS]...", nargs=-1, type=click.UNPROCESSED)
@script_option("--backend", type=BACKEND, help="Backend of the models; by default the configured one.")
@shortening
@script_option("--seed", type=_SEED, metavar="N", help="Seed of random numbers, set before the script starts.")
@script_option("--history", type=PATH, metavar="FILE", help="JSON file for the losses of each epoch.")
def run(
    script: str,
    arguments: tuple[str, ...],
    backend: str | None,
    shortening: dict[str, Any],
    seed: int | None,
    history: str | None,
) -> int:
    """Runs a Keras script on a backend, without changes.

    In it, `import keras` imports kconvert.keras. Options that the command does not know are arguments of the script,
    and so is everything after `--`.
    """
    from ..scripts.running import Run, run_script
    from ..scripts.shortening import Limits

    python = int(shortening["python"]) if shortening["python"] else None
    limits = Limits(shortening["samples"], shortening["epochs"])
    how = Run(
        arguments=arguments,
        backend=backend,
        release=shortening["release"],
        python=python,
        seed=seed,
        data=shortening["data"],
        random_layers=not shortening["no_random_layers"],
        limits=limits,
    )
    code, logs = run_script(script, how)
    sys.stdout.flush()
    if history is not None:
        logs.write(history)
    return code


@main.command(context_settings=_AMONG_OTHERS)
@click.argument("script", type=PATH)
@click.argument("arguments", metavar="[ARGUMENTS]...", nargs=-1, type=click.UNPROCESSED)
@shortening
@script_option("--seed", type=_SEED, metavar="N", default=0, help="Seed of random numbers.")
@script_option(
    "--rtol",
    type=NumberRange(0),
    metavar="X",
    default=1e-3,
    help="Largest relative difference that counts as equal.",
)
@as_json
def compare(
    script: str,
    arguments: tuple[str, ...],
    shortening: dict[str, Any],
    seed: int,
    rtol: float,
    as_json: bool,
) -> int:
    """Runs a Keras script on both backends, with one seed, and compares the losses."""
    from ..drawing.terminal import show
    from ..scripts.comparing import compare_script

    with progress():
        done = compare_script(script, arguments, _words(shortening), seed, rtol)
    if as_json:
        print_json(done)
    else:
        show(_drawn(done))
    return EQUAL if done.equal else DIFFERS


def _words(shortening: dict[str, Any]) -> list[str]:
    """The options that `shortening` has, as words of the command line."""
    stated = {("keras" if key == "release" else key.replace("_", "-")): value for key, value in shortening.items()}
    stated = {key: value for key, value in stated.items() if value not in (None, False)}
    return [word for key, value in stated.items() for word in (f"--{key}", *([] if value is True else [str(value)]))]


def _drawn(done: Comparison) -> RenderableType:
    """A row for each number, and the verdict in the last line."""
    from rich.console import Group

    from ..drawing import terminal as draw
    from ..scripts.comparing import BACKENDS

    rows = draw.table("where", "what", *BACKENDS, "", numbers=BACKENDS)
    for row in done.rows:
        values = ["-" if value is None else f"{value:.6g}" for value in row.values]
        verdict = draw.text("equal", draw.GOOD) if row.equal else draw.text("DIFFERS", draw.BAD)
        rows.add_row(draw.text(row.place), draw.text(row.name), *values, verdict)
    differing = sum(not row.equal for row in done.rows)
    word = "EQUAL" if done.equal else f"DIFFERENT: {differing} of {len(done.rows)} numbers"
    line = draw.text(f"{word} (rtol {done.rtol:g})", draw.GOOD if done.equal else draw.BAD)
    return Group(rows, *draw.notes(done.remarks), line)
