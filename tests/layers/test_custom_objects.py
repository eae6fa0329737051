"""custom_objects: the user's functions and layer classes, given in Python, on every backend."""

import shutil

import h5py
import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert import backend as K
from kconvert.layers import Lambda, Layer, Masking
from kconvert.layers.registry import with_custom_objects
from tests.fixtures import FOLDER

FILES = FOLDER / "custom_objects"
RELEASES = sorted(path.name for path in FILES.iterdir() if path.is_dir() and path.name[0].isdigit())


def swish(x):
    return x * K.sigmoid(x)


def antirectifier(x):
    x = x - K.mean(x, axis=1, keepdims=True)
    x = K.l2_normalize(x, axis=1)
    return K.concatenate([K.relu(x), K.relu(-x)], axis=1)


def antirectifier_output_shape(input_shape):
    return (input_shape[0], 2 * input_shape[1])


def scaled(x, factor):
    return factor * x


def weighted_sum(pair):
    x, weights = pair
    return K.sum(x * K.expand_dims(K.softmax(weights), -1), axis=1)


def difference(pair):
    return K.abs(pair[0] - pair[1])


class Scale(Layer):
    def __init__(self, factor=2.0, **kwargs):
        self.factor = factor
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.gamma = self.add_weight(name="gamma", shape=(input_shape[-1],), initializer="uniform")
        self.beta = self.add_weight(name="beta", shape=(input_shape[-1],), initializer="uniform")
        super().build(input_shape)

    def call(self, x, mask=None):
        return self.factor * (self.gamma * x + self.beta)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class Attention(Layer):
    """As in Keras 1: a variable in the list of the weights."""

    def build(self, input_shape):
        self.W = K.variable(np.zeros((input_shape[-1], 1)), name=f"{self.name}_W")
        self.trainable_weights = [self.W]

    def call(self, x, mask=None):
        scores = K.squeeze(K.dot(x, self.W), 2)
        weights = K.softmax(K.tanh(scores))
        return K.sum(x * K.expand_dims(weights), axis=1)

    def get_output_shape_for(self, input_shape):
        return (input_shape[0], input_shape[-1])


CASES = {
    "lambda_code": {"rescaled": lambda x: x / 127.5 - 1.0},
    "lambda_named": {"rectified": antirectifier, "three": scaled},
    "lambda_two_inputs": {"sum": weighted_sum},
    "lambda_builtin": {"abs": K.abs},
    "activation": {"swish": swish},
    "scale": {"Scale": Scale},
    "attention": {"Attention": Attention},
    "merge_function": {"apart": difference},
}


def file(release, case):
    path = FILES / release / f"{case}.h5"
    if not path.exists():
        pytest.skip("that release has no such layer")
    stored = np.load(path.with_suffix(".npz"))
    inputs = [stored[name] for name in sorted(stored) if name != "y"]
    return path, inputs if len(inputs) > 1 else inputs[0], stored["y"]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("release", RELEASES)
def test_the_model_computes_what_keras_computed(release, case, backend):
    path, x, y = file(release, case)
    model = kc.load_model(path, backend.name, convention=backend.convention, custom_objects=CASES[case])
    assert np.abs(model.predict(x) - y).max() < 1e-5


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("release", RELEASES)
def test_the_converted_file_is_verified_on_both_sides(release, case, tmp_path):
    path, x, y = file(release, case)
    target = "tensorflow" if "theano" in release else "theano"
    done = kc.convert(path, tmp_path / "out.h5", target=target, data_format="keep", custom_objects=CASES[case])
    report = kc.verify(path, done.target, custom_objects=CASES[case])
    assert report.equal, report
    model = kc.load_model(done.target, target, custom_objects=CASES[case])
    assert np.abs(model.predict(x) - y).max() < 1e-5


# ------------------------------------------------------------------- refusals ----


def refusal(release, case, objects, backend="numpy"):
    """The error of loading a model and computing with it."""
    path, x, _ = file(release, case)
    with pytest.raises(KconvertError) as caught:
        kc.load_model(path, backend, custom_objects=objects).predict(x)
    return str(caught.value)


def test_a_lambda_without_its_function_names_the_layer_and_the_way():
    message = refusal("2.3.1-tensorflow", "lambda_code", None)
    assert "layer rescaled" in message and "custom_objects={'rescaled': ...}" in message


def test_a_function_that_fails_is_named_with_its_layer_and_its_reason(backend):
    def fails(x):
        return x / {}["nothing"]

    message = refusal("2.3.1-tensorflow", "lambda_code", {"rescaled": fails}, backend.name)
    assert "layer rescaled: " in message and "the function 'rescaled' fails on" in message and "KeyError" in message


@pytest.mark.parametrize(("wrong", "reason"), [(lambda x: None, "NoneType"), (lambda x: "text", "str")])
def test_what_is_no_tensor_is_refused(wrong, reason, backend):
    message = refusal("2.3.1-tensorflow", "lambda_code", {"rescaled": wrong}, backend.name)
    assert "layer rescaled: " in message
    assert f"the function 'rescaled' returned {reason}, not a tensor" in message


def test_a_shape_that_the_file_does_not_state_is_refused(backend):
    message = refusal("2.3.1-tensorflow", "lambda_two_inputs", {"sum": lambda pair: pair[0]}, backend.name)
    assert "layer sum" in message and "returned the shape (5, 4)" in message and "is (4,)" in message


def test_an_activation_that_changes_the_shape_is_refused(backend):
    objects = {"swish": lambda x: K.sum(x, axis=-1)}
    message = refusal("2.3.1-tensorflow", "activation", objects, backend.name)
    assert "the function 'swish' returned the shape" in message and "layer " in message


def test_a_function_of_one_framework_is_named(theano):
    tf = pytest.importorskip("tensorflow")
    message = refusal("2.3.1-tensorflow", "activation", {"swish": lambda x: tf.nn.relu(x)}, "theano")
    assert "it uses tf.nn.relu" in message and "kconvert.backend" in message


def test_a_function_that_backends_do_not_have_alike_is_named():
    objects = {"rescaled": lambda x: K.conv2d(x, x)}
    assert "has no function 'conv2d'" in refusal("2.3.1-tensorflow", "lambda_code", objects)


def test_a_class_of_another_library_is_refused_by_name():
    base = type("Layer", (), {"__module__": "keras.engine.topology"})
    theirs = type("Scale", (base,), {"__module__": "mine"})
    message = refusal("2.3.1-tensorflow", "scale", {"Scale": theirs})
    assert "'Scale' is not a layer class of kconvert, but a keras.engine.topology.Layer" in message


@pytest.mark.parametrize("wrong", [3, "text", None])
def test_anything_else_is_refused(wrong):
    assert "custom_objects['f']" in refusal("2.3.1-tensorflow", "lambda_code", {"f": wrong})


# --------------------------------------------------------------------- scope ----


def test_two_models_have_functions_of_the_same_name():
    path, x, y = file("2.3.1-tensorflow", "lambda_code")
    right = kc.load_model(path, "numpy", custom_objects=CASES["lambda_code"])
    other = kc.load_model(path, "numpy", custom_objects={"rescaled": lambda x: 0.0 * x})
    assert np.abs(right.predict(x) - y).max() < 1e-5
    assert np.abs(other.predict(x) - y).max() > 1e-2
    message = refusal("2.3.1-tensorflow", "lambda_code", None)
    assert "rescaled" in message


def test_a_class_under_another_name_keeps_the_name_of_the_file(tmp_path):
    class Mine(Scale):
        pass

    path, x, y = file("2.3.1-tensorflow", "scale")
    model = kc.load_model(path, "numpy", custom_objects={"Scale": Mine})
    assert np.abs(model.predict(x) - y).max() < 1e-5
    assert '"class_name": "Scale"' in model.to_json()


def test_a_saved_model_is_read_again(tmp_path):
    path, x, y = file("1.2.2-theano", "scale")
    kc.load_model(path, "numpy", custom_objects=CASES["scale"]).save(tmp_path / "again.h5")
    again = kc.load_model(tmp_path / "again.h5", "numpy", custom_objects=CASES["scale"])
    assert np.abs(again.predict(x) - y).max() < 1e-5


def test_functions_in_a_module_reach_processes(tmp_path):
    path, _, _ = file("2.3.1-tensorflow", "activation")
    done = kc.convert(path, tmp_path / "out.h5", target="theano", custom_objects={"swish": swish})
    running = kc.Running(isolate=True)
    assert kc.verify(path, done.target, running=running, custom_objects={"swish": swish}).equal
    with pytest.raises(KconvertError, match="another process"):
        kc.verify(path, done.target, running=running, custom_objects={"swish": lambda x: x})


def test_weights_are_loaded_into_a_model_with_functions():
    path, x, y = file("2.3.1-tensorflow", "activation")
    model = kc.load_model(path, "numpy", custom_objects=CASES["activation"])
    weights = model.get_weights()
    model.set_weights([0.0 * array for array in weights])
    assert np.abs(model.load_weights(path).predict(x) - y).max() < 1e-5


def test_a_class_with_a_package_in_its_name_is_found(tmp_path):
    """As tf.keras stores a class that is registered there."""
    path, x, y = file("2.8-tf.keras", "scale")
    copy = shutil.copy(path, tmp_path / "scale.h5")
    with h5py.File(copy, "r+") as stored:
        config = stored.attrs["model_config"]
        config = config.decode() if isinstance(config, bytes) else config
        stored.attrs["model_config"] = config.replace('"Scale"', '"mine>Scale"')
    model = kc.load_model(copy, "numpy", custom_objects={"Scale": Scale})
    assert np.abs(model.predict(x) - y).max() < 1e-5


def test_a_function_gets_the_mask_that_it_asks_for(backend):
    def masked_mean(x, mask=None):
        mask = K.expand_dims(K.cast(mask, "float32"))
        return K.sum(x * mask, axis=1) / K.sum(mask, axis=1)

    x = np.random.default_rng(0).standard_normal((2, 4, 3)).astype("float32")
    x[0, 2:] = 0.0
    with with_custom_objects({"mean": masked_mean}):
        masked = Masking(input_shape=(4, 3))
        model = kc.Sequential([masked, Lambda("code", declared_shape=[3], name="mean")])
    model.start(backend.name if backend.name != "numpy" else backend)
    y = model.predict(x)
    assert np.abs(y - np.stack([x[0, :2].mean(0), x[1].mean(0)])).max() < 1e-5
