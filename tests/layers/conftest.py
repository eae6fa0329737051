"""Fixtures: models that real Keras saved, with the outputs of each layer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from kconvert.backend.base import InputSpec
from kconvert.backend.numpy_backend import NumpyBackend
from kconvert.conventions.generations import GENERATIONS, Convention
from kconvert.conventions.storage import Storage, storage
from kconvert.layers.base import Layer
from kconvert.layers.registry import LAYERS
from tests.fixtures import FOLDER as FIXTURES

FORMATS = {"0": "keras0", "1": "keras1", "2": "keras2"}


def run_layer(layer: Layer, *inputs: np.ndarray, **weights: np.ndarray) -> np.ndarray:
    """The output of one layer on NumPy. Also checks that `compute_output_shape` gives its shape."""
    K = NumpyBackend()
    names, variables = list(weights), [K.variable(np.asarray(w, "float32")) for w in weights.values()]
    specs = [InputSpec((None, *x.shape[1:]), str(x.dtype)) for x in inputs]

    def build(held: list[Any], tensors: list[Any]) -> list[Any]:
        return [layer.call(K, dict(zip(names, held, strict=True)), _single(tensors))]

    (output,) = K.compile_reading(build, specs, variables)(inputs)
    assert layer.compute_output_shape(_single([spec.shape for spec in specs])) == (None, *output.shape[1:])
    assert layer.compute_output_shape(_single([x.shape for x in inputs])) == output.shape
    return output


def _single(values: list[Any]) -> Any:
    return values if len(values) > 1 else values[0]


class Case:
    """A model that a real Keras release saved, with the output of every layer.

    nodes: the layers of arch.json by name. Keras 0 has no names; here they are `layer_0`, `layer_1`, ...
    """

    def __init__(self, path: str, folder: Path = FIXTURES) -> None:
        self.folder = folder / path
        release, self.backend = path.split("/")[0].rsplit("-", 1)
        self.format = FORMATS[release[0]]
        arch = json.loads((self.folder / "arch.json").read_text())
        layers = arch.get("layers") or arch["config"]
        listed = layers["layers"] if isinstance(layers, dict) else layers
        self.nodes = {
            node["config"]["name"] if "config" in node else f"layer_{i}": node for i, node in enumerate(listed)
        }
        self.values = dict(np.load(self.folder / "activations.npz"))
        self.x = [x for name, x in np.load(self.folder / "io.npz").items() if name[0] == "x"]

    def check(self, name: str, layer: Layer | None = None, **tolerance: float) -> None:
        """Checks that `layer`, by default the layer of the file, computes what Keras computed for the layer `name`."""
        layer = layer or self.layer(name)
        inputs = self.inputs(name)
        weights = self.weights(name, layer, _single([x.shape for x in inputs]))
        output = run_layer(layer, *inputs, **weights)
        np.testing.assert_allclose(output, self.values[name], **{"rtol": 1e-5, "atol": 1e-6, **tolerance})

    def layer(self, name: str) -> Layer:
        """The layer of a Keras 2 file."""
        return LAYERS[self.nodes[name]["class_name"]].from_config(self.nodes[name]["config"])

    def inputs(self, name: str) -> list[np.ndarray]:
        """The inputs of the layer in the run of Keras."""
        node, names = self.nodes[name], list(self.nodes)
        if "inbound_nodes" in node:
            return [self._value(inbound[0]) for inbound in node["inbound_nodes"][0]]
        position = names.index(name)
        return [self._value(names[position - 1])] if position else self.x

    def _value(self, name: str) -> np.ndarray:
        inputs = [key for key, node in self.nodes.items() if node.get("class_name") == "InputLayer"]
        return self.x[inputs.index(name)] if name in inputs else self.values[name]

    def weights(self, name: str, layer: Layer, shape: Any) -> dict[str, np.ndarray]:
        """The stored weights of the layer, in canonical form."""
        stored = storage(layer.weight_specs(shape), Convention(self.format, self.backend))
        arrays = self._numbered(name, layer, stored) if self.format == "keras0" else self._named(name)
        assert set(arrays) == {slot for s in stored for slot in s.slots}
        return {s.weight.name: s.chain.apply(*(arrays[slot] for slot in s.slots))[0] for s in stored}

    def _named(self, name: str) -> dict[str, np.ndarray]:
        """Arrays by the last part of their names: `kernel` of `dense_1/kernel:0`, `W` of `dense_1_W`."""
        with h5py.File(self.folder / "weights.h5") as file:
            full = [n.decode() for n in file[name].attrs["weight_names"]]
            return {n.split(":")[0].split("/")[-1].removeprefix(f"{name}_"): file[name][n][()] for n in full}

    def _numbered(self, name: str, layer: Layer, stored: list[Storage]) -> dict[str, np.ndarray]:
        """Arrays by the order of the layer's weights in files without names."""
        slots = {s.weight.name: s.slots[0] for s in stored}
        with h5py.File(self.folder / "weights.h5") as file:
            order = GENERATIONS[self.format].weight_orders.get(layer.class_name) or slots
            return {slots[key]: file[name][f"param_{i}"][()] for i, key in enumerate(order)}


@pytest.fixture
def case() -> type[Case]:
    """`case("2.3.1-tensorflow/dense_bn")`: that model of the fixtures."""
    return Case


@pytest.fixture
def run() -> Callable[..., np.ndarray]:
    """`run(layer, *inputs, **weights)`: the output of one layer on NumPy."""
    return run_layer
