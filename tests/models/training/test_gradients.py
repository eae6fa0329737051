"""The gradient of every layer on each framework, compared with finite differences in float64.

All layers are in one graph, so that only one function is compiled, and in one test, so that one process compiles it.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from kconvert import layers as L
from kconvert.backend import get_backend
from kconvert.conventions.generations import Convention
from kconvert.conversion.binding import leaf_storage
from kconvert.layers.lists import one_or_list
from kconvert.layers.phase import Phase
from kconvert.network.graph import leaf_weights
from kconvert.network.nested import nest
from tests.models.training.gradient_cases import CASES, INTEGERS

BATCH = 3
STEP = 1e-6


class Probe:
    """One case: canonical weights, inputs, and the factors of the outputs in the loss."""

    def __init__(self, name):
        self.name, (self.layer, shapes) = name, CASES[name]
        random = np.random.default_rng(sum(map(ord, name)))
        self.shape = one_or_list([(None, *shape) for shape in shapes])
        self.leaves = leaf_weights(self.layer, self.shape)
        self.inputs = [random.normal(size=(BATCH, *shape)) for shape in shapes]
        if name in INTEGERS:
            self.inputs = [random.integers(0, 7, (BATCH, *shape)).astype("float64") for shape in shapes]
        self.weights = {
            (*leaf.path, w.name): random.uniform(0.3, 0.9, w.shape) * random.choice([-1, 1], w.shape) ** (w.trainable)
            for leaf in self.leaves
            for w in leaf.weights
        }
        self.factors = {}
        self.random = random

    def converted(self, arrays, convention):
        """Weights converted from canonical form to the convention of a backend."""
        converted = {}
        for leaf in self.leaves:
            for stored in leaf_storage(leaf, Convention("keras2", convention)):
                path = (*leaf.path, stored.weight.name)
                (converted[path],) = stored.chain.inverse.simplified.apply(arrays[path])
        return converted

    def loss(self, K, weights, inputs):
        """The sum of all elements of the outputs, each multiplied by its factor."""
        w = nest(weights.items()).get(self.layer.name, {})
        seed = K.constant([0, 0], "int32")
        outputs = self.layer.call(K, w, one_or_list(inputs), training=Phase(K, True, seed))
        total = 0.0
        for i, y in enumerate(outputs if isinstance(outputs, list) else [outputs]):
            shape = (BATCH, *self.output_shapes[i][1:])
            if i not in self.factors:
                self.factors[i] = self.random.normal(size=shape)
            total = total + K.sum(y * self.of_dtype(K, self.factors[i]))
        return total

    def of_dtype(self, K, array):
        return array if K.name == "numpy" else K.constant(array)

    @property
    def output_shapes(self):
        found = self.layer.compute_output_shape(self.shape)
        return found if isinstance(found, list) else [found]

    def moves(self, weights, inputs):
        """A random direction for each array that has a gradient."""
        random = np.random.default_rng(1)
        free = [] if self.name in INTEGERS else inputs
        return {path: random.normal(size=a.shape) for path, a in weights.items()}, [
            random.normal(size=a.shape) for a in free
        ]

    def difference(self, convention):
        """The derivative of the loss along `moves`, by central differences in float64."""
        K = get_backend("numpy", convention)
        weights = self.converted(self.weights, convention)
        along, along_inputs = self.moves(weights, self.inputs)

        def at(step):
            moved = {path: array + step * along[path] for path, array in weights.items()}
            free = [a + step * d for a, d in zip(self.inputs, along_inputs, strict=False)] or self.inputs
            return float(self.loss(K, moved, free))

        return (at(STEP) - at(-STEP)) / (2 * STEP)


@cache
def probes():
    return {name: Probe(name) for name in CASES}


def gradients(backend):
    """For each case, the gradients by its weights (in the convention of the backend) and by its inputs."""
    K = get_backend(backend)
    arrays, places = [], {}
    for name, probe in probes().items():
        probe.difference("tensorflow")  # draws the factors
        weights = probe.converted(probe.weights, K.convention)
        places[name] = (len(arrays), list(weights), len(arrays) + len(weights))
        arrays += [*weights.values(), *probe.inputs]

    def build(values, _):
        total, wanted = 0.0, []
        for name, probe in probes().items():
            start, paths, middle = places[name]
            inputs = values[middle : middle + len(probe.inputs)]
            total = total + probe.loss(K, dict(zip(paths, values[start:middle], strict=True)), inputs)
            wanted += values[start:middle] + ([] if name in INTEGERS else inputs)
        return K.gradients(total, wanted), {}

    found = iter(K.compile_updating(build, [], [K.variable(np.asarray(a, "float32")) for a in arrays])([]))
    result = {}
    for name, probe in probes().items():
        weights = {path: next(found) for path in places[name][1]}
        result[name] = weights, [] if name in INTEGERS else [next(found) for _ in probe.inputs]
    return result


def test_gradients_are_those_of_finite_differences(framework, subtests):
    found_by_name = gradients(framework.name)
    for name, probe in probes().items():
        with subtests.test(name):
            weights, inputs = found_by_name[name]
            along, along_inputs = probe.moves(weights, inputs)
            parts = [(weights[path], along[path]) for path in weights] + list(zip(inputs, along_inputs, strict=True))
            found = sum(float(np.sum(g.astype("float64") * d)) for g, d in parts)
            size = np.sqrt(sum(float(np.sum(g.astype("float64") ** 2)) for g, _ in parts))
            assert size > 1e-2
            assert abs(found - probe.difference(framework.convention)) < 2e-4 * size


def test_every_layer_is_checked():
    silent = {
        "Input",
        "InputLayer",
        "Lambda",
        "Activation",
        "AutoEncoder",
        "Layer",
        "CuDNNGRU",
        "CuDNNLSTM",
        "Model",
        "Sequential",
    }
    noise = {name for name in L.__all__ if "Dropout" in name or "Noise" in name or name.endswith(("Cell", "Cells"))}
    names = {name for name in L.__all__ if name[0].isupper()} - silent - noise - {"ActivityRegularization"}
    assert names <= {type(layer).__name__ for layer, _ in CASES.values()}
