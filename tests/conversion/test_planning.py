"""Conversions: a plan one can look at, exact from end to end, written whole or not at all."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kconvert import KconvertError
from kconvert import layers as L
from kconvert.backend import get_backend
from kconvert.conventions.backends import BACKENDS, CHANNELS_FIRST, CHANNELS_LAST, DATA_FORMATS
from kconvert.conventions.generations import Convention
from kconvert.conversion.applying import apply
from kconvert.conversion.binding import arrays_for
from kconvert.conversion.files import convert, default_target, refuse_converted, refuse_unchanged
from kconvert.conversion.planning import plan
from kconvert.conversion.reading import network_of
from kconvert.conversion.source import Source, generation_of
from kconvert.conversion.target import Target
from kconvert.errors import Problem
from kconvert.formats import hdf5
from kconvert.kernels import Chain
from kconvert.models.sequential import as_model
from kconvert.network.nested import as_list, one_or_list
from kconvert.network.sequential import Sequential
from kconvert.verification import moved
from tests.architectures import architectures, checkpoint_of, random_inputs, random_weights
from tests.fixtures import case, cases, identify

OTHER = {"theano": "tensorflow", "tensorflow": "theano"}
laws = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
LENET = {backend: case(f"2.3.1-{backend}/lenet_th").model for backend in BACKENDS}


def running(model, checkpoint, convention):
    """`model` on NumPy in the part of `convention`, with the arrays of its file."""
    arrays = arrays_for(model, checkpoint, convention, Convention("keras2", convention.backend))
    return as_model(model).bind(get_backend("numpy", convention.backend), arrays)


def agree(made, before, after):
    """Whether both files compute the same, each on its own backend."""
    inputs = random_inputs(made.model)
    source = running(network_of(before), before, made.source)
    target = running(network_of(after), after, made.target)
    x = as_list(source.predict(one_or_list(inputs)))
    new = [moved(array, layout) for array, layout in zip(inputs, made.result.inputs, strict=True)]
    y = as_list(target.predict(one_or_list(new)))
    for ours, theirs, layout in zip(x, y, made.result.outputs, strict=True):
        scale = max(1.0, np.abs(ours).max(initial=0.0))
        np.testing.assert_allclose(moved(ours, layout).ravel(), theirs.ravel(), rtol=1e-3, atol=2e-4 * scale)


def as_read(checkpoint):
    """What a file holds after it was written: JSON values."""
    return replace(checkpoint, model_config=json.loads(json.dumps(checkpoint.model_config)))


def digest(path):
    return {entry.name: entry.read_bytes() for entry in path.iterdir()}


# -------------------------------------------------------------------- laws ----


@laws
@given(architectures(steps=6), st.sampled_from(sorted(BACKENDS)), st.sampled_from([*DATA_FORMATS, "keep", "native"]))
def test_both_files_compute_the_same_whatever_the_model(architecture, source, data_format):
    """Even where 'same' means two things: such layers are repaired or refused."""
    origin = Convention("keras2", source)
    before = as_read(checkpoint_of(architecture.model, random_weights(architecture.model), origin))
    try:
        made = plan(before, None, OTHER[source], data_format)
        after = apply(made, before)
    except KconvertError as refusal:
        assert "\n" not in str(refusal)
        return
    agree(made, before, as_read(after))


@laws
@given(architectures(steps=6, counted=False), st.sampled_from(sorted(BACKENDS)))
def test_there_and_back_gives_every_array_bit_for_bit(architecture, source):
    model = architecture.model
    before = as_read(checkpoint_of(model, random_weights(model), Convention("keras2", source)))
    try:
        made = plan(before, None, OTHER[source], "keep", repair=False)
        assume(not made.hazards)
        after = as_read(apply(made, before))
        back = apply(plan(after, None, source, "keep"), after)
    except KconvertError:
        return
    ours = {array.name: array.read() for group in before.groups for array in group.arrays}
    theirs = {array.name: array.read() for group in back.groups for array in group.arrays}
    assert list(ours) == list(theirs)
    assert all(ours[name].tobytes() == theirs[name].tobytes() for name in ours)


@laws
@given(architectures(steps=5), st.sampled_from(["keras1", "keras2"]), st.data())
def test_any_rows_are_the_rows_of_the_whole(architecture, form, data):
    """Block by block, in any order, or none: what streaming a large array rests on."""
    model = architecture.model
    try:
        before = checkpoint_of(model, random_weights(model), Convention(form, "theano"))
        made = plan(as_read(before), "theano", "tensorflow")
        after = apply(made, before)
    except KconvertError:
        return
    for array in (array for group in after.groups for array in group.arrays):
        whole = array.read()
        assert whole.shape == tuple(array.shape) and whole.dtype == array.dtype
        n = whole.shape[0]
        start = data.draw(st.integers(0, n))
        rows = data.draw(st.sampled_from([slice(start, n), slice(0, start), slice(None, None, 2)]))
        assert np.array_equal(array.read(rows), whole[rows])
        some = np.array(data.draw(st.lists(st.integers(0, n - 1), max_size=4)), int)
        assert np.array_equal(array.read(some), whole[some])


@pytest.mark.parametrize("found", cases("1.2.2", "2.3.1")[::3], ids=identify)
def test_a_plan_predicts_shapes_and_is_json(found):
    """The chains of the JSON do the same to the arrays."""
    with hdf5.read(found.model) as checkpoint:
        try:
            made = plan(checkpoint, found.backend, found.other, source_data_format=found.data_format)
        except KconvertError:
            return
        written = json.loads(json.dumps(made.to_json()))
        assert (written["source"], written["target"]) == (str(made.source), str(made.target))
        assert len(written["weights"]) == len(made.steps)
        for step, row in zip(made.steps, written["weights"], strict=True):
            chain = Chain.from_json(row["ops"])
            assert chain == step.chain
            made_arrays = chain.apply(*(array.read() for array in step.sources))
            assert (
                [tuple(to["shape"]) for to in row["to"]] == [a.shape for a in made_arrays] == list(step.target_shapes)
            )
            assert all(np.array_equal(a, b) for a, b in zip(made_arrays, step.read(), strict=True))
            assert [source["name"] for source in row["from"]] == [array.name for array in step.sources]


# ------------------------------------------------------------------- options ----


def test_formats_and_data_formats(tmp_path):
    source = case("1.2.2-theano/lenet_th").model
    same = convert(source, tmp_path / "same.h5", target="tensorflow", format="same")
    new = convert(source, tmp_path / "new.h5", target="tensorflow")
    with hdf5.read(same.target) as kept, hdf5.read(new.target) as modern:
        assert (generation_of(kept).value, kept.keras_version) == ("keras1", "1.2.2")
        assert (modern.keras_version, modern.backend) == ("2.3.1", "tensorflow")
        assert {array.name.rpartition("_")[2] for g in kept.groups for array in g.arrays} == {"W:0", "b:0"}
    for data_format, wanted in (
        ("native", CHANNELS_LAST),
        ("keep", CHANNELS_FIRST),
        (CHANNELS_FIRST, CHANNELS_FIRST),
        (CHANNELS_LAST, CHANNELS_LAST),
    ):
        made = convert(source, tmp_path / f"{data_format}.h5", target="tensorflow", data_format=data_format)
        with hdf5.read(made.target) as checkpoint:
            stated = {layer.data_format for layer in network_of(checkpoint).layers if "Conv" in layer.class_name}
        assert stated == {wanted}


def test_an_unknown_data_format_is_refused():
    with hdf5.read(LENET["theano"]) as checkpoint, pytest.raises(KconvertError) as refusal:
        plan(checkpoint, None, "tensorflow", "channels_middle")
    assert "one of: native, keep, channels_first, channels_last" in str(refusal.value)
    assert refusal.value.problem is Problem.USAGE


def test_weights_alone_with_their_architecture(tmp_path):
    """The same arrays as those of the whole model, and no architecture in the file."""
    found = case("2.3.1-theano/lenet_th")
    whole = convert(found.model, tmp_path / "whole.h5", target="tensorflow")
    alone = convert(
        found.folder / "weights.h5", tmp_path / "alone.h5", target="tensorflow", arch=found.folder / "arch.json"
    )
    with hdf5.read(whole.target) as first, hdf5.read(alone.target) as second:
        assert second.model_config is None and not second.whole_model
        pairs = zip(
            (a for g in first.groups for a in g.arrays), (a for g in second.groups for a in g.arrays), strict=True
        )
        assert all(a.name == b.name and np.array_equal(a.read(), b.read()) for a, b in pairs)


def test_which_backend():
    with pytest.raises(KconvertError, match="which backend to convert for"):
        convert(LENET["theano"])


def test_a_contradiction_of_from(tmp_path):
    with pytest.raises(KconvertError, match="the file was saved with theano, not tensorflow"):
        convert(LENET["theano"], tmp_path / "out.h5", source="tensorflow", target="theano")
    assert list(tmp_path.iterdir()) == []
    forced = convert(LENET["theano"], tmp_path / "out.h5", source="tensorflow", target="theano", force=True)
    assert forced.plan.source == Convention("keras2", "tensorflow")
    assert any("against the file" in line for line in forced.plan.evidence)


def test_the_default_target_stands_beside(tmp_path):
    source = tmp_path / "model.h5"
    shutil.copy(LENET["theano"], source)
    before = source.read_bytes()
    made = convert(source, target="tensorflow")
    assert made.target == tmp_path / "model.tensorflow.h5" == default_target(source, "tensorflow")
    assert source.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("model.hdf5", "model.theano.h5"),
        ("MODEL.H5", "MODEL.theano.h5"),
        ("weights", "weights.theano.h5"),
        ("weights.03-0.52", "weights.03-0.52.theano.h5"),
    ],
)
def test_a_default_name_ends_in_h5(name, made):
    assert default_target(Path("folder", name), "theano") == Path("folder", made)


@pytest.mark.parametrize("name", ["out.h5", "out.hdf5", "OUT.H5", "out.v1.Hdf5"])
def test_hdf5_is_written_under_its_endings(name, tmp_path):
    assert convert(LENET["theano"], tmp_path / name, target="tensorflow").target == tmp_path / name
    with hdf5.read(tmp_path / name) as made:
        assert made.backend == "tensorflow"


@pytest.mark.parametrize("name", ["out.keras", "out.KERAS", "out.onnx", "out.h5.bak", "out.", "out", ".h5"])
@pytest.mark.parametrize("source", ["model.h5", "absent.h5"])
def test_another_ending_is_refused_before_the_source_is_read(name, source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(LENET["theano"], "model.h5")
    before = digest(tmp_path)
    with pytest.raises(KconvertError) as refusal:
        convert(source, name, target="tensorflow", force=True)
    assert refusal.value.problem is Problem.USAGE
    assert str(refusal.value).startswith(f"{name}: ") and str(refusal.value).endswith("; use .h5 or .hdf5")
    assert digest(tmp_path) == before


# ------------------------------------------------------------------- changes ----


@pytest.mark.parametrize("name", ["lenet_th", "lstm_impl1"])
def test_what_is_already_so_is_refused(name, tmp_path):
    found = case(f"2.3.1-theano/{name}")
    with pytest.raises(KconvertError, match="already is in the convention keras2/theano"):
        convert(found.model, tmp_path / "out.h5", target="theano", data_format="keep")
    assert list(tmp_path.iterdir()) == []


def test_changes():
    """Of kernels, of the name of the backend alone, of the configuration alone, of nothing."""
    for name, options, wanted in (
        ("lenet_th", {"target": "tensorflow", "data_format": "keep"}, True),
        ("lstm_impl1", {"target": "tensorflow"}, True),
        ("lenet_th", {"target": "theano", "data_format": CHANNELS_LAST}, True),
        ("lenet_th", {"target": "theano", "data_format": CHANNELS_FIRST}, False),
    ):
        with hdf5.read(case(f"2.3.1-theano/{name}").model) as checkpoint:
            made = plan(checkpoint, None, **options)
        assert made.changes == wanted, (name, options)
        if wanted:
            refuse_unchanged(made, LENET["theano"])


def test_what_was_converted_is_not_converted_again(tmp_path):
    """A user who says --from theano of a file that kconvert made for TensorFlow would turn its kernels again."""
    made = convert(LENET["theano"], tmp_path / "out.h5", target="tensorflow")
    with pytest.raises(KconvertError, match="already converted this file from keras2/theano to keras2/tensorflow"):
        convert(made.target, tmp_path / "again.h5", source="theano", target="tensorflow")
    with hdf5.read(made.target) as checkpoint:
        refuse_converted(checkpoint, Source(), Target("tensorflow"))
        refuse_converted(checkpoint, Source(backend="tensorflow"), Target("theano"))
        refuse_converted(checkpoint, Source(backend="theano", force=True), Target("tensorflow"))


# ---------------------------------------------------------------- provenance ----


def test_provenance(tmp_path):
    made = convert(LENET["theano"], tmp_path / "out.h5", target="tensorflow")
    with hdf5.read(made.target) as checkpoint:
        stamp = checkpoint.provenance
    assert stamp["source_sha256"] == hdf5.sha256(LENET["theano"])
    assert (stamp["source"], stamp["target"]) == ("keras2/theano", "keras2/tensorflow")
    assert stamp["data_format"] == CHANNELS_LAST
    assert stamp["reordered"] == sorted(made.plan.result.reordered)


def test_provenance_brings_a_converted_model_back_as_it_was(tmp_path):
    """Which Flatten left its order to the weights is not in the architecture."""
    found = case("1.2.2-theano/lenet_th")
    there = convert(found.model, tmp_path / "there.h5", target="tensorflow", format="same")
    back = convert(there.target, tmp_path / "back.h5", target="theano", format="same")
    with hdf5.read(found.model) as first, hdf5.read(back.target) as last:
        old, new = network_of(first), network_of(last)
        assert new.get_config() == old.get_config()


# ------------------------------------------------------------------- failures ----


def broken(path):
    """A file whose last array cannot be read to the end."""
    shutil.copy(LENET["theano"], path)
    with h5py.File(path, "r+") as file:
        weights = file["model_weights"]
        name = weights.attrs["layer_names"][-1]
        group = weights[name]
        last = group.attrs["weight_names"][0]
        shape = group[last].shape
        del group[last]
        group.create_dataset(last, shape, "float32", chunks=shape, compression="gzip", data=np.random.rand(*shape))
        offset = group[last].id.get_chunk_info(0).byte_offset
    data = bytearray(path.read_bytes())
    data[offset : offset + 20] = b"\xff" * 20
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("existing", [None, b"what was there"])
def test_a_conversion_that_fails_half_way_leaves_nothing_and_keeps_what_was_there(tmp_path, existing):
    source, target = broken(tmp_path / "in.h5"), tmp_path / "out.h5"
    if existing:
        target.write_bytes(existing)
    before = digest(tmp_path)
    with pytest.raises(KconvertError) as refusal:
        convert(source, target, target="tensorflow", force=True)
    assert refusal.value.problem is Problem.UNREADABLE
    assert digest(tmp_path) == before


def test_a_target_that_exists_is_kept_unless_forced(tmp_path):
    target = tmp_path / "out.h5"
    target.write_bytes(b"mine")
    with pytest.raises(KconvertError, match="exists already"):
        convert(LENET["theano"], target, target="tensorflow")
    assert target.read_bytes() == b"mine"
    convert(LENET["theano"], target, target="tensorflow", force=True)
    assert target.read_bytes() != b"mine"


def test_hazards_that_are_not_repaired_are_refused_and_named(tmp_path):
    found = case("2.3.1-theano/maxpooling2d_same_th")
    with pytest.raises(KconvertError, match="these layers cannot be converted exactly: max_pooling2d_1"):
        convert(found.model, tmp_path / "out.h5", target="tensorflow", repair=False)
    assert list(tmp_path.iterdir()) == []


def test_weights_alone_without_an_architecture_that_does_not_fit(tmp_path):
    found, other = case("2.3.1-theano/lenet_th"), case("2.3.1-theano/vgg_like_th")
    with pytest.raises(KconvertError) as refusal:
        convert(found.folder / "weights.h5", tmp_path / "o.h5", target="tensorflow", arch=other.folder / "arch.json")
    assert str(found.folder / "weights.h5") in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


def test_a_softmax_behind_a_transposed_convolution_sees_the_cropped_map():
    """channels_first: the last axis, which the softmax looks at, is one of those that a repair crops."""
    options = {"padding": "same", "data_format": CHANNELS_FIRST, "activation": "softmax", "name": "up"}
    layer = L.Conv2DTranspose(2, (1, 2), batch_input_shape=(None, 3, 4, 5), **options)
    model = Sequential([layer], name="m")
    before = as_read(checkpoint_of(model, random_weights(model), Convention("keras2", "tensorflow")))
    made = plan(before, None, "theano", CHANNELS_FIRST)
    assert [layer.class_name for layer in made.result.model.sublayers] == [
        "Conv2DTranspose",
        "Cropping2D",
        "Activation",
    ]
    agree(made, before, as_read(apply(made, before)))


@laws
@given(st.integers(1, 7), st.integers(1, 6), st.integers(1, 3), st.sampled_from(sorted(BACKENDS)), st.booleans())
def test_repaired_pooling_of_any_sizes(size, window, stride, source, largest):
    """Windows wider than the map hang over both of its edges."""
    cls = L.MaxPooling1D if largest else L.AveragePooling1D
    pool = cls(window, stride, "same", name="pool", batch_input_shape=(None, size, 2))
    model = Sequential([pool, L.Dense(2, name="dense")], name="m")
    before = as_read(checkpoint_of(model, random_weights(model), Convention("keras2", source)))
    made = plan(before, None, OTHER[source], "keep")
    assert made.hazards == []
    agree(made, before, as_read(apply(made, before)))
