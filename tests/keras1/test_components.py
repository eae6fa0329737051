"""Objectives, metrics, initializations and the arguments of models are those of Keras 1.2.2."""

from __future__ import annotations

import copy
import itertools
import pickle
from inspect import signature

import numpy as np
import pytest
from kconvert.keras1.utils.generic_utils import CustomObjectScope
from kconvert.keras1.utils.layer_utils import layer_from_config
from kconvert.keras1.utils.np_utils import normalize

from kconvert.errors import KconvertError
from kconvert.keras1 import activations, initializations, layers, metrics, models, objectives
from kconvert.keras1 import backend as K
from tests.keras1.test_training import compiled, data

TRUE, PREDICTED = np.array([[1.0, 0, 1], [0, 1, 0]]), np.array([[0.9, 0.6, 0.3], [0.2, 0.7, 0.1]])
X, Y = np.random.default_rng(0).random((6, 3)), np.eye(2)[[0, 1, 0, 1, 0, 1]]


def value(function, *options, **named):
    return float(np.mean(K.eval(function(K.variable(TRUE), K.variable(PREDICTED), *options, **named))))


@pytest.mark.parametrize("name", ["fbeta_score", "fmeasure", "fscore", "f1score"])
def test_f_scores_take_their_arguments_by_position_and_by_name(name):
    """Precision and recall are both 2 / 3."""
    function = getattr(metrics, name)
    named = function(y_true=K.variable(TRUE), y_pred=K.variable(PREDICTED))
    assert value(function) == pytest.approx(2 / 3, abs=1e-6) == float(K.eval(named))


def test_beta_of_the_f_score():
    assert value(metrics.fbeta_score, 2) == value(metrics.fbeta_score, beta=2)
    with pytest.raises(KconvertError, match="beta"):
        metrics.fbeta_score(K.variable(TRUE), K.variable(PREDICTED), -1)


def test_the_label_of_a_sparse_accuracy_is_the_greatest_value():
    """Both rows of labels have the greatest value 1, and the second row is predicted as class 1."""
    assert value(metrics.sparse_categorical_accuracy) == 0.5


def test_a_vector_of_zeros_has_no_direction_on_theano(on):
    zeros = K.variable(np.zeros((1, 2)))
    found = K.eval(objectives.cosine_proximity(zeros, zeros)), K.eval(K.l2_normalize(zeros, -1))[0, 0]
    wanted = np.nan if on == "theano" else 0.0
    np.testing.assert_array_equal([float(one.ravel()[0]) for one in found], [wanted] * 2)


@pytest.mark.parametrize("module", [objectives, metrics, activations, initializations])
def test_get_finds_names_and_custom_objects_and_leaves_the_rest(module):
    def own(y_true, y_pred):
        return K.mean(y_pred)

    with CustomObjectScope({"own": own}):
        assert module.get("own") is own
    assert module.get(3) == 3
    with pytest.raises(KconvertError, match="nonsense"):
        module.get({"name": "nonsense"})


def test_initializations_take_the_arguments_of_keras_1_2_2():
    assert str(signature(initializations.uniform)).count("=") == 3
    assert float(np.abs(K.get_value(initializations.uniform((50, 50), 0.5, "name"))).max()) > 0.4
    assert K.get_value(initializations.glorot_uniform((3, 4), "name", "tf")).shape == (3, 4)
    with pytest.raises(TypeError):
        initializations.one((3, 3), scale=2)
    with pytest.raises(KconvertError, match="dim_ordering 'first'"):
        initializations.get_fans((1, 2, 3, 4), "first")


def test_normalize_keeps_rows_of_zeros():
    np.testing.assert_allclose(normalize(a=np.array([[3.0, 4.0], [0.0, 0.0]])), [[0.6, 0.8], [0.0, 0.0]])


# --------------------------------------------------------------- models ----


def two_outputs():
    a = layers.Input((3,), name="a")
    first, second = layers.Dense(2, name="first")(a), layers.Dense(2, name="second")(a)
    made = models.Model(a, [first, second])
    made.compile("sgd", "mse")
    return made


def test_weights_of_classes_that_are_no_dict_have_no_effect():
    losses = [compiled().fit(*data(), nb_epoch=1, verbose=0, shuffle=False, class_weight=one) for one in ("auto", None)]
    assert losses[0].history == losses[1].history


def test_weights_of_several_outputs():
    """Weights of the classes of no output have no effect; those of samples replace those of the same output."""
    made = two_outputs()
    weights = made.get_weights()

    def loss(**given):
        made.set_weights(weights)
        return made.fit(X, [Y, Y], nb_epoch=1, verbose=0, shuffle=False, **given).history["loss"]

    classes, samples = {"first": {0: 1.0, 1: 3.0}}, {"first": np.arange(6.0)}
    assert loss(class_weight={0: 5.0, 1: 6.0}) == loss()
    assert loss(class_weight=classes, sample_weight=samples) == loss(sample_weight=samples) != loss()


def test_weights_of_the_samples_of_a_batch_replace_those_of_classes():
    """The numbers of real Keras 1.2.2 for batches with and without weights of samples."""
    (x, y), classes = data(), np.random.RandomState(1)
    classes.uniform(size=100)  # those of `data`
    y = np.eye(2)[classes.randint(0, 2, 20)]
    weights = [np.arange(4.0)] * 5

    def losses(*given):
        made = compiled()
        made.add(layers.Activation("softmax"))
        made.compile("sgd", "categorical_crossentropy")
        parts = [[one[k : k + 4] for k in range(0, 20, 4)] for one in (x, y)]
        batches = itertools.cycle(zip(*parts, *given, strict=True))
        options = {"class_weight": {0: 1.0, 1: 3.0}, "verbose": 0}
        return made.fit_generator(batches, 20, 2, **options).history["loss"]

    np.testing.assert_allclose(losses(), [1.4921, 1.4567], atol=1e-4)
    np.testing.assert_allclose(losses(weights), [1.3451, 1.3378], atol=1e-4)


@pytest.mark.parametrize("mode", ["temporal", {"other": None}, [None, None]])
def test_a_mode_that_the_outputs_do_not_have_is_refused(mode):
    with pytest.raises(KconvertError, match="sample_weight_mode"):
        compiled(sample_weight_mode=mode)


def test_arguments_of_older_releases_are_ignored():
    made = compiled(class_mode="binary", mode="FAST_RUN")
    with pytest.warns(UserWarning, match="show_accuracy of fit has no effect"):
        made.fit(*data(), nb_epoch=1, verbose=0, show_accuracy=True)
    with pytest.warns(UserWarning, match="accuracy of train_on_batch has no effect"):
        made.train_on_batch(*data(), accuracy=True)
    with pytest.raises(TypeError):
        two_outputs().fit(X, [Y, Y], show_accuracy=True)


def test_metrics_of_an_unknown_output_are_ignored():
    with pytest.warns(UserWarning, match="no output 'other'"):
        assert compiled(metrics={"other": "acc"}).metrics_names == ["loss"]
    assert compiled(metrics=["mae", "acc"]).metrics == ["mae", "acc"] and compiled().metrics == []


@pytest.mark.parametrize("metric", ["mae", "precision", "top_k_categorical_accuracy"])
def test_a_compiled_model_is_pickled_and_copied(metric):
    made = compiled(metrics=[metric])
    for again in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert again.test_on_batch(*data()) == pytest.approx(made.test_on_batch(*data()))
        assert again.model.layers[0].output_shape == (None, 4)


def test_configurations_are_in_the_words_of_keras_1_2_2():
    """A Sequential has a list of layers, with the branches of a Merge in it; a Model has a graph."""
    config = compiled().get_config()
    assert [entry["class_name"] for entry in config] == ["Dense", "Dense"]
    assert config[0]["config"]["output_dim"] == 4 and config[0]["config"]["batch_input_shape"] == (None, 3)
    again = models.Sequential.from_config(config)
    assert again.layers[0].get_config() == config[0]["config"]
    made = two_outputs()
    graph = made.get_config()
    assert graph["layers"][1]["inbound_nodes"] == [[["a", 0, 0]]] and graph["layers"][1]["config"]["bias"]
    assert models.Model.from_config(graph).predict(X)[0].shape == (6, 2)
    branches = [models.Sequential([layers.Dense(2, input_dim=3)]) for _ in range(2)]
    merged = models.Sequential([layers.Merge(branches, mode="sum"), layers.Dense(2)]).get_config()
    assert [branch["config"][0]["class_name"] for branch in merged[0]["config"]["layers"]] == ["Dense", "Dense"]
    assert merged[1]["class_name"] == "Dense"


def test_a_layer_is_made_of_a_configuration_without_a_shape():
    made = layer_from_config({"class_name": "Dense", "config": {"output_dim": 3, "name": "own"}})
    assert (type(made), made.name, made.output_dim) == (layers.Dense, "own", 3)


def test_a_summary_is_that_of_keras_1_2_2(capsys):
    branches = [models.Sequential([layers.Dense(2, input_dim=3, name=f"branch_{i}")]) for i in (1, 2)]
    merged = models.Sequential([layers.Merge(branches, mode="sum", name="sum"), layers.Dense(2, name="last")])
    merged.summary(line_length=60)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split("  ")[0] == "Layer (type)" and all(len(line) == 60 for line in lines if line[0] in "_=")
    assert [line.split()[0] for line in lines[3:8:2]] == ["branch_1", "branch_2", "last"]
    assert lines[7].endswith("6      sum[0][0]           ") and "Total params: 22" in lines
