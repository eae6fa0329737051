"""Seeds that the caller does not give. They come from the operating system, or from NumPy's global generator."""

from __future__ import annotations

import numpy as np


class _Source:
    """Whether NumPy's global generator gives the seeds of the process."""

    numpy = False


def follow_numpy() -> None:
    """Draws seeds from NumPy's global generator from now on, so that `np.random.seed` fixes them, as in Keras."""
    _Source.numpy = True


def stated_or_fresh(seed: int | None) -> int:
    """`seed`, or a fresh one if it is None."""
    if seed is not None:
        return seed
    return int(np.random.randint(0, 2**31 - 1)) if _Source.numpy else int(np.random.SeedSequence().entropy)  # type: ignore[arg-type]
