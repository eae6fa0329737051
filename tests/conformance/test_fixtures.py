"""Every fixture, on real Theano and real TensorFlow: as real Keras computed it, on both sides, there and back."""

import numpy as np
import pytest

from conformance.cases import ATOL, converted, there_and_back
from kconvert import KconvertError, convert, get_backend, load_model
from kconvert.conventions.generations import Convention
from kconvert.conversion.binding import arrays_for
from kconvert.conversion.reading import network_of
from kconvert.conversion.source import Source, decide
from kconvert.formats.hdf5 import read
from kconvert.layers.lists import as_list
from kconvert.models.sequential import as_model
from kconvert.verification.matching import in_layout
from kconvert.verification.pairing import Inputs
from kconvert.verification.runs import judge
from kconvert.verification.verifier import Running, Verifier
from tests.fixtures import case as found
from tests.fixtures import cases, identify

# What Keras 2 cannot say, or no rewriting can mend: refused by name, never written.
REFUSED = {
    "0.3.3": {"conv_thresholdedlinear_th": "ThresholdedLinear"},
    "1.0.8": {"deconv2d_same_stride2_th": "did not save the output_shape"},
    "1.1.2": {},
    "1.2.2": {
        "conv_bn_mode2_th": "BatchNormalization(mode=2)",
        "conv_srelu_shared_th": "SReLU",
        "dense_bn_mode1": "BatchNormalization(mode=1)",
        "dense_bn_mode2": "BatchNormalization(mode=2)",
        "dense_prelu_srelu_psoftplus": "SReLU",
    },
    "2.0.9": {"rnn_one_cell": "saved none of the options of a GRUCell"},
    "2.2.4": {},
    "2.3.1": {"upsampling2d_bilinear_tf": "no layers make the bilinear enlarging by (2, 3)"},
}
UNTOLD = ("deconv2d_same_stride2_th", "rnn_one_cell")  # the file does not say what was computed
ALL = cases(*REFUSED)
CONVERTIBLE = [case for case in ALL if case.name not in REFUSED[case.release]]
ADDED = {"cudnnlstm", "bidirectional_cudnnlstm"}  # their two biases are added: the sum comes back as two halves


@pytest.mark.needs("theano", "tensorflow")
@pytest.mark.parametrize("case", CONVERTIBLE, ids=identify)
def test_converts_and_both_sides_agree(case, tmp_path):
    done = converted(case, tmp_path / "converted.h5", "keras2")
    with Verifier(Running(required=True)) as verifier:
        runs = verifier.run(verifier.pair(*case.sides(done), Inputs(arrays=case.arrays("x"))))
        for pair, y, layout in zip(runs.outputs, case.arrays("y"), done.plan.result.outputs, strict=True):
            assert np.abs(pair.source - in_layout(y, layout)).max() <= ATOL, "not what real Keras computed"
        report = judge(runs)
    assert report.equal, report.first_divergence
    assert not report.weights
    assert len(report.layers) >= len(done.plan.model.sublayers)


@pytest.mark.parametrize("case", [case for case in ALL if case.name not in UNTOLD], ids=identify)
def test_runs_on_the_numpy_reference(case):
    with read(case.model) as checkpoint:
        said = Source(None, case.backend, case.data_format, case.arch)
        origin, model = decide(checkpoint, said).convention, network_of(checkpoint, said)
        arrays = arrays_for(model, checkpoint, origin, Convention("keras2", case.backend))
        model = as_model(model).bind(get_backend("numpy", case.backend), arrays)
    for got, wanted in zip(as_list(model.predict(case.arrays("x"))), case.arrays("y"), strict=True):
        assert got.shape == wanted.shape
        assert np.abs(got - wanted).max() <= ATOL


@pytest.mark.parametrize("case", [case for case in CONVERTIBLE if case.name not in ADDED], ids=identify)
def test_comes_back_bit_for_bit(case, tmp_path):
    result = there_and_back(case, tmp_path)
    assert result.passed, result.reason


@pytest.mark.parametrize("case", [case for case in ALL if case not in CONVERTIBLE], ids=identify)
def test_refused_by_name_and_nothing_written(case, tmp_path):
    with pytest.raises(KconvertError) as refusal:
        converted(case, tmp_path / "converted.h5", "keras2")
    assert REFUSED[case.release][case.name] in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "1.2.2-theano/maxpooling2d_same_th",
        "2.3.1-tensorflow/averagepooling2d_same_2x3_tf",
        "2.3.1-theano/conv2dtranspose_same_stride2_tf",
    ],
)
def test_hazards_are_refused_by_name_where_no_repair_is_wanted(name, tmp_path):
    case = found(name)
    with pytest.raises(KconvertError, match=r"padding='same' puts . before the first element") as refusal:
        convert(case.model, tmp_path / "out.h5", case.backend, case.other, repair=False)
    assert "cannot be converted exactly" in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["lenet_th", "lstm_impl1", "td_conv2d_only_tf", "convlstm2d_3x3_th"])
def test_unconverted_weights_give_wrong_numbers_only_where_kernels_are_flipped(name):
    """The framework flips nothing: taking a Theano file for a TensorFlow one must show."""
    case = next(case for case in ALL if case.name == name and case.backend == "theano" and case.release == "2.3.1")
    with read(case.model) as checkpoint:
        model = network_of(checkpoint)
        taken = Convention("keras2", "tensorflow")
        arrays = arrays_for(model, checkpoint, taken, taken)
        model = as_model(model).bind(get_backend("numpy", "tensorflow"), arrays)
    error = np.abs(as_list(model.predict(case.arrays("x")))[0] - case.arrays("y")[0]).max()
    assert (error > 10 * ATOL) == (name != "lstm_impl1")


@pytest.mark.needs("theano", "tensorflow")
def test_load_model_converts_while_loading():
    """One file, both frameworks, the inputs it always took."""
    case = next(case for case in ALL if case.name == "lenet_th" and case.backend == "theano")
    for backend in ("theano", "tensorflow", "numpy"):
        y = load_model(case.model, backend).predict(case.arrays("x")[0])
        assert np.abs(y - case.arrays("y")[0]).max() <= ATOL
