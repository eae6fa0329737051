"""Functions of `keras.optimizers`."""

from __future__ import annotations

from ...backend.base import Tensor
from ...backend.computing import current_backend
from ...layers.recorded import recorded


@recorded
def clip_norm(g: Tensor, c: float, n: Tensor) -> Tensor:
    """A gradient of norm `n`, scaled to the norm `c` where it is not smaller; for c <= 0 as it is."""
    K = current_backend()
    if c <= 0:
        return g
    return K.where(K.greater(c, n), g, g * c / n)
