"""Unknown names of initializers, activations, regularizers and constraints: refused when a user makes the layer."""

import pytest

import kconvert as kc
from kconvert import layers as L
from kconvert.errors import KconvertError


@pytest.mark.parametrize(
    "make",
    [
        lambda: L.Dense(3, kernel_initializer="nope"),
        lambda: L.Dense(3, kernel_initializer={"class_name": "nope", "config": {}}),
        lambda: L.Dense(3, activation="nope"),
        lambda: L.Dense(3, kernel_regularizer="nope"),
        lambda: L.Dense(3, activity_regularizer="nope"),
        lambda: L.Conv2D(3, 3, kernel_constraint="nope"),
        lambda: L.Activation("nope"),
        lambda: L.LSTM(3, recurrent_activation="nope"),
        lambda: L.GRU(3, recurrent_initializer="nope"),
        lambda: L.BatchNormalization(gamma_initializer="nope"),
        lambda: L.Embedding(3, 4, embeddings_initializer="nope"),
    ],
)
def test_an_unknown_name_is_refused_by_the_constructor(make):
    assert isinstance(kc.Model, type)  # the components of training are known
    with pytest.raises(KconvertError, match=r"unknown .* 'nope'"):
        make()


def test_the_layer_and_the_option_are_named():
    with pytest.raises(KconvertError) as refused:
        L.Dense(3, bias_initializer="glorot_unifrom", name="first")
    assert refused.value.where == "bias_initializer of a Dense layer first"
    assert "glorot_uniform" in refused.value.fix


def test_a_configuration_of_a_file_keeps_its_names():
    layer = L.Dense.from_config({"name": "a", "units": 3, "kernel_regularizer": "mine", "activation": "mine"})
    assert layer.kernel_regularizer == layer.activation == "mine"


def test_names_of_custom_objects_are_known():
    mine = lambda x: x * 2.0  # noqa: E731
    with kc.layers.registry.with_custom_objects({"mine": mine}):
        assert L.Dense(3, activation="mine").activation is mine
