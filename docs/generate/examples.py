"""Models of one layer: every class of layers, with the first configuration and input on which it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field
from functools import cache
from typing import Any

import numpy as np

from kconvert import layers as L
from kconvert.backend import get_backend
from kconvert.errors import KconvertError
from kconvert.layers import early
from kconvert.layers.base import Layer
from kconvert.layers.cells import _Cell
from kconvert.layers.registry import CUSTOM, LAYERS
from kconvert.models.sequential import as_model
from kconvert.network.graph import LeafWeights, Node, Ref
from kconvert.network.nested import nest
from kconvert.network.network import Network
from kconvert.network.sample_inputs import sample_inputs

# Values of the fields that have no default, for all classes; `implementation` 1: one array per gate in Keras 1.
ARGUMENTS: Mapping[str, Any] = {
    "activation": "relu",
    "axes": -1,
    "cell": L.LSTMCell(4),
    "cells": [L.LSTMCell(4), L.GRUCell(4)],
    "declared_shape": (4,),
    "dims": (2, 1),
    "equation": "bi,io->bo",
    "filters": 4,
    "function": "f",
    "implementation": 1,
    "input_dim": 9,
    "kernel_size": 3,
    "n": 3,
    "output_dim": 4,
    "rate": 0.5,
    "scale": 0.5,
    "stddev": 0.5,
    "target_shape": (-1,),
    "units": 4,
}

INNER: Mapping[str, Mapping[str, Layer]] = {
    "AutoEncoder": {"encoder": L.Dense(4, name="encoder"), "decoder": L.Dense(6, name="decoder")},
    "Bidirectional": {"layer": L.LSTM(4, implementation=1, name="inner")},
    "TimeDistributed": {"layer": L.Dense(4, name="inner")},
}

SHAPES: Sequence[Any] = (
    (None, 8, 9, 6),
    (None, 8, 6),
    (None, 6),
    (None, 7, 8, 9, 6),
    ([None, 6], [None, 6]),
    ([None, 8, 6], [None, 8, 6]),
    (None, 3, 7, 8, 9, 2),
)


@dataclass(frozen=True)
class Example:
    """A layer of one class with one configuration, in a model of one layer."""

    layer: Layer
    model: Network
    options: Mapping[str, Any] = field(default_factory=dict)  # the configuration beside what every layer needs
    refusal: str = ""  # why the model cannot run; "" if it can

    @property
    def title(self) -> str:
        words = ", ".join(f"{key}={value!r}" for key, value in self.options.items())
        return f"`{class_title(self.layer)}({words})`" if words else f"`{class_title(self.layer)}`"

    @property
    def leaves(self) -> list[LeafWeights]:
        return self.model.weight_table()


def classes() -> list[type[Layer]]:
    """The layer classes that can be layers of a model, by name; not cells, models, inputs and those of one release."""
    inside = (Network, _Cell, L.InputLayer, *early.OF_ONE_RELEASE)
    ours = {name: cls for name, cls in LAYERS.items() if cls.__module__.startswith("kconvert.")}
    found = {name: cls for name, cls in ours.items() if name not in CUSTOM and not issubclass(cls, inside)}
    return [found[name] for name in sorted(found, key=str.lower)]


def example(cls: type[Layer], shapes: Sequence[Any] = SHAPES, **options: Any) -> Example | None:
    """A model of one layer of `cls`, with the first of `shapes` on which it runs; None if there is none."""
    if not set(options) <= {f.name for f in cls.config_fields()}:
        return None
    given = required(cls)
    for shape in _likely(cls, shapes):
        try:
            model = alone(cls(name="layer", **{**given, **options}), shape)
            return Example(model.layers[-1], model, options, _refusal(model))
        except (KconvertError, TypeError, ValueError, LookupError, ArithmeticError):
            continue
    return None


def required(cls: type[Layer]) -> dict[str, Any]:
    """The arguments that a layer of `cls` needs."""
    required = {f.name for f in cls.config_fields() if f.default is MISSING and f.default_factory is MISSING}
    known = {f.name for f in cls.config_fields()} & set(ARGUMENTS)
    return {name: ARGUMENTS[name] for name in known if name in required or name == "implementation"} | dict(
        INNER.get(cls.__name__, {})
    )


def _likely(cls: type[Layer], shapes: Sequence[Any]) -> Sequence[Any]:
    """`shapes`; for a class that names its rank (Conv2D), those of that rank, also with a time axis."""
    said = re.search(r"(\d)D", cls.__name__)
    return [shape for shape in shapes if len(shape) - int(said[1]) in (2, 3)][::-1] if said else shapes


def alone(layer: Layer, shape: Any) -> Network:
    """A model of one layer: with one input of `shape`, or with several where it is a tuple of lists."""
    shapes = [tuple(one) for one in shape] if isinstance(shape[0], list) else [shape]
    inputs: list[Layer] = [
        L.InputLayer(name=f"input_{i}", batch_input_shape=one, dtype="float32") for i, one in enumerate(shapes, 1)
    ]
    refs = [Ref(entry.name) for entry in inputs]
    nodes = [*(Node(entry.name, 0, ()) for entry in inputs), Node(layer.name, 0, tuple(refs))]
    return Network([*inputs, layer], nodes, refs, [nodes[-1].output], name="graph")  # as Keras 0.3 calls it


def _refusal(model: Network) -> str:
    """Runs the model on NumPy; returns why it cannot run if it needs a function of the user, else ""."""
    arrays = nest(
        ((*leaf.path, weight.name), np.zeros(weight.shape, "float32"))
        for leaf in model.weight_table()
        for weight in leaf.weights
    )
    try:
        result = as_model(model).bind(get_backend("numpy"), arrays).predict(sample_inputs(model, 2))
    except KconvertError as error:
        if "register_function" not in str(error):
            raise
        return f"{error.what}; {error.fix}"
    (said,) = [shape for ref, shape in model.shapes().items() if ref in model.output_refs]
    if not isinstance(result, np.ndarray) or any(n not in (None, m) for n, m in zip(said, result.shape, strict=True)):
        raise ValueError("the output does not have the shape that the model computes")
    return ""


def class_title(layer: Any) -> str:
    """The class of a layer, and of the one inside it."""
    inner = getattr(layer, "layer", None)
    return f"{layer.class_name}({class_title(inner)})" if inner else layer.class_name


@cache
def plain() -> dict[str, Example]:
    """One example for each class, with only the arguments it needs. Raises LookupError if none runs for a class."""
    examples = {cls.__name__: example(cls) for cls in classes()}
    missing = [name for name, found in examples.items() if not found]
    if missing:
        raise LookupError(f"no example of {', '.join(missing)} runs: see ARGUMENTS and SHAPES in {__file__}")
    return {name: found for name, found in examples.items() if found}
