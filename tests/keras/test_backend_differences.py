"""`keras.backend` where its backends differ, or where sizes are not known: what real Keras 2.3.1 gave."""

import numpy as np
import pytest
from kconvert.keras.layers import Dense, Input, Lambda
from kconvert.keras.models import Model

from kconvert.errors import KconvertError
from kconvert.keras import backend as K

X = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]], "float32")
W = np.arange(12, dtype="float32").reshape(3, 4)


def is_tensorflow(on):
    return K.backend() == "tensorflow"


# ---------------------------------------------------------------- updates ----


@pytest.mark.parametrize(
    ("update", "right"),
    [
        (lambda v: K.update(v, v * 2), X * 2),
        (lambda v: K.update_add(v, 1.0), X + 1),
        (lambda v: K.update_sub(v, v * 0.5), X / 2),
        (lambda v: K.moving_average_update(v, v * 3, 0.9), X * 1.2),
    ],
)
def test_the_value_of_an_update_is_the_new_value(on, update, right):
    v = K.variable(X)
    if not is_tensorflow(on):
        with pytest.raises(AttributeError, match="no value on Theano"):
            K.eval(update(v))
        right = X
    else:
        np.testing.assert_allclose(K.eval(update(v)), right, rtol=1e-6)
    np.testing.assert_allclose(K.get_value(v), right, rtol=1e-6)


# -------------------------------------------------------------- gradients ----


def test_gradients_of_what_the_loss_does_not_depend_on(on):
    v, other, x, y = K.variable(X), K.variable(X), K.placeholder((2, 3)), K.placeholder((2, 3))
    layer, unused = Dense(1), Dense(1)
    out, _ = layer(x), unused(y)
    cases = [(K.sum(v * v), v, other), (K.sum(x * v), v, y), (K.sum(out), layer.kernel, unused.kernel)]
    for loss, used, not_used in cases:
        if is_tensorflow(on):
            assert K.gradients(loss, [used, not_used])[1] is None
            assert K.gradients(K.cast(K.greater(loss, 0), "float32"), [used]) == [None]
            assert K.gradients(K.stop_gradient(loss), [used]) == [None]
        else:
            with pytest.raises(ValueError, match="does not depend"):
                K.gradients(loss, [used, not_used])


def test_gradients_of_symbols_and_variables_together(on):
    v, x = K.variable(X), K.placeholder((2, 3))
    h = K.square(v)
    slopes = K.function([x], K.gradients(K.sum(h * v * x), [v, x, h]))([X + 1])
    np.testing.assert_allclose(slopes[1], X**3, rtol=1e-5)
    np.testing.assert_allclose(slopes[2], X * (X + 1), rtol=1e-5)
    (second,) = K.gradients(K.sum(K.gradients(K.sum(K.pow(v, 3)), [v])[0]), [v])
    np.testing.assert_allclose(K.eval(second), 6 * X, rtol=1e-5)
    assert K.dtype(second) == "float32" and K.int_shape(second) == (2, 3)


def test_the_gradient_of_one_variable(on):
    v = K.variable(X)
    slope = K.gradients(K.sum(v * v), v)
    np.testing.assert_allclose(K.eval(slope[0] if is_tensorflow(on) else slope), 2 * X, rtol=1e-6)
    if not is_tensorflow(on):
        with pytest.raises(TypeError, match="has no gradient"):
            K.gradients(v * v, [v])


# ------------------------------------------------------------------ types ----


def test_types_of_symbols(on):
    x, i = K.placeholder((None, 3)), K.placeholder((None, 3), dtype="int32")
    for value, right in [
        (K.cast(x, "int32"), "int32"),
        (K.cast(i, "float64"), "float64"),
        (K.greater(x, 0), "bool"),
        (K.sum(x) * 2.0, "float32"),
        (K.argmax(x), "int64"),
        (K.sum(i), "int32" if is_tensorflow(on) else "int64"),
        (K.shape(x), "int32" if is_tensorflow(on) else "int64"),
        (K.random_uniform((2, 3), dtype="float64"), "float64"),
        (K.random_normal(K.shape(x), dtype="float64"), "float64"),
    ]:
        assert K.dtype(value) == right
    assert K.eval(K.random_binomial((2, 3), 0.5, dtype="int32")).dtype == "int32"


def test_means_of_integers(on):
    v = K.variable(np.array([[9, 4], [6, 4]]), dtype="int32")
    assert K.eval(K.mean(v)) == (5 if is_tensorflow(on) else 5.75)
    assert K.eval(K.var(K.variable(X) > 0)) == pytest.approx(2 / 9)


# ----------------------------------------------------------- unknown sizes ----


@pytest.mark.parametrize(
    ("function", "shape", "right", "known"),
    [
        (lambda x: K.dot(x, K.variable(W)), X.shape, X @ W, (None, 4)),
        (lambda x: K.dot(K.variable(X), K.transpose(x)), X.shape, X @ X.T, (2, None)),
        (lambda x: K.reshape(x, (3, 2)), X.shape, X.reshape(3, 2), (3, 2)),
        (lambda x: K.reshape(x, (K.shape(x)[0], 3, 1)), X.shape, X[..., None], (None, 3, 1)),
        (lambda x: K.reshape(x, K.shape(K.variable(X.T))), X.shape, X.reshape(3, 2), None),
        (lambda x: K.squeeze(x, 1), (2, 1, 3), X, (None, None)),
        (lambda x: x + K.ones((K.shape(x)[0], 3)), X.shape, X + 1, (None, 3)),
        (lambda x: K.batch_normalization(x, *map(K.variable, X), None, None), X.shape, None, (None, 3)),
        (lambda x: K.in_top_k(x, K.variable([0, 1], dtype="int32"), 1), X.shape, [False, True], (2,)),
        (lambda x: K.bias_add(x, K.variable(X[0])), X.shape, X + X[0], (None, 3)),
        (lambda x: K.sparse_categorical_crossentropy(K.variable([0, 1]), K.exp(x)), X.shape, None, (2,)),
        (lambda x: K.rnn(_step, x, [K.variable(X)])[1], (2, 1, 3), (X * 1.5)[:, None], None),
    ],
)
def test_sizes_that_are_not_known(on, function, shape, right, known):
    x = K.placeholder(ndim=len(shape))
    y = function(x)
    assert known is None or K.int_shape(y) == known
    if right is not None:
        np.testing.assert_allclose(K.function([x], [y])([X.reshape(shape)])[0], right, rtol=1e-5)


def _step(x, states):
    return x + states[0] * 0.5, [states[0]]


# --------------------------------------------------------------- functions ----


def test_a_function_begins_at_an_inner_tensor(on):
    x = Input((3,))
    inner = Dense(2, kernel_initializer="ones")(x)
    layer = Dense(2, kernel_initializer="ones")
    out = layer(inner)
    (value,) = K.function([inner], [out * 2])([X[:, :2]])
    np.testing.assert_allclose(value, 2 * X[:, :2].sum(-1, keepdims=True) * np.ones((1, 2)), rtol=1e-5)
    assert layer.output == out


def test_inputs_of_functions(on):
    x = K.placeholder((2, 3))
    np.testing.assert_allclose(K.function((x,), (x * 2,), name="double")((X,))[0], X * 2)
    with pytest.raises(TypeError, match="no symbol"):
        K.function([K.variable(X)], [x])


def test_switch_takes_functions(on):
    x = K.placeholder((2, 3))
    y = K.switch(K.sum(x) > 0, lambda: x + 1, lambda: x * 2)
    np.testing.assert_allclose(K.function([x], [y])([X])[0], X + 1)


def test_map_fn_of_several_tensors(on):
    y = K.map_fn(lambda pair: pair[0] * 2 + pair[1], (K.variable(X), K.variable(X + 1)), dtype="float32")
    np.testing.assert_allclose(K.eval(y), 3 * X + 1)


def test_a_lambda_divides_and_compares_by_a_variable(on):
    v = K.variable(X[0])
    x = Input((3,))
    y = Lambda(lambda t: t / v + K.cast(t < v, "float32"), output_shape=(3,))(x)
    np.testing.assert_allclose(Model(x, y).predict(X), X / X[0] + (X[0] > X), rtol=1e-6)


def test_variance_of_a_batch_of_images(on):
    x = np.random.RandomState(0).standard_normal((2, 3, 4, 2)).astype("float32")
    ones, zeros = K.ones((2,)), K.zeros((2,))
    _, _, variance = K.normalize_batch_in_training(K.variable(x), ones, zeros, [0, 1, 2], epsilon=1e-3)
    right = x.var((0, 1, 2)) * 24 / 23 if is_tensorflow(on) else x.var((0, 1, 2)) + 1e-3
    np.testing.assert_allclose(K.eval(variance), right, rtol=1e-5)


def test_the_axis_of_a_crossentropy(on):
    target, output = np.eye(3, dtype="float32")[[[0, 1, 2]]], np.abs(W[:, :3]).reshape(1, 3, 3) / 10 + 0.1
    if is_tensorflow(on):
        along = [K.eval(K.categorical_crossentropy(target, K.variable(output), True, axis)) for axis in (-1, 1, 6)]
        np.testing.assert_allclose(along[1], along[0], rtol=1e-6)
        np.testing.assert_allclose(along[2], along[0], rtol=1e-6)
    with pytest.raises(KconvertError, match="axis 6"):
        K.categorical_crossentropy(target, K.variable(output), axis=6)


def test_slices_beyond_the_end(on):
    v = K.variable(X)
    if is_tensorflow(on):
        np.testing.assert_allclose(K.eval(K.slice(v, [0, 1], [-1, 2])), X[:, 1:])
        with pytest.raises(KconvertError, match="more than there are"):
            K.slice(v, [0, 1], [2, 5])
    else:
        np.testing.assert_allclose(K.eval(K.slice(v, [0, 1], [2, 5])), X[:, 1:])


def test_products_with_vectors(on):
    v = K.variable(X)
    if is_tensorflow(on):
        with pytest.raises(KconvertError, match="give it a matrix"):
            K.dot(v, K.variable(X[0]))
    else:
        np.testing.assert_allclose(K.eval(K.dot(v, K.variable(X[0]))), X @ X[0], rtol=1e-6)


def test_transposed_convolutions_of_a_stated_batch(on):
    x, kernel = K.placeholder((None, 6, 5, 2)), K.variable(np.ones((2, 2, 3, 2)))
    y = K.conv2d_transpose(x, kernel, (2, 8, 7, 3), dilation_rate=(2, 2))
    assert K.int_shape(y) == (2, 8, 7, 3)


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (lambda v: K.slice(v, [0], [1]), "do not fit 2 axes"),
        (lambda v: K.repeat(K.expand_dims(v), 2), "2 axes, not 3"),
        (lambda v: K.batch_dot(K.expand_dims(v), K.expand_dims(v), (1, 2, 3)), "not one axis of each"),
        (lambda v: K.resize_images(K.zeros((1, 2, 2, 1)), 2, 2, "channels_last", interpolation="x"), "interpolation"),
        (lambda v: K.depthwise_conv2d(K.zeros((1, 2, 2, 1)), K.zeros((1, 1, 1, 1)), padding="x"), "padding"),
        (lambda v: K.rnn(_step, v, [v]), "3 axes or more"),
    ],
)
def test_what_keras_refuses(on, refused, words):
    with pytest.raises(KconvertError, match=words):
        refused(K.variable(X))


def test_what_a_tensor_is(on):
    layer = Dense(2)
    y = layer(Input((3,), name="given"))
    v, x = K.variable(X, name="mine"), K.placeholder((2,), name="theirs")
    assert [K.is_variable(one) for one in (v, layer.kernel, x, v * 2)] == [True, True, False, False]
    assert K.is_tensor(layer.kernel) and K.int_shape(layer.kernel) == (3, 2) and K.dtype(layer.kernel) == "float32"
    assert v._keras_shape == (2, 3) and v.ndim == 2 and not v._uses_learning_phase
    assert v.name == "mine" and x.name == "theirs" and y.name.startswith("dense")
    assert len(list(K.shape(v))) == 2
    with pytest.raises(TypeError, match="cannot be iterated"):
        list(y)


def test_models_take_sparse_matrices_as_inputs_and_make_them_dense(on):
    sparse = pytest.importorskip("scipy.sparse")
    x = Input((X.shape[1],), sparse=True)
    assert K.is_sparse(x)
    model = Model(x, Dense(2, activation="tanh")(x))
    matrix, labels = sparse.csr_matrix(X), np.ones((len(X), 2))
    right = model.predict(X)
    np.testing.assert_array_equal(model.predict(matrix), right)
    np.testing.assert_array_equal(model.predict_on_batch(matrix), right)
    model.compile("sgd", "mse")
    assert model.evaluate(matrix, labels, verbose=0) == model.evaluate(X, labels, verbose=0)
    assert model.fit(matrix, labels, validation_split=0.5, verbose=0).history["loss"]
    assert model.get_config()["layers"][0]["config"]["sparse"] is True
