"""`keras.backend`: values, symbols, compiled functions, on both backends."""

import numpy as np
import pytest
from kconvert.keras.layers import Dense, Dropout, Input
from kconvert.keras.models import Model, Sequential

from kconvert.errors import KconvertError
from kconvert.keras import backend as K

X = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]], "float32")


def test_variables_keep_values(on):
    v = K.variable(X)
    assert K.int_shape(v) == (2, 3) and K.ndim(v) == 2 and K.dtype(v) == "float32" and K.count_params(v) == 6
    K.set_value(v, X + 1)
    np.testing.assert_allclose(K.get_value(v), X + 1)
    with pytest.raises(KconvertError, match="does not fit"):
        K.set_value(v, X[0])


@pytest.mark.parametrize(
    ("mine", "right"),
    [
        (lambda x: K.exp(x) * 2 - 1, np.exp(X) * 2 - 1),
        (lambda x: 1 / (1 + K.square(x)), 1 / (1 + X**2)),
        (lambda x: K.sum(x, axis=-1, keepdims=True), X.sum(-1, keepdims=True)),
        (lambda x: K.prod(x, axis=1), X.prod(1)),
        (lambda x: K.cumsum(x, axis=1), X.cumsum(1)),
        (lambda x: K.cumprod(x, axis=1), X.cumprod(1)),
        (lambda x: K.dot(x, K.transpose(x)), X @ X.T),
        (lambda x: K.clip(x, -1, 2)[:, 1:], np.clip(X, -1, 2)[:, 1:]),
        (lambda x: K.slice(x, [0, 1], [2, 2]), X[:, 1:]),
        (lambda x: K.bias_add(x, K.variable(np.arange(3))), X + np.arange(3)),
        (lambda x: K.in_top_k(x, np.array([0, 1]), 1), [False, True]),
        (lambda x: K.concatenate([x, K.zeros_like(x)]), np.concatenate([X, 0 * X], -1)),
        (lambda x: K.batch_normalization(x, np.zeros(3), np.ones(3), None, None, epsilon=0.0), X),
    ],
)
def test_functions_of_values(on, mine, right):
    np.testing.assert_allclose(K.eval(mine(K.variable(X))), right, rtol=1e-5)
    x = K.placeholder((2, 3))
    (value,) = K.function([x], [mine(x)])([X])
    np.testing.assert_allclose(value, right, rtol=1e-5)


def test_comparisons_of_what_stands_for_tensors(on):
    x = K.variable(X)
    np.testing.assert_array_equal(K.eval(K.cast(x > 1.0, "float32")), X > 1)
    np.testing.assert_array_equal(K.eval(K.cast(x >= 3.0, "float32")), X >= 3)
    np.testing.assert_allclose(K.eval(x // 2.0 + x % 2.0), X // 2 + X % 2)
    s = K.placeholder((2, 3))
    np.testing.assert_array_equal(K.function([s], [K.switch(s < 2.0, s, s * 0.0)])([X])[0], np.where(X < 2, X, 0))


def test_sizes_that_a_placeholder_does_not_state(on):
    x, y = K.placeholder((None, 3)), K.placeholder(ndim=2)
    together = x + y
    assert K.int_shape(together) == (None, 3)
    assert K.int_shape(K.dot(x, y)) == (None, None)
    np.testing.assert_allclose(K.function([x, y], [together])([X, X])[0], X * 2)
    with pytest.raises(KconvertError, match="add of"):
        x + K.placeholder((None, 4))


@pytest.mark.parametrize("words", [(5, 2, -1), (10, -1, -2), (5, 2, -5), (3, 11, 3), (0, 4, 2), (2, 5, 7)])
def test_ranges_end_before_their_stop(on, words):
    """As NumPy, and Keras 2.3.1 on both backends."""
    assert K.eval(K.arange(*words)).tolist() == list(range(*words))


@pytest.mark.parametrize("words", [(0, 1, 0.25), (0.5, 3, 1), (0, -2, -0.5), (0.0, 7.0)])
def test_ranges_of_fractions(on, words):
    """As Keras 2.3.1 on both backends."""
    np.testing.assert_allclose(K.eval(K.arange(*words, dtype="float32")), np.arange(*words))


def test_tile_takes_numbers_for_the_last_axes(on):
    """As Keras 2.3.1 on both backends."""
    np.testing.assert_allclose(K.eval(K.tile(K.variable(X), (2,))), np.tile(X, (1, 2)))


def test_ranges_and_levels(on):
    assert K.eval(K.arange(-2)).shape == K.eval(K.arange(5, 2)).shape == (0,)
    with pytest.raises(KconvertError, match="below 1, not 1"):
        K.dropout(K.variable(X), 1)


def test_functions_along_the_first_axis(on):
    x = K.variable(X)
    np.testing.assert_allclose(K.eval(K.foldl(lambda a, b: a + b, x)), X.sum(0))
    np.testing.assert_allclose(K.eval(K.map_fn(lambda row: row * 2, x)), X * 2)
    s = K.placeholder((None, 3))
    np.testing.assert_allclose(K.function([s], [K.map_fn(lambda row: row * 2, s)])([X])[0], X * 2)


def test_operations_on_symbols_are_layers_of_the_network(on):
    x = Input((3,))
    scale = K.variable(2.0)
    model = Model(x, K.mean(x * scale + 1.0, axis=-1, keepdims=True))
    np.testing.assert_allclose(model.predict(X), (X * 2 + 1).mean(-1, keepdims=True), rtol=1e-6)
    K.set_value(scale, 3.0)
    np.testing.assert_allclose(model.predict(X), (X * 3 + 1).mean(-1, keepdims=True), rtol=1e-6)
    with pytest.raises(KconvertError, match="cannot be stored"):
        model.get_config()


def test_gradients_of_symbols(on):
    x = Input((3,))
    (gradient,) = K.gradients(K.sum(K.square(x) * 3.0), [x])
    (value,) = K.function([x], [gradient])([X])
    np.testing.assert_allclose(value, 6 * X, rtol=1e-6)


def test_gradients_of_variables(on):
    v = K.variable(X)
    (slope,) = K.gradients(K.sum(K.square(v)), [v])
    np.testing.assert_allclose(K.eval(slope), 2 * X, rtol=1e-6)


def test_gradients_with_respect_to_other_things_are_refused(on):
    x, layer = Input((3,)), Dense(1)
    first = K.sum(layer(x))
    with pytest.raises(KconvertError, match="takes symbols and variables"):
        K.gradients(first, [X])
    (slope,) = K.gradients(first, [layer.kernel])
    with pytest.raises(KconvertError, match="no value without the values of the inputs"):
        K.eval(slope)


def test_the_phase_of_a_function(on):
    x = Input((100,))
    f = K.function([x, K.learning_phase()], [Dropout(0.5)(x)])
    ones = np.ones((4, 100), "float32")
    assert (f([ones, 0])[0] == 1).all()
    first, second = f([ones, 1])[0], f([ones, 1])[0]
    assert set(np.unique(first)) == {0, 2} and (first != second).any()


def test_updates_of_a_function(on):
    total = K.variable(np.zeros(3))
    x = K.placeholder((None, 3))
    f = K.function([x], [K.sum(x)], updates=[K.update_add(total, K.sum(x, axis=0))])
    f([X]), f([X])
    np.testing.assert_allclose(K.get_value(total), 2 * X.sum(0), rtol=1e-6)


def test_random_numbers_differ_from_run_to_run(on):
    x = Input((3,))
    np.random.seed(1)
    f = K.function([x], [x * 0.0 + K.random_normal((1, 3))])
    first, second = f([X])[0], f([X])[0]
    assert np.isfinite(first).all() and (first != second).any()


def test_models_of_float16_are_refused_by_name(on):
    with pytest.raises(KconvertError, match="unknown type of floats 'float8'; one of: float16, float32, float64"):
        K.set_floatx("float8")
    model = Sequential([Dense(2, dtype="float16", input_shape=(3,), name="half")])
    with pytest.raises(KconvertError, match=r"layer half: layers do not compute in float16; K.set_floatx"):
        model.predict(X)


def test_a_layer_of_the_network_has_its_weights_in_functions(on):
    x = Input((3,))
    dense = Dense(2)
    y = dense(x)
    model = Model(x, y)
    f = K.function([x], [y])
    np.testing.assert_allclose(f([X])[0], model.predict(X), rtol=1e-5)
