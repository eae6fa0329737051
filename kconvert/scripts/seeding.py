"""Random numbers of a run: the seeds of models come from NumPy's global generator, as under Keras.

So `np.random.seed` in a script, or `--seed`, makes weights, the order of samples and random layers the same in each
run.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import signature
from typing import Any

import numpy as np

from ..models.model import Model
from ..models.runtime import Runtime
from .shortening import replaced


@contextmanager
def seeded(seed: int | None) -> Iterator[None]:
    """In the block, models take their seeds from NumPy's global generator; seed: of that, if any."""
    if seed is not None:
        np.random.seed(seed)
        random.seed(seed)
    with (
        replaced(Model, "compile", _seeding(Model.compile)),
        replaced(Runtime, "start", _seeding(Runtime.start)),
        replaced(Model, "fit", _reseeding(Model.fit)),
    ):
        yield


def _drawn() -> int:
    return int(np.random.randint(2**31 - 1))


def _seeding(method: Any) -> Any:
    """The method, with a seed where it is given none."""
    parameters = signature(method)

    @wraps(method)
    def seeding(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = parameters.bind_partial(self, *args, **kwargs).arguments
        if given.get("seed") is None:
            given["seed"] = _drawn()
        return method(**given)

    return seeding


def _reseeding(method: Any) -> Any:
    """`fit`, which shuffles in another order each time."""

    @wraps(method)
    def fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = method(self, *args, **kwargs)
        self.trainer.seed = _drawn()
        return result

    return fit
