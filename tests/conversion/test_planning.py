"""Conversions: a plan that can be looked at, and exact from end to end."""

import json
import sys
from dataclasses import replace

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
from kconvert.conversion.evidence import generation_of
from kconvert.conversion.files import convert, refuse_unchanged
from kconvert.conversion.planning import plan
from kconvert.conversion.reading import network_of
from kconvert.errors import Problem
from kconvert.formats import files, hdf5
from kconvert.formats.parts import cut
from kconvert.kernels import Chain
from kconvert.layers.lists import as_list, one_or_list
from kconvert.models.sequential import as_model
from kconvert.network.sequential import Sequential
from kconvert.verification.matching import in_layout
from tests.architectures import architectures, checkpoint_of, random_inputs, random_weights
from tests.cli.commands import ROOT
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
    new = [in_layout(array, layout) for array, layout in zip(inputs, made.result.inputs, strict=True)]
    y = as_list(target.predict(one_or_list(new)))
    for ours, theirs, layout in zip(x, y, made.result.outputs, strict=True):
        scale = max(1.0, np.abs(ours).max(initial=0.0))
        np.testing.assert_allclose(in_layout(ours, layout).ravel(), theirs.ravel(), rtol=1e-3, atol=2e-4 * scale)


def as_read(checkpoint):
    """What a file holds after it was written: JSON values."""
    return replace(checkpoint, model_config=json.loads(json.dumps(checkpoint.model_config)))


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
def test_any_part_is_that_part_of_the_whole(architecture, form, data):
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
        assert sorted(array.order) == list(range(whole.ndim))
        part = tuple(
            data.draw(st.slices(n) | st.lists(st.integers(0, n - 1), unique=True).map(lambda some: np.array(some, int)))
            for n in whole.shape
        )
        assert np.array_equal(array.read(part), cut(whole, part))


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
    with pytest.raises(KconvertError, match="the backend to convert for is not stated"):
        convert(LENET["theano"])


def test_a_contradiction_of_from(tmp_path):
    with pytest.raises(KconvertError, match="the file was saved with theano, not tensorflow"):
        convert(LENET["theano"], tmp_path / "out.h5", source="tensorflow", target="theano")
    assert list(tmp_path.iterdir()) == []
    forced = convert(LENET["theano"], tmp_path / "out.h5", source="tensorflow", target="theano", force=True)
    assert forced.plan.source == Convention("keras2", "tensorflow")
    assert any("against the file" in line for line in forced.plan.evidence)


# ------------------------------------------------------------------- changes ----


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


# ------------------------------------------------------------------- failures ----


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


def calls_of(action):
    """How many functions of Python an action calls."""
    count = 0

    def counted(frame, event, argument):
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        action()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
def test_work_grows_with_the_number_of_layers_and_not_with_its_square(nested):
    def conversion(count):
        layers = [L.Conv2D(2, 3, padding="same", data_format=CHANNELS_FIRST, name=f"conv_{k}") for k in range(count)]
        layers[0].batch_input_shape = (None, 2, 4, 4)
        model = Sequential(layers, name="inner")
        model = Sequential([model], name="outer") if nested else model
        before = as_read(checkpoint_of(model, random_weights(model), Convention("keras1", "theano")))
        return lambda: apply(plan(before, "theano", "tensorflow"), before)

    conversion(10)()  # fills what is computed once
    few, more, most = (calls_of(conversion(count)) for count in (20, 40, 80))
    assert most - more == pytest.approx(2 * (more - few), rel=0.05)


def test_a_plan_of_a_path_is_that_of_its_checkpoint():
    path = ROOT / "tests/fixtures/1.2.2-theano/lenet_th/model.h5"
    with files.read(path) as checkpoint:
        known = plan(checkpoint, "theano", "tensorflow")
    assert plan(path, "theano", "tensorflow").to_json() == known.to_json()
    with pytest.raises(KconvertError, match=r"none.h5: there is no such file"):
        plan("none.h5", "theano", "tensorflow")
