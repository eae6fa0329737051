"""Shared parts of the networks of `keras.applications`: input, top, weights, and sequences of layers."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any

from .... import layers as L
from ....backend.image_format import default_data_format
from ....conventions.backends import CHANNELS_FIRST, CHANNELS_LAST
from ....errors import KconvertError, Problem
from ....lazy_dataclasses import dataclass
from ....models.model import Model
from ....network.functional import Input
from ..backend import is_keras_tensor
from ..folders import VARIABLE, data_folder
from ..networks import get_source_inputs
from ..utils import find_file

CHANNELS = 3  # the axis of the channels
IMAGENET = "imagenet"


def input_of(tensor: Any) -> Any:
    """The argument `input_tensor` as what a network begins with: what no layer returned gets an input of its own."""
    return tensor if is_keras_tensor(tensor) else Input(tensor=tensor)


@dataclass(frozen=True)
class Request:
    """The arguments that all networks of Keras share."""

    # Whether the network includes its classifier (`include_top`).
    include_top: bool = True
    # The path of a file with weights; 'imagenet' for the local file that has Keras's name; None for initial weights.
    weights: Any = None
    # A symbol that the network is called on, in place of an input of its own.
    input_tensor: Any = None
    # The shape of an image: (rows, columns, channels), or (channels, rows, columns) in channels_first.
    input_shape: Any = None
    # The pooling at the end of a network without its classifier: 'avg', 'max', or None.
    pooling: str | None = None
    # The number of classes.
    classes: int = 1000
    # Whether the network can be built in channels_first.
    any_format: bool = False

    def __post_init__(self) -> None:
        if not self.any_format and default_data_format() != CHANNELS_LAST:
            what = "this network is built in channels_last alone"
            raise KconvertError(what, fix=f"set_image_data_format({CHANNELS_LAST!r})", problem=Problem.UNSUPPORTED)
        check_weights(self.weights, self.include_top, self.classes)
        if self.pooling not in (None, "avg", "max"):
            raise KconvertError(f"unknown pooling {self.pooling!r}", fix="'avg', 'max' or None", problem=Problem.USAGE)

    def shape(self, size: int, smallest: int, sized: bool | None = None) -> tuple[Any, ...]:
        """The shape of the input.

        size: rows and columns where none are stated. smallest: the fewest of each. sized: whether they must be known;
        by default with the end. Raises KconvertError for an impossible shape.
        """
        sized = self.include_top if sized is None else sized
        first = default_data_format() == CHANNELS_FIRST
        if not self.input_shape:
            sizes = (size, size) if sized else (None, None)
            return (3, *sizes) if first else (*sizes, 3)
        shape = tuple(self.input_shape)
        if len(shape) != 3:
            raise KconvertError(
                f"the input shape has three numbers, not {shape}",
                fix="(channels, rows, columns)" if first else "(rows, columns, channels)",
                problem=Problem.USAGE,
            )
        rows, columns = shape[1:] if first else shape[:2]
        if any(n is not None and n < smallest for n in (rows, columns)):
            what = f"the input must be at least {smallest} x {smallest}, not {rows} x {columns}"
            raise KconvertError(what, problem=Problem.USAGE)
        if sized and None in shape:
            what = f"the end of the network needs a fixed input shape, not {shape}"
            raise KconvertError(what, fix="include_top=False", problem=Problem.USAGE)
        return shape

    def start(self, shape: tuple[Any, ...]) -> Any:
        """The symbol that the network begins with."""
        return Input(shape) if self.input_tensor is None else input_of(self.input_tensor)

    def model(self, start: Any, end: Any, name: str, file: str = "") -> Model:
        """The network between two symbols, with the weights that the request states.

        file: the name of its file of ImageNet weights, where that is not made of `name` as most are.
        """
        inputs = start if self.input_tensor is None else get_source_inputs(start)
        model = Model(inputs, end, name=name)
        if self.weights == IMAGENET:
            file = file or f"{name}_weights_tf_dim_ordering_tf_kernels{'' if self.include_top else '_notop'}.h5"
            model.load_weights(imagenet_file(file), source="tensorflow", source_data_format=CHANNELS_LAST)
        elif self.weights is not None:
            model.load_weights(self.weights)
        return model

    def pooled(self, x: Any, names: tuple[str, str] = ("", "")) -> Any:
        """The end of a network without its classes; names: of the layers for 'avg' and 'max'."""
        if self.pooling == "avg":
            return L.GlobalAveragePooling2D(name=names[0])(x)
        return L.GlobalMaxPooling2D(name=names[1])(x) if self.pooling == "max" else x

    def classified(self, x: Any, name: str, pool: str = "avg_pool", pooled: tuple[str, str] = ("", "")) -> Any:
        """The end of most networks: the mean over the image, and a Dense with the classes.

        name: of the Dense. pool: of the mean. pooled: see `pooled`.
        """
        if not self.include_top:
            return self.pooled(x, pooled)
        return L.Dense(self.classes, activation="softmax", name=name)(L.GlobalAveragePooling2D(name=pool)(x))


def check_weights(weights: Any, include_top: bool, classes: int) -> None:
    """Raises KconvertError for weights that are no local file, and for those of ImageNet with other classes."""
    if weights not in (IMAGENET, None) and not os.path.exists(weights):
        fix = "give the path of an existing file, weights=PATH, or weights=None"
        raise KconvertError("there is no such file of weights", str(weights), fix, Problem.UNREADABLE)
    if weights == IMAGENET and include_top and classes != 1000:
        raise KconvertError("the weights of ImageNet are of 1000 classes", "classes", problem=Problem.USAGE)


def imagenet_file(name: str) -> str:
    """The path of the file of ImageNet weights that Keras would download. Raises KconvertError where it is missing."""
    if found := find_file(name, "models"):
        return str(found)
    raise KconvertError(
        f"weights='imagenet' would download {name!r}, and kconvert does not use the network",
        fix=f"put the file into {data_folder()}, or name another folder by the environment variable {VARIABLE}, or "
        "give weights=PATH, or weights=None for initial weights",
        problem=Problem.UNREADABLE,
    )


def network(build: Callable[..., Model], any_format: bool = False) -> Callable[..., Model]:
    """A function of Keras that makes the network of `build(request, **options)`. It is a decorator.

    any_format: whether it can be built in channels_first.
    """

    @wraps(build)
    def make(
        include_top: bool = True,
        weights: Any = IMAGENET,
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
    ) -> Model:
        return build(Request(include_top, weights, input_tensor, input_shape, pooling, classes, any_format))

    del make.__wrapped__  # its signature is the one above
    return make


# ------------------------------------------------------------------ layers ----


def row(x: Any, *layers: Any) -> Any:
    """Calls layers one after the other, the first one on `x`; None stands for no layer."""
    for layer in layers:
        x = x if layer is None else layer(x)
    return x


def conv(filters: int, size: Any, name: str = "", **options: Any) -> Any:
    """A convolution without bias."""
    return L.Conv2D(filters, size, use_bias=False, name=name, **options)


def norm(name: str = "", axis: int = CHANNELS, **options: Any) -> Any:
    """A BatchNormalization of the channels."""
    return L.BatchNormalization(axis=axis, name=name, **options)


norm_last = partial(norm, axis=-1)
"""The same, for networks whose files state the axis of the channels as the last one."""


def relu(name: str = "") -> Any:
    """An Activation with relu."""
    return L.Activation("relu", name=name)


def relu6(name: str = "") -> Any:
    """A ReLU up to 6."""
    return L.ReLU(6.0, name=name)


def joined(tensors: Sequence[Any], name: str = "") -> Any:
    """The channels of several images in one."""
    return L.Concatenate(axis=CHANNELS, name=name)(list(tensors))
