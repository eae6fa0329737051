"""Compares the weights of two files in any conventions, without running the models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from ..conversion.source import Source
from ..layers.registry import with_custom_objects
from ..lazy_dataclasses import dataclass
from ..network.input_shapes import InputShape
from .matching import match
from .value import finite

FilePath = str | PathLike[str]

ROUNDING = 1e-5  # a larger error, as a fraction of the largest value of the weight, is not rounding


@dataclass(frozen=True)
class WeightDifference:
    """A weight that is not bit for bit the same in both files."""

    weight: str
    error: float  # the largest error, as a fraction of the largest value of the weight

    @property
    def rounded(self) -> bool:
        """Whether the error is as small as rounding."""
        return self.error <= ROUNDING


@dataclass(frozen=True)
class Difference:
    """The differences between two files."""

    files: tuple[tuple[str, str], tuple[str, str]]  # path and convention of each
    weights: int  # how many were compared
    differing: Sequence[WeightDifference]
    layers: Sequence[tuple[str, str, str]]  # (layer, what is wrong with it, what would repair it)

    @property
    def equal(self) -> bool:
        """Whether both are the same model with the same weights, rounding aside."""
        return not self.layers and all(weight.rounded for weight in self.differing)

    def to_json(self) -> dict[str, Any]:
        return finite(
            {
                "equal": self.equal,
                "files": self.files,
                "weights": self.weights,
                "odd": [{"weight": found.weight, "off": found.error} for found in self.differing],
                "layers": self.layers,
            }
        )


def diff(
    source_path: FilePath,
    target_path: FilePath,
    source: str | None = None,
    target: str | None = None,
    arch: FilePath | None = None,
    target_arch: FilePath | None = None,
    source_data_format: str | None = None,
    source_release: str | None = None,
    force: bool = False,
    custom_objects: Mapping[str, Any] | None = None,
    input_shape: InputShape | None = None,
) -> Difference:
    """Compares two weight files, each in its own convention: are they the same model, and which arrays differ?

    source_path, target_path: the two files.
    source, target: the backends that saved the files, where these do not tell.
    arch, target_arch: architectures, for files of weights alone; `target_arch` is by default the converted `arch`.
    source_data_format: the data format of the weights, where layers do not state it or `arch` was made on another
    backend.
    source_release: the release of Keras that saved the first file, where that does not state it.
    force: whether `source` and `target` hold even where the files say otherwise.
    custom_objects: your functions and classes of layers, by their names in the file, as in Keras; a Lambda that is
    stored as code finds its function under the name of the layer.
    input_shape: the shape of the input without the batch axis, or a dict of them by the names of inputs, for networks
    that leave sizes free.

    Raises KconvertError where the two cannot be of one model.
    """
    with with_custom_objects(custom_objects):
        return diff_files(
            Source(source_path, source, source_data_format, arch, (), force, source_release, input_shape=input_shape),
            Source(target_path, target, source_data_format, target_arch, force=force, arch_belongs=True),
        )


def diff_files(source: Source, target: Source) -> Difference:
    """`diff`, for files that are stated as values."""
    found = match(source, target)
    return Difference(
        files=((str(source.path), str(found.plan.source)), (str(target.path), str(found.convention))),
        weights=found.arrays,
        differing=[WeightDifference(name, error) for name, error in found.weight_errors.items()],
        layers=[
            ("/".join(path), fault.words, fault.remedy) for path, faults in found.faults.items() for fault in faults
        ],
    )
