"""Running both sides and comparing every layer: the proof of a conversion.

The source runs with its own arrays on the backend that saved it, the target with its own on its own,
on the same seeded inputs. Nothing is converted in between but the layout of tensors, which the plan
knows, so a wrong file gives wrong numbers here as it does in Keras.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from . import hdf5
from .backend import Backend, get_backend
from .binding import arrays_for, bind, source_convention
from .checkpoint import Checkpoint
from .conventions import Convention
from .conversion import KEEP, Plan, architecture, plan
from .errors import KconvertError, Problem
from .inputs import sample_inputs
from .kernels import Rows
from .layers.base import Shape
from .layouts import Layout
from .model import Model
from .relayout import image_data_format
from .report import DEFAULT_TOLERANCE, Comparison, Report, Side, Tolerance, compare

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Runs:
    """Both sides, run on the same inputs: all that a verdict needs.

    made: the conversion that leads from the source to the target's convention. ours, theirs: the
    output of every layer by name. arrays: weights compared; odd: those that are not, bit for bit, what
    the conversion makes.
    """

    made: Plan
    model: Model
    source: Side
    target: Side
    inputs: Sequence[np.ndarray]
    seed: int
    ours: dict[str, np.ndarray]
    theirs: dict[str, np.ndarray]
    arrays: int
    odd: Sequence[str]


@dataclass(frozen=True, eq=False)
class Runner:
    """A model with its arrays, on the backend that stands for its convention."""

    model: Model
    side: Side

    def run(self, inputs: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """The output of every layer, by name. Raises KconvertError (UNVERIFIED) where the model cannot run."""
        log.info("running %s on %s (compiling)", Path(self.side.path).name, self.side)
        try:
            return self.model.activations(list(inputs))
        except KconvertError as error:
            inner = KconvertError(error.what, error.where, error.fix, Problem.UNVERIFIED)
            raise inner.within(self.side.path) from error
        except Exception as error:  # whatever a framework raises
            said = (str(error) or type(error).__name__).splitlines()[0]
            what = f"{self.side} cannot run it ({said})"
            raise KconvertError(what, self.side.path, problem=Problem.UNVERIFIED) from error


def run(
    source_path: str | PathLike[str],
    target_path: str | PathLike[str],
    source: str | None = None,
    target: str | None = None,
    arch: str | PathLike[str] | None = None,
    target_arch: str | PathLike[str] | None = None,
    source_data_format: str | None = None,
    samples: int = 4,
    seed: int = 0,
    require_backends: bool = False,
    force: bool = False,
    inputs: Sequence[np.ndarray] | None = None,
) -> Runs:
    """Runs both files, each on its own backend.

    source, target: their backends, where the files do not tell (force: even where they say otherwise).
    arch, target_arch: architectures of files of weights alone (target_arch defaults to what the conversion
    makes of arch). inputs: one array an input in the source's layout, instead of seeded random ones.
    A backend that is not installed is replaced by the NumPy reference in its part, unless require_backends.
    Raises KconvertError where a file cannot be read or its model cannot run.
    """
    with hdf5.read(source_path) as origin, hdf5.read(target_path) as result:
        goal, _ = source_convention(result, target, force)
        made = _expected(origin, result, source, goal, arch, source_data_format, force)
        model = _target_model(result, made, target_arch, source_data_format)
        _check_comparable(made.result.model, model, str(target_path))
        first = _runner(made.model, origin, made.source, str(source_path), require_backends)
        second = _runner(model, result, goal, str(target_path), require_backends)
        arrays, odd = _odd_weights(made, model, result, goal)
        inputs = sample_inputs(made.model, samples, seed) if inputs is None else inputs
        ours = first.run(inputs)
        theirs = second.run([moved(x, layout) for x, layout in zip(inputs, made.result.inputs, strict=True)])
    return Runs(made, model, first.side, second.side, inputs, seed, ours, theirs, arrays, odd)


def judge(runs: Runs, tolerance: Tolerance = DEFAULT_TOLERANCE) -> Report:
    """The verdict on two runs: every layer and every output compared within `tolerance`."""
    return Report(
        source=runs.source,
        target=runs.target,
        tolerance=tolerance,
        layers=_layers(runs, tolerance),
        outputs=_outputs(runs, tolerance),
        arrays=runs.arrays,
        weights=runs.odd,
        notes=_notes(runs),
        samples=len(runs.inputs[0]),
        inputs=f"random, seed {runs.seed}",
    )


def verify(
    source_path: str | PathLike[str],
    target_path: str | PathLike[str],
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    **options: Any,
) -> Report:
    """Runs both files, each on its own backend, and compares every layer.

    options: those of `run`. Raises KconvertError where a file cannot be read or its model cannot run.
    """
    return judge(run(source_path, target_path, **options), tolerance)


def _expected(
    origin: Checkpoint,
    result: Checkpoint,
    source: str | None,
    goal: Convention,
    arch: str | PathLike[str] | None,
    source_data_format: str | None,
    force: bool,
) -> Plan:
    """The conversion that leads from one file to the convention of the other; without an architecture nothing runs."""
    architecture(origin, arch, source_data_format)
    stamp = result.provenance or {}
    data_format = stamp.get("data_format") or _data_format(result)
    generation = "same" if goal.format == origin.format != "keras2" else "keras2"
    return plan(origin, source, goal.backend, data_format, generation, arch, source_data_format, force=force)


def _data_format(checkpoint: Checkpoint) -> str:
    """The one data format that the image layers of a file state, else: as the source has it."""
    if checkpoint.model_config is None:
        return KEEP
    return image_data_format(architecture(checkpoint)) or KEEP


def _target_model(
    result: Checkpoint, made: Plan, arch: str | PathLike[str] | None, source_data_format: str | None
) -> Model:
    if arch is None and result.model_config is None:
        return made.result.model
    return architecture(result, arch, source_data_format)


def _check_comparable(expected: Model, model: Model, path: str) -> None:
    """Refuses to compare a model with one that has other inputs or outputs."""
    for what, wanted, found in (
        ("inputs", expected.input_shapes, model.input_shapes),
        ("outputs", _output_shapes(expected), _output_shapes(model)),
    ):
        if len(wanted) != len(found) or not all(map(_fits, wanted, found)):
            raise KconvertError(
                f"its model has {what} of shape {_listed(found)}, that of the source, converted, {_listed(wanted)}",
                where=path,
                fix="compare two files of one model",
                problem=Problem.USAGE,
            )


def _output_shapes(model: Model) -> list[Shape]:
    shapes = model.shapes()
    return [shapes[ref] for ref in model.outputs]


def _fits(wanted: Shape, found: Shape) -> bool:
    """Whether two shapes are equal where both say a size."""
    return len(wanted) == len(found) and all(a == b or None in (a, b) for a, b in zip(wanted, found, strict=True))


def _listed(shapes: Sequence[Shape]) -> str:
    return ", ".join(map(str, shapes))


def _runner(model: Model, checkpoint: Checkpoint, convention: Convention, path: str, required: bool) -> Runner:
    backend, reference = _backend(convention.backend, required)
    arrays = arrays_for(model, checkpoint, convention, Convention("keras2", convention.backend))
    side = Side(path, str(convention), backend.name, backend.version(), reference)
    return Runner(model.bind(backend, arrays), side)


def _backend(name: str, required: bool) -> tuple[Backend, bool]:
    """The backend itself, or the NumPy reference in its part."""
    with suppress(KconvertError):
        return get_backend(name), False
    if required:
        get_backend(name)
    return get_backend("numpy", name), True


# --------------------------------------------------------------- comparing ----


def moved(x: np.ndarray, layout: Layout) -> np.ndarray:
    """A tensor of the source in the layout of the target."""
    x = x.transpose(layout.axes)
    if layout.features:
        x = x.take(Rows("o", "o", layout.features).index, axis=-1)
    return np.ascontiguousarray(x)


def _layers(runs: Runs, tolerance: Tolerance) -> list[Comparison]:
    """Every tensor that both sides have, in the order of the graph."""
    found = []
    layers = runs.made.model.tensor_layers()
    for name, x in runs.ours.items():
        new = runs.made.aliases.get(name, name)
        if new in runs.theirs:
            layout = runs.made.result.layouts.get(new)
            x = moved(x, layout) if layout else x
            found.append(compare(name, layers[name].class_name, x, runs.theirs[new], tolerance))
    return found


def _outputs(runs: Runs, tolerance: Tolerance) -> list[Comparison]:
    """The outputs of both models, in order, whatever their layers are called."""
    found = []
    pairs = zip(runs.made.model.outputs, runs.model.outputs, runs.made.result.outputs, strict=True)
    for i, (ours, theirs, layout) in enumerate(pairs):
        x = moved(runs.ours[ours.key], layout)
        found.append(compare(f"output {i}: {ours.key}", "", x, runs.theirs[theirs.key], tolerance))
    return found


def _odd_weights(made: Plan, model: Model, result: Checkpoint, goal: Convention) -> tuple[int, list[str]]:
    """How many weights were compared, and those of the file that are not what the conversion makes, bit for bit."""
    have = {binding.path: binding.arrays for binding in bind(model, result, goal)[0]}
    odd = []
    for step in made.steps:
        same = [
            a.shape == tuple(b.shape) and np.array_equal(a, b.read(), equal_nan=True)
            for a, b in zip(step.read(), have.get(step.path, ()), strict=False)
        ]
        if not same or not all(same):
            odd.append("/".join(step.path))
    return len(made.steps), odd


def _notes(runs: Runs) -> list[str]:
    sides = [side for side in (runs.source, runs.target) if side.reference]
    return [f"{side.path} ran on {side}: {side.convention.rpartition('/')[2]} is not installed" for side in sides]
