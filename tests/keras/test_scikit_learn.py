"""Models as estimators of scikit-learn."""

import numpy as np
import pytest
from kconvert.keras.wrappers.scikit_learn import KerasClassifier, KerasRegressor
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import kconvert.keras as keras

RNG = np.random.RandomState(0)
X = RNG.rand(60, 4)
CLASSES = np.array([5, 7, 9])[(X[:, 0] * 3).astype(int)]


def classifier(units=8, last=3, loss="categorical_crossentropy"):
    outputs = keras.layers.Dense(last, activation="softmax" if last > 1 else "sigmoid")
    model = keras.models.Sequential([keras.layers.Dense(units, activation="relu", input_shape=(4,)), outputs])
    model.compile("adam", loss, metrics=["accuracy"], backend="tensorflow")
    return model


def regressor():
    model = keras.models.Sequential([keras.layers.Dense(1, input_shape=(4,))])
    model.compile("adam", "mse", backend="tensorflow")
    return model


def test_a_classifier_has_the_classes_of_its_labels():
    np.random.seed(0)  # of the initial weights
    estimator = KerasClassifier(classifier, units=16, epochs=80, batch_size=10, verbose=0)
    estimator.fit(X, CLASSES, sample_weight=np.ones(60))
    assert estimator.classes_.tolist() == [5, 7, 9] and estimator.n_classes_ == 3
    assert estimator.predict_proba(X).shape == (60, 3)
    accuracy = (estimator.predict(X) == CLASSES).mean()
    assert accuracy > 0.5 and estimator.score(X, CLASSES) == pytest.approx(accuracy)


def test_probabilities_of_two_classes_have_two_columns():
    estimator = KerasClassifier(classifier, last=1, loss="binary_crossentropy", verbose=0)
    estimator.fit(X, CLASSES > 5)
    assert np.allclose(estimator.predict_proba(X).sum(1), 1)
    assert set(estimator.predict(X).ravel()) <= {True, False}


def test_a_regressor_scores_by_its_loss():
    estimator = KerasRegressor(regressor, verbose=0)
    estimator.fit(X, X.sum(1))
    assert estimator.predict(X).shape == (60,)
    assert estimator.score(X, X.sum(1)) == pytest.approx(-((estimator.predict(X) - X.sum(1)) ** 2).mean(), rel=1e-5)


@pytest.mark.shows("wrappers.scikit_learn.BaseWrapper")
def test_parameters_are_checked_and_cloned():
    estimator = KerasClassifier(classifier, units=4, batch_size=8)
    assert clone(estimator).get_params() == {"build_fn": classifier, "units": 4, "batch_size": 8}
    assert estimator.set_params(units=5).filter_sk_params(classifier) == {"units": 5}
    with pytest.raises(ValueError, match="unit is not a legal parameter"):
        KerasClassifier(classifier, unit=4)


def test_a_grid_of_parameters_is_searched():
    search = GridSearchCV(KerasClassifier(classifier, verbose=0), {"units": [2, 3]}, cv=2).fit(X, CLASSES)
    assert search.best_params_["units"] in (2, 3)


def test_a_pipeline_is_scored():
    pipeline = pytest.importorskip("sklearn.pipeline")
    scaler = pytest.importorskip("sklearn.preprocessing").StandardScaler()
    score = pytest.importorskip("sklearn.model_selection").cross_val_score

    def build():
        model = keras.models.Sequential([keras.layers.Dense(1, input_dim=3)])
        model.compile("sgd", "mse")
        return model

    regressor = keras.wrappers.scikit_learn.KerasRegressor(build, epochs=1, verbose=0)
    x = np.random.default_rng(0).random((12, 3))
    found = score(pipeline.Pipeline([("scaled", scaler), ("model", regressor)]), x, x[:, 0], cv=2, error_score="raise")
    assert np.all(np.isfinite(found))
