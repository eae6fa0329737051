"""SavedModels, checkpoints and `.keras` files that tf.keras saved compute what tf.keras computed."""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert.conversion.source import Source
from kconvert.formats import files
from kconvert.verification.verifier import Running, Verifier
from tests.fixtures import FOLDER

SAVED = FOLDER / "tensorflow_formats"
FILES = sorted(
    (release.name, path.name.removesuffix(".index"))
    for release in SAVED.iterdir()
    if release.is_dir()
    for path in release.iterdir()
    if path.suffix in (".saved", ".keras", ".index", ".h5")
)
STATES = (".saved", ".keras")
"""The formats that state the architecture."""


def location(release, name):
    path = SAVED / release / name
    return path, None if path.suffix in STATES else path.with_name(name.split(".")[0] + ".json")


def check(model, release, name):
    """Whether a model computes what tf.keras computed."""
    with np.load(SAVED / release / f"{name.split('.')[0]}.npz") as arrays:
        inputs, wanted = ([arrays[key] for key in sorted(arrays) if key[0] == letter] for letter in "xy")
    outputs = model.predict(inputs if len(inputs) > 1 else inputs[0])
    for output, right in zip(outputs if isinstance(outputs, list) else [outputs], wanted, strict=True):
        np.testing.assert_allclose(output, right, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("release", "name"), FILES)
def test_a_model_computes_what_tf_keras_computed(release, name):
    path, arch = location(release, name)
    check(kc.load_model(path, "numpy", arch=arch, compile=False), release, name)


@pytest.mark.parametrize(("release", "name"), FILES)
def test_a_conversion_for_theano_computes_it_too(release, name, tmp_path):
    path, arch = location(release, name)
    done = kc.convert(path, tmp_path / "out.h5", target="theano", arch=arch, data_format="keep")
    assert done.plan.source.backend == "tensorflow"
    arch = None if done.plan.holds_architecture else done.architecture or arch
    check(kc.load_model(tmp_path / "out.h5", "numpy", arch=arch, convention="theano", compile=False), release, name)


def test_weights_are_set_in_a_model():
    """The architecture is that of the model."""
    for name in ("nested.ckpt", "nested.weights.h5"):
        model = kc.load_model(SAVED / "2.15" / "nested.keras", "numpy")
        model.set_weights([np.zeros_like(w) for w in model.get_weights()])
        model.load_weights(SAVED / "2.15" / name)
        check(model, "2.15", "nested")


@pytest.mark.parametrize("name", ["nested.ckpt.index", "nested.ckpt.data-00000-of-00001", ""])
def test_a_checkpoint_is_named_by_its_prefix_its_files_or_its_directory(name):
    model = kc.load_model(SAVED / "2.15" / name, "numpy", arch=SAVED / "2.15" / "nested.json")
    check(model, "2.15", "nested")


def test_a_file_of_names_needs_an_architecture():
    with pytest.raises(KconvertError, match=r"variables have names and no order; .*arch="):
        kc.inspect(SAVED / "1.15" / "cnn.names")


def test_weights_by_classes_need_an_architecture():
    with pytest.raises(KconvertError, match=r"by the classes of their layers .*arch="):
        kc.inspect(SAVED / "2.15" / "nested.weights.h5")


@pytest.mark.parametrize(
    ("release", "name", "wrong"),
    [
        ("2.15", "nested.ckpt", "recurrent"),
        ("2.15", "nested.weights.h5", "recurrent"),
        ("1.15", "cnn.names", "recurrent"),
        ("2.15", "nested.keras", "small"),
    ],
)
def test_another_architecture_is_refused(release, name, wrong):
    with pytest.raises(KconvertError, match=re.escape(name)):
        kc.load_model(SAVED / release / name, "numpy", arch=SAVED / release / f"{wrong}.json")


def test_a_directory_that_is_no_model_is_named(tmp_path):
    with pytest.raises(KconvertError, match="is a directory, and neither a SavedModel"):
        kc.inspect(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
@pytest.mark.parametrize("part", ["variables.index", "variables.data-00000-of-00001"])
def test_a_pipe_in_a_saved_model_is_not_waited_for(tmp_path, part):
    folder = shutil.copytree(SAVED / "2.15" / "small.saved", tmp_path / "small.saved")
    path = folder / "variables" / part
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(KconvertError, match=f"{part}: is not a regular file"):
        kc.inspect(folder)


def test_the_way_out_of_a_model_that_states_no_layers(tmp_path):
    """A SavedModel that tf.keras did not write, or one of a subclass of Model."""
    shutil.copytree(SAVED / "2.8" / "cnn.saved", tmp_path / "m")
    (tmp_path / "m" / "keras_metadata.pb").write_bytes(b"")
    with pytest.raises(KconvertError, match=r"tf\.keras\.models\.load_model\(.*\)\.save\('model\.h5'\)"):
        kc.inspect(tmp_path / "m")
    arch = SAVED / "2.8" / "cnn.json"
    check(kc.load_model(tmp_path / "m", "numpy", arch=arch, compile=False), "2.8", "cnn")


def test_a_missing_tensorflow_is_named(monkeypatch):
    from kconvert.backend import Probe
    from kconvert.formats import tensorflow_checkpoint

    missing = {"tensorflow": Probe("tensorflow", None, "TensorFlow is not installed", "pip install it")}
    monkeypatch.setattr(tensorflow_checkpoint, "probe", lambda: missing)
    with pytest.raises(KconvertError, match=r"TensorFlow is not installed; pip install it"):
        kc.inspect(Path(SAVED / "2.8" / "cnn.saved"))


@pytest.mark.parametrize(
    ("names", "right"),
    [
        ({"dense_2": "dense_5", "dense_3": "dense_6", "dense_4": "dense_7"}, True),
        ({"dense_2": "dense_3", "dense_3": "dense_2"}, False),
        ({"dense_2": "dense_9", "dense_3": "dense_8"}, False),
        ({"dense_2": "first", "dense_3": "second"}, True),
        ({"dense_2": "dense_3", "dense_3": "dense_4", "dense_4": "dense_5"}, True),
        ({"dense_2": "concatenate", "concatenate": "joined"}, True),
    ],
)
def test_layers_with_other_names_are_taken_in_order_where_no_name_is_against_it(tmp_path, names, right):
    """`dense_2` and `dense_3` of one shape are on two branches."""
    text = (SAVED / "2.15" / "nested.json").read_text()
    (tmp_path / "arch.json").write_text(re.sub(r'"(\w+)"', lambda found: f'"{names.get(found[1], found[1])}"', text))
    if right:
        model = kc.load_model(SAVED / "2.15" / "nested.ckpt", "numpy", arch=tmp_path / "arch.json")
        check(model, "2.15", "nested")
        moved = names["dense_2"] != "concatenate"
        assert any("layers matched by order: dense_2 is" in note for note in model.conversion.notes) or not moved
    else:
        with pytest.raises(KconvertError, match="of the file stands where the architecture has"):
            kc.load_model(SAVED / "2.15" / "nested.ckpt", "numpy", arch=tmp_path / "arch.json")


def test_the_own_architecture_says_which_array_is_which_where_another_is_given(tmp_path):
    text = (SAVED / "2.12" / "cnn.json").read_text()
    (tmp_path / "arch.json").write_text(text.replace('"conv2d', '"features'))
    check(kc.load_model(SAVED / "2.12" / "cnn.keras", "numpy", arch=tmp_path / "arch.json"), "2.12", "cnn")


@pytest.mark.parametrize("isolate", [True, False])
@pytest.mark.parametrize("name", ["nested.ckpt", "nested.weights.h5", "nested.keras"])
def test_a_conversion_is_verified(name, isolate, tmp_path):
    path, arch = location("2.15", name)
    done = kc.convert(path, tmp_path / "out.h5", target="theano", arch=arch)
    files = Source(path, arch=arch), Source(done.target, arch=done.architecture or arch, arch_belongs=True)
    with Verifier(Running(isolate=isolate)) as verifier:
        assert verifier.verify(*files).equal


@pytest.mark.parametrize("name", ["saved_model.pb", "keras_metadata.pb"])
def test_a_file_of_a_saved_model_is_refused_with_its_directory(name, tmp_path):
    for one in ("saved_model.pb", name):
        (tmp_path / one).write_bytes(b"")
    with pytest.raises(KconvertError) as refused, files.read(tmp_path / name):
        pass
    assert refused.value.what == "is one file of a SavedModel"
    assert str(tmp_path) in refused.value.fix
