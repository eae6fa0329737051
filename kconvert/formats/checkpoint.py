"""Checkpoint: the content of a weight file as a value, whose arrays are read when they are needed.

It holds the content of the file. conversion/source.py decides what it means (its generation and backend).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..lazy_dataclasses import dataclass
from .endings import HDF5, Form
from .parts import BLOCK, Box, InOrder, Part, blocks, cut

_OVERHEAD = 4096  # bytes of a file for each group and each array, in addition to the values

Architecture = Callable[[], dict[str, Any]]
"""Reads the architecture that the user gives, as JSON values."""

PROVENANCE = "kconvert"
"""The attribute, or the key of the metadata, in which a file says how kconvert made it."""


class LazyArray(Protocol):
    """One stored array, not yet read."""

    @property
    def name(self) -> str:
        """The full name of the weight: 'conv2d_1/kernel:0'."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    @property
    def order(self) -> tuple[int, ...]:
        """See `InOrder`."""

    def read(self, part: Part | None = None) -> np.ndarray:
        """A part of the array, or all of it."""


@dataclass(frozen=True, eq=False)
class InMemory(InOrder):
    """An array in memory. What `read` gives may be a view of it.

    >>> InMemory("dense_1_b", np.arange(4)).read((np.array([3, 0]),))
    array([3, 0])
    """

    name: str
    array: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    def read(self, part: Part | None = None) -> np.ndarray:
        return cut(self.array, part)


def pieces(array: LazyArray) -> Iterator[tuple[Box, np.ndarray]]:
    """Reads an array block by block, a small one whole: each part with its place.

    Raises ValueError for a part of another shape or dtype, which HDF5 would broadcast or cast without an error.
    """
    shape, itemsize = tuple(array.shape), array.dtype.itemsize
    small = math.prod(shape) * itemsize <= BLOCK
    for box in [tuple(slice(0, n) for n in shape)] if small else blocks(shape, array.order, itemsize):
        block = array.read(None if small else box)
        wanted = tuple(one.stop - one.start for one in box)
        if (block.shape, block.dtype) != (wanted, array.dtype):
            raise ValueError(f"{array.name}: got {block.dtype} {block.shape}, not {array.dtype} {wanted}")
        yield box, block


def renamed(array: Any, name: str) -> LazyArray:
    """The same array with another name. array: the value of a dataclass, as all formats give."""
    return replace(array, name=name)


@dataclass(frozen=True, eq=False)
class Group:
    """The arrays of one layer, in the order of the file."""

    name: str
    arrays: Sequence[LazyArray]
    facts: Sequence[dict[str, Any]] = ()
    """Facts on each array, as JSON values, in a checkpoint that a conversion made."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The content of a weight file, unchanged."""

    groups: Sequence[Group]
    """The arrays, layer by layer."""
    partial: bool = False
    """Whether it is read by name: only layers that both the file and a network have are bound."""
    named: bool = True
    """Whether the layers and arrays have names; in files of Keras 0.2 - 0.3 they have numbers."""
    path: Path | None = None
    """The file; None for a checkpoint that is made in memory."""
    backend: str | None = None
    """The attribute `backend`; None where the file has none."""
    keras_version: str | None = None
    """The attribute `keras_version`; None where the file has none."""
    stated_in: Mapping[str, str] = field(default_factory=dict)
    """Where the file states these two attributes: {'backend': 'the root'}."""
    whole_model: bool = False
    """Whether `model.save` wrote the file; only such a file holds an optimizer."""
    model_config: dict[str, Any] | None = None
    """The architecture, as JSON values."""
    training_config: dict[str, Any] | None = None
    """How the model was compiled, as JSON values."""
    optimizer: Sequence[LazyArray] = ()
    """The arrays of the optimizer."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """The other attributes of the root."""
    form: Form = HDF5
    """The form of the file; HDF5 for files that a conversion does not write."""
    format: str | None = None
    """The format of the file, in words, if only tf.keras writes files of that format."""
    slots: bool = True
    """Whether the arrays are named after weights; otherwise their names end with their number in the layer."""
    notes: Sequence[str] = ()
    """Notes on what the file holds and this checkpoint leaves out."""
    check_source: Callable[[], None] = lambda: None
    """Raises KconvertError if the file has changed since it was opened."""
    provenance: dict[str, Any] | None = None
    """The provenance, which says how kconvert made the file; in a checkpoint to be written, values may be Futures."""

    @property
    def optimizer_class(self) -> str | None:
        """The class of the optimizer as the file states it; None where it states none."""
        return optimizer_class(self.training_config)

    @property
    def size(self) -> int:
        """About how many bytes a file of it takes."""
        arrays = [*(array for group in self.groups for array in group.arrays), *self.optimizer]
        numbers = sum(math.prod(array.shape) * array.dtype.itemsize for array in arrays)
        stated = sum(len(json.dumps(one, default=str)) for one in (self.model_config, self.training_config))
        return numbers + stated + _OVERHEAD * (len(arrays) + len(self.groups))

    @property
    def names(self) -> list[str]:
        """The names of all arrays, layer by layer."""
        return [array.name for group in self.groups for array in group.arrays]


def optimizer_class(training_config: Mapping[str, Any] | None) -> str | None:
    """The class of the optimizer that the arguments of `compile` state; None where they state none."""
    stated = (training_config or {}).get("optimizer_config")
    name = stated.get("class_name") if isinstance(stated, Mapping) else None
    return name if isinstance(name, str) else None
