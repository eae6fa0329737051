"""Random arrays and random chains of ops that fit them, for the laws."""

from math import prod

import numpy as np
from hypothesis import strategies as st

from kconvert.kernels import (
    Block,
    Chain,
    Flip,
    Fold,
    Fuse,
    Gates,
    Order,
    Rows,
    Split,
    Transpose,
    Unfold,
    unchanged_block,
)
from kconvert.kernels.axes import UNIT

SIZES = (1, 2, 3, 4, 6)
DTYPES = ("<f4", ">f4", "<f8", "<f2", "<i4", "|u1")


class Draft:
    """Arrays of one shape while a chain is being drawn: their axis names, their sizes, and how many there are."""

    def __init__(self, axes, sizes, count):
        self.axes, self.sizes, self.count = axes, sizes, count

    @property
    def named(self):
        return [axis for axis in self.axes if axis != UNIT]

    @property
    def shape(self):
        return tuple(1 if axis == UNIT else self.sizes[axis] for axis in self.axes)

    @property
    def last(self):
        """Size of the last axis; 0 if it cannot hold gates."""
        return self.sizes[self.axes[-1]] if self.axes[-1] != UNIT else 0

    @property
    def distinct(self):
        """The axes, each with a new name, also those of size 1; None if there are not enough names."""
        names = "".join(axis if axis != UNIT else "xyz"[i % 3] for i, axis in enumerate(self.axes))
        return names if len(set(names)) == len(names) else None


@st.composite
def drafts(draw, most_arrays=3):
    """Arrays of 1 to 4 named axes, with units between them."""
    named = draw(st.permutations("hwio"))[: draw(st.integers(1, 4))]
    draft = Draft("", {axis: draw(st.sampled_from(SIZES)) for axis in named}, draw(st.integers(1, most_arrays)))
    draft.axes = draw(arrangements(named))
    return draft


@st.composite
def arrangements(draw, named):
    """The named axes in any order, with up to two units anywhere."""
    axes = [*named, *[UNIT] * draw(st.integers(0, 2))]
    return "".join(draw(st.permutations(axes)))


@st.composite
def blocks(draw, size):
    """Blocks of features, `size` in all."""
    result = []
    while size:
        part = size - draw(st.integers(0, size - 1))
        c = draw(st.sampled_from([n for n in range(1, part + 1) if part % n == 0]))
        seen = Block("chw", "".join(draw(st.permutations("chw"))), (c, 1, part // c))
        result.append(draw(st.sampled_from([seen, Block("cw", "wc", (c, part // c)), unchanged_block(part)])))
        size -= part
    return tuple(result)


@st.composite
def ops(draw, draft):
    """One op that fits `draft`; the draft is changed to describe the result."""
    kinds = ["transpose", "flip"]
    kinds += ["rows", "order"] if draft.distinct else []
    kinds += ["fold"] if draft.axes[0] != UNIT and len(draft.named) < 5 else []
    kinds += ["unfold"] if UNIT not in draft.axes[:2] and len(draft.axes) > 1 else []
    gates = [n for n in (1, 2, 4) if draft.last and draft.last % n == 0]
    kinds += ["gates"] if gates else []
    kinds += ["split"] if gates and draft.count == 1 else []
    kinds += ["fuse"] if draft.last and draft.count > 1 else []
    kind = draw(st.sampled_from(kinds))
    if kind == "transpose":
        source, draft.axes = draft.axes, draw(arrangements(draft.named))
        return Transpose(source, draft.axes)
    if kind == "flip":
        return Flip("".join(draw(st.sets(st.sampled_from(draft.named)))), draft.axes)
    if kind == "rows":
        axis = draw(st.sampled_from(draft.named))
        return Rows(axis, draft.distinct, draw(blocks(draft.sizes[axis])))
    if kind == "order":
        of = draft.distinct
        return Order("".join(draw(st.permutations(of))), "".join(draw(st.permutations(of))), of)
    if kind == "fold":
        first = draft.axes[0]
        parts = draw(st.sampled_from([n for n in SIZES if draft.sizes[first] % n == 0]))
        row = next(axis for axis in "hwiod" if axis not in draft.axes)
        draft.axes = row + draft.axes
        draft.sizes |= {row: parts, first: draft.sizes[first] // parts}
        return Fold(parts)
    if kind == "unfold":
        row, draft.axes = draft.axes[0], draft.axes[1:]
        draft.sizes[draft.axes[0]] *= draft.sizes[row]
        return Unfold(draft.sizes[row])
    if kind == "gates":
        letters = "ifco"[: draw(st.sampled_from(gates))]
        return Gates("".join(draw(st.permutations(letters))), "".join(draw(st.permutations(letters))))
    last = draft.axes[-1]
    if kind == "split":
        draft.count = draw(st.sampled_from(gates))
        draft.sizes[last] //= draft.count
        return Split("ifco"[: draft.count])
    count, draft.count = draft.count, 1
    draft.sizes[last] *= count
    return Fuse("ifco"[:count])


@st.composite
def cases(draw, most_arrays=3, most_ops=6):
    """A chain and shapes of arrays that it accepts."""
    draft = draw(drafts(most_arrays))
    shapes = (draft.shape,) * draft.count
    return Chain(tuple(draw(ops(draft)) for _ in range(draw(st.integers(0, most_ops))))), shapes


@st.composite
def single_ops(draw):
    """An op and shapes of arrays that it accepts."""
    draft = draw(drafts())
    shapes = (draft.shape,) * draft.count
    return draw(ops(draft)), shapes


def arrays_of(shapes, dtype="<f4"):
    """Read-only arrays of random bits: NaN and -0.0 are among them."""
    size = np.dtype(dtype).itemsize
    bits = np.random.default_rng(7).bytes(size * sum(map(prod, shapes)))
    result, start = [], 0
    for shape in shapes:
        stop = start + size * prod(shape)
        result.append(np.frombuffer(bits[start:stop], dtype).reshape(shape))
        start = stop
    return tuple(result)


def numbered(shapes):
    """Arrays in which no two elements are equal."""
    starts = np.cumsum([0, *map(prod, shapes)])
    return tuple(np.arange(a, b).reshape(shape) for a, b, shape in zip(starts, starts[1:], shapes, strict=False))


def same(left, right):
    """True where two tuples of arrays are equal bit for bit, shapes and dtypes included."""

    def facts(arrays):
        return [(array.shape, array.dtype.str, array.tobytes()) for array in arrays]

    return facts(left) == facts(right)
