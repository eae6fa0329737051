"""The functions of keras.backend: on every backend they give what NumPy gives."""

import numpy as np
import pytest

from kconvert import KconvertError
from kconvert import backend as K
from kconvert.backend.base import InputSpec
from kconvert.backend.computing import computing, images_in

X = np.random.default_rng(1).standard_normal((3, 4, 5)).astype("float32")
Y = np.random.default_rng(2).standard_normal((3, 5, 2)).astype("float32")
W = np.random.default_rng(3).standard_normal((5, 6)).astype("float32")


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


CASES = {
    "sum": (lambda: K.sum(X_, axis=1), X.sum(1)),
    "sum of axes": (lambda: K.sum(X_, axis=[1, 2], keepdims=True), X.sum((1, 2), keepdims=True)),
    "sum of all": (lambda: K.sum(X_), X.sum()),
    "mean": (lambda: K.mean(X_, axis=-1), X.mean(-1)),
    "max": (lambda: K.max(X_, axis=1, keepdims=True), X.max(1, keepdims=True)),
    "min": (lambda: K.min(X_, axis=-1), X.min(-1)),
    "var": (lambda: K.var(X_, axis=1), X.var(1)),
    "std": (lambda: K.std(X_, axis=-1, keepdims=True), X.std(-1, keepdims=True)),
    "logsumexp": (lambda: K.logsumexp(X_, axis=-1), np.log(np.exp(X).sum(-1))),
    "argmin": (lambda: K.cast(K.argmin(X_, axis=-1), "float32"), X.argmin(-1)),
    "l2_normalize": (lambda: K.l2_normalize(X_, axis=1), X / np.sqrt((X**2).sum(1, keepdims=True))),
    "softmax": (lambda: K.softmax(X_), softmax(X)),
    "stack": (lambda: K.stack([X_, X_ + 1.0], axis=-1), np.stack([X, X + 1], -1)),
    "concatenate": (lambda: K.concatenate([X_, 2.0 * X_], axis=1), np.concatenate([X, 2 * X], 1)),
    "expand_dims": (lambda: K.expand_dims(X_), X[..., None]),
    "expand_dims of Keras 1": (lambda: K.expand_dims(X_, dim=1), X[:, None]),
    "squeeze": (lambda: K.squeeze(X_[:, :1], 1), X[:, 0]),
    "permute_dimensions": (lambda: K.permute_dimensions(X_, (0, 2, 1)), X.transpose(0, 2, 1)),
    "reshape": (lambda: K.reshape(X_, (-1, 10)), X.reshape(-1, 10)),
    "batch_flatten": (lambda: K.batch_flatten(X_), X.reshape(3, -1)),
    "repeat": (lambda: K.repeat(X_[:, 0], 3), np.repeat(X[:, :1], 3, 1)),
    "repeat_elements": (lambda: K.repeat_elements(X_, 2, axis=1), np.repeat(X, 2, 1)),
    "tile": (lambda: K.tile(X_, [1, 2, 3]), np.tile(X, [1, 2, 3])),
    "reverse": (lambda: K.reverse(X_, axes=1), X[:, ::-1]),
    "temporal_padding": (lambda: K.temporal_padding(X_, (1, 2)), np.pad(X, [(0, 0), (1, 2), (0, 0)])),
    "clip": (lambda: K.clip(X_, -0.5, 0.5), X.clip(-0.5, 0.5)),
    "pow": (lambda: K.pow(X_, 2), X**2),
    "square": (lambda: K.square(X_), X**2),
    "relu": (lambda: K.relu(X_, alpha=0.1, max_value=1.0), np.where(X > 0, X.clip(0, 1), 0.1 * X)),
    "elu": (lambda: K.elu(X_), np.where(X > 0, X, np.exp(X) - 1)),
    "softsign": (lambda: K.softsign(X_), X / (1 + np.abs(X))),
    "hard_sigmoid": (lambda: K.hard_sigmoid(X_), (0.2 * X + 0.5).clip(0, 1)),
    "switch": (lambda: K.switch(K.greater(X_, 0.0), X_, lambda: 0.0 * X_), np.where(X > 0, X, 0)),
    "less_equal": (lambda: K.cast_to_floatx(K.less_equal(X_, 0.0)), X <= 0),
    "zeros_like": (lambda: K.zeros_like(X_) + K.ones_like(X_), np.ones_like(X)),
    "one_hot": (lambda: K.one_hot(K.argmax(X_), 5), np.eye(5)[X.argmax(-1)]),
    "dot": (lambda: K.dot(X_, K.constant(W)), X @ W),
    "batch_dot": (lambda: K.batch_dot(X_, K.constant(Y), axes=[2, 1]), X @ Y),
    "batch_dot without axes": (lambda: K.batch_dot(X_, K.constant(Y)), X @ Y),
    "operators": (lambda: -X_ / 127.5 - 1.0 + X_**2 * 3.0, -X / 127.5 - 1 + X**2 * 3),
    "slices": (lambda: X_[:, 1:, ::-1], X[:, 1:, ::-1]),
}
X_ = None  # the tensor, while a case is run


@pytest.mark.parametrize("case", CASES)
def test_it_gives_what_numpy_gives(case, backend, monkeypatch):
    function, expected = CASES[case]

    def build(_, tensors):
        monkeypatch.setitem(globals(), "X_", tensors[0])
        with computing(backend):
            return [function()]

    (y,) = backend.compile_reading(build, [InputSpec((None, 4, 5))], [])([X])
    assert y.shape == np.shape(expected)
    assert np.abs(y - expected).max() < 1e-5


def test_sizes_that_are_known_are_integers(backend):
    def build(_, tensors):
        with computing(backend):
            assert K.int_shape(tensors[0])[1:] == (4, 5)
            assert K.ndim(tensors[0]) == 3
            assert K.int_shape(K.concatenate([tensors[0], tensors[0]], axis=1))[1:] == (8, 5)
        return tensors

    backend.compile_reading(build, [InputSpec((None, 4, 5))], [])([X])


def test_a_data_format_is_that_of_the_model_or_refused(backend):
    with computing(backend):
        with images_in("channels_first"):
            assert (K.image_data_format(), K.image_dim_ordering()) == ("channels_first", "th")
        with pytest.raises(KconvertError, match="do not state one data format"):
            K.image_data_format()


def test_a_function_outside_of_a_model_is_refused():
    with pytest.raises(KconvertError, match="outside of a model"):
        K.sum(X)
    assert K.epsilon() == 1e-7


def test_a_name_that_is_missing_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no function 'conv2d'"):
        K.conv2d(X)
