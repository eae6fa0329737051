"""Vectors of length 1, as `K.l2_normalize` and what is computed with it make them."""

from __future__ import annotations

from collections.abc import Sequence

from .base import Backend, Tensor
from .float_settings import epsilon


def unit_vectors(K: Backend, x: Tensor, axis: int | Sequence[int] | None) -> Tensor:
    """`x`, with each vector along `axis` scaled to length 1. A vector of length near 0 stays near 0.

    The sum of squares counts as at least 1e-12 on TensorFlow and as at least `epsilon` on Theano
    (keras-facts: l2-normalize).
    """
    squares = K.sum(x * x, axis, keepdims=True)
    return x / K.sqrt(K.maximum(squares, K.facts.least_square or epsilon()))
