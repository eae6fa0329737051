"""Checkpoint: a weight file as a value; arrays are read only when asked for.

Nothing here knows HDF5. What a file does not say outright (its format, its backend) is found from
its names, always with the sentence that says how: a `Finding`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..conventions.generations import GENERATIONS, of_release

Rows = np.ndarray | slice | None


class LazyArray(Protocol):
    """One stored array, not yet read.

    name: the full stored name of the weight ('conv2d_1/kernel:0').
    """

    @property
    def name(self) -> str: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def read(self, rows: Rows = None) -> np.ndarray:
        """`array[rows]` along the leading axis: indices in any order, a slice, or None for all of it."""


@dataclass(frozen=True, eq=False)
class InMemory:
    """An array that is already here. What `read` gives may be a view of it.

    >>> InMemory("dense_1_b", np.arange(4)).read(np.array([3, 0]))
    array([3, 0])
    """

    name: str
    array: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    def read(self, rows: Rows = None) -> np.ndarray:
        return self.array if rows is None else self.array[rows]


@dataclass(frozen=True, eq=False)
class Group:
    """The arrays of one layer, in the order of the file."""

    name: str
    arrays: Sequence[LazyArray]


@dataclass(frozen=True)
class Finding:
    """A fact about a file, and the sentence that says how it is known. None: it cannot be known."""

    value: str | None
    evidence: str


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a weight file holds.

    format: a name of `GENERATIONS`. backend, keras_version: the attributes, None where the
    file has none. whole_model: the file is of `model.save`; only such a file holds an optimizer.
    attributes: other attributes of the root. provenance: what kconvert wrote about how it made the
    file; when it is written, values may be Futures. evidence: how format and backend were found.
    """

    format: str
    groups: Sequence[Group]
    path: Path | None = None
    backend: str | None = None
    keras_version: str | None = None
    whole_model: bool = False
    model_config: dict[str, Any] | None = None
    training_config: dict[str, Any] | None = None
    optimizer: Sequence[LazyArray] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] | None = None
    evidence: Sequence[str] = ()

    @property
    def found_backend(self) -> str | None:
        """The backend that trained the weights: by attribute, else by names, else None."""
        return find_backend([("the file", self.backend)], self.format, weight_names(self.groups)).value


def weight_names(groups: Iterable[Group]) -> list[str]:
    """The names of all arrays, group by group."""
    return [array.name for group in groups for array in group.arrays]


# ---------------------------------------------------------------- findings ----

# Keras 1 ends a name in _W, _b_i ...; a '/' in it comes from the name of a layer (fire2/squeeze1x1_W).
_KERAS1_NAME = re.compile(
    r"[^/]*_(W|U|b|gamma|beta|running_mean|running_std|alphas|betas|[ta]_left|[ta]_right)(_[a-z]+)?(:0)?"
)

Statements = Iterable[tuple[str, str | None]]


def find_format(versions: Statements, backend: str | None, names: Sequence[str]) -> Finding:
    """The format of a file that has layer_names: by version, else by backend, else by the names of weights.

    versions: (place, keras_version) pairs, the most trusted first.

    >>> find_format([("the root", "1.2.2")], None, [])
    Finding(value='keras1', evidence='format keras1: keras_version of the root is 1.2.2')
    """
    for place, version in versions:
        generation = of_release(version)
        if generation:
            return Finding(generation.name, f"format {generation.name}: keras_version of {place} is {version}")
    if backend:
        return Finding(
            "keras2", f"format keras2: no keras_version, but backend {backend!r} is named, as from Keras 2.0 on"
        )
    scoped = [name for name in names if "/" in name and not _KERAS1_NAME.fullmatch(name.rpartition("/")[2])]
    if scoped:
        return Finding("keras2", f"format keras2: no keras_version; {scoped[0]!r} is how Keras 2 names a weight")
    if names:
        return Finding(
            "keras1",
            f"format keras1: no keras_version; {names[0]!r} is how Keras 1 names a weight"
            " (nothing tells 1.0 from 1.1 and later)",
        )
    return Finding(
        "keras1", "format keras1: a guess, as nothing tells the version; Keras 2 would have named its backend"
    )


def find_backend(attributes: Statements, form: str, names: Sequence[str]) -> Finding:
    """The backend that trained the weights: by attribute, else by the ':0' that TensorFlow ends names with.

    attributes: (place, backend) pairs, the most trusted first.

    >>> find_backend([("the root", None)], "keras1", ["dense_1_W:0"])
    Finding(value='tensorflow', evidence="backend tensorflow: no backend attribute; 'dense_1_W:0' ends in ':0'")
    """
    for place, backend in attributes:
        if backend:
            return Finding(backend, f"backend {backend}: the backend attribute of {place}")
    if GENERATIONS[form].numbered:
        return Finding(None, "backend unknown: files of Keras 0.2 - 0.3 do not tell it")
    if not names:
        return Finding(None, "backend unknown: no backend attribute and no weights")
    ending = [name for name in names if name.endswith(":0")]
    if ending:
        return Finding("tensorflow", f"backend tensorflow: no backend attribute; {ending[0]!r} ends in ':0'")
    return Finding("theano", f"backend theano: no backend attribute; no name ends in ':0', see {names[0]!r}")
