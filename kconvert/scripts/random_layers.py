"""Finds layers that draw random numbers in training, and disables them, because the backends draw different numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from ..layers.phase import RATES
from ..models.model import Model
from .shortening import replaced


def random_layers(network: Any) -> Iterator[Any]:
    """The layers of a network, also of networks in it, that draw random numbers in training."""
    for layer in network.sublayers:
        yield from random_layers(layer)
        if any(getattr(layer, key, None) for key in RATES):
            yield layer


@contextmanager
def without_random_layers(say: Callable[[str], None]) -> Iterator[None]:
    """In the block, the layers of a model that is trained have the rate 0, so that they pass on what they get.

    say: takes a line that names the classes of these layers.
    """
    with (
        replaced(Model, "fit", _with_rates_of_zero(Model.fit, say)),
        replaced(Model, "train_on_batch", _with_rates_of_zero(Model.train_on_batch, say)),
    ):
        yield


def _with_rates_of_zero(method: Callable[..., Any], say: Callable[[str], None]) -> Callable[..., Any]:
    @wraps(method)
    def train(self: Any, *args: Any, **kwargs: Any) -> Any:
        for layer in list(random_layers(self)):
            say(f"{layer.class_name} draws no random numbers")
            for key in RATES:
                if getattr(layer, key, None):
                    setattr(layer, key, 0.0)
            layer.use_options()
        return method(self, *args, **kwargs)

    return train
