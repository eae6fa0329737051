"""Data for training: arrays checked against the model, cut into batches, and streams of batches.

A `Batch` holds what one step takes: inputs, and for every output its labels and sample weights or None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import KconvertError, Problem
from ...network.network import Network
from ...network.sample_inputs import checked_inputs, numbers
from .objective import Objective


@dataclass(frozen=True)
class Batch:
    """Samples: inputs, and for each output labels and weights (None where it has none)."""

    x: list[np.ndarray]
    y: list[Any]
    weights: list[Any]

    def __len__(self) -> int:
        return len(self.x[0])

    def take(self, samples: Any) -> Batch:
        """Some of the samples: a slice, or indices."""
        x, y, weights = ([None if a is None else a[samples] for a in group] for group in (self.x, self.y, self.weights))
        return Batch(x, y, weights)  # type: ignore[arg-type]


class Sequence:
    """Batches that can be asked for by number; to be subclassed (Keras's `utils.Sequence`).

    A subclass says how many batches there are (`__len__`) and gives each: (x, y) or (x, y, sample_weight).
    """

    def __len__(self) -> int:
        raise NotImplementedError

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError

    def on_epoch_end(self) -> None:
        """Called after each epoch, to shuffle or the like."""


# ------------------------------------------------------------------- checks ----


def checked(
    network: Network, objective: Objective, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None
) -> Batch:
    """What the user gives as a Batch; raises KconvertError with what does not fit and where."""
    xs = checked_inputs(network, x)
    ys = [
        None if loss is None else _labels(array, shape, name)
        for loss, array, shape, name in zip(
            objective.losses, _by_output(objective, y, "labels"), objective.shapes, objective.names, strict=True
        )
    ]
    weights = [
        _weights(own, classes, labels, name)
        for own, classes, labels, name in zip(
            _by_output(objective, sample_weight, "sample_weight", some=True),
            _classes(objective, class_weight),
            ys,
            objective.names,
            strict=True,
        )
    ]
    batch = Batch(xs, ys, weights)
    counts = {len(array) for array in (*xs, *ys, *weights) if array is not None}
    if len(counts) > 1:
        listed = " and ".join(map(str, sorted(counts)))
        raise KconvertError(
            f"arrays of {listed} samples were given together", where=network.name, problem=Problem.USAGE
        )
    return batch


def _labels(array: Any, shape: tuple[int | None, ...], name: str) -> np.ndarray:
    """Labels of an output of `shape`, as float32; classes as integers may have no last axis."""
    where = f"labels of output {name}"
    if array is None:
        raise KconvertError("there are none", where, "give y", Problem.USAGE)
    labels = numbers(array, where)
    if labels.ndim == 1:
        labels = labels[:, None]
    one_hot = shape
    sparse = (*shape[:-1], 1)
    if not any(_fits(labels.shape, wanted) for wanted in (one_hot, sparse, shape[:-1])):
        raise KconvertError(
            f"an array of shape {np.shape(array)} was given where {shape} is expected (None is free)",
            where,
            "or classes as integers, for sparse_categorical_crossentropy",
            Problem.USAGE,
        )
    return labels.astype("float32", copy=False)


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(w in (None, n) for n, w in zip(shape, wanted, strict=True))


def _by_output(objective: Objective, value: Any, what: str, some: bool = False) -> list[Any]:
    """One array an output: from a dict by name, a list, or the array of the only output. some: not all need one."""
    names, trained = objective.names, objective.trained
    if isinstance(value, Mapping):
        unknown = set(value) - set(names)
        if unknown or not (some or all(names[i] in value for i in trained)):
            said = f"no output is called {min(unknown)!r}" if unknown else "not every output has some"
            raise KconvertError(said, what, f"the outputs are {', '.join(names)}", Problem.USAGE)
        return [value.get(name) for name in names]
    if value is None:
        return [None] * len(names)
    if len(trained) == 1 and not (isinstance(value, (list, tuple)) and len(value) == 1 and np.ndim(value[0]) > 0):
        value = [value]
    if not isinstance(value, (list, tuple)) or len(value) not in (len(trained), len(names)):
        count = len(value) if isinstance(value, (list, tuple)) else 1
        raise KconvertError(
            f"{count} given for {len(trained)} outputs", what, f"the outputs are {', '.join(names)}", Problem.USAGE
        )
    if len(value) == len(names):
        return list(value)
    given = iter(value)
    return [next(given) if i in trained else None for i in range(len(names))]


# ------------------------------------------------------------------ weights ----


def _classes(objective: Objective, class_weight: Any) -> list[Mapping[int, float] | None]:
    """The weights of classes, output by output: one dict for a single output, else dicts by name or in a list."""
    names = objective.names
    if class_weight is None:
        return [None] * len(names)
    if len(names) == 1 and isinstance(class_weight, Mapping) and names[0] not in class_weight:
        return [class_weight]
    return _by_output(objective, class_weight, "class_weight", some=True)


def _weights(own: Any, classes: Mapping[int, float] | None, labels: Any, name: str) -> np.ndarray | None:
    """Sample weights (batch,) or (batch, time), those of the classes times those of the samples."""
    if labels is None or (own is None and classes is None):
        return None
    where = f"sample_weight of output {name}"
    result = None if own is None else numbers(own, where).astype("float32", copy=False)
    if result is not None and (result.ndim > 2 or result.shape != labels.shape[: result.ndim]):
        fix = "one weight a sample, or one for every step of its sequence"
        raise KconvertError(f"weights of shape {result.shape} for labels of {labels.shape}", where, fix, Problem.USAGE)
    if classes is None:
        return result
    if labels.ndim > 2:
        raise KconvertError(
            "class_weight is for one label a sample", f"output {name}", "use sample_weight", Problem.USAGE
        )
    found = labels.argmax(1) if labels.shape[1] > 1 else labels[:, 0].astype("int64")
    missing = set(np.unique(found).tolist()) - set(classes)
    if missing:
        raise KconvertError(
            f"class_weight has no weight for class {min(missing)}", f"output {name}", None, Problem.USAGE
        )
    known, inverse = np.unique(found, return_inverse=True)
    by_class = np.array([classes[int(k)] for k in known], "float32")[inverse]
    return by_class if result is None else result * (by_class if result.ndim == 1 else by_class[:, None])


# ------------------------------------------------------------------ batches ----


def batches(data: Batch, size: int, order: np.ndarray | None = None) -> Iterator[Batch]:
    """`data` in batches of `size`, the last one smaller; `order` of the samples, as they stand where None."""
    for start in range(0, len(data), size):
        where = slice(start, start + size)
        yield data.take(where if order is None else order[where])


def shuffled(n: int, how: bool | str, size: int, rng: np.random.Generator) -> np.ndarray | None:
    """A random order of `n` samples; how='batch': whole batches change places, the smaller last one stays."""
    if how == "batch":
        whole = n // size * size
        mixed = rng.permutation(np.arange(whole).reshape(-1, size)).ravel()
        return np.concatenate([mixed, np.arange(whole, n)])
    return rng.permutation(n) if how else None


def split(data: Batch, fraction: float) -> tuple[Batch, Batch]:
    """The first samples, and the last `fraction` of them for validation."""
    at = int(len(data) * (1.0 - fraction))
    if not 0.0 < fraction < 1.0 or at == 0 or at == len(data):
        raise KconvertError(
            f"validation_split={fraction} leaves nothing on one side of {len(data)} samples", problem=Problem.USAGE
        )
    return data.take(slice(at)), data.take(slice(at, None))


def is_stream(x: Any) -> bool:
    """Whether `x` gives batches by itself: a generator, an iterator, or a Sequence."""
    return hasattr(x, "__next__") or is_sequence(x)


def is_sequence(x: Any) -> bool:
    """A `Sequence` of this module, or any object with its methods that is no array or list."""
    own = hasattr(x, "__getitem__") and hasattr(x, "__len__")
    return own and not isinstance(x, (list, tuple, Mapping, str)) and not hasattr(x, "shape")


def endless(sequence: Any) -> Iterator[Any]:
    """The batches of a Sequence, again and again."""
    while True:
        for i in range(len(sequence)):
            yield sequence[i]
        if hasattr(sequence, "on_epoch_end"):
            sequence.on_epoch_end()


def parts(item: Any) -> tuple[Any, Any, Any]:
    """x, y and sample_weight of what a stream gives."""
    if not isinstance(item, (tuple, list)) or not 2 <= len(item) <= 3:
        raise KconvertError(
            "a generator should give (x, y) or (x, y, sample_weight)", "data of a generator", None, Problem.USAGE
        )
    return item[0], item[1], item[2] if len(item) == 3 else None


def stream_of(x: Any, steps: int | None, what: str) -> tuple[int, Iterator[Any]]:
    """How many batches to take from a stream, and the stream; a Sequence knows its number itself."""
    if is_sequence(x):
        return steps or len(x), endless(x)
    if steps is None:
        raise KconvertError(
            "a generator does not tell how many batches it gives", "data", f"give {what}", Problem.USAGE
        )
    return steps, iter(x)
