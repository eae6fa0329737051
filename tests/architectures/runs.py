"""Weights and inputs for a drawn model, and what runs or holds it."""

import numpy as np

from kconvert.backend import get_backend
from kconvert.conversion.binding import places
from kconvert.formats.checkpoint import Checkpoint, Group, InMemory
from kconvert.models.sequential import as_model
from kconvert.network.architecture import model_config
from kconvert.network.nested import nest

from .draft import run_shape


def random_weights(model, seed=0):
    """Canonical arrays by path; variances are positive."""
    random = np.random.default_rng(seed)
    found = {}
    for leaf in model.weight_table():
        for weight in leaf.weights:
            array = random.standard_normal(weight.shape) / np.sqrt(np.prod(weight.shape[:-1]) or 1)
            array = 0.5 + array**2 if weight.name.endswith("variance") else array
            found[(*leaf.path, weight.name)] = array.astype("float32")
    return found


def random_inputs(model, samples=2, seed=1):
    random = np.random.default_rng(seed)
    shapes = [run_shape(shape)[1:] for shape in model.input_shapes]
    return [random.standard_normal((samples, *shape)).astype("float32") for shape in shapes]


def bound(model, weights):
    """`model` on the NumPy reference with canonical `weights`."""
    return as_model(model).bind(get_backend("numpy", "tensorflow"), nest(weights.items()))


def checkpoint_of(model, weights, convention, whole=True):
    """The file that a Keras of `convention` would have saved, as a value."""
    groups = []
    for name, found in places(model, convention):
        arrays = []
        for place in found:
            stored = place.stored.chain.inverse.apply(weights[place.path])
            arrays.append(InMemory(place.name(convention), np.asarray(stored[place.index], order="C")))
        groups.append(Group(name, arrays))
    version = {"keras2": "2.3.1", "keras1": "1.2.2"}.get(convention.generation_name)
    return Checkpoint(
        groups=groups,
        named=not convention.generation.numbered,
        backend=convention.backend if convention.generation_name == "keras2" else None,
        keras_version=version,
        whole_model=whole,
        model_config=model_config(model, convention.generation_name, version, convention.backend) if whole else None,
    )
