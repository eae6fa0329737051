"""Detection power: every known error, planted in files that real Keras saved, is caught and located."""

from collections import Counter

import pytest

from conformance.cases import converted
from kconvert import KconvertError, convert
from kconvert.conversion.source import Source
from kconvert.verification.planted import HARMLESS, LOCATED, MISSED, REFUSED, Planted, SelfTest
from kconvert.verification.selftest import self_test
from kconvert.verification.verifier import Verifier
from tests.conformance.test_fixtures import REFUSED as NOT_CONVERTED
from tests.fixtures import case, cases, identify
from tests.verification.damage import damage

FILES = [
    found
    for found in cases("1.2.2", "2.3.1")
    if found.name not in NOT_CONVERTED[found.release] and found.backend == "theano"
]


def power(found, folder):
    done = converted(found, folder / "converted.h5", "keras2")
    with Verifier() as verifier:
        return self_test(verifier, *found.sides(done))


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(found, marks=[] if i % 6 == 0 else pytest.mark.long, id=identify(found))
        for i, found in enumerate(FILES)
    ],
)
def test_every_planted_error_is_located(found, tmp_path):
    try:
        done = power(found, tmp_path)
    except KconvertError as error:
        pytest.skip(str(error))
    assert not [planted for planted in done.planted if planted.outcome not in (LOCATED, REFUSED, HARMLESS)]


def test_the_errors_of_lenet(tmp_path):
    done = power(case("2.3.1-theano/lenet_th"), tmp_path)
    words = Counter(planted.words for planted in done.planted)
    assert words["kernel is reversed along hw"] == 2
    assert words["the rows of kernel are in the order of another data format"] == 1
    assert {"conv2d_1", "conv2d_2", "dense_1", "dense_2"} <= {planted.layer for planted in done.planted}


def test_a_symmetric_kernel_and_a_bias_of_zeros_are_harmless(tmp_path):
    found = case("2.3.1-theano/lenet_th")
    source, target = tmp_path / "model.h5", tmp_path / "out.h5"
    source.write_bytes(found.model.read_bytes())
    damage(source, **{"conv2d_1:kernel": lambda kernel: kernel * 0 + 0.5, "conv2d_1:bias": lambda bias: bias * 0})
    convert(source, target, target="tensorflow")
    with Verifier() as verifier:
        done = self_test(verifier, Source(source), Source(target))
    outcomes = {(planted.layer, planted.words): planted.outcome for planted in done.planted}
    assert outcomes["conv2d_1", "kernel is reversed along hw"] == HARMLESS
    assert outcomes["conv2d_1", "bias is halved"] == HARMLESS
    assert outcomes["conv2d_2", "kernel is reversed along hw"] == LOCATED
    assert done.passed


@pytest.mark.parametrize("mode", ["dense_bn_mode1", "dense_bn_mode2"])
def test_weights_that_a_layer_never_reads_are_harmless(mode, tmp_path):
    """BatchNormalization of Keras 1 in these modes takes mean and variance from its inputs."""
    found = next(case for case in cases("1.2.2") if case.name == mode)
    target = tmp_path / "out.h5"
    convert(found.model, target, target=found.other, source=found.backend, format="same")
    with Verifier() as verifier:
        done = self_test(verifier, Source(found.model, found.backend), Source(target, found.other))
    assert done.passed
    outcomes = {planted.words: planted.outcome for planted in done.planted}
    assert outcomes["moving_variance holds the standard deviation"] == HARMLESS
    assert outcomes["gamma and moving_mean are swapped"] == LOCATED


def test_errors_in_units_that_no_input_reaches_are_found_in_the_weights(tmp_path):
    """Every output of the layer is cut off by its relu: running alone would show nothing."""
    found = case("2.3.1-theano/lenet_th")
    source, target = tmp_path / "model.h5", tmp_path / "out.h5"
    source.write_bytes(found.model.read_bytes())
    damage(source, **{"dense_1:bias": lambda bias: bias - 1e3})
    convert(source, target, target="tensorflow")
    with Verifier() as verifier:
        report = verifier.verify(Source(source), Source(target))
        assert report.equal and any("dense_1" in note for note in report.notes)
        assert self_test(verifier, Source(source), Source(target)).passed
    damage(target, **{"dense_1:bias": lambda bias: bias / 2})
    with Verifier() as verifier:
        report = verifier.verify(Source(source), Source(target))
    assert not report.equal and report.causes[0].words == "bias is halved"


def test_files_that_differ_already_teach_nothing(tmp_path):
    found = case("2.3.1-theano/lenet_th")
    target = converted(found, tmp_path / "out.h5", "keras2").target
    damage(target, **{"conv2d_2:kernel": lambda kernel: kernel[::-1]})
    with Verifier() as verifier, pytest.raises(KconvertError, match="the files differ already"):
        self_test(verifier, Source(found.model), Source(target))


def test_the_target_is_left_as_it_was(tmp_path):
    found = case("2.3.1-theano/lstm_impl1")
    target = converted(found, tmp_path / "out.h5", "keras2").target
    before = target.read_bytes(), found.model.read_bytes()
    with Verifier() as verifier:
        self_test(verifier, Source(found.model), Source(target))
    assert (target.read_bytes(), found.model.read_bytes()) == before
    assert list(tmp_path.iterdir()) == [target]


def test_weights_alone_have_their_wrong_architecture_beside_them(tmp_path):
    found = case("1.2.2-theano/lenet_th")
    weights, arch, target = found.folder / "weights.h5", found.folder / "arch.json", tmp_path / "out.h5"
    convert(weights, target, "theano", "tensorflow", arch=arch)
    with Verifier() as verifier:
        done = self_test(verifier, Source(weights, "theano", arch=arch), Source(target))
    assert done.passed


def test_the_verdict_counts():
    located, missed, harmless = (Planted("a", "b", outcome) for outcome in (LOCATED, MISSED, HARMLESS))
    assert SelfTest([located, harmless]).passed
    assert not SelfTest([located, missed]).passed and not SelfTest([harmless]).passed and not SelfTest([]).passed
    assert SelfTest([located, missed]).to_json()["missed"] == 1
