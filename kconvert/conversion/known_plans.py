"""Reuses plans: files that differ only in the values of their arrays share a plan.

With few exceptions, planning reads no array; a plan for which an array was read is not reused. The key contains
everything else that a plan depends on.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from ..formats import files
from ..formats.checkpoint import Checkpoint, Group, LazyArray
from ..formats.limits import limits
from ..formats.parts import Part
from ..layers.registry import registered
from ..lazy_dataclasses import dataclass
from .applying import apply
from .evidence import backend_of
from .planning import Plan, plan_conversion
from .source import Source
from .target import Target

KEPT = 16
"""How many plans are kept: a collection has few architectures."""


@dataclass(eq=False)
class Planned:
    """The plan for one file."""

    plan: Plan

    def apply(self, checkpoint: Checkpoint, provenance: dict[str, Any]) -> Checkpoint:
        """See `applying.apply`."""
        return apply(self.plan, checkpoint, provenance)


Planner = Callable[[Checkpoint, Source, Target], AbstractContextManager[Planned]]
"""The plan for the file of a checkpoint; it holds until the block ends."""


@contextmanager
def planned(checkpoint: Checkpoint, source: Source, target: Target) -> Iterator[Planned]:
    """A plan for this file only. Raises KconvertError as `plan_conversion` does."""
    yield Planned(plan_conversion(checkpoint, source, target))


class KnownPlans:
    """A planner that makes one plan for all files that differ only in the values of their arrays. Not thread-safe."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, _Shared] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    @contextmanager
    def __call__(self, checkpoint: Checkpoint, source: Source, target: Target) -> Iterator[Planned]:
        key = _key(checkpoint, source, target)
        shared = self._known.pop(key, None) if key is not None else None  # after an error, it is not put back
        if shared is None:
            shared = _Shared.made(checkpoint, source, target)
        shared.arrays.now = _arrays(checkpoint)
        try:
            yield shared
        finally:
            shared.arrays.now = ()
        if key is not None and shared.is_general:
            self._known[key] = shared
            if len(self._known) > KEPT:
                self._known.popitem(last=False)


# ------------------------------------------------------------------ arrays ----


class _Arrays:
    """The arrays of the file that a shared plan is used for now."""

    def __init__(self, arrays: Sequence[LazyArray]) -> None:
        self.now = arrays
        self.were_read = False


@dataclass(frozen=True, eq=False)
class _Array:
    """A placeholder for the same array of each file."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    order: tuple[int, ...]
    number: int
    arrays: _Arrays

    def read(self, part: Part | None = None) -> np.ndarray:
        self.arrays.were_read = True
        return self.arrays.now[self.number].read(part)


def _arrays(checkpoint: Checkpoint) -> list[LazyArray]:
    return [*(array for group in checkpoint.groups for array in group.arrays), *checkpoint.optimizer]


@dataclass(eq=False)
class _Shared(Planned):
    """A plan for each file with the same key."""

    # The first of these files; its arrays stand for those of each file.
    first: Checkpoint
    arrays: _Arrays
    # Whether no array of `first` was read for it.
    is_general: bool
    # The converted checkpoint of `first`, without provenance.
    applied: Checkpoint | None = None

    @classmethod
    def made(cls, checkpoint: Checkpoint, source: Source, target: Target) -> _Shared:
        arrays = _Arrays(_arrays(checkpoint))
        every = iter(
            [
                _Array(array.name, tuple(array.shape), array.dtype, tuple(array.order), number, arrays)
                for number, array in enumerate(arrays.now)
            ]
        )
        groups = [Group(group.name, [next(every) for _ in group.arrays], group.facts) for group in checkpoint.groups]
        first = replace(checkpoint, groups=groups, optimizer=list(every))
        plan = plan_conversion(first, source, target)
        return cls(plan, first, arrays, not arrays.were_read)

    def apply(self, checkpoint: Checkpoint, provenance: dict[str, Any]) -> Checkpoint:
        applied = self.applied
        if applied is None:
            self.arrays.were_read = False
            applied = apply(self.plan, replace(self.first, path=checkpoint.path))
            self.applied = None if self.arrays.were_read else applied
        return replace(
            applied,
            path=checkpoint.path,
            attributes=checkpoint.attributes,
            check_source=checkpoint.check_source,
            provenance=provenance,
        )


# --------------------------------------------------------------------- key ----


def _key(checkpoint: Checkpoint, source: Source, target: Target) -> Hashable | None:
    """Everything that a plan depends on except the values of arrays; None if it cannot be compared.

    Only the backend that the file name refers to is part of the key, not the name.
    """
    try:
        stated = [checkpoint.model_config, checkpoint.training_config, _without_hash(checkpoint.provenance)]
        text = json.dumps(stated)
    except (TypeError, ValueError):  # YAML has values that JSON does not have
        return None
    return (
        text,
        tuple((group.name, tuple(map(_described, group.arrays)), repr(group.facts)) for group in checkpoint.groups),
        tuple(map(_described, checkpoint.optimizer)),
        (checkpoint.partial, checkpoint.named, checkpoint.whole_model, checkpoint.slots),
        (checkpoint.backend, checkpoint.keras_version, tuple(checkpoint.stated_in.items())),
        (checkpoint.form, checkpoint.format, tuple(checkpoint.notes)),
        backend_of(checkpoint),
        repr(replace(source, path=None)),
        None if source.arch is None else files.sha256(source.arch),
        target,
        limits(),
        registered(),
    )


def _without_hash(provenance: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The provenance of a file, without the name and the hash of its source."""
    return None if provenance is None else {**provenance, "source_sha256": None}


def _described(array: LazyArray) -> Hashable:
    return array.name, tuple(array.shape), array.dtype.str, tuple(array.order)
