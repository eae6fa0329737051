"""What a source is: from its attributes, from its names, and from the options of the user."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert.conventions.generations import Convention
from kconvert.conversion.evidence import backend_of, generation_of
from kconvert.conversion.source import Source, decide
from kconvert.formats.checkpoint import Checkpoint, Group, InMemory
from kconvert.formats.hdf5 import read
from tests.fixtures import FOLDER, cases, identify

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
        ("3.4.1", "keras3"),
        ("1", "keras1"),
    ],
)
def test_generation_by_version(version, form):
    name = "x_W" if version.startswith("1") else "x/kernel"
    found = generation_of(stub(name, keras_version=version, stated_in={"keras_version": "the root"}))
    assert found.value == form
    assert found.sentence("format") == f"format {form}: keras_version of the root is {version}"


def test_generation_by_the_version_of_the_architecture():
    found = generation_of(stub("x/kernel", model_config={"class_name": "Sequential", "keras_version": "2.1.0"}))
    assert (found.value, found.evidence) == ("keras2", "keras_version of model_config is 2.1.0")


@pytest.mark.parametrize(
    ("name", "stated", "form"),
    [
        ("x_W", {"keras_version": "2.1.0"}, "keras1"),
        ("x_W", {"model_config": {"keras_version": "2.1.0"}}, "keras1"),
        ("x_W", {"backend": "theano"}, "keras1"),
        ("x/kernel", {"keras_version": "1.2.2"}, "keras2"),
    ],
)
def test_names_come_before_attributes_and_the_contradiction_is_a_note(name, stated, form):
    found = generation_of(stub(name, **stated))
    assert found.value == form
    assert repr(name) in found.notes[0]
    assert decide(stub(name, **stated), Source()).notes


def test_a_weight_that_a_layer_of_a_user_names_like_keras_1_is_of_keras_2():
    assert generation_of(stub("att_1/att_1_W:0", keras_version="2.2.4")).value == "keras2"
    assert generation_of(stub("fire2/squeeze1x1_W:0")).value == "keras1"


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
    assert generation_of(stub("param_0", "y/z", keras_version="unknown", backend="theano")).value == "keras2"
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


def tells(case):
    """Whether the file tells its generation: weights alone of Keras 1.0.8 look like those of Keras 1.2.2."""
    return case.arch is None or case.release != "1.0.8"


@pytest.mark.parametrize("case", list(filter(tells, cases(*GENERATIONS))), ids=identify)
def test_what_real_files_are(case):
    with read(case.model) as checkpoint:
        origin = decide(checkpoint, Source(backend=case.backend))
        assert origin.convention == Convention(GENERATIONS[case.release], case.backend)
        assert [sentence.split()[0] for sentence in origin.evidence[:2]] == ["format", "backend"]
        backend = case.backend if checkpoint.named and (checkpoint.backend or checkpoint.names) else None
        assert backend_of(checkpoint).value == backend


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
    with pytest.raises(KconvertError, match="does not show which backend saved it; give source="):
        decide(stub("param_0", named=False), Source())


def test_a_contradiction_is_refused_unless_forced():
    with pytest.raises(KconvertError, match=r"saved with theano, not tensorflow \(backend theano: the backend attr"):
        decide(stub("x/kernel", backend="theano"), Source(backend="tensorflow"))
    origin = decide(stub("x/kernel", backend="theano"), Source(backend="tensorflow", force=True))
    assert origin.convention.backend == "tensorflow"
    assert "as given, against the file (theano)" in origin.evidence[-1]


def test_a_backend_that_is_not_known_is_named():
    with pytest.raises(KconvertError, match=r"'plaidml'"):
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
    with pytest.raises(
        KconvertError,
        match=r"saved with Keras 2.1.6, not 2.0.4 \(format keras2: .*\); leave source_release= out; force=True",
    ):
        decide(stating, Source(release="2.0.4"))
    assert decide(stating, Source(release="2.0.4", force=True)).release == "2.0.4"


def test_a_release_that_is_not_known_is_refused():
    with pytest.raises(KconvertError, match=r"unknown release '9.9'; give a release of Keras, such as source_release="):
        decide(stub(*WEIGHTS), Source(release="9.9"))


def test_the_release_must_be_of_the_generation_that_the_names_show():
    with pytest.raises(KconvertError, match=r"saved with Keras 1.0 - 1.2, not 2.0.4 \(format keras1: 'bn_1_gamma'"):
        decide(stub(*WEIGHTS), Source(release="2.0.4"))
    assert decide(stub(*WEIGHTS), Source(release="2.0.4", force=True)).convention.generation_name == "keras2"
    numbered = stub("param_0", named=False)
    assert decide(numbered, Source(backend="theano", release="0.3.0")).release == "0.3.0"
    with pytest.raises(KconvertError, match=r"saved with Keras 0.2 - 0.3.3, not 1.0.6"):
        decide(numbered, Source(backend="theano", release="1.0.6"))


# ------------------------------------------------------- the user's architecture ----


def architecture(folder, version):
    path = folder / "arch.json"
    path.write_text(json.dumps({"class_name": "Sequential", "config": [], "keras_version": version}))
    return path


def test_an_architecture_of_another_generation_does_not_say_what_the_weights_are(tmp_path):
    origin = decide(stub("c_W:0"), Source(arch=architecture(tmp_path, "2.3.1")))
    assert (origin.convention, origin.release) == (Convention("keras1", "tensorflow"), None)
    assert "the architecture is of Keras 2.3.1, the weights are of Keras 1.0 - 1.2" in origin.notes[0]
    assert "'c_W:0' is how Keras 1 names a weight" in origin.notes[0]
    origin = decide(stub("c/kernel:0"), Source(arch=architecture(tmp_path, "1.2.2")))
    assert (origin.convention, origin.release) == (Convention("keras2", "tensorflow"), None)


def test_an_architecture_of_the_same_generation_tells_the_release(tmp_path):
    origin = decide(stub("c_W"), Source(arch=architecture(tmp_path, "1.0.4")))
    assert (origin.convention.generation_name, origin.release, origin.release_stated) == ("keras1.0.5", "1.0.4", False)
    stating = stub("c/kernel", keras_version="2.0.9", backend="theano")
    origin = decide(stating, Source(arch=architecture(tmp_path, "2.3.1")))
    assert (origin.release, origin.release_stated) == ("2.0.9", True)
    assert "the architecture is of Keras 2.3.1, the weights are of Keras 2.0.9" in origin.notes[0]


# ---------------------------------------------------------------- whose kernels ----


def called(name, *names, **stated):
    return replace(stub(*names, **stated), path=Path("/some/theano", name))


@pytest.mark.parametrize(
    ("checkpoint", "want", "words"),
    [
        (called("net_tf_dim_ordering_th_kernels.h5", "x_W:0"), "theano", "'th_kernels' in the name of the file"),
        (called("net-tf-kernels.h5", "x_W"), "tensorflow", "'tf_kernels' in the name of the file"),
        (called("Theano.net.h5", "x_W"), "theano", "'theano' in the name"),
        (called("theanos_net_th_weights.h5", "x_W:0"), "tensorflow", "':0'"),
        (called("from_theano_to_tensorflow.h5", "x_W"), "theano", "no name ends in ':0'"),
        (called("net_theano.h5", "x/kernel:0", backend="tensorflow"), "tensorflow", "the backend attribute"),
    ],
)
def test_the_name_of_the_file_comes_after_the_attribute_and_before_the_names(checkpoint, want, words):
    found = backend_of(checkpoint)
    assert found.value == want
    assert words in found.evidence


def test_a_name_of_the_file_that_contradicts_is_a_note():
    assert "x_W:0" in backend_of(called("net_th_kernels.h5", "x_W:0")).notes[0]
    assert "'theano' in the name" in backend_of(called("net_theano.h5", "x:0", backend="tensorflow")).notes[0]
    assert backend_of(called("net_tf_kernels.h5", "x_W:0")).notes == ()


def test_names_alone_do_not_contradict_the_user():
    origin = decide(stub("c_W:0"), Source(backend="theano"))
    assert origin.convention.backend == "theano"
    assert "as given, against the file (tensorflow): no backend attribute; 'c_W:0' ends in ':0'" in origin.notes[0]
    assert decide(called("net_tf_kernels.h5", "c_W:0"), Source(backend="theano")).convention.backend == "theano"


@pytest.mark.parametrize("name", ["cntk", "jax", "torch"])
def test_backends_that_have_the_kernels_of_tensorflow(name):
    origin = decide(stub("x/kernel", backend=name), Source())
    assert origin.convention.backend == "tensorflow"
    assert f"is {name!r}, which has the kernels of tensorflow" in origin.evidence[1]
    assert decide(stub("x/kernel"), Source(backend=name)).convention.backend == "tensorflow"


def test_a_backend_that_is_not_known_needs_the_words_of_the_user():
    unknown = stub("x/kernel", backend="plaidml")
    with pytest.raises(KconvertError, match=r"'plaidml', which is not known.*give source="):
        decide(unknown, Source())
    assert decide(unknown, Source(backend="theano")).convention.backend == "theano"
    with pytest.raises(KconvertError, match="unknown backend 'mxnet'"):
        decide(unknown, Source(backend="mxnet"))


def test_what_kconvert_wrote_is_read_as_it_was_written():
    stamp = {"target": "keras1.0.5/theano", "release": "1.0.4"}
    origin = decide(stub(*WEIGHTS, provenance=stamp), Source())
    assert (origin.convention, origin.release) == (Convention("keras1.0.5", "theano"), "1.0.4")
    without_weights = decide(stub(provenance=stamp), Source(backend="theano"))
    assert without_weights.convention == Convention("keras1.0.5", "theano")
    assert decide(stub("x/kernel:0", provenance=stamp), Source()).convention.generation_name == "keras2"


def planned(path, target="tensorflow", **options):
    """The notes of the conversion of a file."""
    with read(path) as checkpoint:
        return kc.plan(checkpoint, None, target, **options).notes


@pytest.mark.parametrize("release", ["1", "1.0", "1.0.x", "v1.0.4"])
def test_a_release_has_three_numbers(release):
    """1.0 may be any of eight releases, on both sides of what changed in 1.0.8."""
    found = FOLDER / "field" / "batchnorm_of_unknown_release"
    with pytest.raises(KconvertError, match=f"unknown release '{release}'"):
        planned(found / "weights.h5", arch=found / "arch.json", source_release=release)


def test_a_data_format_that_does_not_exist_is_refused():
    with pytest.raises(KconvertError, match="unknown data format 'th'; give source_data_format='channels_first' or"):
        planned(FOLDER / "2.3.1-theano" / "lenet_th" / "model.h5", source_data_format="th")


@pytest.mark.parametrize(("given", "notes"), [("channels_first", 0), ("channels_last", 1)])
def test_a_data_format_against_that_of_all_layers_is_noted(given, notes):
    path = FOLDER / "2.3.1-theano" / "lenet_th" / "model.h5"
    found = planned(path, source_data_format=given)
    assert (
        sum("the layers of the file state channels_first: channels_last, as given" in note for note in found) == notes
    )


def test_a_flatten_that_the_architecture_cannot_state_is_noted():
    weights, arch = (FOLDER / group / "lenet_th" for group in ("2.3.1-tensorflow", "1.2.2-theano"))
    notes = planned(weights / "weights.h5", "theano", arch=arch / "arch.json")
    assert any(note.startswith("flatten_1: the Flatten of the release that saved the weights has a") for note in notes)
