"""The user's layers and functions: registered, found by an entry point, or imported; never loaded from a file."""

import json
import os
import shutil
import sys
from dataclasses import dataclass

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

import kconvert as kc
from kconvert import KconvertError, cli
from kconvert.errors import Problem
from kconvert.layers import Dense, Lambda
from kconvert.layers.registry import CUSTOM, FUNCTIONS, LAYERS, find_layer, load_module
from kconvert.network.architecture import model_from_config
from tests.fixtures import FOLDER

LSTM = FOLDER / "1.2.2-theano" / "lstm_cpu" / "model.h5"
LAMBDAS = [FOLDER / "lambda" / "1.2.2-theano", FOLDER / "lambda" / "2.3.1-tensorflow"]

DOUBLED = """
from dataclasses import dataclass
import kconvert
from kconvert.layers import Dense

@kconvert.register_layer
@dataclass(eq=False)
class Doubled(Dense):
    def call(self, K, w, x, mask=None, training=False):
        return 2.0 * super().call(K, w, x)

    def get_config(self):
        return super().get_config()
"""
AFFINE = """
import kconvert

@kconvert.register_function("lambda_1")
def affine(K, x):
    return 2.0 * x + 1.0
"""


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """Removes what a test registered or imported."""
    known = [(registry, registry.copy()) for registry in (LAYERS, CUSTOM, FUNCTIONS)]
    modules, path = set(sys.modules), sys.path.copy()
    yield
    for registry, before in known:
        registry.clear()
        registry.update(before)
    for name in [name for name in sys.modules if name.startswith("custom_")]:
        del sys.modules[name]
    assert {name for name in set(sys.modules) - modules if name.startswith("custom_")} == set()
    sys.path[:] = path


@pytest.fixture
def doubled(tmp_path):
    """A file of Keras 1 in which the last Dense has another class, and its expected output."""
    path = shutil.copy(LAMBDAS[0] / "model.h5", tmp_path / "doubled.h5")
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        kept = [item for item in config["config"] if item["class_name"] != "Lambda"]
        last = kept[-1]
        last["class_name"] = "Doubled"
        last["config"] = {"name": last["config"]["name"], "units": last["config"]["output_dim"]}
        config["config"] = kept
        file.attrs["model_config"] = json.dumps(config).encode()
        names = [name for name in file["model_weights"].attrs["layer_names"] if not name.startswith(b"lambda")]
        file["model_weights"].attrs["layer_names"] = names
        x = np.load(LAMBDAS[0] / "io.npz")["x0"]
        weights = {name.decode(): file["model_weights"][name.decode()] for name in names}
        (w1, b1), (w2, b2) = ([group[n][()] for n in group.attrs["weight_names"]] for group in weights.values())
    return path, x, 2.0 * ((x @ w1 + b1) @ w2 + b2)


def run(*words):
    return CliRunner().invoke(cli.main, [str(word) for word in words])


# --------------------------------------------------------------------- layers ----


def test_an_unknown_class_does_not_run_and_is_named_with_three_ways_out(doubled, tmp_path):
    kc.convert(doubled[0], tmp_path / "out.h5", target="tensorflow")
    with pytest.raises(KconvertError, match="unknown layer class 'Doubled'") as refusal:
        kc.load_model(tmp_path / "out.h5", "numpy").predict(doubled[1])
    for way in ("custom_objects", "kconvert.register_layer", "kconvert.layers"):
        assert way in refusal.value.fix
    assert refusal.value.problem == Problem.UNSUPPORTED


def test_a_registered_layer_converts_and_runs(doubled, tmp_path):
    exec(DOUBLED, {"__name__": "custom_doubled"})
    path, x, y = doubled
    for form in ("keras2", "same"):
        done = kc.convert(path, tmp_path / f"{form}.h5", target="tensorflow", format=form)
        model = kc.load_model(done.target, "numpy", convention="tensorflow")
        assert [layer.class_name for layer in model.layers][-1] == "Doubled"
        assert np.abs(model.predict(x) - y).max() < 1e-5


def test_a_module_is_imported_from_the_working_directory(bare, doubled, tmp_path, monkeypatch):
    (tmp_path / "custom_layers.py").write_text(DOUBLED, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    words = [doubled[0], "--to", "tensorflow", "-o", "out.h5"]
    assert run(*words).exit_code == Problem.PARTLY_VERIFIED
    result = run(*words, "--custom", "custom_layers", "--force")
    assert result.exit_code == 0, result.output
    for command in (["inspect", doubled[0]], ["verify", doubled[0], "out.h5"], ["plan", doubled[0], "--to", "theano"]):
        assert run(*command, "--custom", "custom_layers").exit_code == 0


def test_an_installed_package_announces_its_layers(doubled, tmp_path, monkeypatch):
    """The class is imported when a file names it, not before."""
    (tmp_path / "custom_package.py").write_text(DOUBLED, encoding="utf-8")
    info = tmp_path / "custom_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: custom-package\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[kconvert.layers]\nDoubled = custom_package:Doubled\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert find_layer("Dense") is Dense
    assert "custom_package" not in sys.modules
    path, x, y = doubled
    done = kc.convert(path, tmp_path / "out.h5", target="tensorflow")
    model = kc.load_model(done.target, "numpy", convention="tensorflow")
    assert np.abs(model.predict(x) - y).max() < 1e-5


@pytest.mark.parametrize(
    ("text", "words"), [("1 / 0", "ZeroDivisionError"), ("import nowhere_at_all", "nowhere_at_all")]
)
def test_a_module_that_fails_is_refused_in_one_sentence(text, words, tmp_path, monkeypatch):
    (tmp_path / "custom_broken.py").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = run("inspect", LSTM, "--custom", "custom_broken")
    assert (result.exit_code, result.stderr.count("\n")) == (Problem.USAGE, 1)
    assert words in result.stderr


def test_only_layers_can_be_registered():
    @dataclass
    class Other:
        pass

    for wrong in (Other, Other(), 3):
        with pytest.raises(KconvertError, match="is not a layer class"):
            kc.register_layer(wrong)


# -------------------------------------------------------------------- Lambdas ----


@pytest.mark.parametrize("folder", LAMBDAS, ids=lambda folder: folder.name)
def test_a_lambda_converts_and_is_left_out_without_its_function(bare, folder, tmp_path, monkeypatch):
    out = tmp_path / "out.h5"
    target = "tensorflow" if "theano" in folder.name else "theano"
    result = run(folder / "model.h5", "--to", target, "-o", out)
    assert result.exit_code == Problem.PARTLY_VERIFIED
    assert "not compared: lambda_1 (Lambda)" in result.output
    assert "register_function('lambda_1')" in result.output
    assert out.exists()
    (tmp_path / "custom_functions.py").write_text(AFFINE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = run(folder / "model.h5", "--to", target, "-o", out, "--force", "--custom", "custom_functions")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("folder", LAMBDAS, ids=lambda folder: folder.name)
def test_a_registered_function_gives_what_keras_computed(folder):
    exec(AFFINE)
    stored = np.load(folder / "io.npz")
    model = kc.load_model(folder / "model.h5", "numpy", convention=folder.name.partition("-")[2])
    assert np.abs(model.predict(stored["x0"]) - stored["y0"]).max() < 1e-5


def test_a_function_is_found_by_the_name_that_the_file_states():
    @kc.register_function("scale")
    def scale(K, x, by):
        return by * x

    named = Lambda("scale", arguments={"by": 3.0}, function_type="function", name="anything")
    code = Lambda("scale", arguments={"by": 3.0}, function_type="lambda", name="anything")
    K = kc.get_backend("numpy")
    assert (named.call(K, {}, np.ones(2)) == 3.0).all()
    with pytest.raises(KconvertError, match="does not load"):
        code.call(K, {}, np.ones(2))


def test_the_output_shape_is_declared_or_registered_or_that_of_the_input():
    assert Lambda("f").compute_output_shape((None, 4)) == (None, 4)
    assert Lambda("f", [3]).compute_output_shape((None, 4)) == (None, 3)
    unknown = Lambda("f", ["code", None, None], output_shape_type="lambda", name="pooled")
    assert unknown.is_unknown
    assert unknown.compute_output_shape((None, 7, 4)) == (None, 7, 4), "a guess"
    kc.register_function("pooled", output_shape=lambda shape: (shape[0], shape[2]))(lambda K, x: K.mean(x, 1))
    assert unknown.compute_output_shape((None, 7, 4)) == (None, 4)
    kc.register_function("pooled", output_shape=(5,))(lambda K, x: x)
    assert unknown.compute_output_shape((None, 7, 4)) == (None, 5)


NOT_PLAIN = [
    ("Dense", {"units": [3]}, "units is .3.; units must be an integer"),
    ("Dense", {"units": None}, "units is None; units must be an integer"),
    ("Dropout", {"rate": "half"}, "rate is 'half'; rate must be a number"),
    ("BatchNormalization", {"epsilon": {"a": 1}}, "epsilon is {'a': 1}; epsilon must be a number"),
    ("BatchNormalization", {"axis": {}}, "axis is {}; axis must be an integer"),
    ("Dense", {"units": 3, "activation": ["relu"]}, "activation is .'relu'.; activation must be the name or the"),
    ("GRU", {"units": 3, "recurrent_activation": 3}, "recurrent_activation is 3; recurrent_activation must be"),
    ("Dense", {"units": 3, "bias_constraint": {"class_name": [], "config": {}}}, "bias_constraint must be the name"),
    ("LSTM", {"units": 3, "return_sequences": []}, "return_sequences is ..; return_sequences must be true or false"),
    ("Conv2D", {"filters": 2, "kernel_size": 3, "strides": [1, 0]}, "strides must not be less than 1"),
    ("Conv2D", {"filters": 2, "kernel_size": [-1, 3]}, "kernel_size must not be less than 1"),
    ("MaxPooling2D", {"pool_size": 0}, "pool_size must not be less than 1"),
    ("Cropping2D", {"cropping": [[0, -1], [0, 0]]}, "cropping must not be less than 0"),
    ("Flatten", {"batch_input_shape": [None] + [2**62] * 1000}, "must be a list of at most 64 sizes"),
]


@pytest.mark.parametrize(
    ("class_name", "config", "said"), NOT_PLAIN, ids=[f"{n}-{next(reversed(c))}" for n, c, _ in NOT_PLAIN]
)
def test_options_of_a_wrong_kind_are_refused_with_the_layer(class_name, config, said):
    """Whatever computes with them, now or later, would fail elsewhere."""
    network = {"class_name": "Sequential", "config": [{"class_name": class_name, "config": {"name": "it", **config}}]}
    with pytest.raises(KconvertError, match=said) as refused:
        model_from_config(network)
    assert "layer it" in str(refused.value)


def test_a_module_of_your_own_that_is_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "layers.py")
    with pytest.raises(KconvertError, match=r"layers.py: there is no such file, or it is not a regular one"):
        load_module(str(tmp_path / "layers.py"))
