"""Seeds that the caller does not give. They come from the operating system, or from NumPy's global generator."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

SEEDS_BELOW = 10_000_000
"""The numbers that Keras draws from NumPy's global generator as seeds are below this one."""


class _Source:
    """Whether NumPy's global generator gives the seeds of the process."""

    numpy = False


def follow_numpy() -> None:
    """Draws seeds from NumPy's global generator from now on, so that `np.random.seed` fixes them, as in Keras."""
    _Source.numpy = True


def follows_numpy() -> bool:
    """Whether seeds come from NumPy's global generator."""
    return _Source.numpy


def stated_or_fresh(seed: int | None) -> int:
    """`seed`, or a fresh one if it is None."""
    if seed is not None:
        return seed
    return int(np.random.randint(0, 2**31 - 1)) if _Source.numpy else int(np.random.SeedSequence().entropy)  # type: ignore[arg-type]


def stated_or_present(seed: int | None) -> int:
    """`seed`, or one if it is None; NumPy's global generator gives it and stays as it is, as Keras draws none there."""
    if seed is not None or not _Source.numpy:
        return stated_or_fresh(seed)
    copy = np.random.RandomState()
    copy.set_state(np.random.get_state())
    return int(copy.randint(0, 2**31 - 1))


def of_samples(seed: int | None) -> Any:
    """The generator that shuffles samples: one with `seed`, or for None NumPy's global one if seeds come from it."""
    return np.random if seed is None and _Source.numpy else np.random.default_rng(stated_or_fresh(seed))


def of_batches(seed: int | None) -> Any:
    """The generator that shuffles the batches of a Sequence: as `of_samples`, but Python's in place of NumPy's."""
    return random if seed is None and _Source.numpy else of_samples(seed)
