"""Programs: written, executed in their own runtimes, and compared with the source; what cannot be one is refused."""

import json
import shutil

import h5py
import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert import layers as L
from kconvert.conversion.source import Source
from kconvert.errors import Problem
from kconvert.export import files
from kconvert.formats.endings import LITERT, ONNX, SAVED_MODEL, form_of, program_runtime
from kconvert.network.network import Network
from kconvert.network.signature import input_names, output_names
from kconvert.verification.pairing import Inputs
from kconvert.verification.runners import programs
from kconvert.verification.tolerance import Tolerance
from kconvert.verification.verifier import Verifier
from tests.cli.commands import DIFFERS, EQUAL, UNSUPPORTED, UNVERIFIED, USAGE, refused, run
from tests.fixtures import case

NAMES = ["saved_model/", "model.tflite", "model.onnx"]
LONG = [pytest.param(name, marks=pytest.mark.long) if name == "saved_model/" else name for name in NAMES]
"""`NAMES` for tests of what the runtimes share: to run a SavedModel, a process imports TensorFlow."""

TOLD = {"saved_model/": "TensorFlow", "model.tflite": "LiteRT", "model.onnx": "ONNX"}
CASES = [
    "1.2.2-theano/lenet_th",
    "1.2.2-theano/crnn_two_gru_th",
    "1.2.2-theano/embedding_mask_bidirectional_lstm",
    "1.2.2-theano/conv_srelu_shared_th",  # in Keras 1 alone
    *(
        pytest.param(name, marks=pytest.mark.long)
        for name in ("1.2.2-theano/dense_bn_mode1", "2.3.1-tensorflow/td_conv1d_pool_channels_first")
    ),
]

pytestmark = pytest.mark.needs("tensorflow")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case_name", CASES)
def test_a_program_computes_in_its_runtime_what_real_keras_computed(case_name, name, tmp_path):
    one = case(case_name)
    done = kc.export_model(one.model, f"{tmp_path}/{name}", one.backend, source_data_format=one.data_format)
    source = Source(one.model, one.backend, one.data_format)
    with Verifier() as verifier:
        report = verifier.verify(source, Source(done.target), inputs=Inputs(arrays=one.arrays("x")), plan=done.plan)
    assert (report.title, report.target.ran_on) == ("EQUAL in the outputs alone", TOLD[name])
    assert report.layers == [] and len(report.outputs) == len(one.arrays("y")) and not report.left_out


@pytest.mark.parametrize("dtype", ["float64", "float16"])
@pytest.mark.parametrize("name", LONG)
def test_weights_of_another_precision_run_in_float32(name, dtype, tmp_path):
    model = kc.Sequential([L.Dense(2, input_shape=(3,), name="dense")], name="model")
    model.predict(np.zeros((1, 3), "float32"))
    model.save(path := tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        for key in ("kernel:0", "bias:0"):
            group = file["model_weights/dense/dense"]
            array = group[key][()].astype(dtype)
            del group[key]
            group[key] = array
    assert kc.verify(path, kc.export_model(path, f"{tmp_path}/{name}").target).equal


@pytest.mark.parametrize("name", LONG)
def test_verify_takes_a_program_by_its_name_and_finds_one_of_another_model(name, tmp_path):
    for seed in "ab":
        model = kc.Sequential([L.Dense(2, input_shape=(3,), name="dense")], name="model")
        model.predict(np.zeros((1, 3), "float32"))
        model.save(tmp_path / f"{seed}.h5")
    target = kc.export_model(tmp_path / "a.h5", f"{tmp_path}/{name}").target
    assert kc.verify(tmp_path / "a.h5", target).equal
    report = kc.verify(tmp_path / "b.h5", target)
    assert report.word == "DIFFERS" and report.code == 1
    with pytest.raises(KconvertError, match="its inputs are") as error:
        kc.verify(case("1.2.2-theano/gru_cpu").model, target, source="theano")
    assert error.value.problem == Problem.UNVERIFIED


def test_several_inputs_and_outputs_keep_their_order(tmp_path):
    a, b = kc.Input((3,), name="b/b"), kc.Input((3,), name="b_b")
    first, second = L.Dense(2, name="z")(b), L.Dense(2, name="a")(a)
    model = kc.Model([a, b], [first, second, first, a])
    model.predict([np.zeros((1, 3), "float32")] * 2)
    model.save(tmp_path / "model.h5")
    assert input_names(model) == ["b_b", "b_b_1"] and output_names(model) == ["z", "a", "z_1", "b_b_2"]
    for name in NAMES:
        target = kc.export_model(tmp_path / "model.h5", f"{tmp_path}/{name}").target
        assert kc.verify(tmp_path / "model.h5", target).title == "EQUAL in the outputs alone"


@pytest.mark.parametrize("name", LONG)
def test_a_stated_batch_is_the_only_one_that_a_program_takes(name, tmp_path):
    path = case("1.2.2-theano/gru_cpu").model
    target = kc.export_model(path, f"{tmp_path}/{name}", "theano", batch=3).target
    report = kc.verify(path, target, source="theano", samples=4)  # two batches, the last one filled up
    assert report.equal and report.samples == 4


def test_a_layer_that_computes_with_the_whole_batch_needs_its_size_in_litert(tmp_path):
    one = case("1.2.2-theano/dense_bn_mode2")
    with pytest.raises(KconvertError, match=r"all samples of a batch.*batch="):
        kc.export_model(one.model, tmp_path / "model.tflite", one.backend)
    done = kc.export_model(one.model, tmp_path / "model.tflite", one.backend, batch=len(one.arrays("x")[0]))
    with Verifier() as verifier:
        source, inputs = Source(one.model, one.backend), Inputs(arrays=one.arrays("x"))
        assert verifier.verify(source, Source(done.target), inputs=inputs, plan=done.plan).equal


def test_free_time_steps_are_needed_in_litert_alone(tmp_path):
    model = kc.Sequential([L.LSTM(2, input_shape=(None, 3))])
    model.predict(np.zeros((1, 4, 3), "float32"))
    model.save(tmp_path / "model.h5")
    with pytest.raises(KconvertError, match=r"the number of time steps is free.*input_shape="):
        kc.export_model(tmp_path / "model.h5", tmp_path / "model.tflite")
    fixed = kc.export_model(tmp_path / "model.h5", tmp_path / "model.tflite", input_shape=(5, 3))
    with Verifier() as verifier:
        source = Source(tmp_path / "model.h5", input_shape=(5, 3))
        assert verifier.verify(source, Source(fixed.target), plan=fixed.plan).equal
    free = kc.export_model(tmp_path / "model.h5", tmp_path / "model.onnx").target
    assert kc.verify(tmp_path / "model.h5", free).equal


@pytest.mark.parametrize("name", NAMES)
def test_weights_alone_need_their_architecture(name, tmp_path):
    folder = case(CASES[0]).folder
    with pytest.raises(KconvertError, match=r"a program for .* needs the architecture") as error:
        kc.export_model(folder / "weights.h5", f"{tmp_path}/{name}", "theano")
    assert error.value.problem is Problem.USAGE and not list(tmp_path.iterdir())
    done = kc.export_model(folder / "weights.h5", f"{tmp_path}/{name}", "theano", arch=folder / "arch.json")
    assert not any("weights alone" in note for note in done.plan.notes)
    source, inputs = Source(folder / "weights.h5", "theano", arch=folder / "arch.json"), Inputs()
    with Verifier() as verifier:
        assert verifier.verify(source, Source(done.target), inputs=inputs, plan=done.plan).equal
    with pytest.raises(KconvertError, match="architecture"):
        kc.verify(folder / "weights.h5", done.target, source="theano")


@pytest.mark.parametrize("name", LONG)
def test_layers_may_have_any_name(name, tmp_path):
    model = kc.Sequential(
        [L.Dense(2, input_shape=(3,), name="größe/层 + :0"), L.Dense(2, name="_a"), L.Dense(2, name="-")]
    )
    model.predict(np.zeros((1, 3), "float32"))
    model.save(tmp_path / "model.h5")
    assert kc.verify(tmp_path / "model.h5", kc.export_model(tmp_path / "model.h5", f"{tmp_path}/{name}").target).equal


def test_layers_that_keep_states_are_refused_by_name(tmp_path):
    model = kc.Sequential([L.LSTM(2, stateful=True, batch_input_shape=(2, 4, 3), name="lstm_7")])
    model.predict(np.zeros((2, 4, 3), "float32"))
    model.save(tmp_path / "model.h5")
    with pytest.raises(KconvertError, match=r"keeps no states .* and lstm_7 has them"):
        kc.export_model(tmp_path / "model.h5", f"{tmp_path}/saved_model/")
    assert [path.name for path in tmp_path.iterdir()] == ["model.h5"]


def test_the_error_of_a_converter_is_quoted_and_nothing_is_written(tmp_path):
    model = kc.Sequential([L.Conv3D(2, 2, input_shape=(4, 4, 4, 1)), L.MaxPooling3D(2)])
    model.predict(np.zeros((1, 4, 4, 4, 1), "float32"))
    model.save(tmp_path / "model.h5")
    with pytest.raises(KconvertError, match=r"LiteRT cannot hold it .*MaxPool3D") as error:
        kc.export_model(tmp_path / "model.h5", tmp_path / "model.tflite")
    assert error.value.problem == Problem.UNSUPPORTED
    assert [path.name for path in tmp_path.iterdir()] == ["model.h5"]


def test_a_file_that_onnx_does_not_allow_is_not_written(tmp_path):
    layer = L.Conv2DTranspose(2, 3, strides=2, output_padding=1, input_shape=(4, 4, 1))
    model = kc.Sequential([layer])
    model.predict(np.zeros((1, 4, 4, 1), "float32"))
    model.save(tmp_path / "model.h5")
    with pytest.raises(KconvertError, match=r"tf2onnx cannot convert it .*negative"):
        kc.export_model(tmp_path / "model.h5", tmp_path / "model.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["model.h5"]


@pytest.mark.parametrize("name", NAMES[1:])
def test_what_a_format_cannot_hold_is_refused_before_an_array_is_read(name, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "run_arrays", lambda plan: pytest.fail("an array is read"))
    monkeypatch.setattr(files, "_size", lambda plan: 2**31)
    with pytest.raises(KconvertError, match=r"2,147,483,648 bytes, and a file of .* holds less than 2,147,483,647"):
        kc.export_model(case(CASES[0]).model, tmp_path / name, "theano")


@pytest.fixture
def large(tmp_path):
    """A model with a matrix that LiteRT quantises: it leaves small ones as they are."""
    model = kc.Sequential([L.Dense(64, input_shape=(64,), activation="tanh"), L.Dense(3)])
    model.predict(np.zeros((1, 64), "float32"))
    model.save(tmp_path / "model.h5")
    return tmp_path / "model.h5"


@pytest.mark.parametrize("quantize", ["float16", "dynamic"])
def test_what_quantisation_loses_is_never_called_equal(quantize, large, tmp_path):
    whole = kc.export_model(large, tmp_path / "whole.tflite").target
    target = kc.export_model(large, tmp_path / "model.tflite", quantize=quantize).target
    assert target.stat().st_size < 0.7 * whole.stat().st_size
    assert kc.verify(large, whole).equal
    loose = kc.verify(large, target, Tolerance(atol=0.5))
    exact = kc.verify(large, target, Tolerance(atol=0.0, rtol=0.0))
    assert (exact.word, exact.code) == ("DIFFERS", 1)
    assert not loose.equal and loose.title.startswith("QUANTIZED with weights of ") and loose.code == 0
    assert loose.outputs[0].max_error > 0 and loose.to_json()["target"]["quantized"] == loose.target.quantized


def test_the_command_line_writes_runs_and_reports(large, tmp_path):
    path = case(CASES[0]).model
    done = run(path, "--from", "theano", "-o", tmp_path / "model.tflite", "--report", tmp_path / "report.html")
    assert done.exit_code == EQUAL and "ran on LiteRT" in done.output, done.output
    assert "EQUAL in the outputs alone" in (tmp_path / "report.html").read_text()
    words = (large, "-o", tmp_path / "q.tflite", "--quantize", "dynamic")
    lost = run(*words, "--atol", "0.5", "--json")
    assert lost.exit_code == EQUAL and json.loads(lost.output)["verdict"].startswith("QUANTIZED"), lost.output
    assert run(*words, "--atol", "0", "--rtol", "0", "--force").exit_code == DIFFERS
    assert run(*words, "--atol", "0.5", "--force", "-q").output.startswith("QUANTIZED with weights of 8-bit integers")


@pytest.mark.parametrize("name", NAMES)
def test_theano_and_wrong_options_are_refused_before_anything_runs(name, tmp_path):
    out = f"{tmp_path}/{name}"
    refused(USAGE, "for tensorflow, not for theano", tmp_path / "absent.h5", "--to", "theano", "-o", out)
    refused(USAGE, "of keras2, not of keras3", tmp_path / "absent.h5", "--format", "keras3", "-o", out)
    if name != "model.tflite":
        refused(USAGE, "--quantize does not apply", tmp_path / "absent.h5", "--quantize", "float16", "-o", out)
    if name == "model.tflite":
        refused(USAGE, "unknown quantisation 'int4'", tmp_path / "absent.h5", "--quantize", "int4", "-o", out)
    refused(USAGE, "--batch does not apply", tmp_path / "absent.h5", "--batch", "2", "--to", "theano", "-o", "a.h5")
    with pytest.raises(KconvertError, match=r"use kconvert\.export_model"):
        kc.convert(tmp_path / "absent.h5", out)


def test_a_directory_may_have_any_name(tmp_path):
    path = case(CASES[0]).model
    done = run(path, "--from", "theano", "-q", "-o", f"{tmp_path}/served/")
    assert done.exit_code == EQUAL and (tmp_path / "served" / "saved_model.pb").exists(), done.output
    assert run("verify", path, f"{tmp_path}/served/", "--from", "theano", "-q").output.startswith("EQUAL")


def test_a_directory_that_exists_stays_as_it_is(tmp_path):
    (tmp_path / "saved_model").mkdir()
    words = (case(CASES[0]).model, "--from", "theano", "--force", "-o", f"{tmp_path}/saved_model/")
    refused(USAGE, "exists already; name a new directory", *words)
    assert not list((tmp_path / "saved_model").iterdir())


def test_a_missing_runtime_is_named_with_its_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "find_spec", lambda name: None)
    done = run(case(CASES[0]).model, "--from", "theano", "-o", tmp_path / "model.tflite")
    assert done.exit_code == UNVERIFIED
    assert "LiteRT is not installed" in done.output and "[litert]" in done.output


def test_a_damaged_program_is_not_verified(tmp_path):
    path = case(CASES[0]).model
    target = kc.export_model(path, tmp_path / "model.onnx", "theano").target
    target.write_bytes(target.read_bytes()[:100])
    with pytest.raises(KconvertError, match="ONNX cannot run it") as error:
        kc.verify(path, target, source="theano")
    assert error.value.problem == Problem.UNVERIFIED


@pytest.fixture
def dense(tmp_path):
    """A file with one Dense layer, 3 -> 4."""
    model = kc.Sequential([L.Dense(4, input_shape=(3,), name="dense")], name="model")
    model.predict(np.zeros((1, 3), "float32"))
    model.save(tmp_path / "dense.h5")
    return tmp_path / "dense.h5"


@pytest.mark.parametrize("operation", ["write_file", "read_file", "py_function"])
def test_a_saved_model_that_reaches_more_than_numbers_is_not_run(dense, tmp_path, operation):
    """Before, `kconvert verify` wrote the file."""
    import tensorflow as tf

    path = str(tmp_path / "reached")
    effects = {
        "write_file": lambda x: tf.io.write_file(path, "x"),
        "read_file": lambda x: tf.debugging.assert_equal(tf.io.read_file(str(dense)), "x"),
        "py_function": lambda x: tf.py_function(lambda: 0, [], tf.int32),
    }

    def call(dense_input):
        with tf.control_dependencies([effects[operation](dense_input)]):
            return {"dense": dense_input @ tf.ones([3, 4])}

    module = tf.Module()
    module.call = tf.function(call, input_signature=[tf.TensorSpec([None, 3], name="dense_input")])
    tf.saved_model.save(module, str(tmp_path / "saved_model"), signatures={"serving_default": module.call})
    with pytest.raises(KconvertError, match=r"saved_model: .*the operation \w+, which may reach files: it is not run"):
        kc.verify(dense, tmp_path / "saved_model")
    assert not (tmp_path / "reached").exists()


def hostile_onnx(path, *nodes):
    """An ONNX program that computes `dense` from `dense_input` with nodes, and the arrays `kernel`, `true`, `size`."""
    import onnx

    value, float32 = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    arrays = {"kernel": np.ones((3, 4), "float32"), "true": np.array(True), "size": np.array([2**28])}
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["dense_input", "kernel"], ["y"]), *nodes],
        "hostile",
        [value("dense_input", float32, [None, 3])],
        [value("dense", float32, [None, 4])],
        [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    onnx.save(onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 13)]), path)


def test_a_program_that_asks_for_much_memory_is_stopped(dense, tmp_path):
    from onnx.helper import make_node

    zeros = make_node("ConstantOfShape", ["size"], ["zeros"]), make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0)
    hostile_onnx(tmp_path / "bomb.onnx", *zeros, make_node("Add", ["y", "sum"], ["dense"]))
    refused = pytest.raises(KconvertError, match=r"bomb.onnx: .*allow it more memory with kconvert.limited\(bytes=")
    with kc.limited(bytes=2**26), refused:
        kc.verify(dense, tmp_path / "bomb.onnx")
    with kc.limited(bytes=2**31):
        assert not kc.verify(dense, tmp_path / "bomb.onnx", running=kc.Running(timeout=60)).equal


def test_a_program_that_does_not_end_is_stopped(dense, tmp_path, monkeypatch):
    from onnx import TensorProto
    from onnx.helper import make_graph, make_node, make_tensor_value_info

    value = make_tensor_value_info
    nodes = [make_node("Identity", ["again"], ["once_more"]), make_node("Identity", ["x"], ["x_then"])]
    inputs = [value("i", TensorProto.INT64, []), value("again", TensorProto.BOOL, []), value("x", 1, None)]
    body = make_graph(nodes, "body", inputs, [value("once_more", TensorProto.BOOL, []), value("x_then", 1, None)])
    hostile_onnx(tmp_path / "loop.onnx", make_node("Loop", ["", "true", "y"], ["dense"], body=body))
    monkeypatch.setattr(programs, "SECONDS", 1)
    with pytest.raises(
        KconvertError, match=r"loop.onnx: ONNX took too long and was stopped; .* more time with timeout"
    ):
        kc.verify(dense, tmp_path / "loop.onnx")


def test_a_lambda_is_refused_by_name(tmp_path):
    folder = next(path for path in sorted((case("lambda/x").folder.parent).rglob("*.h5")))
    shutil.copy(folder, tmp_path / "model.h5")
    done = run(tmp_path / "model.h5", "--from", "tensorflow", "-o", f"{tmp_path}/saved_model/")
    assert done.exit_code in (USAGE, UNSUPPORTED, UNVERIFIED) and "ambda" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["model.h5"]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.tflite", LITERT),
        ("a.ONNX", ONNX),
        ("a/", SAVED_MODEL),
        ("saved_model", SAVED_MODEL),
        ("b/saved_model/", SAVED_MODEL),
    ],
)
def test_the_name_tells_the_form(name, form):
    assert form_of(name) == (form, "keras2") and program_runtime(name) is form.runtime


def test_names_are_letters_digits_and_underscores():
    model = kc.Sequential([L.Dense(1, input_shape=(2,), name="7 ä/x")])
    assert isinstance(model, Network)
    assert output_names(model) == ["x_7___x"]
