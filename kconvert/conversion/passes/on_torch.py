"""A note on layers that Keras 3 computes differently on torch than on its other backends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from ... import layers as L
from ...conventions.backends import same_padding
from ...network.known_shapes import known_shapes
from ...network.network import Network
from ...network.rewritten import Rewritten
from .hazards import Window, calls, windows
from .left_out import listed

AVERAGES = (L.AveragePooling1D, L.AveragePooling2D, L.AveragePooling3D)


def notes_on_torch(model: Network) -> Rewritten:
    """`model` with a note that names its averages of unequal padding (keras-facts: average-pooling-on-torch)."""
    with known_shapes():
        names = [
            path
            for path, layer, shape in calls(model)
            if isinstance(layer, AVERAGES) and _repeats_edges(windows(layer, shape))
        ]
    note = "{}: Keras 3 on torch repeats the edge of the image where padding='same' adds unequally, and averages it"
    return Rewritten(model, notes=[note.format(listed(list(dict.fromkeys(names))))] if names else [])


def _repeats_edges(axes: Sequence[Window]) -> bool:
    """Whether an axis of some image is padded oddly, and a window averages a repeated edge with others."""
    for sizes in product(*(axis.sizes_to_try if axis.size is None else [axis.size] for axis in axes)):
        added = [sum(same_padding(0, n, axis.kernel, axis.stride)) for n, axis in zip(sizes, axes, strict=True)]
        padded = [(n, axis.kernel) for n, axis in zip(added, axes, strict=True) if n > 0]
        if any(n % 2 for n, _ in padded) and any(kernel > 2 for _, kernel in padded):
            return True
    return False
