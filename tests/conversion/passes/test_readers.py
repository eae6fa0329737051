"""What tf_keras and Keras 3 compute otherwise than Keras 2.3: notes with the reader and the layers."""

import re

import pytest

from kconvert import layers as L
from kconvert.conversion.passes.readers import notes_for_readers, notes_on_writer
from kconvert.conversion.planning import plan
from kconvert.formats.hdf5 import read
from kconvert.network.sequential import Sequential
from tests.fixtures import FOLDER, case

BOTH = "tf_keras or Keras 3"


def notes(*layers):
    return list(notes_for_readers(Sequential(layers)).notes)


def masked(layer):
    return L.Masking(input_shape=(5, 3)), L.Dropout(0.1), layer


def sequences(name="both"):
    return L.Bidirectional(L.LSTM(2, return_sequences=True), name=name)


def lstm(**options):
    return L.LSTM(2, input_shape=(5, 3), name="one", **options)


UNSTATED = {"units": 2, "name": "one", "batch_input_shape": [None, 5, 3]}
GATES = L.Dense(2, activation="hard_sigmoid")


@pytest.mark.parametrize(
    ("layers", "note"),
    [
        ([L.UpSampling2D(2, None, "bilinear", input_shape=(4, 4, 1), name="one")], f"{BOTH}.*centres of pixels"),
        (masked(sequences("one")), f"{BOTH}, it gives zeros at masked steps"),
        ([lstm(recurrent_activation="hard_sigmoid")], r"in Keras 3, .*relu6\(x \+ 3\) / 6"),
        ([L.TimeDistributed(GATES, input_shape=(5, 3), name="one")], "in Keras 3, .*relu6"),
        ([L.GRU.from_config(UNSTATED)], f"{BOTH}, it takes reset_after"),
    ],
)
def test_each_difference_is_noted_with_its_readers(layers, note):
    (found,) = notes(*layers)
    assert re.match(f"Keras 2.3 computes one as here; loaded .*{note}", found), found


@pytest.mark.parametrize(
    "layers",
    [
        [L.UpSampling2D(2, input_shape=(4, 4, 1))],
        [L.Bidirectional(L.LSTM(2, return_sequences=True), input_shape=(5, 3))],
        masked(L.Bidirectional(L.LSTM(2))),
        (*masked(L.LSTM(3)), L.RepeatVector(4), sequences()),
        [L.LSTM(2, input_shape=(5, 3))],
        [L.GRU(2, reset_after=False, input_shape=(5, 3))],
    ],
)
def test_other_layers_are_not_noted(layers):
    assert notes(*layers) == []


@pytest.mark.parametrize("name", ["1.2.2-theano/lstm_cpu", "2.3.1-theano/lstm_impl1"])
def test_results_for_tensorflow_alone_have_notes(name):
    found = case(name)
    with read(found.folder / "model.h5") as checkpoint:
        noted = [note for note in plan(checkpoint, None, "tensorflow").notes if "Keras 3" in note]
    stated = '"recurrent_activation": "hard_sigmoid"' in (found.folder / "arch.json").read_text()
    assert bool(noted) == (stated or name.startswith("1"))


def test_what_computes_zeros_at_masked_steps_or_leaves_them_out_is_not_noted():
    with read(FOLDER / "tf_keras" / "masked_bidirectional.h5") as checkpoint:
        assert not any("masked steps, not" in note for note in plan(checkpoint, None, "tensorflow").notes)
    assert notes(*masked(sequences("one")), L.LSTM(2, recurrent_activation="sigmoid")) == []


def test_hard_sigmoid_is_the_same_in_tf_keras_and_in_what_kconvert_writes_for_keras_3():
    network = Sequential([L.Dense(2, activation="hard_sigmoid", input_shape=(3,), name="d")])
    for version in ("3.4.1", "2.15.0", "2.2.4-tf", "2.3.1", None):
        assert not notes_on_writer(network, version).notes
