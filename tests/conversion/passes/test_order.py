"""All passes in their order: nothing of what one of them says is lost."""

from dataclasses import replace

import pytest

from kconvert import KconvertError, convert
from kconvert import layers as L
from kconvert.conventions.generations import GENERATIONS, Convention
from kconvert.conversion.passes import order
from kconvert.conversion.planning import plan_conversion
from kconvert.conversion.source import Source, decide
from kconvert.conversion.target import Target
from kconvert.formats import hdf5
from kconvert.kernels import AddHalves, Chain, Grow
from kconvert.network.layout import Layout, identity
from kconvert.network.rewrite import NewLayer, changed, in_sequence, rewrite
from kconvert.network.rewritten import Rewritten
from kconvert.network.sequential import Sequential
from kconvert.verification.matching import match
from tests.architectures import checkpoint_of, random_weights
from tests.fixtures import cases, identify

RELEASES = ("0.3.3", "1.0.8", "1.1.2", "1.2.2", "2.0.9", "2.3.1")
HALVES = Chain((AddHalves(),))
GROWN = Chain((Grow((("i", 0, 1),), "io"),))


def sequential():
    first = L.Dense(2, name="a", batch_input_shape=(None, 3))
    return Sequential([first, L.Dense(2, name="b")], name="m")


def replaced(model, name, *parts, **weights):
    """`model` with layer `name` replaced by copies of it called `parts`; the last has the weights."""

    def function(layer, shape):
        if layer.name != name:
            return None
        *before, last = in_sequence(*(changed(layer, name=part) for part in parts))
        return [*before, NewLayer(last.layer, last.inputs, {(key,): ops for key, ops in weights.items()})]

    return rewrite(model, function)


# ------------------------------------------------------------- composition ----


def test_a_tensor_that_is_renamed_twice_is_found_under_its_last_name():
    first = replaced(sequential(), "a", "a", "x")
    second = replaced(first.model, "x", "x", "y")
    done = first.then(second)
    assert done.aliases["a"] == "y"
    assert done.model is second.model


def test_a_name_that_was_given_to_another_tensor_in_between_does_not_mislead():
    """The tensor a is called x after the first rewriting, and what is called a then is another tensor."""
    first = replaced(sequential(), "a", "a", "x")
    second = replaced(first.model, "a", "a", "z")
    assert first.then(second).aliases["a"] == "x"


def test_ops_on_weights_follow_each_other():
    first = Rewritten(sequential(), weights={("a", "bias"): HALVES, ("a", "kernel"): GROWN})
    second = Rewritten(sequential(), weights={("a", "bias"): GROWN, ("b", "bias"): HALVES})
    done = first.then(second)
    assert done.weights == {("a", "bias"): HALVES >> GROWN, ("a", "kernel"): GROWN, ("b", "bias"): HALVES}


def test_layouts_are_those_of_tensors_under_their_new_names():
    permuted = Layout((0, 2, 1))
    first = Rewritten(sequential(), layouts={"a": permuted, "b": permuted}, reordered=frozenset({"flatten"}))
    second = replaced(sequential(), "b", "b", "x")
    done = first.then(second)
    assert done.layouts == {"a": permuted, "x": permuted}
    assert done.reordered == {"flatten"}
    assert done.outputs == [permuted] and done.inputs == [identity(2)]


def test_two_rewritings_that_change_layouts_are_refused():
    one = Rewritten(sequential(), layouts={"a": Layout((0, 2, 1))})
    with pytest.raises(ValueError, match="layouts"):
        one.then(one)


def test_a_pass_that_reads_leaves_weights_as_they_are_stored(monkeypatch):
    origin = decide(checkpoint_of(sequential(), random_weights(sequential()), Convention("keras2", "theano")), Source())
    assert order.read(sequential(), origin).notes == []
    one = Rewritten(sequential(), weights={("a", "bias"): HALVES})
    monkeypatch.setattr(order, "READ", (lambda network, origin: one,))
    with pytest.raises(ValueError, match="weights"):
        order.read(sequential(), origin)


# ------------------------------------------------------------ whole conversions ----


def test_a_layer_that_is_rewritten_for_a_release_is_still_compared(tmp_path):
    """Keras 2.1.0 on Theano counts the zeros of padding='same', so the layer is replaced, and its output renamed."""
    layers = [
        L.AveragePooling1D(1, padding="same", name="pool", batch_input_shape=(None, 5, 3)),
        L.Dense(2, name="dense"),
    ]
    model = Sequential(layers, name="m")
    stored = checkpoint_of(model, random_weights(model), Convention("keras2", "tensorflow"))
    config = {**stored.model_config, "keras_version": "2.1.0"}
    stored = replace(stored, keras_version="2.1.0", model_config=config)
    source = hdf5.write(tmp_path / "source.h5", stored, GENERATIONS["keras2"])
    done = convert(source, tmp_path / "out.h5", target="theano", format="same")
    assert done.plan.aliases == {"pool": "pool_0", "pool_input": "pool_0_input"}
    assert set(match(Source(source), Source(done.target)).common) >= {"pool", "dense"}


@pytest.mark.parametrize("generation", ["keras2", "same"])
@pytest.mark.parametrize("case", cases(*RELEASES), ids=identify)
def test_every_tensor_of_a_source_is_reached_in_its_target(case, generation):
    source = Source(case.model, case.backend, case.data_format, case.arch)
    with hdf5.read(case.model) as checkpoint:
        try:
            made = plan_conversion(checkpoint, source, Target(case.other, generation))
        except KconvertError as refusal:
            assert refusal.fix or refusal.where
            return
    theirs = made.result.model.tensor_layers()
    names = [made.aliases.get(name, name) for name in made.model.tensor_layers()]
    assert not [name for name in names if name not in theirs]
    assert set(made.result.layouts) <= set(theirs)
