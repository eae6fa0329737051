"""Results that today's Keras computes otherwise: the layer is named with what it computes, and never 'rounding'."""

import numpy as np
import pytest

from kconvert import convert, layers, verify
from kconvert.models.sequential import Sequential
from kconvert.verification.value import ARCHITECTURE
from kconvert.verification.verifier import Running
from tests.fixtures import FOLDER

# File of real Keras on TensorFlow, and the layers with the old hard_sigmoid.
FILES = {
    "field/keras3_hard_sigmoid/orig.h5": {"lstm_1", "lstm_1#1"},
    "2.0.9-tensorflow/multi_input_multi_output/model.h5": {"lstm_1"},
    "2.3.1-tensorflow/dense_all_activations/model.h5": {"dense_hard_sigmoid"},
}


@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize(("file", "layers"), FILES.items(), ids=FILES)
def test_the_layer_that_keras_3_computes_otherwise_is_named(file, layers):
    report = verify(FOLDER / file, FOLDER / file, running=Running(package="keras"))
    assert {cause.name for cause in report.causes} == layers
    for cause in report.causes:
        assert cause.kind == ARCHITECTURE and cause.alone > 1e-3
        assert "rounding" not in cause.words
        assert "hard_sigmoid'" in cause.words, "what the layer computes"
        assert "hard_sigmoid is relu6(x + 3) / 6 there" in cause.words


@pytest.mark.needs("tensorflow")
def test_kconvert_computes_what_the_release_did():
    folder = FOLDER / "field" / "keras3_hard_sigmoid"
    with np.load(folder / "io.npz") as io:
        x = [io[name] for name in sorted(io.files) if name.startswith("x")]
        report = verify(folder / "orig.h5", folder / "orig.h5", inputs=x)
    assert report.equal


@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize("merge_mode", ["concat", "sum"])
def test_both_directions_of_a_layer_that_runs_backwards_open_in_keras_3(merge_mode, tmp_path):
    inner = layers.LSTM(3, return_sequences=True, go_backwards=True)
    model = Sequential([layers.Masking(input_shape=(5, 4)), layers.Bidirectional(inner, merge_mode=merge_mode)])
    model.start("tensorflow", seed=0)
    model.save(tmp_path / "model.h5")
    convert(tmp_path / "model.h5", tmp_path / "model.keras", target="tensorflow")
    report = verify(tmp_path / "model.h5", tmp_path / "model.keras")
    assert report.equal
    assert report.target.ran_on == "keras"
