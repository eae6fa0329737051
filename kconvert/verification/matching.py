"""Reads two files together: how each is run, and which tensors and weights correspond.

The target is compared with what the conversion of the source writes: the same plan as that of `kconvert.convert`.
Between the two runs, only the layout of tensors is converted, as the plan states. So a wrong file gives wrong outputs
here, as in Keras.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from functools import cached_property

import numpy as np

from ..conventions.generations import Convention, Reader
from ..conversion.binding import bind
from ..conversion.opening import open_source
from ..conversion.partial import selected
from ..conversion.passes.cudnn import has_cudnn
from ..conversion.passes.relayout import image_data_format
from ..conversion.planning import Plan, plan_conversion
from ..conversion.reading import network_of
from ..conversion.source import Source, decide
from ..conversion.target import KEEP, SAME, Target
from ..errors import KconvertError, Problem
from ..formats.checkpoint import Checkpoint
from ..layers.base import Shape
from ..lazy_dataclasses import dataclass
from ..network.graph import LayerPath, Producer
from ..network.input_shapes import with_input_shape
from ..network.layout import Layout
from ..network.network import Network
from .faults import Fault, find_faults, weight_error


@dataclass(frozen=True, eq=False)
class Match:
    """A source and a target, with all facts that are known before they are run."""

    source: Source
    target: Source
    plan: Plan  # the conversion of the source to the target's convention
    model: Network  # architecture of the target
    convention: Convention  # of the target
    reader: Reader | None  # what reads files like the target
    arrays: int  # how many weights were compared
    weight_errors: Mapping[str, float]  # weights of the target that are not what the conversion writes, bit for bit
    faults: Mapping[LayerPath, Sequence[Fault]]  # of layers of the target
    bound: int | None = None  # bytes that the target may take if it is a program (`Job.bound`)

    @cached_property
    def common(self) -> dict[str, Producer]:
        """The tensors of the source that the target has too, and what makes them there."""
        theirs = self.model.tensor_layers()
        names = {name: self.plan.aliases.get(name, name) for name in self.plan.model.tensor_layers()}
        return {name: theirs[new] for name, new in names.items() if new in theirs}

    def layers_behind(self, tensor: str) -> list[LayerPath]:
        """The layers of the target that make a tensor of the source of the last common tensors before it."""
        path = self.common[tensor].path
        if len(path) > 1:
            return [path]
        common = {self.plan.aliases.get(name, name) for name in self.common}
        models = (self.plan.result.model, self.model)
        return [path, *((name,) for model in models for name in _leading_to(model, path[0], common))]

    def faults_behind(self, tensor: str) -> list[Fault]:
        """The faults of the layers that make a tensor of the source."""
        if not self.faults:
            return []
        behind = self.layers_behind(tensor)
        return [
            fault
            for path, faults in self.faults.items()
            if any(path[: len(outer)] == outer for outer in behind)
            for fault in faults
        ]


def match(source: Source, target: Source) -> Match:
    """Reads both files and compares the weights and the architecture of one with the other's.

    The target is a file to read, too. A target of weights alone whose architecture is not given has that of the
    converted source. Raises KconvertError where a file cannot be read or the two cannot be of one model.
    """
    with open_source(source) as origin, open_source(target) as result:
        if source.partial:
            origin, result = selected(origin, source).of(origin), replace(result, partial=True)
        stated = decide(result, replace(target, arch=None))
        convention = stated.convention
        expected = _expected(origin, result, source, convention)
        if source.input_shape is not None:
            expected = replace(expected, model=with_input_shape(expected.model, source.input_shape))
        model = _target_model(result, expected, target)
        _check_comparable(expected.result.model, model, str(target.path))
        bindings = {binding.path: binding for binding in bind(model, result, convention)[0]}
        errors = {step.path: weight_error(step, bindings.get(step.path)) for step in expected.steps}
        if expected.partial:
            expected.partial.mark(expected.model)
            expected.partial.mark(model)
        differing = {path: error for path, error in errors.items() if error is not None}
        return Match(
            source=source,
            target=target,
            plan=expected,
            model=model,
            convention=convention,
            reader=stated.reader,
            arrays=len(expected.steps),
            weight_errors={"/".join(path): error for path, error in differing.items()},
            faults=find_faults(expected, model, bindings, list(differing)),
        )


def _expected(origin: Checkpoint, result: Checkpoint, source: Source, convention: Convention) -> Plan:
    """The conversion of one file to the convention of the other; it needs an architecture, as both are run."""
    model = network_of(origin, source)
    stamp = result.provenance or {}
    cudnn = stamp["cudnn"] if "cudnn" in stamp else _cudnn(model, result, convention)
    data_format = stamp.get("data_format") or _data_format(result, convention)
    generation = convention.generation_name if convention.generation.is_target else SAME
    restore = bool(stamp.get("restored"))
    target = Target(
        convention.backend, generation, data_format, cudnn=cudnn, restore=restore, release=result.keras_version
    )
    return plan_conversion(origin, source, target)


def _cudnn(model: Network, result: Checkpoint, convention: Convention) -> bool | None:
    """Whether the conversion was asked for CuDNN layers or for others; None where the result has the source's."""
    found = model if result.model_config is None else network_of(result, _stated(convention))
    return None if has_cudnn(found) == has_cudnn(model) else has_cudnn(found)


def _data_format(result: Checkpoint, convention: Convention) -> str:
    """The one data format that the image layers of a file state, else: as the source has it."""
    if result.model_config is None:
        return KEEP
    return image_data_format(network_of(result, _stated(convention))) or KEEP


def _stated(convention: Convention) -> Source:
    """A file read with its own architecture, whatever it says of its backend."""
    return Source(backend=convention.backend, force=True)


def _target_model(result: Checkpoint, expected: Plan, target: Source) -> Network:
    if target.arch is None and result.model_config is None:
        return expected.result.model
    return network_of(result, target)


def _check_comparable(expected: Network, model: Network, path: str) -> None:
    """Refuses to compare a model with one that has other inputs or outputs."""
    for what, wanted, found in (
        ("inputs", expected.input_shapes, model.input_shapes),
        ("outputs", _output_shapes(expected), _output_shapes(model)),
    ):
        if len(wanted) != len(found) or not all(map(_compatible, wanted, found)):
            raise KconvertError(
                f"its model has {what} of shape {_listed(found)}, the converted source has {_listed(wanted)}",
                where=path,
                fix="compare two files of one model",
                problem=Problem.USAGE,
            )


def _output_shapes(model: Network) -> list[Shape]:
    shapes = model.shapes()
    return [shapes[ref] for ref in model.output_refs]


def _compatible(wanted: Shape, found: Shape) -> bool:
    """Whether two shapes are equal where both have a size."""
    return len(wanted) == len(found) and all(a == b or None in (a, b) for a, b in zip(wanted, found, strict=True))


def _listed(shapes: Sequence[Shape]) -> str:
    return ", ".join(map(str, shapes))


def in_layout(x: np.ndarray, layout: Layout) -> np.ndarray:
    """A tensor of the source in the layout of the target."""
    x = x.transpose(layout.axes)
    if layout.index is not None:
        x = x.take(layout.index, axis=-1)
    return np.ascontiguousarray(x)


def _leading_to(model: Network, layer: str, common: Set[str]) -> set[str]:
    """The layers between `layer` and the last common tensors before it."""
    todo, seen = [layer], set[str]()
    while todo:
        name = todo.pop()
        refs = {ref for node in model.nodes if node.layer == name for ref in node.inputs if ref.key not in common}
        todo += {ref.layer for ref in refs} - seen
        seen |= {ref.layer for ref in refs}
    return seen
