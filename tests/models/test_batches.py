"""Models whose inputs state the number of samples: they take any number of batches (keras-facts: fixed-batch)."""

import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError, Sequential, load_model
from kconvert import layers as L
from kconvert.errors import Problem
from kconvert.layers.registry import FUNCTIONS
from kconvert.verification.verifier import verify
from tests.fixtures import FOLDER

CASES = {"stateful_lstm": 2, "stateful_gru": 3, "images": 2}


def loaded(name, backend):
    folder, source = FOLDER / "batches" / name, "theano" if name == "stateful_lstm" else None
    convention = backend.convention if backend.name == "numpy" else None
    with np.load(folder / "io.npz") as io:
        return load_model(folder / "model.h5", backend.name, source, convention=convention), io["x0"], io["y0"]


@pytest.mark.parametrize("name", CASES)
def test_three_batches_compute_as_in_keras(name, backend):
    """States go from one batch to the next."""
    model, x, y = loaded(name, backend)
    assert len(x) == 3 * CASES[name]
    np.testing.assert_allclose(model.predict(x), y, atol=1e-5)
    model.reset_states()
    batches = [x[i : i + CASES[name]] for i in range(0, len(x), CASES[name])]
    np.testing.assert_allclose(model.predict(iter(batches), steps=3), y, atol=1e-5)
    model.reset_states()
    model.compile("sgd", "mse")
    assert model.evaluate(x, y) < 1e-8


def test_layers_without_states_take_any_number_of_samples():
    model, x, y = loaded("images", kc.get_backend("numpy", "theano"))
    for samples in (1, 3, 5):
        np.testing.assert_allclose(model.predict(x[:samples]), y[:samples], atol=1e-5)
        np.testing.assert_allclose(model.predict(x[:samples], batch_size=4), y[:samples], atol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(x[:5]), y[:5], atol=1e-5)


def test_predict_takes_as_many_samples_as_the_first_input_has(caplog):
    a, b = L.Input((2,)), L.Input((2,))
    model = kc.Model([a, b], L.Add()([a, b]))
    model.start("numpy", seed=0)
    x = np.arange(10.0).reshape(5, 2)
    np.testing.assert_array_equal(model.predict([x[:3], x]), 2 * x[:3])
    assert "has 5 samples, of which the first 3 are used" in caplog.text
    with pytest.raises(KconvertError, match="different numbers of samples"):
        model.predict([x, x[:3]])


def stateful():
    model = Sequential([L.LSTM(3, batch_input_shape=(2, 5, 4), stateful=True)])
    model.start("numpy", seed=0)
    model.compile("sgd", "mse")
    return model


REFUSED = {
    "predict": lambda model, x, y: model.predict(x[:5]),
    "batch_size": lambda model, x, y: model.predict(x, batch_size=3),
    "predict_on_batch": lambda model, x, y: model.predict_on_batch(x[:4]),
    "stream": lambda model, x, y: model.predict(iter([x[:4]]), steps=1),
    "evaluate": lambda model, x, y: model.evaluate(x[:5], y[:5]),
    "test_on_batch": lambda model, x, y: model.test_on_batch(x[:4], y[:4]),
    "fit": lambda model, x, y: model.fit(x[:5], y[:5], verbose=0),
    "validation": lambda model, x, y: model.fit(x[:4], y[:4], validation_data=(x[:3], y[:3]), verbose=0),
}


@pytest.mark.parametrize("how", REFUSED)
def test_stateful_models_refuse_samples_that_do_not_fill_batches(how):
    random = np.random.default_rng(0)
    with pytest.raises(KconvertError, match="takes batches of 2") as refusal:
        REFUSED[how](stateful(), random.random((6, 5, 4)), random.random((6, 3)))
    assert refusal.value.problem is Problem.USAGE


def test_code_of_the_user_gets_the_batches_that_it_was_written_for():
    seen = []

    @kc.register_function("counts", output_shape=lambda shape: shape)
    def counts(K, x):
        seen.append(len(x))
        return x * 2

    try:
        model = Sequential([L.Lambda("counts", batch_input_shape=(2, 3), name="counts")])
        model.start("numpy")
        assert model.predict(np.ones((6, 3))).shape == (6, 3) and set(seen) == {2}
        with pytest.raises(KconvertError, match="5 samples"):
            model.predict(np.ones((5, 3)))
    finally:
        FUNCTIONS.pop("counts", None)


@pytest.mark.parametrize("name", ["stateful_gru", "images"])
def test_more_batches_than_one_are_verified(name, tmp_path):
    source = FOLDER / "batches" / name / "model.h5"
    done = kc.convert(source, tmp_path / "out.h5", target="theano", data_format="keep")
    with np.load(FOLDER / "batches" / name / "io.npz") as io:
        report = verify(source, done.target, inputs=[io["x0"]])
    assert report.equal and report.samples == 3 * CASES[name]


def test_a_dict_of_inputs_may_have_further_names():
    a, b = kc.Input((2,), name="a"), kc.Input((2,), name="b")
    model = kc.Model([a, b], L.Add()([a, b]))
    ones = np.ones((3, 2))
    assert np.array_equal(model.predict({"a": ones, "b": 2 * ones, "words": ["x", "y", "z"]}), 3 * ones)
    with pytest.raises(KconvertError, match="missing inputs: b; there are a, c"):
        model.predict({"a": ones, "c": ones})


@pytest.mark.parametrize(
    "make", [lambda: kc.Model(x := kc.Input((2,)), L.Dense(1)(x)), lambda: Sequential([L.Dense(1)])]
)
def test_a_changed_list_of_layers_changes_no_model(make):
    """As in Keras 2.3.1, the model computes as before."""
    model, x = make(), np.ones((3, 2), "float32")
    before = model.predict(x)
    assert model.layers.pop().class_name == "Dense"
    assert np.array_equal(model.predict(x), before)
    with pytest.raises(KconvertError, match="the outputs of a model cannot be set"):
        model.outputs = []


def test_a_batch_for_prediction_may_be_named_by_the_inputs():
    a, b = kc.Input((2,), name="a"), kc.Input((2,), name="b")
    model = kc.Model([a, b], L.Add()([a, b]))
    model.start("numpy")
    arrays = {"a": np.ones((3, 2), "float32"), "b": np.full((3, 2), 2.0, "float32")}
    np.testing.assert_array_equal(model.predict_on_batch(arrays), np.full((3, 2), 3.0))
