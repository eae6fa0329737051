"""What releases of Keras 0 computed differently from their configuration says today.

(keras-facts: average-instead-of-maximum, product-rnn, activation-of-the-candidate, tiling, bias-along-rows,
early-masks)
"""

from __future__ import annotations

from .... import layers as L
from .. import early
from .base import Oddity, Version, stays


def _masked(version: Version, does: str) -> Oddity:
    """The recurrent layers of one early release where masks matter."""
    releases = f"Keras {'.'.join(map(str, version))}"
    return Oddity(
        version,
        version,
        early.RECURRENT,
        does,
        lambda layer, shape: early.with_masks(layer, version),
        lambda layer, shape: early.for_masks(layer, version, releases),
        masks=True,
    )


KERAS0 = (
    _masked((0, 2, 0), "computes masked steps, and starts from 0 behind them"),
    Oddity(
        (0, 3, 0),
        (0, 3, 0),
        (*early.POOLINGS, *early.POOLINGS.values()),
        "averages",
        early.averaging,
        early.for_averaging,
        "theano",
    ),
    Oddity(
        (0, 3, 0),
        (0, 3, 0),
        (L.SimpleRNN,),
        "multiplies what it should add",
        early.multiplying,
        early.for_multiplying,
    ),
    Oddity(
        (0, 3, 0),
        (0, 3, 0),
        (L.GRU,),
        "has the activation of its gates in its candidate",
        early.gate_activation,
        early.for_gate_activation,
        masks=False,
    ),
    _masked((0, 3, 0), "takes inputs of 0 in a whole batch for masked ones, and gives 0 for them"),
    Oddity(
        (0, 3, 0),
        (0, 3, 0),
        tuple(early.TILING),
        "repeats the whole input, not each element",
        early.tiling,
        early.for_tiling,
    ),
    Oddity(
        (0, 3, 0),
        (0, 3, 0),
        (L.Conv2D,),
        "in channels_last adds the bias along the rows",
        early.bias_along_rows,
        early.for_bias_along_rows,
    ),
    _masked((0, 3, 1), "takes inputs of 0 for masked ones, and gives 0 for them"),
    Oddity(
        (0, 3, 0),
        (0, 3, 1),
        early.MASKS,
        "makes a mask that only recurrent layers with return_sequences read",
        early.without_masks,
        stays,
        masks=False,
    ),
)
