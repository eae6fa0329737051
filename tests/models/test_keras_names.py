"""The attributes and methods of models and layers that users of Keras expect."""

import inspect
from copy import copy

import numpy as np
import pytest

import kconvert as kc
from kconvert import Input, KconvertError, Model, Sequential, layers, load_model
from kconvert.network.network import Network
from tests.fixtures import case

LENET = "2.3.1-tensorflow/lenet_th"


@pytest.fixture
def lenet():
    return load_model(case(LENET).model, "numpy")


def test_the_ends_of_a_model_are_symbols():
    x = Input((4,), name="x")
    hidden = layers.Dense(3, name="hidden")(x)
    model = Model(x, [hidden, layers.Dense(2)(hidden)])
    assert (model.input, model.inputs) == (x, [x])
    assert model.output == model.outputs and model.outputs[0] == hidden
    assert (model.input_shape, model.output_shape) == ((None, 4), [(None, 3), (None, 2)])
    assert model.get_layer("hidden").output == hidden
    assert model.get_layer(index=1).input == x


def test_weights_are_those_of_get_weights():
    model = Sequential(
        [layers.Dense(3, input_shape=(4,)), layers.BatchNormalization(), layers.Dense(2, trainable=False)]
    )
    K = model.start("numpy", seed=0)
    assert model.count_params() == sum(array.size for array in model.get_weights()) == 15 + 12 + 8
    assert all(np.array_equal(K.value(v), a) for v, a in zip(model.weights, model.get_weights(), strict=True))
    assert len(model.trainable_weights) == 4 and len(model.non_trainable_weights) == 4


@pytest.mark.needs("tensorflow")
def test_a_part_of_a_loaded_model_is_a_model():
    lenet = load_model(case(LENET).model, "tensorflow")
    x = case(LENET).arrays("x")[0]
    name = lenet.layers[-2].name
    part = Model(lenet.input, lenet.get_layer(name).output)
    np.testing.assert_allclose(part.predict(x), lenet.activations(x)[name], rtol=1e-4, atol=1e-5)
    tuned = Model(lenet.inputs, layers.Dense(2)(lenet.layers[-2].output))
    tuned.compile("sgd", "mse", seed=0)
    before = lenet.predict(x)
    tuned.train_on_batch(x, np.zeros((len(x), 2)))
    assert np.abs(lenet.predict(x) - before).max() > 0, "both models train the same weights"


def test_models_inside_a_loaded_model_are_models_too():
    whole = load_model(case("2.3.1-tensorflow/nested_frozen_bn_th").model, "numpy")
    inner = next(layer for layer in whole.layers if isinstance(layer, Network))
    assert isinstance(inner, Model)
    x = np.zeros((2, *(n or 4 for n in inner.input_shapes[0][1:])), "float32")
    assert inner.predict(x).shape[0] == 2


def test_a_layer_that_is_called_twice_has_two_outputs():
    shared, a, b = layers.Dense(2), Input((3,)), Input((3,))
    with pytest.raises(KconvertError, match="was not called"):
        _ = shared.output
    first, second = shared(a), shared(b)
    with pytest.raises(KconvertError, match=r"called 2 times.*get_output_at"):
        _ = shared.output
    assert (shared.get_output_at(0), shared.get_output_at(1), shared.get_input_at(1)) == (first, second, b)
    with pytest.raises(KconvertError, match="has no call 2"):
        shared.get_output_at(2)


def test_a_sequential_that_grows_and_shrinks_keeps_its_symbols():
    model = Sequential([layers.Dense(3, input_shape=(4,)), layers.Dense(2)])
    hidden = model.layers[1].output
    model.add(layers.Activation("softmax"))
    assert model.layers[1].output == hidden and model.output_shape == (None, 2)
    model.pop()
    assert model.output == model.layers[-1].output


@pytest.mark.parametrize("name", ["missing", None])
def test_a_layer_that_does_not_exist_is_refused(lenet, name):
    with pytest.raises(KconvertError, match=r"there is no layer .*; its layers are"):
        lenet.get_layer(name)
    with pytest.raises(KconvertError, match="there is no layer 99"):
        lenet.get_layer(index=99)


def test_a_shallow_copy_of_a_layer_has_the_configuration_alone(lenet):
    dense = copy(lenet.layers[-1])
    assert dense.get_config() == lenet.layers[-1].get_config()
    assert dense.entry is None and not dense.inbound


# ------------------------------------------------------------- constructors ----


def test_the_signature_of_a_layer_shows_its_parameters():
    parameters = inspect.signature(layers.Dense).parameters
    assert list(parameters)[:3] == ["units", "activation", "use_bias"]
    assert parameters["activation"].default == "linear"
    assert "kwargs" not in parameters
    assert list(inspect.signature(Model).parameters) == ["inputs", "outputs", "name", "trainable"]


class Scaled(layers.Layer):
    """A layer as users of Keras write it, with an __init__."""

    def __init__(self, factor, **options):
        super().__init__(**options)
        self.factor = factor

    def call(self, K, w, x, mask=None, training=None):
        return x * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def test_a_layer_class_with_a_constructor_of_its_own():
    layer = Scaled(3.0, input_shape=(2,), name="scaled", trainable=False)
    assert (layer.batch_input_shape, layer.trainable) == ((None, 2), False)
    model = Sequential([layer])
    np.testing.assert_array_equal(model.predict(np.ones((1, 2))), np.full((1, 2), 3.0))
    assert Scaled.from_config(layer.get_config()).factor == 3.0
    with pytest.raises(KconvertError, match="Scaled has no argument 'colour'"):
        Scaled(3.0, colour="red")


class Activated(layers.Dense):
    """A subclass of a layer of Keras with a constructor of its own, which passes arguments on."""

    def __init__(self, units, **options):
        super().__init__(units, activation="relu", **options)


@pytest.mark.parametrize("given", [{"input_shape": (2,)}, {"input_dim": 2}, {"batch_input_shape": (None, 2)}])
def test_the_constructor_of_a_keras_layer_translates_for_subclasses_too(given):
    layer = Activated(3, **given)
    assert (layer.units, layer.get_config()["activation"], layer.batch_input_shape) == (3, "relu", (None, 2))
    assert Sequential([layer]).predict(np.ones((1, 2))).shape == (1, 3)


def test_old_words_are_translated_for_subclasses_too():
    class Old(layers.Dense):
        def __init__(self, size):
            super().__init__(output_dim=size)

    class OldModel(Model):
        def __init__(self):
            x = Input((2,))
            super().__init__(input=x, output=layers.Dense(2)(x))

    with pytest.warns(UserWarning, match="output_dim"):
        assert Old(3).units == 3
    with pytest.warns(UserWarning, match="inputs"):
        assert OldModel().output_shape == (None, 2)


def test_a_symbol_is_shown_in_one_line():
    """A call refers to all calls before it."""
    x = Input((4,))
    y = x
    for _ in range(300):
        y = layers.Add()([y, layers.Dense(4)(y)])
    assert repr(y) == "<Symbol 0 of Add 'add_300', shape (None, 4)>"


def test_models_of_one_layer_share_its_weights_on_each_backend():
    x = Input((3,))
    y = layers.Dense(2)(x)
    theano, tensorflow, again = (Model(x, y) for _ in range(3))
    theano.start(kc.get_backend("numpy", "theano"), seed=0)
    tensorflow.start(kc.get_backend("numpy", "tensorflow"))
    theano.set_weights([2 * array for array in theano.get_weights()])
    again.start(kc.get_backend("numpy", "theano"))
    np.testing.assert_array_equal(again.get_weights()[0], theano.get_weights()[0])


def test_a_model_class_is_not_registered_as_a_layer():
    with pytest.raises(KconvertError, match="is a model class"):
        kc.register_layer(Autoencoder)


class Autoencoder(Model):
    """A model class of a user."""

    def __init__(self, size):
        x = Input((size,))
        super().__init__(x, layers.Dense(size)(layers.Dense(2)(x)), name="autoencoder")
        self.size = size


def test_a_model_class_with_a_constructor_of_its_own_does_not_enter_the_registry():
    assert Autoencoder(5).predict(np.ones((3, 5))).shape == (3, 5)
    plan = kc.load_model(case(LENET).model, "numpy")
    assert type(plan) in (Model, Sequential)


class Dense(layers.Dense):
    """A class of a user that has the name of a Keras class, and is not registered."""


def test_classes_of_users_are_found_only_when_they_are_registered(lenet):
    assert {type(layer).__module__ for layer in lenet.layers} <= {
        "kconvert.layers.core", "kconvert.layers.convolutional", "kconvert.layers.pooling",
        "kconvert.layers.activations", "kconvert.layers.regularization", "kconvert.layers.reshaping",
    }  # fmt: skip
