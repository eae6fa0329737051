"""The arguments of `compile` that tf.keras wrote, for Keras 2.3 (keras-facts: compiled-by-tf-keras)."""

import pytest

from kconvert.conversion.compiled import for_keras2

ADAM = {
    "name": "Adam",
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "jit_compile": False,
    "is_legacy_optimizer": False,
    "learning_rate": 0.001,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-07,
    "amsgrad": False,
}
"""As tf_keras 2.21 writes it."""


def stated(name="Custom>Adam", loss="mse", metrics=None, **config):
    config = {**ADAM, **config}
    return {"loss": loss, "metrics": metrics, "optimizer_config": {"class_name": name, "config": config}}


def test_an_optimizer_of_tf_keras_has_the_name_and_the_keys_of_keras_2():
    made, notes = for_keras2(stated(global_clipnorm=1.5))
    kept = ("learning_rate", "beta_1", "beta_2", "epsilon", "amsgrad")
    config = {**{key: ADAM[key] for key in kept}, "clipnorm": 1.5}
    assert made["optimizer_config"] == {"class_name": "Adam", "config": config}
    assert made["sample_weight_mode"] is None
    assert not notes


@pytest.mark.parametrize(
    "what",
    [
        {"weight_decay": 0.004},
        {"use_ema": True},
        {"clipnorm": 1.0},
        {"learning_rate": {"class_name": "ExponentialDecay", "config": {}}},
        {"name": "Custom>AdamW"},
        {"name": "Custom>Adagrad", "initial_accumulator_value": 0.1},
        {"loss": {"class_name": "Huber", "config": {"delta": 2.0}}},
        {"loss": {"class_name": "CategoricalCrossentropy", "config": {"axis": 1}}},
    ],
)
def test_what_keras_2_would_train_otherwise_is_left_out(what):
    made, (note,) = for_keras2(stated(**what))
    assert made is None
    assert "compile" in note


def test_losses_and_metrics_are_those_of_keras_2():
    loss = {
        "class_name": "BinaryCrossentropy",
        "config": {"reduction": "auto", "fn": "binary_crossentropy", "axis": -1},
    }
    metric = {"class_name": "MeanMetricWrapper", "config": {"name": "accuracy", "fn": "binary_accuracy"}}
    made, notes = for_keras2(stated(loss={"a": loss, "b": "mae"}, metrics=[[metric], ["mse"]]))
    reduced = {"class_name": "BinaryCrossentropy", "config": {"reduction": "sum_over_batch_size"}}
    assert made["loss"] == {"a": reduced, "b": "mae"}
    assert made["metrics"] == [["binary_accuracy"], ["mse"]]
    assert not notes
    made, (note,) = for_keras2(stated(metrics=[{"class_name": "AUC", "config": {}}]))
    assert made["metrics"] is None
    assert "AUC" in note


def test_what_tensorflow_computes_otherwise_is_stated_or_noted():
    made, notes = for_keras2(stated("Custom>Nadam"))
    assert made["optimizer_config"]["config"]["schedule_decay"] == 1.0 and not notes
    made, notes = for_keras2(stated("Nadam", decay=0.004))
    assert made["optimizer_config"]["config"]["schedule_decay"] == 0.004
    rmsprop = {"learning_rate": 0.001, "rho": 0.9, "epsilon": 1e-07}
    named = {
        name: {"optimizer_config": {"class_name": name, "config": rmsprop}} for name in ("Custom>RMSprop", "RMSprop")
    }
    assert "epsilon below the square root" in for_keras2(named["Custom>RMSprop"])[1][0]
    assert not for_keras2(named["RMSprop"])[1]


def test_moments_that_are_stored_need_no_initial_value():
    made, notes = for_keras2(
        {"optimizer_config": {"class_name": "Custom>Adagrad", "config": {"initial_accumulator_value": 0.1}}},
        has_slots=True,
    )
    assert "initial_accumulator_value" not in made["optimizer_config"]["config"]
    assert len(notes) == 1 and "epsilon" in notes[0]
