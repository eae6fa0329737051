"""Shortens runs: fewer samples, fewer epochs. Lines on stderr report what was shortened."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import field
from functools import wraps
from importlib import import_module
from inspect import signature
from itertools import chain
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import numpy as np

from ..arguments import argument
from ..keras.own import datasets
from ..keras1.own import datasets as datasets1
from ..keras1.own.generators import Counted
from ..lazy_dataclasses import dataclass
from ..models.model import Model

BATCH_SIZE = 32
"""The default batch size of Keras."""


@dataclass
class Limits:
    """The largest number of samples and of epochs; None: as many as the script says."""

    samples: int | None = None
    epochs: int | None = None
    # The integers in the text of the script: a data set whose size it states is not cut.
    stated: frozenset[int] = frozenset()
    said: set[str] = field(default_factory=set)

    def say(self, what: str) -> None:
        """Prints a line on stderr, once."""
        if what not in self.said:
            self.said.add(what)
            print(f"kconvert: {what}", file=sys.stderr)

    def shorten_fit(self, model: Model, given: dict[str, Any]) -> None:
        """Changes the arguments of a call of `fit`."""
        if self.epochs is not None:
            first, last = given.get("initial_epoch", 0), given.get("epochs", 1)
            if last - first > self.epochs:
                given["epochs"] = first + self.epochs
                self.say(f"{argument('epochs', self.epochs)}: fit trains {self.epochs} of {last - first} epochs")
        if self.samples is not None:
            self._shorten_data(model, given, "fit", "steps_per_epoch")

    def shorten_evaluation(self, model: Model, given: dict[str, Any]) -> None:
        """Changes the arguments of a call of `evaluate`."""
        if self.samples is not None:
            self._shorten_data(model, given, "evaluate", "steps")

    def _shorten_data(self, model: Model, given: dict[str, Any], method: str, steps: str) -> None:
        n = _whole_batches(self.samples or 1, model, given.get("batch_size"))
        if _is_batches(given.get("x")):
            given["x"], size = _first_batch_size(given["x"], given.get("callbacks"))
            most, stated = max(n // size, 1), given.get(steps)
            stated = len(given["x"]) if stated is None and hasattr(given["x"], "__len__") else stated
            if stated is not None and stated > most:
                given[steps] = most
                self.say(f"{argument('samples', self.samples)}: {method} takes {most} of {stated} batches")
        else:
            if (had := _count(given.get("x"))) > n:
                self.say(f"{argument('samples', self.samples)}: {method} takes {n} of {had} samples")
            for name in ("x", "y", "sample_weight"):
                given[name] = first(given.get(name), n)
        validation = given.get("validation_data")
        if _is_batches(validation):
            given["validation_data"], size = _first_batch_size(validation, given.get("callbacks"))
            if given.get("validation_steps") is not None:
                given["validation_steps"] = min(given["validation_steps"], max(n // size, 1))
        elif validation is not None:
            given["validation_data"] = tuple(first(part, n) for part in validation)


def first(data: Any, n: int) -> Any:
    """The first `n` samples of arrays, and of lists, tuples and dicts of arrays."""
    if isinstance(data, np.ndarray):
        return data[:n]
    if isinstance(data, Mapping):
        return {name: first(one, n) for name, one in data.items()}
    if isinstance(data, tuple | list) and any(np.ndim(one) for one in data[:1]):
        return type(data)(first(one, n) if np.ndim(one) else one for one in data)
    return data


def _count(data: Any) -> int:
    """The number of samples."""
    if isinstance(data, Mapping):
        data = list(data.values())
    if isinstance(data, tuple | list) and len(data) and np.ndim(data[0]):
        data = data[0]
    return len(data) if hasattr(data, "__len__") else 0


def _is_batches(data: Any) -> bool:
    """Whether it is a generator, an iterator or a `Sequence` of batches."""
    if data is None or isinstance(data, np.ndarray | Mapping | list | tuple):
        return False
    return hasattr(data, "__next__") or (hasattr(data, "__getitem__") and not hasattr(data, "shape"))


def _first_batch_size(batches: Any, callbacks: Sequence[Any] | None) -> tuple[Any, int]:
    """The batches, and the number of samples of the first one.

    A generator of a callback gives nothing before the training begins: its batches are taken to be of Keras's size.
    """
    if hasattr(batches, "__getitem__"):
        return batches, max(_count(batches[0][0]), 1)
    generator = batches.generator if isinstance(batches, Counted) else batches
    owner = getattr(getattr(generator, "gi_frame", None), "f_locals", {}).get("self")
    if any(one is owner for one in callbacks or ()):
        return batches, BATCH_SIZE
    batch = next(batches)
    return chain([batch], batches), max(_count(batch[0]), 1)


def _whole_batches(n: int, model: Model, batch_size: int | None) -> int:
    """`n`, or for a model of a fixed batch size as many whole batches, but at least one."""
    try:
        shape = model.input_shape
    except (AttributeError, ValueError):
        return n
    shape = shape[0] if isinstance(shape, list) else shape
    fixed = shape[0] if shape and shape[0] is not None else None
    size = fixed or (batch_size if fixed else None)
    return max(n // size, 1) * size if size else n


# -------------------------------------------------------------- applied to a run ----


@contextmanager
def shortened(limits: Limits) -> Iterator[None]:
    """In the block, `fit`, `evaluate` and the data sets take no more than `limits` says."""
    with ExitStack() as stack:
        stack.enter_context(replaced(Model, "fit", _limited(Model.fit, limits.shorten_fit)))
        stack.enter_context(replaced(Model, "evaluate", _limited(Model.evaluate, limits.shorten_evaluation)))
        if limits.samples is not None:
            for package in (datasets, datasets1):
                for module in _modules(package):
                    short = _fewer(module.load_data, module.__name__.rpartition(".")[2], limits)
                    stack.enter_context(replaced(module, "load_data", short))
        yield


def _modules(package: ModuleType) -> list[ModuleType]:
    """The modules of a package that load a data set."""
    modules = [import_module(f"{package.__name__}.{info.name}") for info in iter_modules(package.__path__)]
    return [module for module in modules if hasattr(module, "load_data")]


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """In the block, the attribute `name` of `owner` is `value`."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def _limited(method: Callable[..., Any], shorten: Callable[[Any, dict[str, Any]], None]) -> Callable[..., Any]:
    parameters = signature(method)

    @wraps(method)
    def limited(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            given = parameters.bind(self, *args, **kwargs).arguments
        except TypeError:  # the method says what is wrong
            return method(self, *args, **kwargs)
        given.pop("self")
        given.update(given.pop("kwargs", {}))
        shorten(self, given)
        return method(self, **given)

    return limited


def _fewer(load: Callable[..., Any], name: str, limits: Limits) -> Callable[..., Any]:
    @wraps(load)
    def fewer(*args: Any, **kwargs: Any) -> Any:
        n, pairs = limits.samples or 1, load(*args, **kwargs)
        if sizes := limits.stated & {len(pair[0]) for pair in pairs}:
            limits.say(f"{argument('samples', n)}: {name} is not cut, because the script states its size {max(sizes)}")
            return pairs
        if len(pairs[0][0]) > n:
            limits.say(f"{argument('samples', n)}: {name} gives {n} of {len(pairs[0][0])} samples")
        return tuple(tuple(part[:n] for part in pair) for pair in pairs)

    return fewer
