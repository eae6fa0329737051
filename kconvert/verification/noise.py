"""Noise: a copy of a file whose weights are changed by one rounding.

Rounding in a layer is as good as a rounding of its weights, so a run of the copy shows how much of an error the network
makes of rounding.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..conventions.generations import Generation
from ..conversion.opening import open_source
from ..conversion.source import Source
from ..formats import hdf5
from ..formats.checkpoint import LazyArray
from ..formats.parts import Part

ROUNDING = float(np.finfo("float32").eps)


def noisy_copy(source: Source, generation: Generation, path: Path, seed: int = 0) -> Source:
    """Writes the copy to `path`; generation: that of the file."""
    random = np.random.default_rng(seed)
    with open_source(source) as checkpoint:
        groups = [replace(group, arrays=[_noisy(a, random) for a in group.arrays]) for group in checkpoint.groups]
        changed = replace(checkpoint, groups=groups, optimizer=(), path=None)
        return replace(source, path=hdf5.write(path, changed, generation, force=True))


def _noisy(stored: LazyArray, random: np.random.Generator) -> LazyArray:
    return _Noisy(stored, random) if stored.dtype.kind == "f" else stored


class _Noisy:
    """An array with one rounding in each element, which is drawn anew when it is read: the writer reads it once."""

    def __init__(self, stored: LazyArray, random: np.random.Generator) -> None:
        self.name, self.shape, self.dtype, self.order = stored.name, stored.shape, stored.dtype, stored.order
        self._stored, self._random = stored, random

    def read(self, part: Part | None = None) -> np.ndarray:
        array = self._stored.read(part)
        signs = self._random.choice([-1.0, 1.0], array.shape)
        return (array * (1 + ROUNDING * signs)).astype(array.dtype)
