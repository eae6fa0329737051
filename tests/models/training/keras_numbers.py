"""The numbers that real Keras 2.3.1 computed for the cases of tests/fixtures/training (made by make.py there)."""

import json
from functools import cache

import numpy as np

from kconvert.backend import InputSpec
from tests.fixtures import FOLDER

CASES = json.loads((FOLDER / "training" / "cases.json").read_text(encoding="utf-8"))


@cache
def numbers(convention):
    """All arrays that Keras on that backend computed, by key."""
    with np.load(FOLDER / "training" / f"{convention}.npz") as stored:
        return dict(stored)


def data(kind):
    """The labels and predictions named `kind`; they are the same for both backends."""
    return [numbers("theano")[f"data/{kind}/{name}"] for name in ("true", "pred")]


def weights_of(values):
    """The sample weights of make.py, some of them 0."""
    return np.random.RandomState(9).uniform(0, 2, len(values)).astype("float32") * (np.arange(len(values)) % 5 > 0)


def evaluate(K, graphs, arrays):
    """The values of `{key: f(*tensors)}`, compiled as one function; `arrays[key]`: the values of the tensors."""
    flat = [np.asarray(x) for key in graphs for x in arrays[key]]

    def build(_, given):
        given = iter(given)
        return [graph(*[next(given) for _ in arrays[key]]) for key, graph in graphs.items()]

    specs = [InputSpec((None, *x.shape[1:]) if x.ndim else (), str(x.dtype)) for x in flat]
    return dict(zip(graphs, K.compile_reading(build, specs, [])(flat), strict=True))


def differing(found, expected, rtol=2e-6, atol=1e-6):
    """One line for each key whose value differs from that of Keras."""
    lines = []
    for key, value in found.items():
        right = np.shape(value) == np.shape(expected[key])
        if not right or not np.allclose(value, expected[key], rtol=rtol, atol=atol, equal_nan=True):
            lines.append(f"{key}: {value}, Keras {expected[key]}")
    return lines
