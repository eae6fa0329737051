"""Running both sides and comparing every layer: the proof of a conversion.

The source runs with its own arrays on the backend that saved it, the target with its own on its own,
on the same seeded inputs. Nothing is converted in between but the layout of tensors, which the plan
knows, so a wrong file gives wrong numbers here as it does in Keras.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from os import PathLike

import numpy as np

from . import hdf5
from .backend import Backend, get_backend
from .binding import arrays_for, bind, source_convention
from .checkpoint import Checkpoint
from .conventions import Convention
from .convert import KEEP, Plan, architecture, plan
from .errors import KconvertError
from .inputs import sample_inputs
from .kernels import Rows
from .model import Model
from .relayout import Layout
from .report import Comparison, Report, Side, Tolerance, compare


@dataclass(frozen=True, eq=False)
class Runner:
    """A model with its arrays, on the backend that stands for its convention."""

    model: Model
    side: Side

    def run(self, inputs: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """The output of every layer, by name."""
        return self.model.activations(list(inputs))


def verify(
    source_path: str | PathLike[str],
    target_path: str | PathLike[str],
    source: str | None = None,
    target: str | None = None,
    arch: str | PathLike[str] | None = None,
    target_arch: str | PathLike[str] | None = None,
    source_data_format: str | None = None,
    tolerance: Tolerance = Tolerance(),
    samples: int = 4,
    seed: int = 0,
    require_backends: bool = False,
    inputs: Sequence[np.ndarray] | None = None,
) -> Report:
    """Runs both files, each on its own backend, and compares every layer.

    source, target: their backends, where the files do not tell. arch, target_arch: architectures of
    files of weights alone (target_arch defaults to what the conversion makes of arch). inputs: one array an
    input in the source's layout, instead of seeded random ones. A backend that is not installed
    is replaced by the NumPy reference in its part, unless require_backends.
    Raises KconvertError where a file cannot be read or its model cannot run.
    """
    with hdf5.read(source_path) as origin, hdf5.read(target_path) as result:
        goal, _ = source_convention(result, target)
        made = _expected(origin, result, source, goal, arch, source_data_format)
        model = _target_model(result, made, target_arch, source_data_format)
        first = _runner(made.model, origin, made.source, str(source_path), require_backends)
        second = _runner(model, result, goal, str(target_path), require_backends)
        arrays, odd = _odd_weights(made, model, result, goal)
        inputs = sample_inputs(made.model, samples, seed) if inputs is None else inputs
        ours = first.run(inputs)
        theirs = second.run([moved(x, layout) for x, layout in zip(inputs, made.result.inputs, strict=True)])
    layers = _layers(made, ours, theirs, tolerance)
    return Report(
        source=first.side,
        target=second.side,
        tolerance=tolerance,
        layers=layers,
        outputs=_outputs(made, model, ours, theirs, tolerance),
        arrays=arrays,
        weights=odd,
        notes=_notes(first, second, tolerance, made),
        samples=len(inputs[0]),
        seed=seed,
    )


def _expected(
    origin: Checkpoint,
    result: Checkpoint,
    source: str | None,
    goal: Convention,
    arch: str | PathLike[str] | None,
    source_data_format: str | None,
) -> Plan:
    """The conversion that leads from one file to the convention of the other."""
    stamp = result.provenance or {}
    data_format = stamp.get("data_format") or _data_format(result)
    generation = "same" if goal.format == origin.format != "keras2" else "keras2"
    return plan(origin, source, goal.backend, data_format, generation, arch, source_data_format)


def _data_format(checkpoint: Checkpoint) -> str:
    """The one data format that the layers of a file state, else: as the source has it."""
    if checkpoint.model_config is None:
        return KEEP
    found = {getattr(layer, "data_format", None) for _, layer in architecture(checkpoint).leaves()}
    stated = sorted(found - {None})
    return stated[0] if len(stated) == 1 else KEEP


def _target_model(
    result: Checkpoint, made: Plan, arch: str | PathLike[str] | None, source_data_format: str | None
) -> Model:
    if arch is None and result.model_config is None:
        return made.result.model
    return architecture(result, arch, source_data_format)


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


def _layers(
    made: Plan, ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray], tolerance: Tolerance
) -> list[Comparison]:
    """Every tensor that both sides have, in the order of the graph."""
    found = []
    layers = made.model.tensor_layers()
    for name, x in ours.items():
        if name in theirs:
            layout = made.result.layouts.get(name)
            found.append(
                compare(name, layers[name].class_name, moved(x, layout) if layout else x, theirs[name], tolerance)
            )
    return found


def _outputs(
    made: Plan, model: Model, ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray], tolerance: Tolerance
) -> list[Comparison]:
    """The outputs of both models, in order, whatever their layers are called."""
    found = []
    for i, (a, b, layout) in enumerate(zip(made.model.outputs, model.outputs, made.result.outputs, strict=True)):
        x = moved(ours[a.key], layout)
        found.append(compare(f"output {i}: {a.key}", "", x, theirs[b.key], tolerance))
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


def _notes(first: Runner, second: Runner, tolerance: Tolerance, made: Plan) -> list[str]:
    notes = [f"{side.path} ran on {side}: {side.convention} is not installed" for side in (first.side, second.side) if side.reference]
    if not tolerance.is_default:
        notes.append(f"tolerance is not the default: atol {tolerance.atol:g}, rtol {tolerance.rtol:g}")
    return notes
