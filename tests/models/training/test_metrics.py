"""Metrics over two batches against real Keras 2.3.1 (and MeanIoU against Keras 3)."""

import numpy as np
import pytest

from kconvert import Sequential
from kconvert.backend import InputSpec, get_backend
from kconvert.errors import KconvertError
from kconvert.layers import Dense
from kconvert.models.training import losses, metrics
from kconvert.models.training.weighting import masked_weights
from tests.models.training.keras_numbers import CASES, data, differing, numbers, weights_of

METRICS = [
    (i, metrics.get({"class_name": name, "config": config}), kind)
    for i, (name, config, kind) in enumerate(CASES["metrics"])
]
IDS = [f"{name} {config} {kind}" for name, config, kind in CASES["metrics"]]
BATCHES = slice(0, 6), slice(6, 12)


def updates(K, cases):
    """A compiled function that updates all metrics; cases: {key: (metric, y_true, y_pred, weight or None)}."""
    spread = {key: [x for x in given if x is not None] for key, (_, *given) in cases.items()}
    states = {key: case[0].sums() for key, case in cases.items()}
    specs = [
        spec
        for key in cases
        for spec in (*map(InputSpec, states[key].values()), *(InputSpec((None, *x.shape[1:])) for x in spread[key]))
    ]

    def build(_, given):
        given, after = iter(given), []
        for key, (metric, *_) in cases.items():
            held = {name: next(given) for name in states[key]}
            new = metric.add_batch(K, held, *[next(given) for _ in spread[key]])
            after += [new[name] for name in held]
        return after

    run = K.compile_reading(build, specs, [])

    def update(held, batch):
        after = iter(run([x for key in cases for x in (*held[key].values(), *(x[batch] for x in spread[key]))]))
        return {key: {name: next(after) for name in names} for key, names in states.items()}

    return update


def values(K, cases):
    """The values of the metrics after both batches."""
    update = updates(K, cases)
    states = {key: {n: np.zeros(s, "float32") for n, s in case[0].sums().items()} for key, case in cases.items()}
    for batch in BATCHES:
        states = update(states, batch)
    return {key: case[0].value_of(states[key]) for key, case in cases.items()}


@pytest.mark.parametrize("kind", ["plain", "weighted"])
def test_values_are_those_of_keras(backend, kind):
    """Without weights on NumPy; with weights of 1 on the frameworks, so that no other function is compiled."""
    cases, stored = {}, numbers("tensorflow")
    for i, metric, name in METRICS:
        weight = weights_of(data(name)[0])
        if kind == "plain":
            weight = None if backend.name == "numpy" else weight * 0 + 1
        cases[f"metrics/{i}/{kind}"] = (metric, *data(name), weight)
    found = {key: value for key, value in values(backend, cases).items() if key in stored}
    assert len(found) >= len(METRICS) - 2
    assert not differing(found, stored, rtol=1e-5)


@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_mean_and_sum_of_values(name):
    metric, predicted = metrics.get(name), data("values")[0][:, 0]
    for kind, weight in (("plain", None), ("weighted", weights_of(predicted))):
        found = values(get_backend("numpy"), {"": (metric, predicted, predicted, weight)})[""]
        assert np.isclose(found, numbers("tensorflow")[f"values/{['Mean', 'Sum'].index(name)}/{kind}"])


@pytest.mark.parametrize("masked", [False, True], ids=["all", "mask"])
@pytest.mark.parametrize("kind", ["none", "sample", "temporal"])
def test_masks_and_weights_as_in_the_training_of_keras(masked, kind):
    """The mask applies to all metrics, sample weights to weighted ones only. Sums are kept from batch to batch."""
    K, stored = get_backend("numpy"), numbers("tensorflow")
    y, p, mask = data("steps")[0], stored["weighted/pred"], (stored["weighted/x"] != 0).any(-1)
    weight = {"none": None, "sample": stored["weighted/per_sample"], "temporal": stored["weighted/per_step"]}[kind]
    mask = mask if masked else None
    cases = {
        "mae": (metrics.get("mae"), y, p, masked_weights(K, None, mask)),
        "mse": (metrics.get("mse"), y, p, masked_weights(K, weight, mask)),
    }
    expected = stored[f"weighted/mean_squared_error/{'mask' if masked else 'all'}/{kind}"][-1]
    assert np.allclose(list(values(K, cases).values()), expected[1:], rtol=1e-5)


@pytest.mark.parametrize("number", range(len(CASES["accuracy"])), ids=str)
def test_accuracy_is_picked_as_in_keras(number):
    """By the loss and by the output; the name stays as it was asked for."""
    loss, kind = CASES["accuracy"][number]
    y_true, y_pred = data(kind)
    picked = [metrics.resolve(name, losses.get(loss), y_pred.shape) for name in ("accuracy", "crossentropy")]
    assert [metric.name for metric in picked] == ["accuracy", "crossentropy"]
    found = values(get_backend("numpy"), {metric.name: (metric, y_true, y_pred, None) for metric in picked})
    assert np.allclose(list(found.values()), numbers("tensorflow")[f"accuracy/{number}"][1:], rtol=1e-5)


@pytest.mark.shows("metrics.MeanIoU")
@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize("weighted", [False, True])
def test_mean_iou_is_that_of_keras_3(backend, weighted):
    from keras import metrics as keras3

    random = np.random.default_rng(0)
    y_true, y_pred = random.integers(0, 4, (2, 12, 3)).astype("float32")
    weight = random.uniform(0, 1, (12, 3)).astype("float32") if weighted else None
    theirs = keras3.MeanIoU(5, dtype="float32")
    theirs.update_state(y_true, y_pred, weight)
    found = values(
        backend, {"iou": (metrics.get({"class_name": "MeanIoU", "config": {"num_classes": 5}}), y_true, y_pred, weight)}
    )
    assert np.isclose(found["iou"], float(theirs.result()))


@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize(
    ("name", "config", "kind"), [case for case in CASES["metrics"] if "At" not in case[0]], ids=str
)
def test_keras_3_has_the_same_value(name, config, kind):
    """Except for one rate at another: Keras 3 takes the best threshold that reaches it, 2.3.1 the nearest one."""
    from keras import metrics as keras3

    metric = metrics.get({"class_name": name, "config": config})
    theirs, (y_true, y_pred) = getattr(keras3, name)(**config), data(kind)
    y_true = y_true[:, 0] if kind == "sparse" else y_true
    theirs.update_state(y_true, y_pred)
    found = values(get_backend("numpy"), {"": (metric, *data(kind), None)})[""]
    assert np.allclose(found, np.asarray(theirs.result()), rtol=1e-4, atol=1e-6)


def test_equal_predictions_are_taken_in_their_order():
    """Of four equal predictions, the first two are the two greatest."""
    K, metric = get_backend("numpy"), metrics.get({"class_name": "Precision", "config": {"top_k": 2}})
    states = {name: np.zeros(1) for name in metric.sums()}
    states = metric.add_batch(K, states, np.array([[1, 0, 1, 1]]), np.ones((1, 4)))
    assert metric.value_of(states) == 0.5


def test_values_without_samples():
    metric = metrics.get("mse")
    assert np.isnan(metric.value_of({"total": 0.0, "count": 0.0}))
    empty = np.zeros(200)
    assert metrics.get("AUC").value_of(dict.fromkeys(metrics.get("AUC").sums(), empty)) == 0


def test_names():
    names = {"mse": "mse", "acc": "acc", "Precision": "Precision", "top_k_categorical_accuracy": None}
    for spec, name in names.items():
        assert metrics.resolve(spec, None, (None, 3)).name == (name or spec)
    defaults = [
        "AUC",
        "TruePositives",
        "LogCoshError",
        "CosineSimilarity",
        "RootMeanSquaredError",
        "SensitivityAtSpecificity",
    ]
    made = [
        metrics.get({"class_name": name, "config": {"specificity": 0.5} if "At" in name else {}}) for name in defaults
    ]
    assert [m.name for m in made] == [
        "auc_1",
        "true_positives_1",
        "logcosh",
        "cosine_similarity",
        "root_mean_squared_error",
        "sensitivity_at_specificity_1",
    ]


def test_functions_are_metrics_too():
    def largest(K, y_true, y_pred):
        return K.max(y_pred, -1)

    K, (t, p) = get_backend("numpy"), data("values")
    metric = metrics.resolve(largest, None, p.shape)
    assert metric.name == "largest"
    assert np.isclose(values(K, {"": (metric, t, p, None)})[""], p.max(-1).mean())
    assert metrics.get(losses.mean_squared_error) == metrics.get("mse")


@pytest.mark.parametrize("metric", [metric for _, metric, _ in METRICS], ids=IDS)
def test_configurations_round_trip(metric):
    assert metrics.get(metric.to_config()) == metric


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("acuracy", "unknown metric 'acuracy'; did you mean accuracy"),
        ({"class_name": "AUC", "config": {"curve": "RC"}}, "unknown curve 'RC' of AUC; one of: ROC, PR"),
        ({"class_name": "AUC", "config": {"num_thresholds": 1}}, "at least two thresholds"),
        ({"class_name": "Precision", "config": {"thresholds": [0.5, 2]}}, "must be in 0 ... 1, not 2"),
        ({"class_name": "SensitivityAtSpecificity", "config": {"specificity": 3}}, "needs a rate in 0 ... 1"),
        ({"class_name": "SensitivityAtSpecificity", "config": {}}, "needs 'specificity'"),
    ],
)
def test_invalid_arguments_are_refused(spec, message):
    with pytest.raises(KconvertError) as error:
        metrics.get(spec)
    assert message in str(error.value)


def test_metrics_of_one_name_are_one_metric():
    """As in Keras 2.3.1; a weighted metric of the name is another one."""
    model = Sequential([Dense(1, input_shape=(1,))])
    model.compile("sgd", "mse", ["mse", "mse", metrics.MeanSquaredError(), metrics.mse], weighted_metrics=["mse"])
    assert model.metrics_names == ["loss", "mse", "mean_squared_error", "mse_1"]
    with pytest.raises(KconvertError, match="None is no metric"):
        model.compile("sgd", "mse", [None])


def test_variables_of_a_metric_are_set():
    metric = metrics.Mean("mine")
    metric.update_state([1.0, 3.0])
    assert (metric.trainable_weights, metric.non_trainable_weights) == ([], metric.weights)
    again = metrics.Mean()
    again.set_weights(metric.get_weights())
    assert (metric.name, float(again.result())) == ("mine", 2.0)
    with pytest.raises(KconvertError, match="1 arrays were given for 2 variables"):
        again.set_weights([0.0])
