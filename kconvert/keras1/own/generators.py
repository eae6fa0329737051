"""Generators in Keras 1.2.2: an epoch ends after a number of samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import KconvertError, Problem, warn
from ...layers.lists import items_of
from ...models.training.data import is_sequence, parts
from .training import standardize_weights


class Counted:
    """The batches of a generator, as an iterator that ends after `samples` samples, and goes on when it is asked again.

    So each `for` loop over it takes the batches of one epoch. classes: the weights of classes by output, which a batch
    gets as weights of its samples where it has none of its own; outputs: the names of all outputs.
    """

    def __init__(
        self,
        generator: Any,
        samples: float | None,
        what: str,
        classes: Mapping[str, Any] | None = None,
        outputs: Sequence[str] = (),
    ) -> None:
        if samples is None or samples <= 0:
            raise KconvertError(f"{what} is not a number of samples", fix=f"give {what}", problem=Problem.USAGE)
        self.generator = _endless(generator)
        self.samples, self.what = math.ceil(samples), what
        self.classes, self.outputs = classes or {}, outputs
        self.seen = 0
        # The number of samples of the last batch.
        self.size = 0

    @property
    def epoch_samples(self) -> int:
        """The number of samples of an epoch, which the progress of `fit` counts."""
        return self.samples

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self.seen >= self.samples:
            self.seen = 0
            raise StopIteration
        item = next(self.generator, None)
        if item is None:
            what = f"the generator ended after {self.seen} samples, and {self.what} is {self.samples}"
            raise KconvertError(what, fix="give a generator without end", problem=Problem.USAGE)
        self.size = _count(item[0] if isinstance(item, tuple) else item)
        self.seen += self.size
        if self.seen > self.samples and self.what == "samples_per_epoch":
            warn("an epoch has more samples than samples_per_epoch")
        return self._weighted(*item) if self.classes and isinstance(item, tuple) and len(item) == 2 else item

    def _weighted(self, x: Any, y: Any) -> tuple[Any, Any, dict[str, np.ndarray]]:
        """A batch with weights of its samples by output, which are those of their classes."""
        labels = y if isinstance(y, Mapping) else dict(zip(self.outputs, items_of(y), strict=False))
        of_outputs = {name: np.asarray(one) for name, one in labels.items() if name in self.classes}
        weights = {
            name: standardize_weights(one if one.ndim > 1 else one[:, None], None, self.classes[name])
            for name, one in of_outputs.items()
        }
        return x, y, weights


def cut(data: Any, size: Callable[[], int]) -> Iterator[Any]:
    """The batches of `data`, (x, y) or (x, y, sample_weight), again and again; size: of the batches of an epoch."""
    given = [part for part in parts(data) if part is not None]
    while True:
        step = size()
        for start in range(0, _count(given[0]), step):
            yield tuple(_slice(part, slice(start, start + step)) for part in given)


def _endless(generator: Any) -> Iterator[Any]:
    if is_sequence(generator) and not hasattr(generator, "__next__"):
        what = "a Sequence is not a generator in Keras 1.2.2"
        raise KconvertError(what, fix="give a generator", problem=Problem.USAGE)
    return iter(generator)


def _count(data: Any) -> int:
    """The number of samples of an array, or of a list or dict of arrays."""
    if isinstance(data, dict):
        data = list(data.values())
    return len(data[0]) if isinstance(data, (list, tuple)) else len(data)


def _slice(data: Any, where: slice) -> Any:
    if isinstance(data, dict):
        return {key: one[where] for key, one in data.items()}
    return [one[where] for one in data] if isinstance(data, (list, tuple)) else data[where]
