"""Data for training: checks arrays against the model and divides them into batches; streams provide batches.

A stream is a generator, an iterator or a `Sequence`. A `Batch` is the data of one step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import repeat
from typing import Any

import numpy as np

from ...backend.float_settings import floatx
from ...errors import KconvertError, Problem, warn
from ...layers.lists import items_of
from ...lazy_dataclasses import dataclass
from ...network.network import Network
from ...network.sample_inputs import checked_inputs, numbers, size_of_batches
from .losses import Loss
from .objective import Objective


@dataclass(frozen=True)
class Batch:
    """The data of one step, or of a whole data set before it is divided."""

    # For each input of the model, an array (batch, ...).
    x: list[np.ndarray]
    # For each output, the labels (batch, ...); None for an output without a loss.
    y: list[Any]
    # For each output, the sample weights (batch,) or (batch, time); None for weights of 1.
    weights: list[Any]

    def __len__(self) -> int:
        return len(self.x[0])

    def take(self, samples: Any) -> Batch:
        """The samples that `samples`, a slice or an array of indices, selects."""
        x, y, weights = ([None if a is None else a[samples] for a in group] for group in (self.x, self.y, self.weights))
        return Batch(x, y, weights)  # type: ignore[arg-type]


class Sequence:
    """Base class for data sets of the user that give batches by index (`keras.utils.Sequence`).

    A subclass defines `__len__`, the number of batches, and `__getitem__`, which returns one batch: (x, y) or
    (x, y, sample_weight).
    """

    def __len__(self) -> int:
        raise NotImplementedError

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        """The batches of one epoch."""
        return (self[i] for i in range(len(self)))

    def on_epoch_end(self) -> None:
        """Called after each epoch, for example to shuffle the samples."""


# ------------------------------------------------------------------- checks ----


def checked_batch(
    network: Network, objective: Objective, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None
) -> Batch:
    """The data of the user as a `Batch`.

    x, y, sample_weight, class_weight: as in `Model.fit`. Raises KconvertError where shapes, dtypes, names or numbers of
    samples do not match the model.
    """
    xs = checked_inputs(network, x)
    given = zip(objective.targets, _by_output(objective, y, "labels"), strict=True)
    labels = [array if target is None else target.eval() for target, array in given]
    ys = [
        None if loss is None else _labels(array, loss, shape, name)
        for loss, array, shape, name in zip(objective.losses, labels, objective.shapes, objective.names, strict=True)
    ]
    weights = [
        _weights(own, classes, labels, name, temporal)
        for own, classes, labels, name, temporal in zip(
            _by_output(objective, sample_weight, "sample_weight", optional=True),
            _classes(objective, class_weight),
            ys,
            objective.names,
            objective.temporal,
            strict=True,
        )
    ]
    batch = Batch(xs, ys, weights)
    counts = {len(array) for array in (*xs, *ys, *weights) if array is not None}
    if len(counts) > 1:
        listed = ", ".join(map(str, sorted(counts)))
        raise KconvertError(
            f"the arrays have different numbers of samples: {listed}", where=network.name, problem=Problem.USAGE
        )
    return batch


def _labels(array: Any, loss: Loss, shape: tuple[int | None, ...], name: str) -> np.ndarray:
    """The labels of output `name` as float32; labels (samples,) become (samples, 1).

    shape: of the output. Raises KconvertError for a shape that the loss does not take (keras-facts: shapes-of-labels).
    """
    where = f"labels of output {name}"
    if array is None:
        raise KconvertError("the labels are missing", where, "give y", Problem.USAGE)
    labels = numbers(array, where)
    if labels.ndim == 1:
        labels = labels[:, None]
    wanted = loss.label_shapes(shape)
    if wanted is not None and not any(_fits(labels.shape, one) for one in wanted):
        expected = f"{wanted[0]} is expected (None is free)" if wanted else "several classes are expected"
        raise KconvertError(
            f"an array of shape {np.shape(array)} was given where {expected}",
            where,
            "integer classes need sparse_categorical_crossentropy, one-hot labels categorical_crossentropy",
            Problem.USAGE,
        )
    return labels.astype(floatx(), copy=False)


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(w in (None, n) for n, w in zip(shape, wanted, strict=True))


def _by_output(objective: Objective, value: Any, what: str, optional: bool = False) -> list[Any]:
    """The value of each output, None where there is none.

    value: a dict by the names of outputs, a list in their order, or the value of the only output with a loss.
    what: the word for `value` in messages. optional: outputs with a loss may have no value.
    """
    names, trained = objective.names, objective.trained
    if isinstance(value, Mapping):
        unknown = [f"there is no output {name!r}" for name in sorted(set(value) - set(names))]
        missing = [f"output {names[i]!r} is missing" for i in trained if not optional and names[i] not in value]
        if wrong := unknown + missing:
            raise KconvertError(wrong[0], what, f"the outputs are {', '.join(names)}", Problem.USAGE)
        return [value.get(name) for name in names]
    if value is None:
        return [None] * len(names)
    if len(trained) == 1 and not (isinstance(value, (list, tuple)) and len(value) == 1 and np.ndim(value[0]) > 0):
        value = [value]
    if not isinstance(value, (list, tuple)) or len(value) not in (len(trained), len(names)):
        count = len(value) if isinstance(value, (list, tuple)) else 1
        wrong_number = f"{count} values were given for {len(trained)} outputs"
        raise KconvertError(wrong_number, what, f"the outputs are {', '.join(names)}", Problem.USAGE)
    if len(value) == len(names):
        return list(value)
    given = iter(value)
    return [next(given) if i in trained else None for i in range(len(names))]


# ------------------------------------------------------------------ weights ----


def _classes(objective: Objective, class_weight: Any) -> list[Mapping[int, float] | None]:
    """The class weights of each output, None where there are none.

    class_weight: for a single output a dict by class; otherwise these dicts by the names of outputs, or in a list. As
    in Keras, weights that are no dict, and those of unknown outputs, have no effect; a warning says so.
    """
    names = objective.names
    if class_weight is None or (isinstance(class_weight, (Mapping, list, str)) and not class_weight):
        return [None] * len(names)
    given: list[Any] = [class_weight]
    if isinstance(class_weight, list) and len(class_weight) == len(names):
        given = class_weight
    elif isinstance(class_weight, Mapping) and (len(names) > 1 or names[0] in class_weight):
        given = [class_weight.get(name) for name in names]
    elif len(names) > 1:
        given = _by_output(objective, class_weight, "class_weight", optional=True)
    found = [one if isinstance(one, Mapping) else None for one in given]
    if not any(found):
        warn(f"class_weight={class_weight!r} has no effect: it is no dict by class or by the names of outputs")
    return found


def _weights(
    own: Any, classes: Mapping[int, float] | None, labels: Any, name: str, temporal: bool
) -> np.ndarray | None:
    """The weights of the samples (batch,) or (batch, time): weights of samples times weights of classes, or None.

    own: the weights of samples. classes: the weights of classes. labels, name: of the output.
    temporal: whether its `sample_weight_mode` is 'temporal', so that each time step has a weight.
    """
    if temporal and labels is not None and labels.ndim < 3:
        what = f"sample_weight_mode='temporal' needs labels with a time axis, not the shape {labels.shape}"
        raise KconvertError(what, f"output {name}", "compile without it", Problem.USAGE)
    if labels is None or (own is None and classes is None):
        return None
    where = f"sample_weight of output {name}"
    result = None if own is None else numbers(own, where).astype(floatx(), copy=False)
    if result is not None and (result.ndim > 2 or result.shape != labels.shape[: result.ndim]):
        what = f"weights of shape {result.shape} do not match labels of shape {labels.shape}"
        raise KconvertError(what, where, "give one weight per sample, or one per time step", Problem.USAGE)
    if result is not None and (result.ndim == 2) != temporal:
        what = f"weights of shape {result.shape} do not match the sample_weight_mode of compile"
        fix = "one weight per sample needs None, one per time step 'temporal'"
        raise KconvertError(what, where, fix, Problem.USAGE)
    if classes is None:
        return result
    if labels.ndim > 2:
        raise KconvertError(
            "class_weight needs one label per sample", f"output {name}", "use sample_weight", Problem.USAGE
        )
    of_samples = labels.argmax(1) if labels.shape[1] > 1 else labels[:, 0].astype("int64")
    missing = set(np.unique(of_samples).tolist()) - set(classes)
    if missing:
        raise KconvertError(
            f"class_weight has no weight for class {min(missing)}", f"output {name}", None, Problem.USAGE
        )
    known, inverse = np.unique(of_samples, return_inverse=True)
    by_class = np.array([classes[int(k)] for k in known], floatx())[inverse]
    return by_class if result is None else result * (by_class if result.ndim == 1 else by_class[:, None])


def check_modes(modes: Any) -> None:
    """Raises KconvertError for a `sample_weight_mode` that Keras does not have: one value, or those of the outputs."""
    listed = modes.values() if isinstance(modes, Mapping) else items_of(modes)
    for mode in listed:
        if mode not in (None, "temporal", "samplewise"):
            what = f"unknown sample_weight_mode {mode!r}"
            raise KconvertError(what, "compile", "it is None or 'temporal'", Problem.USAGE)


# ------------------------------------------------------------------ batches ----


def batches(data: Batch, size: int, order: np.ndarray | None = None) -> Iterator[Batch]:
    """`data` in batches of `size` samples; the last batch may be smaller.

    order: the indices of the samples in the order of use; None: the order of `data`.
    """
    for start in range(0, len(data), size):
        where = slice(start, start + size)
        yield data.take(where if order is None else order[where])


@dataclass(frozen=True)
class Division:
    """How arrays are divided into the batches of an epoch; its fields are parameters of callbacks."""

    # The size of the batches; None where each step takes all samples.
    batch_size: int | None
    # The number of steps; None where each sample is taken once.
    steps: int | None
    samples: int

    @classmethod
    def of(cls, network: Network, samples: int, batch_size: int | None, steps: int | None, what: str) -> Division:
        """The division of `samples`. As in Keras, each of a stated number of steps takes all samples.

        what: the argument for `steps`, for messages. Raises KconvertError where both sizes are stated.
        """
        if steps is None:
            return cls(size_of_batches(network, batch_size, samples), None, samples)
        if batch_size is not None:
            fix = f"leave one of them out: with {what}, each step takes all samples"
            raise KconvertError(f"batch_size and {what} were given", network.name, fix, Problem.USAGE)
        return cls(None, steps, samples)

    def batches(self, data: Batch, order: np.ndarray | None = None) -> Iterator[Batch]:
        """The batches of `data` in one epoch; order: see `batches`."""
        return batches(data, self.batch_size, order) if self.batch_size else repeat(data, self.steps or 0)


def shuffle_order(order: np.ndarray, how: bool | str, size: int, rng: Any) -> None:
    """Shuffles the indices of samples, in place: each epoch shuffles the order of the epoch before, as in Keras.

    how: True, or 'batch': only whole batches of `size` samples are shuffled, and a smaller last batch stays last. rng:
    a generator of NumPy, or the module `numpy.random`.
    """
    rng.shuffle(order[: len(order) // size * size].reshape(-1, size) if how == "batch" else order)


def split(data: Batch, fraction: float) -> tuple[Batch, Batch]:
    """The samples for training, and the last `fraction` of all samples for validation.

    Raises KconvertError where one of them has no samples.
    """
    at = int(len(data) * (1.0 - fraction))
    if at == 0 or at == len(data):
        raise KconvertError(
            f"validation_split={fraction} of {len(data)} samples leaves none for training or none for validation",
            problem=Problem.USAGE,
        )
    return data.take(slice(at)), data.take(slice(at, None))


def is_stream(x: Any) -> bool:
    """Whether `x` gives batches: a generator, an iterator, or a Sequence."""
    return hasattr(x, "__next__") or is_sequence(x)


def is_sequence(x: Any) -> bool:
    """Whether `x` has the methods of `Sequence`, and is not an array, a list, a mapping or a string."""
    indexed = hasattr(x, "__getitem__") and hasattr(x, "__len__")
    return indexed and not isinstance(x, (list, tuple, Mapping, str)) and not hasattr(x, "shape")


def endless(sequence: Any, rng: Any = None) -> Iterator[Any]:
    """The batches of a Sequence, epoch after epoch without end.

    rng: what shuffles their order in each epoch, a generator of NumPy or the module `random`; None: nothing does.
    """
    while True:
        order = list(range(len(sequence)))
        if rng is not None:
            rng.shuffle(order)
        for i in order:
            yield sequence[i]
        if hasattr(sequence, "on_epoch_end"):
            sequence.on_epoch_end()


def parts(item: Any) -> tuple[Any, Any, Any]:
    """x, y and sample_weight of one item of a stream. Raises KconvertError for anything but a tuple of 2 or 3."""
    if not isinstance(item, (tuple, list)) or not 2 <= len(item) <= 3:
        raise KconvertError(
            "a generator must give (x, y) or (x, y, sample_weight)", "data of a generator", None, Problem.USAGE
        )
    return item[0], item[1], item[2] if len(item) == 3 else None


def refuse_with_stream(where: str, **given: Any) -> None:
    """Raises KconvertError for an argument of the method `where` that is given although x is a stream of batches."""
    for name, value in given.items():
        if value is not None:
            what, fix = (
                f"{name} cannot be combined with a generator or a Sequence",
                "leave it out: x gives whole batches",
            )
            raise KconvertError(what, where, fix, Problem.USAGE)


def taken(stream: Iterator[Any], count: int) -> Iterator[Any]:
    """The next `count` batches of a stream. Raises KconvertError where it ends before."""
    for number in range(count):
        try:
            batch = next(stream)
        except StopIteration:
            fix = "give a generator with more batches"
            raise KconvertError(f"{number} of {count} batches were there", "data", fix, Problem.USAGE) from None
        yield batch


def stream_of(x: Any, steps: int | None, what: str, rng: Any = None) -> tuple[int, Iterator[Any]]:
    """The number of batches to take from the stream `x`, and an iterator over it.

    steps: the number, None for all batches of a Sequence. what: the argument for `steps`, for messages. rng: mixes the
    batches of a Sequence; None: they keep their order. Raises KconvertError where the number is not known.
    """
    if is_sequence(x):
        return steps or len(x), endless(x, rng)
    if steps is None:
        raise KconvertError("the number of batches of a generator is not known", "data", f"give {what}", Problem.USAGE)
    return steps, iter(x)
