"""`keras.backend` in layers and models: the data format of the model, the phase, cells, what is refused."""

import numpy as np
import pytest

import kconvert as kc
from kconvert.backend import get_backend
from kconvert.errors import KconvertError
from kconvert.keras import backend as K
from kconvert.layers import RNN, Conv2D, Dense, Input, Lambda, Layer, LSTMCell

X = np.random.default_rng(0).normal(size=(2, 3, 6, 6)).astype("float32")
KERNEL = np.random.default_rng(1).normal(size=(1, 1, 2, 4)).astype("float32")
FUNCTIONS = {
    "pool2d": lambda y: K.pool2d(y, (2, 2), (2, 2)),
    "conv2d": lambda y: K.conv2d(y, K.constant(KERNEL)),
    "depthwise_conv2d": lambda y: K.depthwise_conv2d(y, K.constant(KERNEL)),
    "bias_add": lambda y: K.bias_add(y, K.constant([1.0, 2.0])),
    "spatial_2d_padding": lambda y: K.spatial_2d_padding(y, ((1, 2), (0, 1))),
    "local_conv2d": lambda y: K.local_conv2d(y, K.constant(np.ones((16, 2, 3), "float32")), (1, 1), (1, 1), (4, 4)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_data_format_is_that_of_the_layers_of_the_model(on, name):
    function = FUNCTIONS[name]
    results = []
    for data_format, x in (("channels_first", X), ("channels_last", X.transpose(0, 2, 3, 1))):
        image = Input(x.shape[1:])
        convolution = Conv2D(2, 3, data_format=data_format)
        y = convolution(image)
        in_lambda, on_symbols = kc.Model(image, Lambda(function)(y)), kc.Model(image, function(y))
        convolution.set_weights([np.ones((3, 3, 3, 2)) * [0.1, -0.2], [0.0, 0.1]])
        assert in_lambda.output_shape == on_symbols.output_shape
        first, second = in_lambda.predict(x), on_symbols.predict(x)
        np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)
        results.append(first if data_format == "channels_last" else first.transpose(0, 2, 3, 1))
    np.testing.assert_allclose(*results, rtol=1e-4, atol=1e-5)


def test_the_phase_of_symbols_is_that_of_the_run(on):
    x = Input((3,))
    model = kc.Model(x, K.in_train_phase(x * 2.0, lambda: x * 0.0))
    model.compile("sgd", "mse")
    ones = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(model.predict(ones), 0.0 * ones)
    assert model.test_on_batch(ones, ones) == 1.0
    f = K.function([x, K.learning_phase()], [model.output])
    np.testing.assert_array_equal(f([ones, 1])[0], 2.0 * ones)


class Noisy(Layer):
    """Adds one in training; its `call` does not take the phase."""

    def call(self, x):
        return K.in_train_phase(x + 1.0, x)


def test_the_phase_of_a_layer_of_the_user_is_that_of_the_run(on):
    model = kc.Sequential([Noisy(input_shape=(3,)), Dense(3)])
    model.compile("sgd", "mse")
    model.layers[1].set_weights([np.eye(3), np.zeros(3)])
    ones = np.ones((2, 3), "float32")
    assert model.test_on_batch(ones, ones) == 0.0
    assert model.train_on_batch(ones, ones) == 1.0


class Cell(Layer):
    """A recurrent cell, written as in Keras."""

    def __init__(self, units, **kwargs):
        self.units = self.state_size = units
        super().__init__(**kwargs)

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), initializer="uniform", name="kernel")
        self.own = self.add_weight(shape=(self.units, self.units), initializer="uniform", name="recurrent_kernel")
        self.built = True

    def call(self, x, states):
        output = K.dot(x, self.kernel) + K.dot(states[0], self.own)
        return output, [output]


def test_cells_of_the_user_in_a_list(on):
    x = Input((None, 5))
    data = np.random.default_rng(0).normal(size=(2, 4, 5)).astype("float32")
    model = kc.Model(x, RNN([Cell(4), Cell(3)])(x))
    first, second, third, fourth = model.get_weights()
    a, b = np.zeros((2, 4)), np.zeros((2, 3))
    for t in range(4):
        a = data[:, t] @ first + a @ second
        b = a @ third + b @ fourth
    np.testing.assert_allclose(model.predict(data), b, rtol=1e-4, atol=1e-6)
    mixed = kc.Model(x, RNN([Cell(4), LSTMCell(3)], return_state=True)(x))
    assert [one.shape for one in mixed.predict(data)] == [(2, 3), (2, 4), (2, 3), (2, 3)]


def test_weights_of_layers_are_read_and_set(on):
    x = Input((3,))
    layer = Dense(2)
    model = kc.Model(x, layer(x))
    np.testing.assert_array_equal(K.get_value(layer.kernel), model.get_weights()[0])
    K.set_value(layer.bias, np.array([5.0, 6.0]))
    np.testing.assert_array_equal(model.get_weights()[1], [5, 6])
    with pytest.raises(KconvertError, match="does not fit"):
        K.set_value(layer.bias, np.zeros(3))


@pytest.mark.parametrize("name", ["get_session", "set_session"])
def test_what_only_tensorflow_has_is_refused_by_name(name):
    with pytest.raises(KconvertError, match=f"K.{name} is not supported"):
        getattr(K, name)(None)


def test_the_best_path(on):
    rows = np.array([[[0.1, 0.2, 0.7], [0.6, 0.3, 0.1], [0.6, 0.2, 0.2], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]]])
    (labels,), costs = K.ctc_decode(K.variable(rows), K.variable([5]))
    np.testing.assert_array_equal(K.eval(labels), [[0, 1]])
    np.testing.assert_allclose(K.eval(costs), [[-np.log(0.7 * 0.6 * 0.6 * 0.8 * 0.4)]], rtol=1e-5)
    with pytest.raises(KconvertError, match="3 paths are asked for, and the beam has 2; raise beam_width"):
        K.ctc_decode(K.variable(rows), K.variable([5]), greedy=False, beam_width=2, top_paths=3)


def test_only_tensorflow_searches_with_a_beam():
    with pytest.raises(KconvertError, match="numpy has no beam search; give greedy=True"):
        get_backend("numpy").ctc_beam_search(None, None, 2, 1, False)


def test_a_loss_may_use_what_layers_computed(on):
    x = Input((3,))
    code = Dense(2, activation="tanh")(x)
    model, encoder = kc.Model(x, Dense(3)(code)), kc.Model(x, code)
    doubled = code * 2.0

    def loss(y_true, y_pred):
        return K.mean(K.square(y_true - y_pred), axis=-1) + K.sum(K.square(code), axis=-1) + K.mean(doubled, axis=-1)

    model.compile("sgd", loss)
    data = X[:, :, 0, 0]
    codes, outputs = encoder.predict(data), model.predict(data)
    wanted = np.square(data - outputs).mean(-1) + np.square(codes).sum(-1) + 2 * codes.mean(-1)
    assert model.evaluate(data, data) == pytest.approx(wanted.mean(), rel=1e-5)
    assert model.fit(data, data, epochs=3, verbose=0).history["loss"][-1] < wanted.mean()


def test_a_symbol_outside_of_its_model_is_refused(on):
    x, other = Input((3,)), Input((2,))
    with pytest.raises(KconvertError, match="is an input that is not in the model"):
        kc.Model(x, Lambda(lambda y: y + K.sum(other))(x)).predict(np.zeros((1, 3)))
