"""A model that real Keras 2 saved, run layer by layer with the arrays of the file, unchanged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

import kconvert.layers  # noqa: F401  (registers the layers)
from kconvert.backend.base import Backend, InputSpec
from kconvert.layers.base import Layer
from kconvert.layers.registry import layer_from_config
from tests.fixtures import FOLDER as FIXTURES


class Saved:
    """One case of the fixtures, `Saved("2.3.1-theano/gru_backwards")`.

    backend: the one Keras ran on. inputs, outputs: what Keras was given and what it computed. layers: by
    name, in the order of arch.json, InputLayers left out.
    """

    def __init__(self, case: str) -> None:
        self.folder = FIXTURES / case
        self.backend = case.split("/")[0].rsplit("-", 1)[1]
        self.configs = json.loads((self.folder / "arch.json").read_text())["config"]["layers"]
        self.layers = {
            item["config"]["name"]: layer_from_config(item)
            for item in self.configs
            if item["class_name"] != "InputLayer"
        }
        arrays = np.load(self.folder / "io.npz")
        self.inputs, self.outputs = ([arrays[key] for key in sorted(arrays) if key[0] == kind] for kind in "xy")

    def arrays(self, name: str) -> list[np.ndarray]:
        """The arrays of one layer, in the order of the file."""
        with h5py.File(self.folder / "weights.h5") as file:
            return [file[name][path][()] for path in file[name].attrs["weight_names"]]

    def run(self, K: Backend) -> list[np.ndarray]:
        """The outputs on `K`, where each layer receives the output and the mask of the layer before it."""
        held = [K.variable(array) for name in self.layers for array in self.arrays(name)]
        specs = [InputSpec((None, *x.shape[1:]), str(x.dtype)) for x in self.inputs]

        def build(weights: list[Any], tensors: list[Any]) -> list[Any]:
            (x,), mask, remaining = tensors, None, iter(weights)
            shape: Any = specs[0].shape
            for layer in self.layers.values():
                w = named(layer, shape, remaining)
                x, mask = layer.call(K, w, x, mask=mask), layer.compute_mask(K, x, mask)
                shape = layer.compute_output_shape(shape)
            return x if isinstance(x, list) else [x]

        return K.compile_reading(build, specs, held)(self.inputs)

    def compute_output_shape(self, shape: Any) -> list[Any]:
        """The static shapes of the outputs, for inputs of `shape`."""
        for layer in self.layers.values():
            shape = layer.compute_output_shape(shape)
        return shape if isinstance(shape, list) else [shape]

    def check(self, K: Backend) -> None:
        """Checks that `K` computes what Keras computed, in the shapes computed from known and from unknown sizes."""
        computed = self.run(K)
        for y, expected in zip(computed, self.outputs, strict=True):
            np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)
        assert self.compute_output_shape(self.inputs[0].shape) == [y.shape for y in self.outputs]
        for foretold, y in zip(self.compute_output_shape((None, *self.inputs[0].shape[1:])), self.outputs, strict=True):
            assert foretold == (None, *y.shape[1:])


def named(layer: Layer, shape: Any, arrays: Iterator[Any]) -> dict[str, Any]:
    """The next of `arrays` by the names of the weights of `layer`; those of inner layers are nested."""
    if layer.sublayers:
        inner = zip(layer.sublayers, layer.sublayer_shapes(shape), strict=True)
        return {sublayer.name: named(sublayer, taken, arrays) for sublayer, taken in inner}
    return {weight.name: next(arrays) for weight in layer.weight_specs(shape)}


def stored_shapes(layer: Layer, shape: Any) -> list[tuple[int, ...]]:
    """The shapes of the weights of `layer` and of the layers inside it, in the order of the file."""
    if layer.sublayers:
        inner = zip(layer.sublayers, layer.sublayer_shapes(shape), strict=True)
        return [found for sublayer, taken in inner for found in stored_shapes(sublayer, taken)]
    return [tuple(weight.shape) for weight in layer.weight_specs(shape)]


def check_round_trip(layer: Layer, config: dict[str, Any]) -> None:
    """Checks that `layer` writes the configuration that it was read from, as JSON values."""
    assert json.loads(json.dumps(layer.stored_config())) == config
