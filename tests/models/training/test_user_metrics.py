"""Metrics as objects: the methods of Keras 2.3.1 on those of this package, and classes of the user."""

import numpy as np
import pytest

import kconvert as kc
from kconvert.errors import KconvertError
from kconvert.keras import backend as K
from kconvert.keras import metrics
from kconvert.layers import LSTM, Dense, Masking, TimeDistributed

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(20, 3)).astype("float32"), RANDOM.integers(0, 2, (20, 1)).astype("float32")
WEIGHTS = RANDOM.uniform(0, 2, 20).astype("float32")


class Positives(metrics.Metric):
    """True positives, as a class that is written for Keras."""

    def __init__(self, limit=0.5, name="positives", **kwargs):
        super().__init__(name=name, **kwargs)
        self.limit = limit
        self.count = self.add_weight(name="tp", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        hits = K.cast(K.equal(y_true, 1.0), "float32") * K.cast(K.greater(y_pred, self.limit), "float32")
        if sample_weight is not None:
            hits = hits * K.reshape(sample_weight, (-1, 1))
        return K.update_add(self.count, K.sum(hits))

    def result(self):
        return self.count

    def get_config(self):
        return {**super().get_config(), "limit": self.limit}


class Assigning(Positives):
    """The same with the methods of variables, and a second one that counts the batches."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.batches = K.variable(0.0)

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(y_true, y_pred, sample_weight)
        self.batches.assign_add(0.25)
        self.batches.assign_add(0.75)

    def result(self):
        return self.count / self.batches * self.batches

    def reset_states(self):
        super().reset_states()
        K.set_value(self.batches, 0.0)


def compiled(on, **options):
    kc.layers.names.reset_names()
    model = kc.Sequential([Dense(4, activation="relu", input_shape=(3,)), Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", backend=on, seed=3, **options)
    model.set_weights([np.random.default_rng(i).normal(size=w.shape) for i, w in enumerate(model.get_weights())])
    return model


ON = [pytest.param(n, marks=pytest.mark.needs(n)) for n in ("theano", "tensorflow")]


@pytest.mark.parametrize("on", ["numpy", *ON])
@pytest.mark.parametrize("which", ["metrics", "weighted_metrics"])
def test_a_class_of_the_user_counts_as_that_of_keras(on, which):
    assigning = Assigning(name="c")
    model = compiled(on, **{which: [metrics.TruePositives(name="a"), Positives(name="b"), assigning]})
    _, own, b, c = model.evaluate(X, Y, batch_size=8, sample_weight=WEIGHTS)
    assert own > 1
    np.testing.assert_allclose([b, c], own, rtol=1e-5)
    assert (K.get_value(assigning.batches), K.eval(assigning.count)) == (3.0, np.float32(c))
    again = model.evaluate(X, Y, batch_size=8, sample_weight=WEIGHTS)[3]
    assert again == c  # the states were reset


@pytest.mark.parametrize("on", ON)
def test_it_is_computed_in_training(on):
    history = compiled(on, metrics=[metrics.TruePositives(), Positives()]).fit(
        X, Y, epochs=2, batch_size=8, validation_data=(X, Y)
    )
    assert history.history["positives"] == history.history["true_positives_1"]
    assert history.history["val_positives"] == history.history["val_true_positives_1"]


@pytest.mark.parametrize("on", ON)
def test_masked_steps_do_not_count(on):
    model = kc.Sequential([Masking(input_shape=(3, 2)), LSTM(2, return_sequences=True), TimeDistributed(Dense(1))])

    class Count(metrics.Metric):
        def __init__(self):
            super().__init__()
            self.total = self.add_weight("total")

        def update_state(self, y_true, y_pred, sample_weight=None):
            return [self.total.assign_add(K.sum(sample_weight))]

        def result(self):
            return self.total

    model.compile("sgd", "mse", metrics=[Count()], backend=on)
    x = np.ones((2, 3, 2), "float32")
    x[0, 1:] = 0.0
    assert model.metrics_names == ["loss", "count_1"]
    assert model.evaluate(x, np.zeros((2, 3, 1)))[1] == 4.0


def test_what_takes_no_weights_is_refused_where_there_are_some():
    class Plain(metrics.Metric):
        def update_state(self, y_true, y_pred):
            pass

        def result(self):
            return K.constant(7.0)

    assert compiled("numpy", metrics=[Plain()]).evaluate(X, Y)[1] == 7.0
    with pytest.raises(KconvertError, match="takes no sample_weight"):
        compiled("numpy", weighted_metrics=[Plain()]).evaluate(X, Y, sample_weight=WEIGHTS)


def test_outputs_and_lists_do_not_share_the_variables_of_a_metric():
    one = Positives()
    model = compiled("numpy", metrics=[one], weighted_metrics=[one])
    _, plain, weighted = model.evaluate(X, Y, sample_weight=0.0 * WEIGHTS)
    assert (plain > 0, weighted) == (True, 0.0)


@pytest.mark.needs("theano", "tensorflow")
def test_a_metric_of_models_of_two_backends_is_counted_apart():
    one = Positives()
    models = [compiled(on, metrics=[one]) for on in ("theano", "tensorflow")]
    first, second = (model.evaluate(X, Y)[1] for model in models)
    assert (first, models[0].evaluate(X[:1], Y[:1])[1] <= 1.0) == (second, True)


def test_updates_that_fail_are_named():
    class Wrong(Positives):
        def update_state(self, y_true, y_pred, sample_weight=None):
            return K.update_add(self.count, y_pred)

    class Failing(Positives):
        def update_state(self, y_true, y_pred, sample_weight=None):
            raise LookupError("nothing")

    with pytest.raises(KconvertError, match=r"value of shape .* does not fit a variable of shape \(\)"):
        compiled("numpy", metrics=[Wrong()]).evaluate(X, Y)
    with pytest.raises(KconvertError, match=r"Failing.update_state.*nothing"):
        compiled("numpy", metrics=[Failing()]).evaluate(X, Y)


def test_it_is_stored_and_read_with_custom_objects(tmp_path):
    model = compiled("numpy", metrics=[Positives(limit=0.4)])
    model.save(tmp_path / "model.h5")
    read = kc.load_model(tmp_path / "model.h5", "numpy", custom_objects={"Positives": Positives})
    assert read.metrics[0].limit == 0.4
    assert read.evaluate(X, Y) == model.evaluate(X, Y)
    assert Positives.from_config(read.metrics[0].get_config()).limit == 0.4


# ------------------------------------------------- methods of Keras, outside of models ----


def test_means_and_sums_of_values():
    mean, total = metrics.Mean(), metrics.Sum("all")
    for one in (mean, total):
        one.update_state([1, 3, 5, 7])
    assert (K.eval(mean.result()), K.eval(total.result()), total.name) == (4.0, 16.0, "all")
    assert K.eval(metrics.Mean()([1, 3, 5, 7], sample_weight=[1, 1, 0, 0])) == 2.0
    assert mean(100.0) == pytest.approx(116 / 5)
    assert [K.eval(v) for v in mean.weights] == [116.0, 5.0] == [K.eval(mean.total), K.eval(mean.count)]
    mean.reset_states()
    assert K.eval(mean.total) == 0.0


def test_metrics_of_labels():
    accuracy = metrics.BinaryAccuracy()
    accuracy.update_state([[1], [1], [0], [0]], [[0.98], [1], [0], [0.6]])
    assert K.eval(accuracy.result()) == 0.75
    precision = metrics.Precision()
    precision.update_state(K.variable([0.0, 1, 1, 1]), np.array([1.0, 0, 1, 1]), sample_weight=[0, 0, 1, 0])
    assert K.eval(precision.result()) == 1.0
    assert K.eval(precision.true_positives).tolist() == [1.0]
    assert metrics.AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]) == 0.75


def test_a_metric_that_inherits_from_one_of_keras():
    class Percent(metrics.BinaryAccuracy):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(1.0 - y_true, y_pred, sample_weight)

        def result(self):
            return super().result() * 100.0

    right, wrong = (compiled("numpy", metrics=[m]).evaluate(X, Y)[1] for m in (metrics.BinaryAccuracy(), Percent()))
    np.testing.assert_allclose(wrong, 100.0 * (1.0 - right), rtol=1e-5)


def test_the_result_after_training_is_that_of_the_last_epoch():
    metric = metrics.BinaryAccuracy()
    model = compiled("numpy", metrics=[metric])
    found = model.evaluate(X, Y)[1]
    assert metric.result() == found == model.metrics[0].result()


def test_a_metric_of_float64_computes_in_it_in_a_model_of_float32():
    metric = metrics.MeanSquaredError(dtype="float64")
    model = compiled("numpy", metrics=[metric])
    found = model.evaluate(X, Y)[1]
    assert [one.dtype for one in metric.weights] == ["float64", "float64"]
    right = np.mean((model.predict(X).astype("float64") - Y) ** 2)
    assert found == pytest.approx(right, rel=1e-12)
    assert metric.get_config()["dtype"] == "float64"


def test_assignments_elsewhere_are_refused():
    v = K.variable(1.0)
    v.assign_add(2.0)
    assert K.eval(v) == 3.0
    with pytest.raises(KconvertError, match="assigned"):
        kc.Sequential([kc.layers.Lambda(lambda x: v.assign(2.0) or x, input_shape=(3,))]).predict(X)
