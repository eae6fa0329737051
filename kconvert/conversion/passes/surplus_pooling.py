"""3-D pooling of Keras on Theano that gives more elements than it declares (keras-facts: pooling-3d-surplus)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...conventions.backends import BACKENDS
from ...conventions.generations import GENERATIONS
from ...layers.base import Shape
from ...network.rewrite import NewLayer
from .hazards import windows
from .repair import Context, known, parts, pooled

THEANO = Context(BACKENDS["theano"], GENERATIONS["keras2"])


def uncut(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """With the windows that start before the end of the padding; None where they are as many as declared."""
    axes, sizes, more = [], [], False
    for window in windows(layer, shape):
        n, k, s = known(layer, window.size), window.kernel, window.stride
        before = THEANO.facts.pool_padding(n, k, s)
        count = (n + 2 * before - k) // s + 1
        more |= count > -(-n // s)
        axes.append(parts(n, k, s, before, count))
        sizes.append(n)
    return pooled(layer, sizes, axes, len(shape), THEANO) if more else None
