"""What a source is: from its attributes, from its names, and from the options of the user."""

from __future__ import annotations

import numpy as np
import pytest

from kconvert import KconvertError
from kconvert.conventions.generations import Convention
from kconvert.conversion.source import Source, backend_of, decide, generation_of
from kconvert.formats.checkpoint import Checkpoint, Group, InMemory
from kconvert.formats.hdf5 import read
from tests.fixtures import cases, identify

GENERATIONS = {"0.3.3": "keras0", "1.0.8": "keras1.0", "1.2.2": "keras1", "2.3.1": "keras2"}


def stub(*names, **stated):
    """A file with arrays of these names."""
    return Checkpoint([Group("x", [InMemory(name, np.ones(1, "float32")) for name in names])], **stated)


# --------------------------------------------------------------- generation ----


@pytest.mark.parametrize(
    ("version", "form"),
    [
        ("1.0.0", "keras1.0.5"),
        ("1.0.6", "keras1.0.6"),
        ("1.0.8", "keras1.0"),
        ("1.1.2", "keras1.1"),
        ("1.2.0", "keras1"),
        ("1.2.2", "keras1"),
        ("2.0.9", "keras2"),
        ("2.2.4-tf", "keras2"),
        ("3.4.1", "keras2"),
        ("1", "keras1"),
    ],
)
def test_generation_by_version(version, form):
    found = generation_of(stub("x/kernel", keras_version=version, stated_in={"keras_version": "the root"}))
    assert found.value == form
    assert found.sentence("format") == f"format {form}: keras_version of the root is {version}"


def test_generation_by_the_version_of_the_architecture():
    found = generation_of(stub("x_W", model_config={"class_name": "Sequential", "keras_version": "2.1.0"}))
    assert (found.value, found.evidence) == ("keras2", "keras_version of model_config is 2.1.0")


@pytest.mark.parametrize(
    ("names", "form"),
    [
        (["convolution2d_1_W", "convolution2d_1_b"], "keras1"),
        (["lstm_1_W_i:0", "lstm_1_b_i:0"], "keras1"),
        (["fire2/squeeze1x1_W:0", "fire2/squeeze1x1_b:0"], "keras1"),
        (["param_0"], "keras1"),
        (["lstm_1/recurrent_kernel:0"], "keras2"),
        (["fire2/squeeze1x1/kernel:0"], "keras2"),
        (["a/b/bn/moving_mean", "a/b/bn/gamma"], "keras2"),
    ],
)
def test_generation_by_names(names, form):
    found = generation_of(stub(*names))
    assert found.value == form
    assert repr(names[0]) in found.evidence


def test_generation_by_backend_and_by_nothing():
    assert generation_of(stub("x_W", keras_version="unknown", backend="theano")).value == "keras2"
    guess = generation_of(stub())
    assert (guess.value, "guess" in guess.evidence) == ("keras1", True)


def test_generation_of_a_file_with_numbers_for_names():
    assert generation_of(stub("param_0", named=False)).value == "keras0"


# ------------------------------------------------------------------ backend ----


@pytest.mark.parametrize(
    ("checkpoint", "want", "words"),
    [
        (stub("x:0", backend="theano", stated_in={"backend": "the weights"}), "theano", "of the weights"),
        (stub("x", backend="tensorflow", stated_in={"backend": "the root"}), "tensorflow", "of the root"),
        (stub("x_W:0", "x_b:0"), "tensorflow", "'x_W:0' ends in ':0'"),
        (stub("x_W"), "theano", "no name ends in ':0'"),
        (stub("x/kernel"), "theano", "no name ends in ':0'"),
        (stub(), None, "no weights"),
        (stub("param_0", named=False), None, "Keras 0.2"),
    ],
)
def test_backend_by_attribute_then_by_names(checkpoint, want, words):
    found = backend_of(checkpoint)
    assert found.value == want
    assert words in found.evidence


# ----------------------------------------------------------------- deciding ----


@pytest.mark.parametrize("case", cases(*GENERATIONS), ids=identify)
def test_what_real_files_are(case):
    with read(case.model) as checkpoint:
        origin = decide(checkpoint, Source(backend=case.backend))
        assert origin.convention == Convention(GENERATIONS[case.release], case.backend)
        assert [sentence.split()[0] for sentence in origin.evidence[:2]] == ["format", "backend"]
        tells = checkpoint.named and (checkpoint.backend or checkpoint.names)
        assert backend_of(checkpoint).value == (case.backend if tells else None)


@pytest.mark.parametrize(
    ("checkpoint", "given", "found"),
    [
        (stub("x/kernel", backend="theano"), None, "theano"),
        (stub("x/kernel", backend="theano"), "theano", "theano"),
        (stub("x/kernel:0"), None, "tensorflow"),
        (stub("x/kernel"), None, "theano"),
        (stub("param_0", named=False), "tensorflow", "tensorflow"),
    ],
)
def test_who_wrote_the_file(checkpoint, given, found):
    assert decide(checkpoint, Source(backend=given)).convention.backend == found


def test_who_wrote_the_file_cannot_be_known():
    with pytest.raises(KconvertError, match="does not show which backend saved it; give --from"):
        decide(stub("param_0", named=False), Source())


def test_a_contradiction_is_refused_unless_forced():
    with pytest.raises(KconvertError, match=r"saved with theano, not tensorflow \(backend theano: the backend attr"):
        decide(stub("x/kernel", backend="theano"), Source(backend="tensorflow"))
    origin = decide(stub("x/kernel", backend="theano"), Source(backend="tensorflow", force=True))
    assert origin.convention.backend == "tensorflow"
    assert "as given, against the file (theano)" in origin.evidence[-1]


def test_a_backend_that_is_not_known_is_named():
    with pytest.raises(KconvertError, match="'plaidml'"):
        decide(stub("x/kernel", backend="plaidml"), Source())


# ------------------------------------------------------------------ release ----

WEIGHTS = ("bn_1_gamma", "bn_1_running_std")


def test_the_release_that_the_user_states():
    origin = decide(stub(*WEIGHTS), Source(release="1.0.4"))
    assert (origin.convention.generation_name, origin.release) == ("keras1.0.5", "1.0.4")
    assert origin.evidence[0] == "format keras1.0.5: the release given is 1.0.4"
    assert decide(stub(*WEIGHTS), Source()).release is None


def test_the_release_of_a_file_is_not_overruled_unless_forced():
    stating = stub("x/kernel", keras_version="2.1.6", backend="theano")
    assert decide(stating, Source(release="2.1.6")).release == "2.1.6"
    with pytest.raises(KconvertError, match=r"saved with Keras 2.1.6, not 2.0.4; leave --source-release out; --force"):
        decide(stating, Source(release="2.0.4"))
    assert decide(stating, Source(release="2.0.4", force=True)).release == "2.0.4"


def test_a_release_that_is_not_known_is_refused():
    with pytest.raises(KconvertError, match=r"unknown release '9.9'; give --source-release a release of Keras"):
        decide(stub(*WEIGHTS), Source(release="9.9"))
