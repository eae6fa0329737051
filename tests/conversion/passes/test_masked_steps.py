"""Zeros at masked steps: read as tf.keras computes them, and written as layers of Keras 2."""

import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert import layers as L
from kconvert.conventions.words import keras3_reading
from kconvert.conversion.passes.masked_steps import with_zeros, without_zeros
from kconvert.conversion.passes.masks import read_at_masked_steps
from kconvert.layers.registry import layer_from_config
from kconvert.network.sequential import Sequential
from tests.fixtures import FOLDER

ZOO = FOLDER / "tf_keras" / "zoo"


def masked(*layers):
    return Sequential([L.Masking(input_shape=(5, 4)), *layers])


def two_way(name="both", **options):
    return L.Bidirectional(L.LSTM(2, return_sequences=True), name=name, **options)


def classes(network):
    return [layer.class_name for layer in network.sublayers]


@pytest.mark.parametrize("version", ["2.2.4-tf", "2.3.0-tf", "2.15.0", "2.21.0"])
def test_a_masked_bidirectional_of_tf_keras_gives_zeros(version):
    found = with_zeros(masked(two_way(), L.Dense(2)), version)
    both = found.model.by_name["both"]
    assert both.forward_layer.zero_output_for_mask and both.backward_layer.zero_output_for_mask
    assert [note.split(":")[0] for note in found.notes] == (["both"] if version == "2.2.4-tf" else [])


@pytest.mark.parametrize(
    ("network", "version"),
    [
        (masked(two_way()), "2.3.1"),
        (masked(two_way()), "3.4.1"),
        (masked(two_way()), None),
        (masked(L.Bidirectional(L.LSTM(2), name="both")), "2.15.0"),
        (Sequential([L.Bidirectional(L.LSTM(2, return_sequences=True), name="both", input_shape=(5, 4))]), "2.15.0"),
    ],
)
def test_other_bidirectionals_are_as_in_keras_2(network, version):
    assert with_zeros(network, version).model is network


INNER = Sequential([L.Dense(2, input_shape=(5, 4)), two_way("inner")], name="inside")


@pytest.mark.parametrize(
    ("behind", "are_read"),
    [
        ([L.LSTM(2)], False),
        ([L.Dropout(0.1), L.TimeDistributed(L.Dense(3)), L.GRU(2)], False),
        ([L.Dense(2), two_way("last")], True),
        ([L.Bidirectional(L.GRU(2))], False),
        ([L.GlobalAveragePooling1D()], False),
        ([INNER, L.LSTM(2)], False),
        ([L.Dense(3)], True),
        ([L.Softmax(axis=1), L.LSTM(2)], True),
        ([INNER], True),
    ],
)
def test_masked_steps_are_read_where_a_layer_computes_with_them_or_the_model_gives_them(behind, are_read):
    network = with_zeros(masked(two_way("one"), *behind), "2.15.0").model
    read = {layer.name for layer in read_at_masked_steps(network)}
    assert bool(read & {"one", "inner", "last"}) == are_read
    assert ("Multiply" in str(without_zeros(network).model.stored_config())) == are_read


def test_initial_states_are_read():
    x, z = kc.Input((5, 4)), kc.Input((5, 3))
    states = L.Dense(3)(L.Flatten()(L.Lambda(lambda t: t)(two_way("one")(L.Masking()(x)))))
    network = kc.Model([x, z], L.GRU(3)([z, states]))
    assert [layer.name for layer in read_at_masked_steps(network) if isinstance(layer, L.Bidirectional)] == ["one"]


def test_what_is_written_has_no_option_that_keras_2_lacks():
    done = without_zeros(with_zeros(masked(two_way(), L.Dense(2)), "2.15.0").model)
    assert "zero_output_for_mask" not in str(done.model.stored_config())
    assert sorted(classes(done.model)) == ["Bidirectional"] * 2 + ["Dense"] * 2 + ["Masking", "Multiply", "SimpleRNN"]
    (note,) = done.notes
    assert note.startswith("both: Keras 2 has no zeros at masked steps; written as 2 Bidirectional + SimpleRNN")


@pytest.mark.parametrize(
    "layer",
    [
        L.LSTM(2, zero_output_for_mask=True, name="one"),
        L.GRU(2, return_sequences=True, go_backwards=True, zero_output_for_mask=True, name="one"),
    ],
)
def test_what_no_product_with_the_mask_gives_is_refused(layer):
    with pytest.raises(KconvertError, match="layer one: Keras 2 has no zeros at masked steps"):
        without_zeros(masked(layer, L.Dense(2)))


@pytest.mark.parametrize("name", ["1.15/masked_sum", "2.15/masked_average", "2.21/masked_tagger", "2.21/masked_zeros"])
def test_a_file_for_keras_3_has_the_plain_layers_and_comes_back(name, tmp_path):
    path = ZOO / name / "model.h5"
    there = kc.convert(path, tmp_path / "there.keras", format="keras3")
    assert classes(there.plan.result.model) == classes(there.plan.model)
    with np.load(path.parent / "io.npz") as io:
        back = kc.convert(there.target, tmp_path / "back.h5", target="theano")
        for one in (there.target, back.target):
            found = kc.load_model(one, backend="numpy").predict(io["x0"])
            np.testing.assert_allclose(found, io["y0"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("stated", "zeros"), [({"zero_output_for_mask": False}, True), ({"zero_output_for_mask": None}, False), ({}, False)]
)
def test_keras_3_states_whether_a_bidirectional_gives_zeros(stated, zeros):
    def item(class_name, **config):
        return {"module": "keras.layers", "class_name": class_name, "config": config, "registered_name": None}

    inner = item("LSTM", units=2, return_sequences=True, name="one", **stated)
    layers = [item("InputLayer", batch_shape=[None, 5, 3], name="x"), item("Bidirectional", layer=inner, name="both")]
    config = {"module": "keras", "registered_name": None, "class_name": "Sequential", "config": {"layers": layers}}
    network = layer_from_config(keras3_reading.read(config))
    assert network.by_name["both"].forward_layer.zero_output_for_mask == zeros


@pytest.mark.parametrize("wrapped", [False, True])
def test_keras_3_does_not_use_a_mask_beside_initial_states(wrapped, tmp_path):
    x = kc.Input((5, 4))
    states = [kc.Input((2,)) for _ in range(1 + wrapped)]
    layer = L.GRU(2, name="one") if not wrapped else L.Bidirectional(L.GRU(2), name="one")
    model = kc.Model([x, *states], layer([L.Masking()(x), *states]))
    model.start("numpy")
    model.save(tmp_path / "model.h5")
    with pytest.raises(KconvertError, match=r"layer one: Keras 3.*does not use the mask of a recurrent layer"):
        kc.convert(tmp_path / "model.h5", tmp_path / "there.keras", format="keras3")
