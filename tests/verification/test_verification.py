"""Both sides run and compared: equal where they should be, and every wrong file named by its layer."""

import io
import json
import shutil
import time
import warnings
import zipfile
from contextlib import contextmanager

import h5py
import numpy as np
import pytest

from kconvert import KconvertError, Sequential, convert, verify
from kconvert import backend as backends
from kconvert import layers as L
from kconvert.backend import Probe
from kconvert.conversion.source import Source
from kconvert.errors import Problem
from kconvert.kernels import Block
from kconvert.network.layout import Layout, identity
from kconvert.verification.matching import in_layout
from kconvert.verification.pairing import Inputs
from kconvert.verification.report.words import verdict
from kconvert.verification.runs import judge
from kconvert.verification.stored_inputs import stored_arrays
from kconvert.verification.tolerance import Tolerance
from kconvert.verification.value import ARCHITECTURE, UNPROVED
from kconvert.verification.verifier import Running, Verifier
from tests.conformance.test_fixtures import REFUSED
from tests.fixtures import case, cases, identify
from tests.verification.damage import arrays, converted, damage, reconfigure, swap

CONVERTIBLE = [found for found in cases("1.2.2", "2.3.1") if found.name not in REFUSED.get(found.release, {})]


def differs(source, target, layer, remedy=None, **options):
    """The report on a wrong file: that layer differs first and is the only cause; remedy: what would correct it."""
    report = verify(source, target, **options)
    (cause,) = report.causes
    assert cause.name == layer
    assert remedy is None or cause.remedy == remedy
    assert not report.equal
    assert report.first_divergence.name == layer, report.first_divergence
    assert report.first_divergence.needed > 10 * report.tolerance.rtol
    return report


@contextmanager
def run(source, target, inputs=None):
    """What both sides compute, without a verdict."""
    with Verifier() as verifier:
        yield verifier.run(verifier.pair(Source(source), Source(target), inputs))


# ------------------------------------------------------------------ right files ----


@pytest.mark.parametrize("found", CONVERTIBLE[::3], ids=identify)
def test_right_conversions_are_equal(found, tmp_path):
    out = tmp_path / "out.h5"
    convert(found.model, out, found.backend, found.other, source_data_format=found.data_format)
    report = verify(found.model, out, source=found.backend, source_data_format=found.data_format)
    assert report.equal, report.first_divergence
    assert not report.weights
    assert len(report.outputs) == len(found.arrays("y"))
    assert all(comparison.scale > 0 for comparison in report.outputs)


def test_unconverted_files_differ():
    """The source against itself, taken for the other backend's."""
    found = case("2.3.1-theano/lenet_th")
    report = verify(found.model, found.model, target="tensorflow", force=True)
    assert not report.equal and report.first_divergence.name == "conv2d_1"
    assert "conv2d_1/kernel" in report.weights


# ------------------------------------------------------------- negative controls ----


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        (lambda kernel: kernel[::-1, ::-1], "flip hw of hwio (kernel)"),
        (lambda kernel: kernel[::-1], "flip h of hwio (kernel)"),
        (lambda kernel: kernel[:, ::-1], "flip w of hwio (kernel)"),
        (lambda kernel: kernel.transpose(1, 0, 2, 3), "transpose hwio->whio (kernel)"),
        (lambda kernel: kernel[..., ::-1], ""),
    ],
    ids=["unflipped", "rows", "columns", "transposed", "filters"],
)
@pytest.mark.parametrize("layer", ["conv2d_1", "conv2d_2"])
def test_a_wrong_kernel(layer, change, remedy, tmp_path):
    source, target = converted("lenet_th", tmp_path)
    damage(target, **{f"{layer}:kernel": change})
    report = differs(source, target, layer, remedy)
    assert report.weights == [f"{layer}/kernel"]


def test_dense_rows_that_were_not_brought_along(tmp_path):
    """A Keras 1 file, whose Flatten keeps the old order."""
    source, target = converted("lenet_th", tmp_path, "1.2.2")
    with h5py.File(target) as file:
        name = next(key for key in arrays(file) if key.startswith("dense") and key.endswith("kernel"))
        rows = arrays(file)[name].shape[0]
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
    layer = name.partition(":")[0]
    filters = [entry["config"]["filters"] for entry in layers if entry["class_name"] == "Conv2D"][-1]
    back = np.arange(rows).reshape(-1, filters).T.ravel()
    damage(target, **{name: lambda kernel: kernel[back]})
    report = differs(source, target, layer)
    assert report.weights == [f"{layer}/kernel"]


def test_a_side_that_cannot_run_its_layers_alone_still_differs(tmp_path, monkeypatch):
    def refuse(self, pairing, runs):
        raise KconvertError("Keras 0.3 cannot run a layer alone", problem=Problem.UNVERIFIED)

    monkeypatch.setattr(Verifier, "run_alone", refuse)
    source, target = converted("lenet_th", tmp_path)
    damage(target, **{"conv2d_1:kernel": lambda kernel: kernel[::-1]})
    report = verify(source, target)
    assert report.first_divergence.name == "conv2d_1" and not report.causes


def test_two_gates_swapped(tmp_path):
    source, target = converted("lstm_impl1", tmp_path)

    def swapped(kernel):
        i, f, c, o = np.split(kernel, 4, axis=-1)
        return np.concatenate([f, i, c, o], axis=-1)

    for weight in ("kernel", "recurrent_kernel", "bias"):
        shutil.copy(target, tmp_path / "bad.h5")
        damage(tmp_path / "bad.h5", **{f"lstm_1:{weight}": swapped})
        report = differs(source, tmp_path / "bad.h5", "lstm_1", f"gates fico->ifco ({weight})")
        assert report.weights == [f"lstm_1/{weight}"]


@pytest.mark.parametrize(
    ("first", "second"),
    [("gamma", "beta"), ("moving_mean", "moving_variance")],
)
def test_vectors_swapped(first, second, tmp_path):
    source, target = converted("tiny_resnet_th", tmp_path)
    with h5py.File(target) as file:
        layer = next(key for key in arrays(file) if key.endswith(":gamma")).partition(":")[0]
    swap(target, f"{layer}:{first}", f"{layer}:{second}")
    report = differs(source, target, layer, f"swap {first} and {second}")
    assert sorted(report.weights) == sorted([f"{layer}/{first}", f"{layer}/{second}"])


def test_half_a_bias(tmp_path):
    source, target = converted("lenet_th", tmp_path)
    damage(target, **{"conv2d_2:bias": lambda bias: bias / 2})
    report = differs(source, target, "conv2d_2", "divide by 0.5 (bias)")
    assert report.causes[0].words == "bias is halved"


def test_another_padding(tmp_path):
    """As many zeros, on the other side."""
    source, target = converted("zero_padding2d_asymmetric_th", tmp_path)
    names = []

    def change(layers):
        ((name, pad),) = [item for item in layers.items() if item[0].startswith("zero_padding")]
        names.append(name)
        other = [pair[::-1] for pair in pad["padding"]]
        assert other != pad["padding"]
        pad["padding"] = other

    reconfigure(target, change)
    (cause,) = differs(source, target, names[0]).causes
    assert (cause.kind, cause.weights) == (ARCHITECTURE, [])
    assert cause.words.startswith("padding is [[") and cause.words.endswith("is expected")


def test_another_axis_of_a_concatenation(tmp_path):
    source, target = converted("merge_images_concatenate_th", tmp_path)

    def change(layers):
        (config,) = [config for name, config in layers.items() if name.startswith("concatenate")]
        assert config["axis"] in (-1, 3)
        config["axis"] = 1

    reconfigure(target, change)
    with pytest.raises(KconvertError) as refusal:
        verify(source, target)
    assert str(target) in str(refusal.value) and "\n" not in str(refusal.value)


def test_another_activation_alone(tmp_path):
    """No weight is wrong, and yet the file is."""
    source, target = converted("lenet_th", tmp_path)

    def change(layers):
        layers["dense_1"]["activation"] = "tanh"

    reconfigure(target, change)
    report = differs(source, target, "dense_1")
    assert not report.weights
    assert report.causes[0].words == "activation is 'tanh' where 'relu' is expected"


def test_a_wrong_layer_in_a_nested_model_and_in_a_wrapper(tmp_path):
    source, target = converted("nested_frozen_bn_th", tmp_path)
    with h5py.File(target) as file:
        key = next(key for key in arrays(file) if key.endswith(":kernel"))
    damage(target, **{key: lambda kernel: kernel[::-1]})
    report = verify(source, target)
    assert not report.equal
    assert "/" in report.first_divergence.name, "the layer inside is named, not the model around it"
    source, target = converted("td_conv2d_only_tf", tmp_path)
    with h5py.File(target) as file:
        key = next(key for key in arrays(file) if key.endswith(":kernel"))
    damage(target, **{key: lambda kernel: kernel[::-1, ::-1]})
    report = differs(source, target, key.partition(":")[0])
    assert report.first_divergence.layer == "TimeDistributed"


# -------------------------------------------------------------- what it reports ----


def test_the_reference_is_noted_on_both_sides(tmp_path):
    source, target = converted("lstm_impl1", tmp_path)
    report = verify(source, target)
    assert [side.reference for side in (report.source, report.target)] == [True, True]
    assert report.notes == [
        f"{source} ran on NumPy, emulating Theano: Theano is not installed",
        f"{target} ran on NumPy, emulating TensorFlow: TensorFlow is not installed",
    ]
    with pytest.raises(KconvertError) as refusal:
        verify(source, target, running=Running(required=True))
    assert refusal.value.problem is Problem.UNVERIFIED


def test_a_note_says_why_a_backend_did_not_run(tmp_path, monkeypatch):
    missing = Probe("theano", "1.0.5", "there is no C++ compiler", "install g++")
    monkeypatch.setitem(backends._PROBES, "theano", lambda: missing)
    source, target = converted("lstm_impl1", tmp_path)
    report = verify(source, target)
    assert report.notes[0] == f"{source} ran on NumPy, emulating Theano: there is no C++ compiler"


def test_the_tolerance_is_reported_and_what_would_have_been_enough(tmp_path):
    source, target = converted("lenet_th", tmp_path)
    damage(target, **{"dense_2:bias": lambda bias: bias + np.linspace(0, 1e-2, len(bias))})
    with run(source, target) as runs:
        strict, loose = judge(runs), judge(runs, Tolerance(1e-5, 0.5))
        assert not strict.equal and loose.equal
        assert not strict.tolerance.loosened and loose.tolerance.loosened
        assert 0 < strict.needed < 0.5
        assert judge(runs, Tolerance(1e-5, strict.needed * 1.001)).equal
        assert not judge(runs, Tolerance(1e-5, strict.needed * 0.999)).equal
    assert strict.weights == loose.weights == ["dense_2/bias"], "a tolerance is for outputs alone"


def test_nan_on_one_side_differs_and_nothing_but_nan_proves_nothing(tmp_path):
    source, target = converted("lenet_th", tmp_path)

    def nan(bias):
        return np.concatenate([[np.nan], bias[1:]]).astype(bias.dtype)

    damage(target, **{"dense_2:bias": nan})
    report = verify(source, target)
    assert not report.equal and report.first_divergence.name == "dense_2"
    assert "NaN or infinite on one side only" in report.first_divergence.problem
    both = tmp_path / "nan.h5"
    shutil.copy(source, both)
    damage(both, **{"conv2d_2:bias": nan})
    convert(both, tmp_path / "nan.out.h5", target="tensorflow")
    report = verify(both, tmp_path / "nan.out.h5")
    assert next(layer for layer in report.layers if layer.name == "conv2d_2").equal, "NaN agrees with NaN"
    assert report.first_divergence.name == "dense_1"
    assert "there is nothing to compare" in report.first_divergence.problem


@pytest.mark.parametrize("form", ["array", "npy", "npz"])
def test_no_samples_are_refused(form, tmp_path):
    source, target = converted("lenet_th", tmp_path)
    nothing = np.zeros((0, *case("2.3.1-theano/lenet_th").arrays("x")[0].shape[1:]), "float32")
    path = tmp_path / f"inputs.{form}"
    if form == "npy":
        np.save(path, nothing)
    if form == "npz":
        np.savez(path, x0=nothing)
    with pytest.raises(KconvertError, match="there is nothing to run a model on") as refusal:
        verify(source, target, inputs=[nothing] if form == "array" else path)
    assert refusal.value.problem is Problem.USAGE


@pytest.mark.parametrize(
    "layers",
    [
        [L.Cropping2D(2, input_shape=(4, 6, 3), name="crop")],
        [L.Cropping2D(2, input_shape=(4, 6, 3), name="crop"), L.Activation("relu", name="relu")],
        [L.Cropping1D(4, input_shape=(8, 3), name="crop"), L.Dense(2, name="dense")],
    ],
    ids=["output", "chain", "sequence"],
)
def test_tensors_without_elements_prove_nothing(layers, tmp_path):
    """The crop leaves nothing: there is nothing that could differ."""
    model = Sequential(layers)
    model.start("numpy", seed=0)
    model.save(tmp_path / "a.h5")
    report = verify(tmp_path / "a.h5", tmp_path / "a.h5")
    assert (report.equal, report.word, report.code) == (False, UNPROVED, Problem.UNVERIFIED)
    assert report.first_divergence is None and report.nothing.name == "crop"
    assert [found.state for found in report.comparisons] == ["unproved"] * len(report.comparisons)
    assert "it has no elements: there is nothing to compare" in verdict(report)


def test_equal_outputs_without_a_common_layer_are_said_to_be_no_more(tmp_path):
    paths = []
    for name in ("a", "b"):
        model = Sequential([L.Dense(3, name=name, input_shape=(3,))])
        model.start("numpy", seed=0)
        paths.append(tmp_path / f"{name}.h5")
        model.save_weights(paths[-1])
        (tmp_path / f"{name}.json").write_text(model.to_json(), encoding="utf-8")
    report = verify(*paths, arch=tmp_path / "a.json", target_arch=tmp_path / "b.json")
    assert report.equal and not report.layers and list(report.not_compared) == ["a"]
    assert "in the outputs alone" in report.qualifiers
    assert verdict(report).startswith("EQUAL with NumPy emulating TensorFlow, in the outputs alone: 0 of 1 layer")


def test_samples_seed_and_own_inputs(tmp_path):
    source, target = converted("lenet_th", tmp_path)
    report = verify(source, target, samples=2, seed=9)
    assert (report.samples, report.inputs) == (2, "random, seed 9")
    x = case("2.3.1-theano/lenet_th").arrays("x")
    (wanted,) = case("2.3.1-theano/lenet_th").arrays("y")
    with run(source, target, Inputs(arrays=x)) as runs:
        np.testing.assert_allclose(runs.outputs[0].source, wanted, atol=1e-4)


# ------------------------------------------------------------------- not comparable ----


def test_two_different_models_are_refused_not_compared(tmp_path):
    source, _ = converted("lenet_th", tmp_path)
    _, other = converted("lstm_impl1", tmp_path)
    with pytest.raises(KconvertError) as refusal:
        verify(source, other)
    assert str(other) in str(refusal.value) and "compare two files of one model" in str(refusal.value)


def test_a_layer_of_another_size_inside_is_a_failure_no_crash(tmp_path):
    """Inputs and outputs agree, a hidden layer does not."""
    source, target = converted("lenet_th", tmp_path)
    with h5py.File(target, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        layers = {entry["config"]["name"]: entry["config"] for entry in config["config"]["layers"]}
        units = layers["dense_1"]["units"]
        layers["dense_1"]["units"] = units - 1
        file.attrs["model_config"] = json.dumps(config)
        group = arrays(file)
        for key, cut in (("dense_1:kernel", np.s_[:, 1:]), ("dense_1:bias", np.s_[1:]), ("dense_2:kernel", np.s_[1:])):
            dataset = group[key]
            data, name, parent = dataset[()][cut], dataset.name, dataset.parent
            attributes = dict(dataset.attrs)
            del parent[name]
            file.create_dataset(name, data=data).attrs.update(attributes)
    report = verify(source, target)
    assert not report.equal
    assert report.first_divergence.name == "dense_1"
    assert "shapes differ" in report.first_divergence.problem


def test_a_file_of_weights_alone_needs_the_architecture(tmp_path):
    found = case("2.3.1-theano/lenet_th")
    arch, out = found.folder / "arch.json", tmp_path / "out.h5"
    convert(found.folder / "weights.h5", out, target="tensorflow", arch=arch)
    assert verify(found.folder / "weights.h5", out, arch=arch).equal
    with pytest.raises(KconvertError, match="without the architecture"):
        verify(found.folder / "weights.h5", out)


# ------------------------------------------------------------------------- in_layout ----


def test_a_layer_that_one_side_does_not_have_is_named(tmp_path):
    """Two files of one network whose layers have other names: what could not be compared is not passed over."""
    paths = []
    for name in ("b", "y"):
        layers = [L.Dense(3, name="a", input_shape=(3,)), L.Dense(3, name=name), L.Dense(3, name="c")]
        model = Sequential(layers)
        model.start("numpy", seed=0)
        paths.append(tmp_path / f"{name}.h5")
        model.save_weights(paths[-1])
        (tmp_path / f"{name}.json").write_text(model.to_json(), encoding="utf-8")
    report = verify(*paths, arch=tmp_path / "b.json", target_arch=tmp_path / "y.json")
    assert [found.name for found in report.layers] == ["a", "c"]
    assert "not compared, because the result has no such layers: b" in report.notes


def test_moved():
    x = np.arange(24).reshape(1, 2, 3, 4)
    assert np.array_equal(in_layout(x, Layout((0, 2, 3, 1))), x.transpose(0, 2, 3, 1))
    assert in_layout(x, identity(4)).flags["C_CONTIGUOUS"]
    flat = x.reshape(1, 24)
    features = Layout((0, 1), (Block("chw", "hwc", (2, 3, 4)),))
    assert np.array_equal(in_layout(flat, features), x.transpose(0, 2, 3, 1).reshape(1, 24))


def test_inputs_that_are_too_large_to_draw_are_refused_with_the_file(tmp_path):
    config = {"name": "a", "activation": "relu", "batch_input_shape": [None, 10**9]}
    model = {"class_name": "Sequential", "config": [{"class_name": "Activation", "config": config}]}
    with h5py.File(tmp_path / "large.h5", "w") as file:
        file.attrs.update({"model_config": json.dumps(model), "keras_version": b"2.3.1", "backend": b"theano"})
        file.create_group("model_weights").attrs["layer_names"] = np.zeros(0, "S1")
    with pytest.raises(KconvertError, match="the inputs are too large to draw them at random") as refused:
        verify(tmp_path / "large.h5", tmp_path / "large.h5")
    assert refused.value.problem is Problem.UNVERIFIED and "large.h5" in refused.value.where


def test_inputs_that_are_there_twice_or_too_many_are_refused(tmp_path):
    array = io.BytesIO()
    np.save(array, case("2.3.1-theano/lenet_th").arrays("x")[0])
    for name, members, said in (
        ("twice.npz", ["x.npy", "x.npy"], "twice.npz: holds the array 'x' twice"),
        ("many.npz", [f"x{i}.npy" for i in range(1001)], "many.npz: holds 1,001 arrays"),
    ):
        with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / name, "w") as archive:
            warnings.simplefilter("ignore", UserWarning)
            for member in members:
                archive.writestr(member, array.getvalue())
        with pytest.raises(KconvertError, match=said) as refusal:
            stored_arrays(tmp_path / name)
        assert refusal.value.problem is Problem.UNREADABLE


def test_where_one_side_fails_the_other_ends_even_if_it_had_not_started(tmp_path):
    source, target = converted("lenet_th", tmp_path)
    said = []

    def failing():
        raise KconvertError("this side fails")

    def late():
        time.sleep(0.3)
        try:
            return verifier.run_target(pairing)
        except KconvertError as error:
            said.append(error.what)
            raise

    with Verifier(Running(isolate=True)) as verifier:
        pairing = verifier.pair(Source(source), Source(target))
        with pytest.raises(KconvertError, match="this side fails"):
            verifier._at_once([failing, late], pairing.match)
    assert len(said) == 1 and "did not finish: its process" in said[0]
