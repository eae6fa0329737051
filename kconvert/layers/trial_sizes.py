"""Sizes that are tried in place of unknown ones, where a function of tensors refuses most of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, groupby, islice, product

Shape = tuple[int | None, ...]
Axis = tuple[int, int]  # the number of the shape, and that of the axis

_MOST = 4
"""So many axes get a size together, unless all do."""

_TRIED = 60
"""So many shapes are tried at each level."""


def levels(shapes: Sequence[Shape], others: Iterable[int] = ()) -> Iterator[list[list[Shape]]]:
    """Lists of what `shapes` may be, with known sizes in place of unknown ones: first of none, then of ever more.

    Sizes of batches come last, different sizes after equal ones, and the size 1 after all others. others: sizes that
    are tried besides those of `shapes`. What a function gives for all shapes of a level that it accepts, it always
    gives.

    >>> list(levels([(None, 4), (None, None)]))[:2]
    [[[(None, 4), (None, None)]], [[(None, 4), (None, 4)]]]
    """
    known = list(dict.fromkeys([*sorted({n for shape in shapes for n in shape if n is not None}), *others]))
    yield [list(shapes)]
    yield from _levels_of(shapes, known)
    if 1 not in known:
        yield from _levels_of(shapes, [*known, 1])


def _levels_of(shapes: Sequence[Shape], known: Sequence[int]) -> Iterator[list[list[Shape]]]:
    """The levels with the sizes `known`."""
    unknown = [(i, j) for i, shape in enumerate(shapes) for j, n in enumerate(shape) if n is None]
    groups = sorted(_groups(unknown), key=lambda group: _level(group, shapes, len(unknown)))
    for equal in (True, False):
        for _, together in groupby(groups, key=lambda group: _level(group, shapes, len(unknown))):
            chosen = ((group, sizes) for group in together for sizes in _sizes(known, len(group), equal))
            found = [_assigned(shapes, group, sizes) for group, sizes in islice(chosen, _TRIED)]
            if found:
                yield found


def _groups(axes: Sequence[Axis]) -> list[tuple[Axis, ...]]:
    """Sets of few axes, and the set of all."""
    found = [group for count in range(1, min(len(axes), _MOST) + 1) for group in combinations(axes, count)]
    return found if len(axes) <= _MOST else [*found, tuple(axes)]


def _level(group: Sequence[Axis], shapes: Sequence[Shape], most: int) -> tuple[bool, float]:
    """What sets of axes are sorted by. The first of several axes is that of the batch; all come after single ones."""
    of_batch = any(j == 0 and len(shapes[i]) > 1 for i, j in group)
    return of_batch, 1.5 if len(group) == most > 1 else len(group)


def _sizes(known: Sequence[int], count: int, equal: bool) -> Iterable[tuple[int, ...]]:
    """Sizes for `count` axes: the same for all, or not."""
    if equal:
        return ((size,) * count for size in known)
    return (sizes for sizes in product(known, repeat=count) if len(set(sizes)) > 1) if count <= _MOST else ()


def _assigned(shapes: Sequence[Shape], group: Sequence[Axis], sizes: Sequence[int]) -> list[Shape]:
    tried = [list(shape) for shape in shapes]
    for (i, j), size in zip(group, sizes, strict=True):
        tried[i][j] = size
    return [tuple(shape) for shape in tried]
