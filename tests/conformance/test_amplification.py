"""A network that amplifies rounding, on both frameworks: it is equal, and every error planted in it is located."""

import pytest

from kconvert import Input, Model, convert, verify
from kconvert import layers as L
from kconvert.conversion.source import Source
from kconvert.verification.planted import HARMLESS, LOCATED
from kconvert.verification.selftest import self_test
from kconvert.verification.verifier import Running, Verifier
from tests.verification.test_amplification import LIMIT


@pytest.fixture(scope="module")
def crnn(tmp_path_factory):
    """A deep CRNN with random weights: its activations grow to 1e5, and its gates switch on small differences.

    The two files: saved on Theano, and converted for TensorFlow.
    """
    x = y = Input((16, 20, 1))
    for i in range(5):
        y = L.Conv2D(12, 3, padding="same", activation="relu", name=f"conv_{i}")(y)
        y = L.MaxPooling2D((2, 1), name=f"pool_{i}")(y) if i in (1, 2) else y
    y = L.Reshape((20, 48), name="columns")(L.Permute((2, 1, 3), name="turn")(y))
    for i in range(3):
        y = L.GRU(24, return_sequences=True, recurrent_activation="sigmoid", name=f"gru_{i}")(y)
    model = Model(x, L.Dense(10, activation="softmax", name="dense")(y))
    model.start("theano", seed=0)
    factors = {4: 15.0, 2: 0.1}  # of kernels of convolutions, and of matrices
    model.set_weights([w * factors.get(w.ndim, 1.0) for w in model.get_weights()])
    folder = tmp_path_factory.mktemp("crnn")
    model.save(folder / "theano.h5")
    convert(folder / "theano.h5", folder / "tensorflow.h5", target="tensorflow")
    return folder / "theano.h5", folder / "tensorflow.h5"


@pytest.mark.needs("theano", "tensorflow")
def test_a_network_that_amplifies_rounding_is_equal_and_the_verdict_says_so(crnn):
    report = verify(*crnn, running=Running(required=True))
    assert report.equal and report.qualifiers == [LIMIT]
    assert report.needed > report.tolerance.rtol, "by the tolerance alone, it differs"
    (amplified,) = (found for found in report.layers if found.amplified)
    assert amplified.name == "gru_0"
    (note,) = report.notes
    assert "each layer alone agrees" in note and "inputs=" in note and "gru_0 differs by" in note


@pytest.mark.needs("theano", "tensorflow")
def test_every_error_planted_in_such_a_network_is_located(crnn):
    with Verifier(Running(required=True)) as verifier:
        done = self_test(verifier, *map(Source, crnn))
    assert done.passed
    assert {planted.outcome for planted in done.planted} <= {LOCATED, HARMLESS}
    assert {planted.layer for planted in done.planted} > {"conv_4", "gru_0", "gru_2"}
