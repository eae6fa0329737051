"""A Bidirectional with a `backward_layer`, and a Softmax along several axes, as layers of Keras 2."""

import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert import layers as L
from kconvert.conversion.passes.directions import with_copies
from kconvert.conversion.passes.several_axes import with_one_axis
from kconvert.network.sequential import Sequential
from tests.fixtures import FOLDER

ZOO = FOLDER / "tf_keras" / "zoo"


def classes(network):
    return [layer.class_name for layer in network.sublayers if layer.class_name != "InputLayer"]


def two_way(backward, **options):
    return Sequential([L.Bidirectional(L.LSTM(2), backward_layer=backward, input_shape=(5, 3), name="both", **options)])


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("2.21/other_way_copied", ["Bidirectional"]),
        ("2.21/other_way", ["LSTM", "GRU", "Add", "Dense", "Concatenate"]),
        ("2.15/masked_other_way", ["Masking", "LSTM", "Bidirectional", "Concatenate", "Dense"]),
        ("2.21/softmax_of_axes", ["Conv2D", "Permute", "Reshape", "Softmax", "Reshape", "Permute", "Flatten", "Dense"]),
    ],
)
@pytest.mark.parametrize("form", ["out.h5", "out.keras"])
def test_files_of_tf_keras(name, written, form, tmp_path):
    """Each file computes what tf.keras did, also where it is written for Keras 3."""
    if form == "out.keras" and name.startswith("2.15"):
        pytest.skip("Keras 3 combines the masks otherwise, and refuses it by name")
    done = kc.convert(ZOO / name / "model.h5", tmp_path / form, target="tensorflow")
    if form == "out.h5" and "masked" not in name:
        assert sorted(classes(done.plan.result.model)) == sorted(written)
    with np.load(ZOO / name / "io.npz") as io:
        found = kc.load_model(done.target, "numpy").predict(io["x0"])
        for number, one in enumerate(found if isinstance(found, list) else [found]):
            np.testing.assert_allclose(one, io[f"y{number}"], rtol=1e-4, atol=1e-5)


def test_a_copy_needs_no_layer_of_its_own():
    assert classes(with_copies(two_way(L.LSTM(2, go_backwards=True))).model) == ["Bidirectional"]
    done = with_copies(two_way(L.LSTM(2, go_backwards=True, activation="relu")))
    assert classes(done.model) == ["LSTM", "LSTM", "Concatenate"]
    (note,) = done.notes
    assert note == "both: Keras 2 has no backward_layer; written as 2 LSTM + Concatenate"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "both: its backward_layer has go_backwards=False, and it needs True"),
        ({"go_backwards": True, "return_sequences": True}, "both: its backward_layer has return_sequences=True"),
    ],
)
def test_a_backward_layer_runs_backwards_and_has_the_same_outputs(options, words):
    with pytest.raises(KconvertError, match=words):
        two_way(L.GRU(2, **options))


def test_initial_states_of_two_kinds_are_refused_by_name():
    x, states = kc.Input((5, 3)), [kc.Input((2,)) for _ in range(2)]
    both = L.Bidirectional(L.GRU(2), backward_layer=L.SimpleRNN(2, go_backwards=True), name="both")
    with pytest.raises(KconvertError, match="layer both: Keras 2 has no backward_layer of other options"):
        with_copies(kc.Model([x, *states], both([x, *states])))


def test_an_axis_of_unknown_size_or_of_samples_is_refused_by_name():
    with pytest.raises(KconvertError, match=r"layer one"):
        with_one_axis(Sequential([L.Softmax(axis=[1, 2], input_shape=(None, 4, 3), name="one")]))
    with pytest.raises(KconvertError, match="layer one: Keras 2 has no Softmax along the samples"):
        with_one_axis(Sequential([L.Softmax(axis=[0, 2], input_shape=(4, 3), name="one")]))


def test_one_unknown_size_beside_the_axes_is_kept():
    done = with_one_axis(Sequential([L.Softmax(axis=[2, 3], input_shape=(None, 4, 3), name="one")]))
    assert done.model.shapes()[done.model.output_refs[0]] == (None, None, 4, 3)
