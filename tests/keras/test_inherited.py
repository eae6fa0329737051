"""Layers of the user that inherit from those of Keras, wrap them, or have them as attributes.

The numbers are those that the same code computes in Keras 2.3.1.
"""

import h5py
import numpy as np
import pytest
from kconvert.keras.layers import (
    LSTM,
    RNN,
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    GRUCell,
    Input,
    Lambda,
    Layer,
    Masking,
    TimeDistributed,
)
from kconvert.keras.layers.merge import _Merge
from kconvert.keras.layers.wrappers import Wrapper
from kconvert.keras.models import Model, Sequential, load_model

from kconvert import convert
from kconvert.errors import KconvertError
from kconvert.keras import backend as K

X = np.random.RandomState(0).rand(8, 5).astype("float32")
Y = np.random.RandomState(1).rand(8, 1)


class Doubled(Dense):
    def call(self, inputs):
        return 2 * super().call(inputs)


class Scaled(Dense):
    """Its `build` adds a weight to those of Dense."""

    def __init__(self, units, scale=3.0, **kwargs):
        super().__init__(units, **kwargs)
        self.scale = scale

    def build(self, input_shape):
        super().build(input_shape)
        self.extra = self.add_weight(name="extra", shape=(self.units,), initializer="ones")

    def call(self, inputs):
        return K.dot(inputs, self.kernel) * self.scale * self.extra + self.bias

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


class Again(Doubled):
    """It inherits from a class of the user."""

    def call(self, inputs):
        return super().call(inputs) + 1


class OfMagnitude(Conv2D):
    def call(self, inputs):
        return super().call(K.abs(inputs))


class Means(LSTM):
    def __init__(self, units, **kwargs):
        super().__init__(units, return_sequences=True, **kwargs)

    def call(self, inputs, mask=None, training=None, initial_state=None):
        return K.mean(super().call(inputs, mask=mask, training=training, initial_state=initial_state), axis=1)

    def compute_output_shape(self, input_shape):
        return input_shape[0], self.units


class Cell(GRUCell):
    def call(self, inputs, states, training=None):
        output, new = super().call(inputs, states, training=training)
        return -output, new


class Weighted(_Merge):
    def _merge_function(self, inputs):
        return 0.25 * inputs[0] + 0.75 * inputs[1]


class Uneven(Add):
    def _merge_function(self, inputs):
        return inputs[0] * 0.5 + inputs[1]


class Concrete(Wrapper):
    """It gives the layer inside a weight, and a loss for its kernel."""

    def build(self, input_shape=None):
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True
        super().build()
        self.p = self.layer.add_weight(name="p_logit", shape=(1,), initializer="ones", trainable=True)
        self.layer.add_loss(K.sum(K.square(self.layer.kernel)) * 0.1)
        self.layer.add_loss(K.sum(self.p))

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def call(self, x, training=None):
        def scaled():
            return self.layer.call(x * K.sigmoid(self.p))

        return K.in_train_phase(scaled, lambda: self.layer.call(x), training=training)


class Normalized(Wrapper):
    """It computes with another kernel than the one that is stored: spectral normalization."""

    def build(self, input_shape):
        self.layer.build(input_shape)
        self.layer.built = True
        shape = (1, K.int_shape(self.layer.kernel)[-1])
        self.u = self.layer.add_weight(name="u", shape=shape, initializer="ones", trainable=False)
        super().build(input_shape)

    def call(self, x):
        kernel = self.layer.kernel
        matrix = K.reshape(kernel, [-1, K.int_shape(kernel)[-1]])
        v = K.l2_normalize(K.dot(self.u, K.transpose(matrix)))
        u = K.l2_normalize(K.dot(v, matrix))
        self.layer.kernel = kernel / K.sum(K.dot(K.dot(v, matrix), K.transpose(u)))
        y = self.layer(x)
        self.layer.kernel = kernel
        return y

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)


class Block(Layer):
    """Its layers are built by their first call."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.dense = Dense(units, activation="relu", kernel_initializer="ones")
        self.norm = BatchNormalization()
        self.last = [Dropout(0.5)]

    def build(self, input_shape):
        self.w = self.add_weight(name="w", shape=(1,), initializer="ones")
        super().build(input_shape)

    def call(self, x, training=None):
        y = self.norm(self.dense(x), training=training)
        for layer in self.last:
            y = layer(y)
        return y * self.w

    def compute_output_shape(self, input_shape):
        return input_shape[0], 3


class Pair(Layer):
    """Its `build` builds its layers."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.first = Dense(units, kernel_initializer="ones", kernel_regularizer="l2")
        self.second = Dense(2, kernel_initializer="ones")

    def build(self, input_shape):
        self.first.build(input_shape)
        self.second.build((input_shape[0], self.units))
        super().build(input_shape)

    def call(self, x):
        return self.second.call(self.first.call(x))

    def compute_output_shape(self, input_shape):
        return input_shape[0], 2

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Around(Layer):
    """It calls a layer or a model that it is given."""

    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def call(self, x):
        return self.inner(x) + 1


class Listed(Layer):
    """Its layers are in a list, which Keras does not look into."""

    def __init__(self, count=True, **kwargs):
        super().__init__(**kwargs)
        self.count, self.layers_of_it = count, [Dense(2, kernel_initializer="ones")]

    def build(self, input_shape):
        self.layers_of_it[0].build(input_shape)
        if self.count:
            self._trainable_weights += self.layers_of_it[0].trainable_weights

    def call(self, x):
        return self.layers_of_it[0].call(x)

    def compute_output_shape(self, input_shape):
        return input_shape[0], 2


def ones(cls, *args, **kwargs):
    return cls(*args, kernel_initializer="ones", **kwargs)


def of(layer):
    """A model of one layer, compiled."""
    model = Sequential([layer])
    model.compile("sgd", "mse")
    return model


def names(model):
    return [str(variable.name).split(":")[0].split("/", 1)[1] for variable in model.weights]


def test_call_of_the_base_class(on):
    np.testing.assert_allclose(of(ones(Doubled, 3, input_shape=(5,))).predict(X)[:, 0], 2 * X.sum(1), rtol=1e-5)
    np.testing.assert_allclose(of(ones(Again, 3, input_shape=(5,))).predict(X)[:, 0], 2 * X.sum(1) + 1, rtol=1e-5)
    assert of(ones(OfMagnitude, 2, 3, input_shape=(6, 6, 1))).predict(-np.ones((1, 6, 6, 1))).sum() == 288
    means = of(ones(Means, 3, recurrent_initializer="zeros", input_shape=(4, 5)))
    assert means.output_shape == (None, 3)
    plain = ones(LSTM, 3, recurrent_initializer="zeros", return_sequences=True, input_shape=(4, 5))
    sequence = np.ones((2, 4, 5))
    np.testing.assert_allclose(means.predict(sequence), of(plain).predict(sequence).mean(1), rtol=1e-5)


def test_weights_of_the_base_class_and_of_the_class(on):
    model = of(ones(Scaled, 1, input_shape=(5,), name="d"))
    assert [w.shape for w in model.get_weights()] == [(5, 1), (1,), (1,)]
    assert names(model) == ["kernel", "bias", "extra"]
    np.testing.assert_allclose(model.predict(X)[:, 0], 3 * X.sum(1), rtol=1e-5)
    again = Sequential.from_config(model.get_config(), custom_objects={"Scaled": Scaled})
    assert again.layers[0].scale == 3.0
    before = model.predict(X)
    model.train_on_batch(X, Y)
    assert not np.allclose(before, model.predict(X)) and model.get_weights()[2] != 1


def test_cells_that_inherit_from_cells(on):
    cell, plain = (ones(cls, 3, recurrent_initializer="zeros") for cls in (Cell, GRUCell))
    x = np.ones((1, 1, 5))
    np.testing.assert_allclose(
        of(RNN(cell, input_shape=(1, 5))).predict(x), -of(RNN(plain, input_shape=(1, 5))).predict(x), rtol=1e-5
    )


def test_merge_functions(on):
    a, b = Input((5,)), Input((5,))
    for cls, right in ((Weighted, 0.25 * X + 0.75 * Y), (Uneven, 0.5 * X + Y)):
        y = np.broadcast_to(Y, X.shape)
        np.testing.assert_allclose(Model([a, b], cls()([a, b])).predict([X, y]), right, rtol=1e-5)


def test_wrappers(on):
    model = of(Concrete(ones(Dense, 1), input_shape=(5,), name="w"))
    assert names(model) == ["kernel", "bias", "p_logit"]
    np.testing.assert_allclose(model.predict(X[:2])[:, 0], [2.8353, 3.3224], rtol=1e-4)
    assert model.train_on_batch(X, Y) == pytest.approx(4.910494804382324, rel=1e-5)
    kernel, bias, p = model.get_weights()
    np.testing.assert_allclose(kernel[:, 0], [0.9819, 0.9844, 0.9802, 0.9775, 0.9881], atol=1e-4)
    np.testing.assert_allclose([*bias, *p], [-0.0365, 0.9690], atol=1e-4)
    config = model.layers[0].get_config()
    assert config["layer"]["class_name"] == "Dense"
    assert Concrete.from_config(config).layer.units == 1


def test_a_wrapper_that_replaces_the_kernel(on):
    model = of(Normalized(ones(Conv2D, 2, 3), input_shape=(4, 4, 1)))
    found = model.predict(np.arange(16).reshape((1, 4, 4, 1)))[0, :, :, 0]
    np.testing.assert_allclose(found, [[10.6066, 12.7279], [19.0919, 21.2132]], rtol=1e-4)
    assert names(model) == ["kernel", "bias", "u"] and len(model.trainable_weights) == 2


def test_layers_as_attributes(on):
    model = of(Block(3, input_shape=(5,), name="b"))
    inner = ["dense/kernel", "dense/bias", "norm/gamma", "norm/beta", "norm/moving_mean", "norm/moving_variance"]
    assert [name.split("/")[-1] for name in names(model)] == ["w", *(name.split("/")[1] for name in inner)]
    assert model.count_params() == 31
    np.testing.assert_allclose(model.predict(X[:1])[0, 0], X[:1].sum() / np.sqrt(1.001), rtol=1e-4)
    model.train_on_batch(X, np.repeat(Y, 3, 1))
    mean = np.maximum(X.sum(1), 0).mean() * 0.01
    np.testing.assert_allclose(model.get_weights()[5], [mean] * 3, rtol=1e-4)
    assert len(model.trainable_weights) == 5


def test_layers_that_build_builds(on):
    model = of(Pair(3, input_shape=(5,), name="b"))
    assert names(model) == ["kernel", "bias", "kernel_1", "bias_1"]
    np.testing.assert_allclose(model.predict(X[:2]), [[8.5059] * 2, [9.9671] * 2], rtol=1e-4)
    assert model.evaluate(X, np.repeat(Y, 2, 1), verbose=0) > np.mean((model.predict(X) - Y) ** 2) + 0.14


def test_a_model_as_an_attribute_begins_with_its_weights(on):
    inner = Sequential([ones(Dense, 2, input_shape=(5,))])
    inner.set_weights([np.full((5, 2), 0.5), np.ones(2)])
    model = of(Around(inner, input_shape=(5,)))
    np.testing.assert_allclose(model.predict(X)[:, 0], X.sum(1) / 2 + 2, rtol=1e-5)


def test_a_frozen_model_as_an_attribute(on):
    inner = Sequential([Conv2D(2, 3, activation="relu", input_shape=(6, 6, 1)), Conv2D(1, 3)])
    inner.trainable = False
    model = of(Around(inner, input_shape=(6, 6, 1)))
    assert [len(model.weights), len(model.trainable_weights)] == [4, 0]
    images = np.random.RandomState(0).rand(2, 6, 6, 1)
    np.testing.assert_allclose(model.predict(images), inner.predict(images) + 1, rtol=1e-5)


def test_a_convolution_inside_begins_with_its_weights(on):
    kernel = np.random.RandomState(0).rand(2, 2, 1, 1)
    images = np.random.RandomState(1).rand(2, 4, 4, 1)
    plain = of(Conv2D(1, 2, weights=[kernel, np.zeros(1)], input_shape=(4, 4, 1)))
    right = plain.predict(images) + 1
    around = of(Around(Conv2D(1, 2, weights=[kernel, np.zeros(1)]), input_shape=(4, 4, 1)))
    np.testing.assert_allclose(around.predict(images), right, rtol=1e-5)
    np.testing.assert_allclose(of(Around(plain, input_shape=(4, 4, 1))).predict(images), right, rtol=1e-5)


def test_layers_in_lists_need_a_list_of_weights(on):
    """Otherwise Keras neither trains nor saves their weights."""
    assert len(of(Listed(input_shape=(5,))).get_weights()) == 2
    model = of(Listed(False, input_shape=(5,)))
    assert model.get_weights() == []
    np.testing.assert_allclose(model.predict(X), np.repeat(X.sum(1, keepdims=True), 2, 1), rtol=1e-5)
    with pytest.raises(KconvertError, match=r"call self\.layer\.add_weight"):
        of(_OwnWeight(Dense(2), input_shape=(5,))).get_weights()


class _OwnWeight(Wrapper):
    def build(self, input_shape):
        self.add_weight(name="own", shape=(1,))

    def call(self, x):
        return self.layer(x)


def test_layers_inside_get_the_mask_of_the_input(on):
    x = np.array([[[1.0], [2.0], [0.0]]])
    around = Around(ones(LSTM, 2, recurrent_initializer="ones"))
    around.supports_masking = True
    masked = Sequential([Masking(input_shape=(3, 1)), around, Lambda(lambda y: y)])
    short = Sequential([Around(ones(LSTM, 2, recurrent_initializer="ones"), input_shape=(2, 1))])
    np.testing.assert_allclose(masked.predict(x), short.predict(x[:, :2]), rtol=1e-5)


class Steps(Layer):
    """The mask of its input passes through one of its layers to the next."""

    supports_masking = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.squash = Activation("tanh")
        self.last = ones(LSTM, 2, recurrent_initializer="ones")

    def call(self, x):
        return self.last(self.squash(x))

    def compute_output_shape(self, input_shape):
        return input_shape[0], 2


def test_masks_pass_through_the_layers_inside(on):
    x = np.array([[[1.0], [2.0], [0.0]]])
    masked = Sequential([Masking(input_shape=(3, 1)), Steps(), Lambda(lambda y: y)])
    short = Sequential([Steps(input_shape=(2, 1))])
    np.testing.assert_allclose(masked.predict(x), short.predict(x[:, :2]), rtol=1e-5)


class Positions(Layer):
    """It gives `add_weight` all arguments by position."""

    def build(self, input_shape):
        self.w = self.add_weight("w", (5,), None, "ones", "l2", False, "non_neg")

    def call(self, x):
        return x * self.w


def test_add_weight_takes_its_arguments_by_position(on):
    model = of(Positions(input_shape=(5,)))
    assert [len(model.weights), len(model.trainable_weights)] == [1, 0]
    assert model.evaluate(X, X, verbose=0) == pytest.approx(0.05, rel=1e-4)  # what `l2` adds for five ones

    class Misspelt(Layer):
        def build(self, input_shape):
            self.add_weight(name="w", shape=(1,), regulariser="l2")

    with pytest.raises(KconvertError, match="add_weight has no argument 'regulariser'"):
        of(Misspelt(input_shape=(5,))).get_weights()


def test_an_embedding_and_time_steps(on):
    class Twice(Embedding):
        def call(self, inputs):
            return super().call(inputs) * 2

    class Stepwise(TimeDistributed):
        pass

    embedded = of(Twice(10, 3, input_length=4, embeddings_initializer="ones")).predict(np.ones((1, 4)))
    np.testing.assert_allclose(embedded, np.full((1, 4, 3), 2))
    steps = of(Stepwise(ones(Dense, 2), input_shape=(4, 5)))
    np.testing.assert_allclose(steps.predict(np.ones((1, 4, 5))), np.full((1, 4, 2), 5))


def test_files(tmp_path):
    model = of(Pair(3, input_shape=(5,), name="b"))
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        found = [str(name, "utf-8").split(":")[0] for name in file["model_weights/b"].attrs["weight_names"]]
    assert found == ["b/kernel", "b/bias", "b/kernel_1", "b/bias_1"]
    again = load_model(tmp_path / "m.h5", custom_objects={"Pair": Pair})
    np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-5)


def test_kernels_of_the_base_class_are_converted(tmp_path):
    """A class that inherits from Conv2D has kernels that Theano reverses."""
    model = of(OfMagnitude(2, 3, input_shape=(5, 5, 1), name="c"))
    model.save(tmp_path / "m.h5")
    objects = {"OfMagnitude": OfMagnitude}
    convert(tmp_path / "m.h5", tmp_path / "t.h5", "tensorflow", "theano", custom_objects=objects)
    with h5py.File(tmp_path / "t.h5") as file:
        stored = file["model_weights/c/c/kernel"][()]
    np.testing.assert_array_equal(stored, model.get_weights()[0][::-1, ::-1])
