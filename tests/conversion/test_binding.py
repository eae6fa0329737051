"""Which stored array is which weight: by name, by order, or refused with the layer's name."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kconvert import KconvertError
from kconvert import layers as L
from kconvert.conventions.backends import BACKENDS
from kconvert.conventions.generations import Convention
from kconvert.conversion.binding import arrays_for, bind, places
from kconvert.conversion.reading import network_of
from kconvert.conversion.source import Source, decide
from kconvert.formats.checkpoint import Group, InMemory
from kconvert.formats.hdf5 import read
from kconvert.network.nested import walk
from kconvert.network.sequential import Sequential
from tests.architectures import architectures, checkpoint_of, random_weights
from tests.fixtures import case, cases, identify

K2 = {backend: Convention("keras2", backend) for backend in BACKENDS}
OLD = [Convention(form, backend) for form in ("keras1", "keras1.0", "keras2") for backend in BACKENDS]
laws = settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def dense_chain():
    first = L.Dense(3, name="a", batch_input_shape=(None, 4))
    return Sequential([first, L.BatchNormalization(name="bn"), L.Dense(2, name="b")])


def saved(model, convention=K2["theano"]):
    weights = random_weights(model)
    return checkpoint_of(model, weights, convention), weights


def with_groups(checkpoint, change):
    return replace(checkpoint, groups=[Group(*change(group.name, list(group.arrays))) for group in checkpoint.groups])


def renamed(array, name):
    return InMemory(name, array.read())


def bound_arrays(model, checkpoint, convention=K2["theano"]):
    return dict(walk(arrays_for(model, checkpoint, convention, K2["tensorflow"])))


def same(found, wanted):
    return set(found) == set(wanted) and all(np.array_equal(found[path], wanted[path]) for path in wanted)


# -------------------------------------------------------------------- laws ----


@laws
@given(architectures(), st.sampled_from(OLD))
def test_what_is_laid_out_is_found_again(architecture, convention):
    """Any model, any convention: stored as its Keras stores it, read back as the weights it was made of."""
    model = architecture.model
    weights = random_weights(model)
    checkpoint = checkpoint_of(model, weights, convention, whole=False)
    canonical = arrays_for(model, checkpoint, convention, K2["tensorflow"])
    found = dict(walk(canonical))
    for path, wanted in weights.items():
        assert found[path].shape == wanted.shape
        np.testing.assert_allclose(found[path], wanted, rtol=1e-5, atol=1e-6)


@laws
@given(architectures(), st.randoms(use_true_random=False))
def test_the_order_of_named_arrays_does_not_matter(architecture, random):
    """Names are immune to the order of a file: a Highway's, or one of frozen layers."""
    model = architecture.model
    checkpoint, weights = saved(model)
    flat = with_groups(checkpoint, lambda name, arrays: (name, random.sample(arrays, len(arrays))))
    names = [array.name for group in checkpoint.groups for array in group.arrays]
    if len({name.rpartition("/")[2] + name.rpartition("/")[0].rpartition("/")[2] for name in names}) == len(names):
        assert same(bound_arrays(model, flat), weights)


# ---------------------------------------------------------------- real files ----


@pytest.mark.parametrize("found", cases("1.2.2", "2.3.1"), ids=identify)
def test_places_are_where_keras_put_the_arrays(found):
    """Groups, names and shapes of every real file, in order."""
    with read(found.model) as checkpoint:
        convention = decide(checkpoint, Source(backend=found.backend)).convention
        model = network_of(checkpoint, Source(None, found.backend, found.data_format))
        bind(model, checkpoint, convention)  # what a file tells of shared_axes
        ours = {
            name: [place.stored.shapes[place.index] for place in found] for name, found in places(model, convention)
        }
        theirs = {group.name: [tuple(array.shape) for array in group.arrays] for group in checkpoint.groups}
        assert {name: shapes for name, shapes in ours.items() if shapes} == {n: s for n, s in theirs.items() if s}


@pytest.mark.parametrize("backend_name", BACKENDS)
def test_the_names_that_we_write_are_those_of_keras(backend_name):
    for name in ("lenet_th", "lstm_impl1", "gru_reset_after", "tiny_resnet_th", "separable_conv2d_mult2_tf"):
        found = case(f"2.3.1-{backend_name}/{name}")
        with read(found.model) as checkpoint:
            model = network_of(checkpoint)
            ours = [place.name(K2[backend_name]) for _, group in places(model, K2[backend_name]) for place in group]
            theirs = [array.name for group in checkpoint.groups for array in group.arrays]
        assert len(ours) == len(theirs)  # Theano's carry the scopes that were open before
        assert all(name.endswith(own) for own, name in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("backend_name", BACKENDS)
def test_frozen_inner_layers_stand_behind_the_trainable_ones(backend_name):
    """Names tell, and where there are none (here: taken away) the order does."""
    found = case(f"2.3.1-{backend_name}/nested_frozen_bn_th")
    with read(found.model) as checkpoint:
        model, convention = network_of(checkpoint), K2[backend_name]
        by_name = bound_arrays(model, checkpoint, convention)
        bare = with_groups(
            checkpoint, lambda name, arrays: (name, [renamed(array, f"w{i}") for i, array in enumerate(arrays)])
        )
        assert same(bound_arrays(model, bare, convention), by_name)
        nested = next(layer for layer in model.layers if layer.sublayers)
        (expected,) = [group for name, group in places(model, convention) if name == nested.name]
        flags = [place.trainable for place in expected]
        assert flags == sorted(flags, reverse=True) and {True, False} == set(flags)


def test_shared_axes_are_learned_from_the_arrays():
    """Keras 1.2 did not store them."""
    found = case("1.2.2-theano/conv_prelu_shared_rows_th")
    with read(found.model) as checkpoint:
        convention = decide(checkpoint, Source()).convention
        model = network_of(checkpoint, Source(None, found.backend, found.data_format))
        prelu = next(layer for layer in model.layers if isinstance(layer, L.PReLU))
        assert prelu.shared_axes is None
        bindings, _ = bind(model, checkpoint, convention)
        (alpha,) = [b for b in bindings if b.path[-1] == "alpha"]
        assert prelu.shared_axes == [i for i, n in enumerate(alpha.arrays[0].shape, 1) if n == 1] != []


def test_a_parameter_that_fits_no_sharing_is_refused():
    model = Sequential([L.PReLU(name="p", batch_input_shape=(None, 3, 4))])
    checkpoint, _ = saved(model)
    odd = with_groups(checkpoint, lambda name, arrays: (name, [InMemory("p/alpha", np.ones((3, 2), "float32"))]))
    with pytest.raises(KconvertError, match=r"layer p: array 'p/alpha' has shape \(3, 2\) where alpha of p has"):
        bind(model, odd, K2["theano"])


# --------------------------------------------------------------- by position ----


def test_layers_of_other_names_are_matched_in_order_and_it_is_said():
    model = dense_chain()
    checkpoint, weights = saved(model)
    other = with_groups(
        checkpoint,
        lambda name, arrays: (f"{name}_9", [renamed(a, a.name.replace(f"{name}/", f"{name}_9/")) for a in arrays]),
    )
    bindings, notes = bind(model, other, K2["theano"])
    assert notes == ["layers matched by order: a_9 is a, bn_9 is bn, b_9 is b"]
    assert same(bound_arrays(model, other), weights)
    assert [binding.path for binding in bindings] == list(weights)
    assert bind(model, checkpoint, K2["theano"])[1] == []


def test_groups_without_arrays_do_not_count():
    model = dense_chain()
    checkpoint, weights = saved(model)
    more = replace(checkpoint, groups=[Group("dropout_1", []), *checkpoint.groups, Group("flatten_1", [])])
    assert same(bound_arrays(model, more), weights)


# ------------------------------------------------------------------ refusals ----


def refusal(model, checkpoint, convention=K2["theano"]):
    with pytest.raises(KconvertError) as error:
        bind(model, checkpoint, convention)
    return str(error.value)


def test_another_number_of_layers():
    model = dense_chain()
    checkpoint, _ = saved(model)
    less = replace(checkpoint, groups=checkpoint.groups[:-1])
    assert refusal(model, less) == (
        "the file has weights for 2 layers, the architecture for 3"
        " (only in the file: none; only in the architecture: b);"
        " give the architecture that the weights were saved with: arch="
    )


def test_another_number_of_arrays():
    model = dense_chain()
    checkpoint, _ = saved(model)
    less = with_groups(checkpoint, lambda name, arrays: (name, arrays[:1] if name == "a" else arrays))
    assert refusal(model, less) == "layer a: 1 arrays in the file (a/kernel) where the layer has 2 (bias, kernel)"


def test_another_shape():
    model = dense_chain()
    checkpoint, _ = saved(model)

    def transposed(name, arrays):
        return name, [InMemory(a.name, a.read().T) if a.name == "b/kernel" else a for a in arrays]

    assert refusal(model, with_groups(checkpoint, transposed)) == (
        "layer b: array 'b/kernel' has shape (2, 3) where kernel of b has (3, 2) in keras2/theano; "
        "check source=, arch= and the release that saved the file"
    )


def test_the_file_is_named_where_there_is_one():
    found = case("2.3.1-theano/lenet_th")
    with read(found.model) as checkpoint, pytest.raises(KconvertError) as error:
        bind(dense_chain(), checkpoint, K2["theano"])
    assert str(error.value).startswith(f"{found.model}: the file has weights for 4 layers")


def test_same_shapes_in_another_order_are_told_apart_by_name_alone():
    """gamma, beta, mean and variance look alike: names decide, whatever their order."""
    model = dense_chain()
    checkpoint, weights = saved(model)
    back = with_groups(checkpoint, lambda name, arrays: (name, arrays[::-1]))
    assert same(bound_arrays(model, back), weights)


def test_gates_of_several_types_are_refused_by_name():
    model = Sequential([L.LSTM(3, implementation=1, name="lstm", batch_input_shape=(None, 4, 2))])
    checkpoint, _ = saved(model, Convention("keras1", "theano"))

    def one_in_half(name, arrays):
        first, *others = arrays
        return name, [InMemory(first.name, first.array.astype("float16")), *others]

    with pytest.raises(KconvertError, match="lstm/kernel: the arrays of its gates have the types float16, float"):
        bind(model, with_groups(checkpoint, one_in_half), Convention("keras1", "theano"))
