"""Losses against real Keras 2.3.1 on both backends, and against Keras 3."""

import json
import runpy

import numpy as np
import pytest

from kconvert import Sequential, layers, optimizers
from kconvert.backend import get_backend
from kconvert.errors import KconvertError
from kconvert.models.training import losses
from tests.fixtures import FOLDER
from tests.models.training.keras_numbers import CASES, data, differing, evaluate, numbers, weights_of

LOSSES = [
    (f"losses/{i}/{kind}", losses.get({"class_name": name, "config": config}), kind)
    for i, (name, config, kinds) in enumerate(CASES["losses"])
    for kind in kinds
]
FUNCTIONS = [
    (f"functions/{i}/{kind}", losses.get(name), kind)
    for i, (name, kinds) in enumerate(CASES["functions"])
    for kind in kinds
]


def test_values_per_sample_and_their_means_are_those_of_keras(backend):
    graphs, arrays = {}, {}
    for key, loss, kind in LOSSES + FUNCTIONS:
        graphs[key] = lambda t, p, loss=loss: loss.per_sample(backend, t, p)
        arrays[key] = data(kind)
    for key, loss, kind in LOSSES:
        graphs[f"{key}/mean"] = lambda t, p, loss=loss: loss.of_batch(backend, t, p)
        graphs[f"{key}/weighted"] = lambda t, p, w, loss=loss: loss.of_batch(backend, t, p, w)
        arrays[f"{key}/mean"] = data(kind)
        arrays[f"{key}/weighted"] = [*data(kind), weights_of(data(kind)[0])]
    found = evaluate(backend, graphs, arrays)
    assert len(found) == 3 * len(LOSSES) + len(FUNCTIONS) > 80
    assert not differing(found, numbers(backend.convention), rtol=1e-5)


@pytest.mark.parametrize("name", CASES["weighted"])
def test_sample_weights_and_masks_weigh_as_in_the_training_of_keras(backend, name):
    """The sum is divided by the number of all steps, masked ones included; weights may be of samples or of steps."""
    loss, stored = losses.get(name), numbers(backend.convention)
    y, p, mask = data("steps")[0], stored["weighted/pred"], (stored["weighted/x"] != 0).any(-1)
    weights = {"none": None, "sample": stored["weighted/per_sample"], "temporal": stored["weighted/per_step"]}
    graphs, arrays, expected = {}, {}, {}
    for masked in ("all", "mask"):
        for kind, weight in weights.items():
            key = f"weighted/{name}/{masked}/{kind}"
            given = {"weight": weight, "mask": mask if masked == "mask" else None}
            names = [n for n, value in given.items() if value is not None]
            for batch in (slice(0, 6), slice(6, 12)):

                def graph(t, p, *rest, names=names):
                    known = dict(zip(names, rest, strict=True))
                    return loss.of_batch(backend, t, p, known.get("weight"), known.get("mask"))

                graphs[f"{key}{batch.start}"] = graph
                arrays[f"{key}{batch.start}"] = [y[batch], p[batch], *(given[n][batch] for n in names)]
                expected[f"{key}{batch.start}"] = stored[key][batch.start // 6, 0]
    assert not differing(evaluate(backend, graphs, arrays), expected, rtol=1e-5)


@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize(("key", "loss", "kind"), LOSSES, ids=[key for key, _, _ in LOSSES])
def test_keras_3_has_the_same_mean(key, loss, kind):
    from keras import losses as keras3

    y_true, y_pred = data(kind)
    expected = getattr(keras3, loss.class_name)(**loss.options)(y_true, y_pred)
    tolerance = 1e-3 if "saturated" in kind else 1e-5
    K = get_backend("numpy", "theano")  # Keras 3 clips saturated predictions as Keras 2 does on Theano
    assert np.isclose(loss.of_batch(K, y_true, y_pred), np.asarray(expected), rtol=tolerance)


def test_reductions():
    K, (t, p) = get_backend("numpy"), data("values")
    each = losses.MeanSquaredError(reduction="none").of_batch(K, t, p)
    assert each.shape == (12,)
    assert np.isclose(losses.MeanSquaredError(reduction="sum").of_batch(K, t, p), each.sum())
    with pytest.raises(KconvertError, match="unknown reduction 'mean'; one of: sum_over_batch_size, sum, none"):
        losses.MeanSquaredError(reduction="mean")


def test_classes_along_another_axis():
    """Predictions (batch, classes, steps), as for channels_first."""
    K, (labels, p) = get_backend("numpy"), data("sparse_steps")
    channels_first = losses.sparse_categorical_crossentropy(K, labels[:, None, :, 0], p.transpose(0, 2, 1), axis=1)
    assert np.array_equal(channels_first, losses.sparse_categorical_crossentropy(K, labels, p))


@pytest.mark.parametrize("name", [pytest.param(b, marks=pytest.mark.needs(b)) for b in ("theano", "tensorflow")])
def test_saturated_outputs_have_the_losses_and_gradients_of_keras(name):
    saturated = runpy.run_path(str(FOLDER / "training" / "saturated.py"))
    expected = json.loads((FOLDER / "training" / "saturated.json").read_text(encoding="utf-8"))[name]
    for loss, (labels, weights, ends) in saturated["ENDS"].items():
        for end, made in ends.items():
            model = Sequential(made(layers))
            model.compile(optimizers.SGD(1.0), loss, backend=name)
            found = saturated["losses_and_gradients"](model, labels, weights)
            np.testing.assert_allclose(found, expected[f"{loss}/{end}"], 1e-3, 2e-6, err_msg=f"{loss}/{end}")


def test_logits_saturate_on_theano_alone():
    K, logits = get_backend("numpy"), np.array([[200.0, -200.0]], "float32")
    wrong = np.array([[0.0, 1.0]], "float32")
    assert losses.categorical_crossentropy(K, wrong, logits, from_logits=True) == 400
    assert losses.binary_crossentropy(K, wrong, logits, from_logits=True) == 200
    K = get_backend("numpy", "theano")
    assert losses.categorical_crossentropy(K, wrong, logits, from_logits=True) == pytest.approx(-np.log(1e-7))
    assert losses.binary_crossentropy(K, wrong, logits, from_logits=True) == pytest.approx(16, rel=0.01)


NAMES = {
    "mse": "mean_squared_error",
    "MSE": "mean_squared_error",
    "MeanSquaredError": "mean_squared_error",
    "KLD": "kullback_leibler_divergence",
    "kld": "kullback_leibler_divergence",
    "cosine": "cosine_proximity",
    "cosine_similarity": "cosine_proximity",
    "log_cosh": "logcosh",
    "huber_loss": "huber_loss",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_all_releases(name):
    assert losses.get(name).name == NAMES[name]


def test_configurations_round_trip():
    for _, loss, _ in LOSSES:
        assert losses.get(loss.to_config()) == loss
    assert losses.get("mse").to_config() == "mean_squared_error"
    config = {"reduction": "sum_over_batch_size", "name": "huber_loss", "delta": 0.3}
    assert losses.Huber(delta=0.3).to_config() == {"class_name": "Huber", "config": config}


def test_functions_and_classes_are_losses_too():
    def error(K, y_true, y_pred):
        return K.abs(y_true - y_pred)

    K, (t, p) = get_backend("numpy"), data("values")
    assert np.isclose(losses.get(error).of_batch(K, t, p), np.abs(t - p).mean())
    assert losses.get(error).to_config() == "error"
    assert losses.get(losses.hinge) == losses.get(losses.Hinge) == losses.Hinge()
    assert losses.get(None) is None


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mean_square_error", "unknown loss 'mean_square_error'; did you mean mean_squared_error"),
        ("xyz", "unknown loss 'xyz'; one of: mean_squared_error, "),
        ({"class_name": "Huber", "config": {"dleta": 1}}, "loss Huber has no argument 'dleta'; did you mean delta"),
        (3, "unknown loss 3; give a name"),
    ],
)
def test_unknown_names_are_refused(spec, message):
    with pytest.raises(KconvertError) as error:
        losses.get(spec)
    assert message in str(error.value)


class Doubled(losses.MeanSquaredError):
    """A loss of the user that takes the values of the one that it inherits from, as in Keras."""

    def call(self, y_true, y_pred):
        return super().call(y_true, y_pred) * 2.0


@pytest.mark.parametrize("backend_name", ["theano", "tensorflow"])
def test_call_gives_the_values_of_the_samples(backend_name):
    y_true, y_pred = np.array([[0.0, 1.0], [2.0, 2.0]]), np.zeros((2, 2))
    assert losses.MeanSquaredError().call(y_true, y_pred).eval().tolist() == [0.5, 4.0]
    model = Sequential([layers.Dense(2, kernel_initializer="zeros", input_shape=(1,))])
    model.compile("sgd", Doubled(), backend=backend_name)
    assert np.isclose(model.evaluate(np.ones((2, 1)), y_true, verbose=0), 4.5)


def test_reduction_and_name_follow_the_options_by_position():
    assert losses.Huber(0.5, "sum", "mine") == losses.Huber(delta=0.5, reduction="sum", name="mine")
    assert losses.MeanSquaredError("none").reduction == "none"
    with pytest.raises(TypeError):
        losses.MeanSquaredError("none", "mine", 3)
