"""Wrapper and TimeDistributed of Keras 1.2.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...backend.base import Backend
from ...layers import wrappers
from ...layers.phase import Phase
from ...lazy_dataclasses import dataclass
from .topology import Layer, item_of_layer, layer_of_item


class Wrapper(Layer, wrappers.Wrapper):
    """A layer whose `build` and `call` use the layer inside, `self.layer`. It has the weights of that layer."""

    tracks_layers = True

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        self.layer = layer
        super().__init__(**kwargs)
        self.__post_init__()

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor that every wrapper has."""
        return {**super().get_config(), "layer": item_of_layer(self.layer)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The layer with a configuration that `get_config` returned."""
        return cls(**{**config, "layer": layer_of_item(config["layer"])})


@dataclass(eq=False)
class TimeDistributed(wrappers.TimeDistributed):
    """A layer applied to each time step separately. Moving averages inside stay as they are.

    (keras-facts: no-moving-averages-in-timedistributed)
    """

    def call(self, K: Backend, w: Any, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        return super().call(K, w, x, mask, None if training is None else training.without_averages())

    def _moved(self) -> list[Any]:
        return []
