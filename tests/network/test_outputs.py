"""Every tensor of a model: replacing one changes the tensors computed from it, and nothing else."""

import numpy as np
import pytest
from hypothesis import given

from kconvert import KconvertError
from kconvert import layers as L
from kconvert.network.graph import Ref
from kconvert.network.outputs import Activations
from kconvert.network.sequential import Sequential
from tests.architectures import architectures, bound, random_inputs, random_weights
from tests.network.test_network import entry, graph, laws


def ready(model):
    return bound(model, random_weights(model))


def readers(model, tensors, prefix=""):
    """The names of the tensors that a layer computes directly from one of `tensors`, also in nested models."""
    found = set()
    for node in model.nodes:
        layer = model.by_name[node.layer]
        made = [prefix + Ref(node.layer, node.index, i).key for i in range(9)]
        inside = f"{prefix}{node.output.key}/"
        if isinstance(layer, L.InputLayer):
            continue
        direct = any(prefix + ref.key in tensors for ref in node.inputs)
        if hasattr(layer, "nodes"):
            entries = {inside + ref.key for ref in layer.input_refs} if direct else set()
            found |= readers(layer, tensors | entries, inside)
            if {inside + ref.key for ref in layer.output_refs} & (tensors | entries):
                found |= set(made)
        elif direct:
            found |= set(made)
    return found


@laws
@given(architectures())
def test_a_models_own_tensors_change_nothing(architecture):
    model = ready(architecture.model)
    x = random_inputs(model)
    free = model.activations(x)
    again = model.activations(x, replaced=free)
    assert list(again) == list(free)
    assert all(np.array_equal(again[name], y, equal_nan=True) for name, y in free.items())


@laws
@given(architectures())
def test_with_all_given_each_layer_runs_alone(architecture):
    """Replacing one more tensor changes only what layers compute directly from it."""
    model = ready(architecture.model)
    x = random_inputs(model)
    free = model.activations(x)
    for name in free:
        changed = {**free, name: free[name] + np.float32(1)}
        after = model.activations(x, changed)
        touched = {other for other in free if not np.array_equal(after[other], free[other], equal_nan=True)}
        assert touched <= readers(model, {name})
        assert np.array_equal(after[name], free[name], equal_nan=True), "the result of the layer itself stays the same"


def test_what_is_given_is_taken_by_all_that_comes_after(backend):
    layers = [entry("a", 4), L.Dense(4, name="d"), L.Activation("relu", name="r"), L.Add(name="sum")]
    model = graph(layers, [("d", ["a"]), ("r", ["d"]), ("sum", ["r", "d"])], ["a"], ["sum"])
    model = ready(model)
    model.bind(backend, model.arrays)
    x, y = (np.random.default_rng(seed).standard_normal((3, 4)).astype("float32") for seed in (0, 1))
    free, after = model.activations(x), model.activations(x, {"d": y})
    np.testing.assert_array_equal(after["d"], free["d"])
    np.testing.assert_allclose(after["sum"], np.maximum(y, 0) + y, rtol=1e-6)
    assert np.abs(free["sum"] - after["sum"]).max() > 1e-3


def test_masks_are_those_of_what_is_given(backend):
    """Masked steps are those of the replacing tensor, not those of the inputs of the model."""
    mask = L.Masking(name="mask", batch_input_shape=(None, 4, 3))
    model = Sequential(
        [L.Activation("linear", name="same", batch_input_shape=(None, 4, 3)), mask, L.SimpleRNN(2, name="rnn")]
    )
    model = ready(model)
    model.bind(backend, model.arrays)
    x = np.random.default_rng(0).standard_normal((2, 4, 3)).astype("float32")
    short = np.where(np.arange(4)[:, None] < 2, x, 0)
    wanted = model.activations(short)["rnn"]
    np.testing.assert_allclose(model.activations(x, {"same": short})["rnn"], wanted, rtol=1e-5, atol=1e-6)
    assert np.abs(model.activations(x)["rnn"] - wanted).max() > 1e-3


def test_one_function_serves_other_weights_and_batches(backend):
    model = Sequential([L.Dense(3, name="d", batch_input_shape=(None, 4))])
    weights = [{"d": {"kernel": np.full((4, 3), n, "float32"), "bias": np.zeros(3, "float32")}} for n in (1, 2)]
    function = Activations(model, backend, weights[0])
    for samples, arrays in ((2, weights[0]), (5, weights[1]), (1, weights[0])):
        x = np.ones((samples, 4), "float32")
        np.testing.assert_allclose(function(arrays, [x])["d"], x @ arrays["d"]["kernel"], rtol=1e-6)


def test_names_that_are_no_tensors_are_refused():
    model = Sequential([L.Dense(3, name="d", batch_input_shape=(None, 4))], name="m")
    model = ready(model)
    with pytest.raises(KconvertError, match="m: no layer computes the tensor e"):
        model.activations(np.ones((1, 4)), {"e": np.ones((1, 3), "float32")})
