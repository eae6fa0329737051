"""The list of the layers of a model."""

from __future__ import annotations

from collections.abc import Sequence

from ..layers import Layer


class Listing:
    """The list of the layers of a model, which scripts change by `model.layers.pop()` before they build another one.

    As in Keras, a change does not reach the graph: `model.layers[-1].output` is that of the layer before, and the model
    computes as it did. The list is made anew where the layers of the model are others.
    """

    def __init__(self) -> None:
        self._layers: list[Layer] = []
        self._shown: list[Layer] = []

    def of(self, layers: Sequence[Layer]) -> list[Layer]:
        """The list of a model that has `layers`: the same one at each call."""
        if [*map(id, layers)] != [*map(id, self._layers)]:
            self._layers, self._shown = list(layers), list(layers)
        return self._shown
