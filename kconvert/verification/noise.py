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
from ..formats.checkpoint import InMemory, LazyArray

ROUNDING = float(np.finfo("float32").eps)


def noisy_copy(source: Source, generation: Generation, path: Path, seed: int = 0) -> Source:
    """Writes the copy to `path`; generation: that of the file."""
    random = np.random.default_rng(seed)
    with open_source(source) as checkpoint:
        groups = [replace(group, arrays=[_noisy(a, random) for a in group.arrays]) for group in checkpoint.groups]
        changed = replace(checkpoint, groups=groups, optimizer=(), path=None)
        return replace(source, path=hdf5.write(path, changed, generation, force=True))


def _noisy(stored: LazyArray, random: np.random.Generator) -> LazyArray:
    array = stored.read()
    if array.dtype.kind != "f":
        return stored
    signs = random.choice([-1.0, 1.0], array.shape)
    return InMemory(stored.name, (array * (1 + ROUNDING * signs)).astype(array.dtype))
