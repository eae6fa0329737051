"""Shared parts of the networks of `keras.applications` of Keras 1.2.2: input, weights, and arguments."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

from ....backend.image_format import default_data_format
from ....conventions.backends import CHANNELS_FIRST
from ....errors import KconvertError, Problem
from ....keras.own.applications.building import IMAGENET, Request, input_of
from ....keras.own.networks import get_source_inputs
from ....keras.own.utils import get_file
from ....layers.inputs import Input
from ....lazy_dataclasses import dataclass
from ..models import Model
from ..settings import image_dim_ordering

_ORIGIN = "https://github.com/fchollet/deep-learning-models/releases"


BACKENDS = {"th": "theano", "tf": "tensorflow"}
"""The backend whose kernels the files for an ordering hold."""


def channel_axis() -> int:
    """The axis of the channels of images, with the batch axis as axis 0."""
    return 1 if default_data_format() == CHANNELS_FIRST else 3


def scaled(x: Any) -> Any:
    """Images with values from 0 to 255 as values from -1 to 1; an array is changed in place."""
    x /= 255.0
    x -= 0.5
    x *= 2.0
    return x


@dataclass(frozen=True)
class Network:
    """The arguments that all networks share."""

    include_top: bool
    weights: str | None
    input_tensor: Any
    input_shape: Any
    classes: int

    def start(self, size: int, smallest: int) -> Any:
        """The symbol that the network begins with.

        size: rows and columns where none are stated. smallest: the fewest of each. Raises KconvertError for another
        shape.
        """
        if self.input_tensor is not None:
            return input_of(self.input_tensor)
        shape = Request(self.include_top, None, None, self.input_shape, any_format=True).shape(size, smallest)
        fixed = (3, size, size) if default_data_format() == CHANNELS_FIRST else (size, size, 3)
        if self.include_top and shape != fixed:
            what = f"the network with its classes takes images of shape {fixed}, not {shape}"
            raise KconvertError(what, fix="include_top=False", problem=Problem.USAGE)
        if shape[channel_axis() - 1] != 3:
            raise KconvertError(f"the network takes images of 3 channels, not {shape}", problem=Problem.USAGE)
        return Input(shape)

    def model(self, start: Any, end: Any, name: str, file: str) -> Model:
        """The network between two symbols; file: the beginning of the name of its files of weights."""
        model = Model(start if self.input_tensor is None else get_source_inputs(start), end, name=name)
        if self.weights == IMAGENET:
            ordering, top = image_dim_ordering(), "" if self.include_top else "_notop"
            load_file(model, f"{file}_weights_{ordering}_dim_ordering_{ordering}_kernels{top}.h5", BACKENDS[ordering])
        elif self.weights is not None:
            model.load_weights(self.weights)
        return model


def load_file(model: Model, name: str, backend: str, by_name: bool = False) -> None:
    """Sets the weights from a file of Keras 1.2.2, whose kernels are those of a backend.

    Raises KconvertError where it is missing.
    """
    model.load_weights(get_file(name, _ORIGIN, cache_subdir="models"), by_name, source=backend)


def existing(weights: str | None, known: str) -> None:
    """Raises KconvertError unless `weights` is `known`, None or the path of a file."""
    if weights not in (known, None) and not os.path.exists(weights):
        fix = f"give the path of an existing file, {known!r} or None"
        raise KconvertError("there is no such file of weights", str(weights), fix, Problem.UNREADABLE)


def network(build: Callable[[Network], Model]) -> Callable[..., Model]:
    """A function of Keras 1.2.2 that makes the network of `build(wanted)`. It is a decorator."""

    @wraps(build)
    def make(
        include_top: bool = True,
        weights: str | None = IMAGENET,
        input_tensor: Any = None,
        input_shape: Any = None,
        classes: int = 1000,
    ) -> Model:
        existing(weights, IMAGENET)
        if weights == IMAGENET and include_top and classes != 1000:
            raise KconvertError("the weights of ImageNet are of 1000 classes", "classes", problem=Problem.USAGE)
        return build(Network(include_top, weights, input_tensor, input_shape, classes))

    del make.__wrapped__  # its signature is the one above
    return make
