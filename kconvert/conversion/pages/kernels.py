"""Heat maps of arrays before and after the op that rearranges them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

from ...drawing.charts import HeatMap, value_map
from ...errors import KconvertError
from ...kernels import Chain
from ...lazy_dataclasses import dataclass
from ..steps import Step

SHOWN = 6  # the number of steps that are drawn
MOST = 4 * 2**20  # the most elements of an array that is read for a picture
SIDE = 24  # rows and columns of a heat map


@dataclass(frozen=True)
class BeforeAfter:
    """A part of an array before and after the op."""

    weight: str
    op: str
    part: str
    """Which part of the array is shown."""
    before: HeatMap
    after: HeatMap


def before_after(steps: Sequence[Step]) -> Iterator[BeforeAfter]:
    """Heat maps for the first steps that move values: first one for each kind of op, then further ones.

    Steps whose arrays are large, or cannot be read, have none.
    """
    drawn = [found for step in steps if (found := _drawn(step))]
    first = {found.op.partition(" ")[0]: found for found in reversed(drawn)}
    chosen = [*first.values(), *(found for found in drawn if found not in first.values())][:SHOWN]
    yield from sorted(chosen, key=drawn.index)


def _drawn(step: Step) -> BeforeAfter | None:
    sizes = [prod(shape) for shape in (*step.source_shapes, *step.target_shapes)]
    if not len(step.chain) or max(sizes, default=0) > MOST or not all(sizes):
        return None
    try:
        return _maps(step)
    except (KconvertError, OSError, ValueError):  # the file was closed, or is damaged
        return None


def _maps(step: Step) -> BeforeAfter | None:
    """The op of the chain that visibly moves values within an array of the same shape."""
    arrays = tuple(array.read() for array in step.sources)
    for op in step.chain:
        after = Chain((op,)).apply(*arrays)
        if len(arrays) == len(after) == 1 and arrays[0].shape == after[0].shape and arrays[0].ndim > 1:
            part, words = _part(arrays[0].shape)
            before, later = (_matrix(array[part]) for array in (arrays[0], after[0]))
            return BeforeAfter("/".join(step.path), str(op), words, value_map(before), value_map(later))
        arrays = after
    return None


def _part(shape: Sequence[int]) -> tuple[tuple[int | slice, ...], str]:
    """The first two spatial axes of a kernel, for its first input and output channel; a whole matrix."""
    if len(shape) == 2:
        cut = any(size > SIDE for size in shape)
        return (), f"the first {min(shape[0], SIDE)} x {min(shape[1], SIDE)} elements" if cut else "all of it"
    spatial = (slice(None),) * min(2, len(shape) - 2)
    middle = len(shape) - 2 - len(spatial)
    return (*spatial, *(0,) * middle, 0, 0), "that of the first input and the first output"


def _matrix(array: np.ndarray) -> list[list[float]]:
    matrix = np.atleast_2d(np.asarray(array, "float64"))[:SIDE, :SIDE]
    return matrix.tolist()
