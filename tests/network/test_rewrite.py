"""Rewriting inside wrappers."""

import pytest

from conformance.cases import converted
from kconvert import KconvertError
from kconvert import layers as L
from kconvert.conventions.generations import Convention
from kconvert.conversion.passes.hazards import hazards
from kconvert.conversion.passes.modernize import modernize
from kconvert.conversion.passes.repair import repair
from kconvert.kernels import Grow
from kconvert.network.architecture import model_config
from kconvert.network.graph import Node, Ref
from kconvert.network.network import Network
from kconvert.network.sequential import Sequential
from tests.fixtures import case


def even(cls=L.ConvLSTM2D, **options):
    return cls(2, (2, 3), padding="same", return_sequences=True, name="inner", **options)


def mended(model):
    return repair(model, "theano", Convention("keras2", "tensorflow"))


def test_both_directions_are_rewritten_alike_and_what_comes_before_is_shared():
    both = L.Bidirectional(even(), name="both", batch_input_shape=(None, 3, 6, 7, 2))
    result = mended(Sequential([both]))
    pad, found = result.model.sublayers
    assert (pad.class_name, pad.layer.class_name) == ("TimeDistributed", "ZeroPadding2D")
    assert [one.kernel_size for one in found.sublayers] == [(3, 3), (3, 3)]
    assert [one.go_backwards for one in found.sublayers] == [False, True]
    kernels = {
        ("both", f"{way}_inner", name) for way in ("forward", "backward") for name in ("kernel", "recurrent_kernel")
    }
    assert set(result.weights) == kernels
    assert all(isinstance(chain.ops[0], Grow) for chain in result.weights.values())
    assert hazards(result.model, "theano", "tensorflow") == []


@pytest.mark.parametrize("wrapped", [False, True])
def test_initial_states_leave_no_place_for_a_repair(wrapped):
    layer = L.Bidirectional(even(), name="l") if wrapped else even()
    states = [f"s{i}" for i in range(4 if wrapped else 2)]
    entries = [L.InputLayer(batch_input_shape=(None, 3, 6, 7, 2), name="x")]
    entries += [L.InputLayer(batch_input_shape=(None, 6, 7, 2), name=name) for name in states]
    refs = tuple(Ref(entry.name) for entry in entries)
    nodes = [*(Node(entry.name, 0, ()) for entry in entries), Node(layer.name, 0, refs)]
    model = Network([*entries, layer], nodes, list(refs), [Ref(layer.name)], name="m")
    assert {hazard.layer for hazard in hazards(model, "theano", "tensorflow")} == {"ConvLSTM2D"}
    with pytest.raises(KconvertError, match="initial states"):
        mended(model)


def test_a_convlstm_of_2_0_9_says_no_implementation_inside_a_wrapper_either(tmp_path):
    plan = converted(case("2.0.9-theano/bidirectional_convlstm2d_even_tf"), tmp_path / "out.h5", "keras2").plan
    assert "'implementation'" in str(plan.model.stored_config())
    assert "'implementation'" not in str(model_config(plan.result.model, "keras2", "2.3.1", "tensorflow"))


def test_a_wrapper_whose_layer_stays_may_be_called_on_several_lengths():
    entries = [L.InputLayer(batch_input_shape=(None, n, 5), name=f"x{n}") for n in (3, 4)]
    shared = L.TimeDistributed(L.Dense(2, name="d"), name="td")
    nodes = [Node("x3", 0, ()), Node("x4", 0, ()), Node("td", 0, (Ref("x3"),)), Node("td", 1, (Ref("x4"),))]
    model = Network([*entries, shared], nodes, [Ref("x3"), Ref("x4")], [Ref("td"), Ref("td", 1)], name="m")
    assert modernize(model).model.by_name["td"] is shared
