"""The base class of wrappers of the user, as Keras 1.2.2 has it."""

from __future__ import annotations

from typing import Any

from ...layers import wrappers
from .topology import Layer


class Wrapper(Layer, wrappers.Wrapper):
    """A layer whose `build` and `call` use the layer inside, `self.layer`. It has the weights of that layer."""

    tracks_layers = True

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        self.layer = layer
        super().__init__(**kwargs)
        self.__post_init__()
